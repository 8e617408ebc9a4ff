/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's configuration: svcencd.conf and its drop-ins, vaults.d/. Reads
 * and checks; unknown sections and keys are refused, so that a misspelt rule
 * is never silently the default. Nothing here is secret.
 *
 * With no file at all there are three file vaults, "a", "b" and
 * "availability"; a file vaults.d/NAME.conf replaces the one of that name or
 * adds one.
 */
#ifndef SVCENC_LIB_CONFIG_H
#define SVCENC_LIB_CONFIG_H

#include "fault.h"
#include "policy.h"
#include "policyrec.h"

enum svcenc_config_limits {
	SVCENC_VAULTS_MAX = 64,
	SVCENC_PATH_MAX = 256,
	SVCENC_USER_MAX = 64,
};

#define SVCENC_VAULT_USER "svcenc-vault"

struct svcenc_vault_config {
	char name[SVCENC_NAME_SIZE];
	char type[16];			 /* "file" */
	char directory[SVCENC_PATH_MAX]; /* of the root keys */
	char user[SVCENC_USER_MAX];	 /* the worker's */
	bool external;			 /* started by somebody else */
};

struct svcenc_config {
	struct svcenc_policy_rules rules; /* of new policies */
	size_t vault_count;
	struct svcenc_vault_config vaults[SVCENC_VAULTS_MAX]; /* by name */
};

/*
 * @etc: directory of svcencd.conf; @vault_state: parent of the default vault
 * directories. A missing file or directory is fine.
 */
int svcenc_config_load(const char *etc, const char *vault_state,
		       struct svcenc_config *ret, struct svcenc_fault *fault);

const struct svcenc_vault_config *
svcenc_config_vault(const struct svcenc_config *config, const char *name);

#endif
