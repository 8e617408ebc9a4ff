// SPDX-License-Identifier: GPL-2.0-only
#include "activate.h"
#include "control.h"
#include "map.h"
#include "status.h"

void svcenc_status_get(struct svcenc_dev *dev, struct svcenc_status *ret)
{
	memset(ret, 0, sizeof(*ret));
	spin_lock(&dev->status_lock);
	ret->state = !dev->activated	  ? SVCENC_STATE_NEW :
		     svcenc_dev_live(dev) ? SVCENC_STATE_ACTIVE :
					    SVCENC_STATE_LOCKED;
	ret->epoch = dev->epoch;
	ret->key = dev->table.key;
	ret->has_check = ret->state == SVCENC_STATE_ACTIVE;
	memcpy(ret->check, dev->check, sizeof(ret->check));
	ret->seq = dev->seq;
	spin_unlock(&dev->status_lock);
	svcenc_map_counters(dev, &ret->counters);
	svcenc_control_status(dev, ret);
}

static void print_table(struct svcenc_dev *dev, char *result,
			unsigned int maxlen)
{
	struct svcenc_table table;

	spin_lock(&dev->status_lock);
	table = dev->table;
	spin_unlock(&dev->status_lock);
	table.device = dev->lower->name;
	svcenc_table_print(&table, result, maxlen);
}

/* As dm-crypt has it: names and identifiers for attestation, never keys. */
static void print_ima(struct svcenc_dev *dev, char *result, unsigned int maxlen)
{
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];
	struct svcenc_status status;
	unsigned int sz = 0;

	svcenc_status_get(dev, &status);
	svcenc_uuid_print(&dev->table.uuid, uuid);
	svcenc_keyid_print(&status.key, key);
	DMEMIT_TARGET_NAME_VERSION(dev->ti->type);
	DMEMIT(",volume_uuid=%s,key_description=%s,epoch=%llu", uuid, key,
	       status.epoch);
	DMEMIT(",cipher_string=aes-xts-plain64,key_size=%u,sector_size=%u",
	       SVCENC_VOLKEY_SIZE, dev->sector_size);
	DMEMIT(",allow_discards=%c;", dev->table.allow_discards ? 'y' : 'n');
}

void svcenc_status(struct dm_target *ti, status_type_t type, unsigned int flags,
		   char *result, unsigned int maxlen)
{
	struct svcenc_dev *dev = ti->private;
	struct svcenc_status status;

	switch (type) {
	case STATUSTYPE_INFO:
		svcenc_status_get(dev, &status);
		svcenc_status_print(&status, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		print_table(dev, result, maxlen);
		break;
	case STATUSTYPE_IMA:
		print_ima(dev, result, maxlen);
		break;
	}
}

static int parse_key(struct svcenc_dev *dev, const char *word,
		     struct svcenc_keyid *ret)
{
	if (!svcenc_keyid_parse(word, ret))
		return 0;
	DMERR("%s: key description is malformed (wanted: svcenc:<policy uuid>:<version>)",
	      svcenc_dev_name(dev));
	return -EINVAL;
}

static int message_unlock(struct svcenc_dev *dev, unsigned int argc,
			  char **argv)
{
	struct svcenc_keyid id;
	int rc = parse_key(dev, argv[1], &id);

	if (!rc)
		rc = svcenc_control_unlock(dev, &id);
	if (!rc)
		dm_table_event(dev->ti->table);
	return rc;
}

static int refuse_suspended(struct svcenc_dev *dev, const char *what)
{
	if (!dm_suspended(dev->ti))
		return 0;
	DMERR("%s: %s is not possible while suspended: resume first",
	      svcenc_dev_name(dev), what);
	return -EBUSY;
}

static int message_rewrap(struct svcenc_dev *dev, unsigned int argc,
			  char **argv)
{
	u8 auth[SVCENC_AUTH_SIZE];
	struct svcenc_keyid id;
	int rc;

	rc = refuse_suspended(dev, "rewrap");
	if (!rc)
		rc = parse_key(dev, argv[1], &id);
	if (rc)
		return rc;
	if (svcenc_hex_parse(argv[2], auth, sizeof(auth))) {
		DMERR("%s: authorisation is malformed (wanted: 64 lower-case hex digits)",
		      svcenc_dev_name(dev));
		return -EINVAL;
	}
	rc = svcenc_rewrap(dev, &id, auth);
	memzero_explicit(auth, sizeof(auth));
	if (!rc)
		dm_table_event(dev->ti->table);
	return rc;
}

static const char rotate_usage[] =
	"rotate start | pause | resume [skip_unreadable] | rate <KiB/s>";

static int refuse_arguments(struct svcenc_dev *dev, const char *usage)
{
	DMERR("%s: wrong number of arguments (wanted: %s)",
	      svcenc_dev_name(dev), usage);
	return -EINVAL;
}

static int rotate_rate(struct svcenc_dev *dev, const char *word)
{
	u64 kib_s;

	if (svcenc_u64_parse(word, U32_MAX, &kib_s)) {
		DMERR("%s: rate wants a number of KiB/s, 0 for no limit",
		      svcenc_dev_name(dev));
		return -EINVAL;
	}
	return svcenc_control_rate(dev, kib_s);
}

static int message_rotate(struct svcenc_dev *dev, unsigned int argc,
			  char **argv)
{
	const char *verb = argv[1];
	int rc;

	rc = refuse_suspended(dev, "rotate");
	if (rc)
		return rc;
	if (!strcmp(verb, "start") && argc == 2)
		return svcenc_control_start(dev);
	if (!strcmp(verb, "pause") && argc == 2)
		return svcenc_control_pause(dev);
	if (!strcmp(verb, "resume") && argc == 2)
		return svcenc_control_resume(dev, false);
	if (!strcmp(verb, "resume") && !strcmp(argv[2], "skip_unreadable"))
		return svcenc_control_resume(dev, true);
	if (!strcmp(verb, "rate") && argc == 3)
		return rotate_rate(dev, argv[2]);
	DMERR("%s: rotate cannot do this (wanted: %s)", svcenc_dev_name(dev),
	      rotate_usage);
	return -EINVAL;
}

static const struct {
	const char *word;
	unsigned int argc_min, argc_max;
	int (*handle)(struct svcenc_dev *dev, unsigned int argc, char **argv);
	const char *usage;
} messages[] = {
	{ "unlock", 2, 2, message_unlock, "unlock <key description>" },
	{ "rewrap", 3, 3, message_rewrap,
	  "rewrap <new key description> <authorisation>" },
	{ "rotate", 2, 3, message_rotate, rotate_usage },
};

int svcenc_message(struct dm_target *ti, unsigned int argc, char **argv,
		   char *result, unsigned int maxlen)
{
	struct svcenc_dev *dev = ti->private;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		if (strcmp(argv[0], messages[i].word))
			continue;
		if (argc < messages[i].argc_min || argc > messages[i].argc_max)
			return refuse_arguments(dev, messages[i].usage);
		return messages[i].handle(dev, argc, argv);
	}
	DMERR("%s: unknown message (wanted: unlock, rewrap, rotate)",
	      svcenc_dev_name(dev));
	return -EINVAL;
}
