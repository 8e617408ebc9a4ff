// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-dump DEVICE [--json]: prints the header of a volume, from both
 * superblock copies and both policy records, with every defect in the words
 * the kernel uses, and which copy an opener would take. Needs no key and
 * prints no key byte, wrapped or not; writes nothing.
 *
 * Exit status: 0 openable as far as can be seen, 1 usage, 2 no permission,
 * 4 not a volume or too short, 9 integrity failure.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "header.h"
#include "keyfmt.h"
#include "rotation.h"

static const char *place_text(u32 place)
{
	return place == SVCENC_PLACE_HIGH ? "high" : "low";
}

static const char *direction_text(u32 direction)
{
	return direction == SVCENC_DIRECTION_DOWN ? "down" :
	       direction == SVCENC_DIRECTION_UP	  ? "up" :
						    "none";
}

static const char *role_text(u32 role)
{
	return role == SVCENC_ROLE_A ? "a" :
	       role == SVCENC_ROLE_B ? "b" :
				       "availability";
}

static const char *alg_text(u32 alg)
{
	static const char *const texts[] = {
		[SVCENC_ALG_A256KW] = "A256KW",
		[SVCENC_ALG_A256KWP] = "A256KWP",
		[SVCENC_ALG_RSA_OAEP_256] = "RSA-OAEP-256",
		[SVCENC_ALG_RSA_OAEP_SHA1] = "RSA-OAEP",
		[SVCENC_ALG_OPAQUE] = "opaque",
	};

	return texts[alg];
}

/* --- JSON --- */

static json_t *uuid_json(const struct svcenc_uuid *uuid)
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(uuid, text);
	return json_string(text);
}

static json_t *hex_json(u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	return json_string(text);
}

static json_t *u64_json(u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return json_string(text);
}

/* null while idle. The bytes are those on the device. */
static json_t *rotation_json(const struct svcenc_sb *sb)
{
	struct svcenc_rotation rotation;

	svcenc_rotation_load(sb, &rotation);
	if (!svcenc_rotation_running(&rotation))
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I, s:o}", "direction",
			 direction_text(sb->direction), "watermark",
			 (json_int_t)sb->watermark, "done",
			 (json_int_t)svcenc_rotation_done(&rotation), "total",
			 (json_int_t)rotation.length, "next_epoch",
			 u64_json(sb->epoch + 1));
}

static json_t *extents_json(const struct svcenc_sb *sb)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < sb->extent_count; i++)
		json_array_append_new(
			list,
			json_pack("{s:I, s:I}", "start",
				  (json_int_t)sb->extents[i].start, "sectors",
				  (json_int_t)sb->extents[i].sectors));
	return list;
}

/*
 * Sizes are numbers: a valid superblock keeps them below 2^63. Counters and
 * feature bits use all 64 bits, of which no JSON reader is sure: strings.
 */
static json_t *fields_json(const struct svcenc_sb *sb)
{
	char key[SVCENC_KEYID_TEXT + 1];

	svcenc_keyid_print(&sb->key, key);
	return json_pack(
		"{s:o, s:s, s:b, s:o, s:o, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:o, s:i, s:o, s:o, s:o, s:o}",
		"uuid", uuid_json(&sb->uuid), "key", key, "keyed",
		(int)sb->keyed, "seq", u64_json(sb->seq), "epoch",
		u64_json(sb->epoch), "sector_size", (json_int_t)sb->sector_size,
		"cipher", "aes-xts-plain64", "data_offset",
		(json_int_t)sb->data_offset, "data_len",
		(json_int_t)sb->data_len, "spare_len",
		(json_int_t)sb->spare_len, "device_len",
		(json_int_t)svcenc_sb_device_bytes(sb), "place",
		place_text(sb->place), "direction",
		direction_text(sb->direction), "watermark",
		(json_int_t)sb->watermark, "rotation", rotation_json(sb),
		"unreadable_extents", (int)sb->extent_count, "unreadable",
		extents_json(sb), "incompat", hex_json(sb->incompat),
		"ro_compat", hex_json(sb->ro_compat), "compat",
		hex_json(sb->compat));
}

static json_t *copy_json(const struct svcenc_header_sb *copy)
{
	json_t *json = json_pack("{s:s, s:b}", "state",
				 svcenc_header_sb_text(copy), "valid",
				 copy->present && !copy->defect);

	if (copy->also)
		json_object_set_new(
			json, "also",
			json_string(svcenc_sb_defect_text(copy->also)));
	if (copy->decoded)
		json_object_set_new(json, "fields", fields_json(&copy->sb));
	return json;
}

