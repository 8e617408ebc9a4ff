/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of io.svcenc.Vault over the functions of a back end: a message
 * in, a message out. Checks the shape of what it gets; knows neither sockets
 * nor how any vault works.
 */
#ifndef SVCENC_VAULT_LIB_SERVICE_H
#define SVCENC_VAULT_LIB_SERVICE_H

#include <jansson.h>

#include "vault.h"

/*
 * Always a reply or an error; NULL only if memory is short. @broken: answer of
 * start(), given to all calls unless it is OK.
 */
json_t *serve_message(struct vault *vault, const struct vault_answer *broken,
		      json_t *message);

#endif
