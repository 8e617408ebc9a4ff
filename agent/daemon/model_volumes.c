// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Volumes in the store. What a policy is, model.c knows.
 */
#include <stdlib.h>
#include <string.h>

#include "model_json.h"

static json_t *write_record_roots(const struct volume *volume)
{
	json_t *list = json_array();
	int i;

	for (i = 0; volume->record_roots[0].vault[0] && i < MODEL_ROLES; i++)
		json_array_append_new(
			list, model_write_root(&volume->record_roots[i]));
	return list;
}

static bool read_record_roots(const json_t *list, const char *hash,
			      struct volume *ret)
{
	size_t i;

	if (!json_array_size(list))
		return true; /* not known */
	if (json_array_size(list) != MODEL_ROLES ||
	    svcenc_hex_parse(hash, ret->record_hash, sizeof(ret->record_hash)) <
		    0)
		return false;
	for (i = 0; i < MODEL_ROLES; i++)
		if (!model_read_root(json_array_get(list, i),
				     &ret->record_roots[i]))
			return false;
	return true;
}

static json_t *volume_write(const struct volume *volume)
{
	return json_pack(
		"{s:s, s:o, s:o, s:o, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:s, s:I, s:o, s:o}",
		"name", volume->name, "uuid", model_write_uuid(&volume->uuid),
		"tenant", model_write_uuid(&volume->tenant), "key",
		model_write_keyid(&volume->key), "device", volume->device,
		"ready", volume->ready, "allow_discards",
		volume->allow_discards, "sector_size",
		(json_int_t)volume->sector_size, "data_len",
		(json_int_t)volume->data_len, "spare_len",
		(json_int_t)volume->spare_len, "seq", (json_int_t)volume->seq,
		"epoch", (json_int_t)volume->epoch, "record_generation",
		(json_int_t)volume->record_generation, "on_withdrawal",
		volume->on_withdrawal ?
			svcenc_on_withdrawal_text(volume->on_withdrawal - 1U) :
			"",
		"created", (json_int_t)volume->created, "record_roots",
		write_record_roots(volume), "record_hash",
		model_write_hex(volume->record_hash,
				sizeof(volume->record_hash)));
}

static bool volume_read(const json_t *json, struct volume *ret)
{
	const char *name, *uuid, *tenant, *key, *device, *on_withdrawal = "";
	json_int_t sector_size, data_len, spare_len, seq, epoch, generation,
		created;
	const char *hash = "";
	json_t *roots = NULL;
	int ready, discards;

	if (json_unpack((json_t *)json,
			"{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, "
			"s:I, s:I, s:I, s?s, s:I, s?o, s?s !}",
			"name", &name, "uuid", &uuid, "tenant", &tenant, "key",
			&key, "device", &device, "ready", &ready,
			"allow_discards", &discards, "sector_size",
			&sector_size, "data_len", &data_len, "spare_len",
			&spare_len, "seq", &seq, "epoch", &epoch,
			"record_generation", &generation, "on_withdrawal",
			&on_withdrawal, "created", &created, "record_roots",
			&roots, "record_hash", &hash) < 0)
		return false;
	memset(ret, 0, sizeof(*ret));
	if (strlen(device) >= sizeof(ret->device))
		return false;
	memcpy(ret->device, device, strlen(device) + 1);
	ret->on_withdrawal =
		(u8)(svcenc_on_withdrawal_parse(on_withdrawal) + 1);
	if (*on_withdrawal && !ret->on_withdrawal)
		return false;
	ret->ready = ready;
	ret->allow_discards = discards;
	ret->sector_size = (u32)sector_size;
	ret->data_len = (u64)data_len;
	ret->spare_len = (u64)spare_len;
	ret->seq = (u64)seq;
	ret->epoch = (u64)epoch;
	ret->record_generation = (u64)generation;
	ret->created = created;
	return model_read_name(name, ret->name) &&
	       model_read_uuid(uuid, &ret->uuid) &&
	       model_read_uuid(tenant, &ret->tenant) &&
	       read_record_roots(roots, hash, ret) &&
	       !svcenc_keyid_parse(key, &ret->key);
}

int volume_next(struct agent *agent, size_t *cursor, struct volume *ret,
		struct svcenc_fault *fault)
{
	const json_t *json = svcenc_store_next(agent->store, "volume", cursor);