static json_t *wraps_json(const struct svcenc_record *r)
{
	json_t *wraps = json_array();
	u32 i;

	for (i = 0; i < r->wrap_count; i++) {
		const struct svcenc_record_wrap *w = &r->wraps[i];

		json_array_append_new(
			wraps, json_pack("{s:s, s:s, s:s, s:s, s:i}", "role",
					 role_text(w->role), "vault", w->vault,
					 "kid", w->kid, "alg", alg_text(w->alg),
					 "blob_len", (int)w->blob_len));
	}
	return wraps;
}

static json_t *record_json(const struct svcenc_header_record *record)
{
	const struct svcenc_record *r = &record->record;
	json_t *json = json_pack("{s:s, s:b}", "state",
				 svcenc_header_record_text(record), "valid",
				 record->present && !record->defect);
	char key[SVCENC_KEYID_TEXT + 1];

	if (!record->present || record->defect)
		return json;
	svcenc_keyid_print(&r->key, key);
	json_object_set_new(
		json, "fields",
		json_pack("{s:o, s:s, s:o, s:o, s:s, s:s, s:s, s:o}", "volume",
			  uuid_json(&r->volume), "key", key, "generation",
			  u64_json(r->generation), "tenant",
			  uuid_json(&r->tenant), "tenant_name", r->tenant_name,
			  "policy_name", r->policy_name, "volume_name",
			  r->volume_name, "wraps", wraps_json(r)));
	return json;
}

static int print_json(const char *path, const struct svcenc_header *h,
		      const struct svcenc_verdict *v)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:I, s:[o,o], s:[o,o], s:{s:s, s:i, s:b, s:i}}",
		"schema", "svcenc/1", "device", path, "bytes",
		(json_int_t)h->device_bytes, "superblocks",
		copy_json(&h->copy[0]), copy_json(&h->copy[1]), "records",
		record_json(&h->record[0]), record_json(&h->record[1]),
		"verdict", "text", v->text, "copy", v->winner + 1, "repair",
		(int)v->repair, "exit", (int)v->exit);

	if (!json || json_dumpf(json, stdout, JSON_INDENT(2)) < 0) {
		fprintf(stderr,
			"svcenc-dump: error: cannot write the JSON (is the path valid UTF-8, is there memory?)\n");
		json_decref(json);
		return -EIO;
	}
	putchar('\n');
	json_decref(json);
	return 0;
}

/* --- text --- */

static void print_zone(const struct svcenc_rotation *rotation,
		       const struct svcenc_sb *sb, const char *which,
		       u64 sector, u64 epoch)
{
	const u32 place = svcenc_rotation_find(rotation, sector, 1).place;

	printf("               sectors %s %llu: place %s, under epoch %llu\n",
	       which, (unsigned long long)sb->watermark, place_text(place),
	       (unsigned long long)epoch);
}

static void print_rotation(const struct svcenc_sb *sb)
{
	struct svcenc_rotation rotation;
	bool down;

	svcenc_rotation_load(sb, &rotation);
	if (!svcenc_rotation_running(&rotation))
		return;
	down = rotation.direction == SVCENC_DIRECTION_DOWN;
	printf("  rotation     %s, to epoch %llu: %llu of %llu sectors done (%.1f%%)\n",
	       direction_text(sb->direction), (unsigned long long)sb->epoch + 1,
	       (unsigned long long)svcenc_rotation_done(&rotation),
	       (unsigned long long)rotation.length,
	       100.0 * (double)svcenc_rotation_done(&rotation) /
		       (double)rotation.length);
	if (sb->watermark)
		print_zone(&rotation, sb, "below", 0,
			   down ? sb->epoch + 1 : sb->epoch);
	if (sb->watermark < rotation.length)
		print_zone(&rotation, sb, "from", sb->watermark,
			   down ? sb->epoch : sb->epoch + 1);
}

static void print_extents(const struct svcenc_sb *sb)
{
	u32 i;

	for (i = 0; i < sb->extent_count; i++)
		printf("%s %llu to %llu\n",
		       i ? "               sectors" : "  unreadable   sectors",
		       (unsigned long long)sb->extents[i].start,
		       (unsigned long long)(sb->extents[i].start +
					    sb->extents[i].sectors - 1));
}

