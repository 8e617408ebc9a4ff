/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tenants, policies, vaults and volumes as the protocol shows them: what the
 * store knows joined with what the kernel and the last probes say. Changes
 * nothing. All return a new object, or NULL if memory is short.
 */
#ifndef SVCENC_DAEMON_VIEW_H
#define SVCENC_DAEMON_VIEW_H

#include "model.h"

json_t *view_tenant(struct agent *agent, const struct tenant *tenant);
json_t *view_policy(struct agent *agent, const struct policy *policy);
json_t *view_volume(struct agent *agent, const struct volume *volume);
/* Of one tenant, or of all if @tenant is NULL; records that do not read are
 * left out.
 */
json_t *view_policies(struct agent *agent, const struct svcenc_uuid *tenant);
json_t *view_volumes(struct agent *agent, const struct svcenc_uuid *tenant);

#endif