	if (!json)
		return 0;
	return volume_read(json, ret) ? 1 : model_unreadable(fault, "volume");
}

/* "svcenc:<policy uuid>:<version>" */
static bool is_key_of(const char *key, const char *uuid)
{
	const char *at = key ? strchr(key, ':') : NULL;

	return at && !strncmp(at + 1, uuid, SVCENC_UUID_TEXT) &&
	       at[1 + SVCENC_UUID_TEXT] == ':';
}

int volume_next_of(struct agent *agent, const struct svcenc_uuid *policy,
		   size_t *cursor, struct volume *ret,
		   struct svcenc_fault *fault)
{
	char uuid[SVCENC_UUID_TEXT + 1];
	const json_t *json;

	svcenc_uuid_print(policy, uuid);
	while ((json = svcenc_store_next(agent->store, "volume", cursor)))
		if (is_key_of(json_string_value(json_object_get(json, "key")),
			      uuid))
			return volume_read(json, ret) ?
				       1 :
				       model_unreadable(fault, "volume");
	return 0;
}

int volume_find(struct agent *agent, const char *name, struct volume *ret,
		struct svcenc_fault *fault)
{
	const json_t *json =
		svcenc_store_get(agent->store, "volume", name, NULL);

	if (!json) {
		svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
				 "there is no volume '%.64s'", name);
		return svcenc_fault_hint(
			fault,
			"'svcenc volume list' shows all; "
			"'svcenc format %.64s DEVICE' makes it",
			name);
	}
	return volume_read(json, ret) ? 0 : model_unreadable(fault, "volume");
}

/*
 * Names of volumes by uuid, sorted: with ten thousand volumes to look through
 * all of them for each would take seconds. Valid while no volume has come or
 * gone; a name that leads to another uuid now makes it be built anew.
 */
static struct {
	struct name_of {
		struct svcenc_uuid uuid;
		char name[SVCENC_NAME_SIZE];
	} * names;
	size_t count;
	bool valid;
} by_uuid;

static int compare_uuids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct svcenc_uuid));
}

static bool build_index(struct agent *agent)
{
	const size_t count = svcenc_store_count(agent->store, "volume");
	struct name_of *names = calloc(count + 1, sizeof(*names));
	const json_t *json;
	size_t cursor = 0, n = 0;

	if (!names)
		return false;
	while ((json = svcenc_store_next(agent->store, "volume", &cursor))) {
		const char *uuid =
			json_string_value(json_object_get(json, "uuid"));
		const char *name =
			json_string_value(json_object_get(json, "name"));

		if (uuid && name && model_read_uuid(uuid, &names[n].uuid) &&
		    model_read_name(name, names[n].name))
			n++;
	}
	qsort(names, n, sizeof(*names), compare_uuids);
	free(by_uuid.names);
	by_uuid.names = names;
	by_uuid.count = n;
	by_uuid.valid = true;
	return true;
}

static bool look_up(struct agent *agent, const struct svcenc_uuid *uuid,
		    struct volume *ret)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	const struct name_of *found;

	if (!by_uuid.valid && !build_index(agent))
		return false;
	found = bsearch(uuid, by_uuid.names, by_uuid.count,
			sizeof(*by_uuid.names), compare_uuids);
	if (!found)
		return false;
	by_uuid.valid = !volume_find(agent, found->name, ret, &ignored) &&
			svcenc_uuid_equal(&ret->uuid, uuid);
	return by_uuid.valid;
}

bool volume_by_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		    struct volume *ret)
{
	return look_up(agent, uuid, ret) ||
	       (!by_uuid.valid && look_up(agent, uuid, ret));
}

int volume_save(struct agent *agent, const struct volume *volume,
		struct svcenc_fault *fault)
{
	const json_t *before =
		svcenc_store_get(agent->store, "volume", volume->name, NULL);
	char uuid[SVCENC_UUID_TEXT + 1];
	int r;

	svcenc_uuid_print(&volume->uuid, uuid);
	if (!before || !model_has_text(before, "uuid", uuid))
		by_uuid.valid = false;
	r = svcenc_store_put_now(agent->store, "volume", volume->name,
				 volume_write(volume));
	return r < 0 ? model_store_fault(agent, r, fault) : 0;
}
