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
#include "vaulttypes.h"

enum svcenc_config_limits {
	SVCENC_VAULTS_MAX = 64,
	SVCENC_PATH_MAX = 256,
	SVCENC_USER_MAX = 64,
};

#define SVCENC_VAULT_USER "svcenc-vault"
/* Of workers with a network: the key files of others are not theirs to read. */
#define SVCENC_VAULT_NET_USER "svcenc-vault-net"

struct svcenc_vault_config {
	char name[SVCENC_NAME_SIZE];
	char type[SVCENC_VAULT_TYPE_MAX]; /* "file" */
	/* of a file vault's root keys, or what else a worker keeps; "" = none */
	char directory[SVCENC_PATH_MAX];
	char user[SVCENC_USER_MAX]; /* the worker's */
	bool external;		    /* started by somebody else */
	/* key for 'vault test' in a vault that makes none; "" = none named */
	char test_key[SVCENC_PATH_MAX];
	/* the worker's own settings, as they stand in the file */
	struct svcenc_vault_option options[SVCENC_VAULT_OPTIONS];
	size_t option_count;
	bool user_set, start_set; /* while the file is read */
};

struct svcenc_config {
	struct svcenc_policy_rules rules; /* of new policies */
	char metrics[SVCENC_PATH_MAX];	  /* "": none are written */
	bool metrics_names;
	uint32_t metrics_s; /* how often */
	size_t vault_count;
	struct svcenc_vault_config vaults[SVCENC_VAULTS_MAX]; /* by name */
};

/*
 * @etc: directory of svcencd.conf; @vault_state: parent of the default vault
 * directories. metrics is "-" if the files do not say. A missing file or directory is fine.
 */
int svcenc_config_load(const char *etc, const char *vault_state,
		       struct svcenc_config *ret, struct svcenc_fault *fault);

/*
 * The same place under one or two names: the same type, and no setting that
 * says where it is differs.
 */
bool svcenc_config_same_vault(const struct svcenc_vault_config *one,
			      const struct svcenc_vault_config *other);

const struct svcenc_vault_config *
svcenc_config_vault(const struct svcenc_config *config, const char *name);

#endif