static void print_fields(const struct svcenc_sb *sb, int number)
{
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];

	svcenc_uuid_print(&sb->uuid, uuid);
	svcenc_keyid_print(&sb->key, key);
	printf("\nfrom superblock copy %d:\n", number);
	printf("  volume uuid  %s\n", uuid);
	printf("  policy key   %s\n", key);
	printf("  state        %s\n",
	       sb->keyed ? "keyed" : "fresh, never opened");
	printf("  seq          %llu\n", (unsigned long long)sb->seq);
	printf("  epoch        %llu\n", (unsigned long long)sb->epoch);
	printf("  cipher       aes-xts-plain64, 512-bit key, %u-byte sectors\n",
	       sb->sector_size);
	printf("  length       %llu bytes\n", (unsigned long long)sb->data_len);
	printf("  data         at byte %llu (place %s)%s\n",
	       (unsigned long long)svcenc_sb_data_start(sb),
	       place_text(sb->place),
	       sb->direction ? ", before the rotation" : "");
	printf("  spare        %llu bytes\n",
	       (unsigned long long)sb->spare_len);
	printf("  needs        a device of %llu bytes\n",
	       (unsigned long long)svcenc_sb_device_bytes(sb));
	printf("  features     incompatible %#llx, read-only compatible %#llx, compatible %#llx\n",
	       (unsigned long long)sb->incompat,
	       (unsigned long long)sb->ro_compat,
	       (unsigned long long)sb->compat);
	print_rotation(sb);
	print_extents(sb);
}

static void print_record(const struct svcenc_header_record *record, int number)
{
	const struct svcenc_record *r = &record->record;
	char volume[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];
	u32 i;

	if (!record->present || record->defect)
		return;
	svcenc_uuid_print(&r->volume, volume);
	svcenc_keyid_print(&r->key, key);
	printf("\nfrom policy record %d:\n", number);
	printf("  volume       %s (%s)\n", volume, r->volume_name);
	printf("  tenant       %s\n", r->tenant_name);
	printf("  policy       %s (%s)\n", r->policy_name, key);
	printf("  generation   %llu\n", (unsigned long long)r->generation);
	for (i = 0; i < r->wrap_count; i++)
		printf("  wrap         %s, %s, vault %s, %s, %u bytes\n",
		       role_text(r->wraps[i].role), alg_text(r->wraps[i].alg),
		       r->wraps[i].vault, r->wraps[i].kid,
		       r->wraps[i].blob_len);
}

static void print_text(const char *path, const struct svcenc_header *h,
		       const struct svcenc_verdict *v)
{
	int i;

	printf("device: %s\n", path);
	printf("bytes: %llu\n", (unsigned long long)h->device_bytes);
	for (i = 0; i < SVCENC_SB_COPIES; i++) {
		printf("superblock %d: %s", i + 1,
		       svcenc_header_sb_text(&h->copy[i]));
		if (h->copy[i].also)
			printf("; also: %s",
			       svcenc_sb_defect_text(h->copy[i].also));
		putchar('\n');
	}
	for (i = 0; i < 2; i++)
		printf("policy record %d: %s\n", i + 1,
		       svcenc_header_record_text(&h->record[i]));
	printf("verdict: %s\n", v->text);
	if (v->shown >= 0)
		print_fields(&h->copy[v->shown].sb, v->shown + 1);
	for (i = 0; i < 2; i++)
		if (!i || memcmp(h->record[0].raw, h->record[1].raw,
				 SVCENC_RECORD_SIZE))
			print_record(&h->record[i], i + 1);
}

/* --- main --- */

static enum svcenc_exit complain(const char *path, int error)
{
	fprintf(stderr, "svcenc-dump: error: cannot read %s: %s\n", path,
		error == -ENOTBLK ? "neither a block device nor a file" :
				    strerror(-error));
	switch (error) {
	case -EACCES:
	case -EPERM:
		fprintf(stderr, "svcenc-dump: hint: run it as root\n");
		return SVCENC_EXIT_PERMISSION;
	case -ENOMEM:
		return SVCENC_EXIT_MEMORY;
	default:
		fprintf(stderr,
			"svcenc-dump: hint: name the device below the volume (lsblk), not the mapping\n");
		return SVCENC_EXIT_DEVICE;
	}
}

static int dump(const char *path, bool json)
{
	struct svcenc_header *header;
	struct svcenc_verdict verdict;
	int r;

	r = svcenc_header_read(path, &header);
	if (r < 0)
		return (int)complain(path, r);
	svcenc_header_judge(header, &verdict);
	if (json)
		r = print_json(path, header, &verdict);
	else
		print_text(path, header, &verdict);
	free(header);
	if (r < 0 || fflush(stdout))
		return SVCENC_EXIT_MEMORY;
	return (int)verdict.exit;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const char usage[] = "usage: svcenc-dump [--json] DEVICE\n";
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return SVCENC_EXIT_OK;
		}
		if (c != 'j') {
			fputs(usage, stderr);
			return SVCENC_EXIT_USAGE;
		}
		json = true;
	}
	if (argc - optind != 1) {
		fputs(usage, stderr);
		return SVCENC_EXIT_USAGE;
	}
	return dump(argv[optind], json);
}
