// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key type "svcenc" and the keyring ".svcenc": how policy keys get into
 * the kernel and how their end is asked for. Bytes are read here and handed
 * to policykey.c at once; what a policy key is and does, that file knows.
 *
 * A struct key (the system's) is a holder of a policy key; several may hold
 * the same one (added twice, linked elsewhere).
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/key-type.h>
#include <linux/key.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/suspend.h>

#include "compat.h"
#include "keyring.h"

static struct key *keyring; /* constant between init and exit */
static int keyring_serial;  /* likewise; outlives it */

/* -------------------------------------------------------------- key type */

static int vet_description(const char *description)
{
	struct svcenc_keyid id;

	return svcenc_keyid_parse(description, &id);
}

/*
 * The only place where userspace's bytes are read. The system wipes and frees
 * its copy of prep->data (kvfree_sensitive) after add_key().
 */
static int preparse(struct key_preparsed_payload *prep)
{
	const struct svcenc_key_payload *wire = prep->data;
	struct svcenc_holder *holder;
	struct svcenc_keyid id;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!prep->orig_description ||
	    svcenc_keyid_parse(prep->orig_description, &id))
		return -EINVAL;
	if (prep->datalen != sizeof(*wire) ||
	    le32_to_cpu(wire->version) != SVCENC_PAYLOAD_VERSION ||
	    !svcenc_lease_in_range(le32_to_cpu(wire->lease_s)))
		return -EINVAL;
	holder = svcenc_holder_new(&id, wire->key, le32_to_cpu(wire->lease_s));
	if (IS_ERR(holder))
		return PTR_ERR(holder);
	prep->payload.data[0] = holder;
	return 0;
}

static void free_preparse(struct key_preparsed_payload *prep)
{
	svcenc_holder_free(prep->payload.data[0]);
}

static int instantiate(struct key *key, struct key_preparsed_payload *prep)
{
	struct svcenc_holder *holder = prep->payload.data[0];
	int rc;

	rc = svcenc_holder_join(holder, key);
	if (rc)
		return rc;
	prep->payload.data[0] = NULL;
	key->payload.data[0] = holder;
	/*
	 * Root must be able to end the key by its serial, without having to
	 * possess the keyring first (keyctl revoke, unlink, invalidate,
	 * timeout). Nobody sees the key before this function returns.
	 */
	key->perm |= KEY_USR_VIEW | KEY_USR_SEARCH | KEY_USR_LINK |
		     KEY_USR_SETATTR;
	return 0; /* quota: def_datalen was reserved when it was allocated */
}

static void revoke(struct key *key)
{
	if (key->payload.data[0])
		svcenc_holder_end(key->payload.data[0], "revoked");
}

/* The last reference to @key is gone: unlinked, invalidated, cleared. */
static void destroy(struct key *key)
{
	if (key->payload.data[0])
		svcenc_holder_leave(key->payload.data[0], "unlinked");
}

static void describe(const struct key *key, struct seq_file *m)
{
	const struct svcenc_holder *holder = key->payload.data[0];

	seq_puts(m, key->description);
	if (key_is_positive(key) && holder)
		seq_printf(m, ": %*phN", SVCENC_CHECK_SIZE,
			   svcenc_holder_check(holder));
}

static struct key_type key_type_svcenc = {
	.name = "svcenc",
	.flags = KEY_TYPE_INSTANT_REAP,
	.def_datalen = sizeof(struct svcenc_key_payload),
	.vet_description = vet_description,
	.preparse = preparse,
	.free_preparse = free_preparse,
	.instantiate = instantiate,
	.revoke = revoke,
	.destroy = destroy,
	.describe = describe,
	/* no .read, no .update: bytes go in and never come out or change */
};

/* --------------------------------------------------------------- keyring */

struct svcenc_key *svcenc_key_find(const struct svcenc_keyid *id)
{
	struct svcenc_key *key = ERR_PTR(-ENOKEY);
	char description[SVCENC_KEYID_TEXT + 1];
	key_ref_t ref;

	svcenc_keyid_print(id, description);
	/*
	 * Never request_key(): it looks through the caller's keyrings, where
	 * anyone could have put a key of that name.
	 */
	ref = keyring_search(make_key_ref(keyring, true), &key_type_svcenc,
			     description, false);
	if (IS_ERR(ref))
		return PTR_ERR(ref) == -EAGAIN ? key : ERR_CAST(ref);
	/* request_key() by someone else may have linked an empty one. */
	if (key_is_positive(key_ref_to_ptr(ref)))
		key = svcenc_holder_key(key_ref_to_ptr(ref)->payload.data[0]);
	key_ref_put(ref);
	return key;
}

int svcenc_keyring_serial(void)
{
	return keyring_serial;
}

/*
 * A hibernation image would write every key to the swap device. Processes are
 * frozen only after this: until then the agent, which hears of its lost keys,
 * must not bring them back.
 */
static int power_event(struct notifier_block *block, unsigned long event,
		       void *unused)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		svcenc_keys_refuse(true);
		svcenc_keys_end_all("hibernation");
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		svcenc_keys_refuse(false);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block power_notifier = {
	.notifier_call = power_event,
};

int svcenc_keyring_init(void)
{
	int rc;

	rc = svcenc_keys_init();
	if (rc)
		return rc;
	rc = register_key_type(&key_type_svcenc);
	if (rc)
		goto err_keys_exit;
	keyring = keyring_alloc(".svcenc", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID,
				current_cred(),
				(KEY_POS_ALL & ~KEY_POS_SETATTR) |
					KEY_USR_VIEW | KEY_USR_READ |
					KEY_USR_WRITE | KEY_USR_SEARCH |
					KEY_USR_LINK,
				KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	if (IS_ERR(keyring)) {
		rc = PTR_ERR(keyring);
		goto err_unregister_type;
	}
	keyring_serial = key_serial(keyring);
	rc = register_pm_notifier(&power_notifier);
	if (rc)
		goto err_put_keyring;
	return 0;

err_put_keyring:
	key_put(keyring);
err_unregister_type:
	unregister_key_type(&key_type_svcenc);
err_keys_exit:
	svcenc_keys_exit();
	return rc;
}

/* No volume exists any more: the module is going away. */
void svcenc_keyring_exit(void)
{
	unregister_pm_notifier(&power_notifier);
	/* No more add_key(); ends and destroys what is left, wherever linked. */
	unregister_key_type(&key_type_svcenc);
	svcenc_keys_end_all("module unloaded");
	key_revoke(keyring);
	key_put(keyring);
	svcenc_keys_exit();
}
