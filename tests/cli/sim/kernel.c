// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * agent/sys without a kernel, for the real svcencd on a host that has no
 * device-mapper: keys with leases and mapped volumes in a file that outlives
 * the agent as the kernel would, and that a test reads (simlib.py knows its
 * layout). Does what the agent can see of the module: a key's end locks its
 * volumes, a message unlocks them, an event tells; a rewrap puts another key's
 * name into the superblocks. Encrypts nothing, gives no volume a key. Regular
 * files serve as devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "device.h"
#include "dm.h"
#include "genl.h"
#include "keyctl.h"

enum { KEYS = 4096, VOLUMES = 16384, EVENTS = 64 };

/* simlib.py: KEY, VOLUME. */
struct sim_key {
	char id[SVCENC_KEYID_TEXT + 1 + 8]; /* "" = this place is free */
	u64 hash;			    /* of the bytes */
	int64_t end_ms;			    /* of its lease, CLOCK_BOOTTIME */
	int64_t ended_ms;		    /* 0 while it lives */
	u32 lease_s;
	u32 renewals;
};

struct sim_volume {
	char name[SVCENC_NAME_SIZE]; /* "" = free, GONE = was used */
	char uuid[SVCENC_UUID_TEXT + 1 + 3];
	char key[SVCENC_KEYID_TEXT + 1 + 8];
	u64 sectors;
	u32 locked;
	u32 unlocks;
};

#define GONE "-" /* no valid name of a volume */

static bool is_volume(const struct sim_volume *place)
{
	return place->name[0] && strcmp(place->name, GONE) != 0;
}

static struct sim {
	struct sim_key keys[KEYS];
	struct sim_volume volumes[VOLUMES];
	int64_t wall_offset_s; /* of the wall clock; set by a test */
} * sim;

static struct sys_genl_event events[EVENTS];
static unsigned int event_count;
static int event_fd = -1;
static sys_genl_event_fn on_event;
static void *on_event_data;

static struct sim *get(void)
{
	const char *path = getenv("SVCENC_SIM");
	int fd;

	if (sim)
		return sim;
	fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || ftruncate(fd, sizeof(*sim)) < 0)
		abort();
	sim = mmap(NULL, sizeof(*sim), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	close(fd);
	if (sim == MAP_FAILED)
		abort();
	return sim;
}

/* --- keys ----------------------------------------------------------------- */

static void end_key(struct sim_key *key, int64_t when_ms, const char *reason)
{
	struct sys_genl_event *event = &events[event_count];
	const u64 one = 1;
	unsigned int i;

	key->ended_ms = when_ms;
	for (i = 0; i < VOLUMES; i++)
		if (!strcmp(sim->volumes[i].key, key->id))
			sim->volumes[i].locked = 1;
	if (event_count == EVENTS)
		return;
	memset(event, 0, sizeof(*event));
	event->event = SVCENC_EVENT_KEY_LOST;
	event->has_key = true;
	(void)svcenc_keyid_parse(key->id, &event->key);
	snprintf(event->reason, sizeof(event->reason), "%s", reason);
	event_count++;
	if (write(event_fd, &one, sizeof(one)) < 0)
		abort();
}

/* Leases end by themselves: looked at before every look. */
static void settle(void)
{
	const int64_t now = agent_now_ms();
	unsigned int i;

	for (i = 0; i < KEYS && get()->keys[i].id[0]; i++)
		if (!sim->keys[i].ended_ms && sim->keys[i].end_ms <= now)
			end_key(&sim->keys[i], sim->keys[i].end_ms, "lease");
}

/* The place of a key of that name, alive or not; NULL: it never was. */
static struct sim_key *place_of(const struct svcenc_keyid *id)
{
	char text[SVCENC_KEYID_TEXT + 1];
	unsigned int i;

	settle();
	svcenc_keyid_print(id, text);
	for (i = 0; i < KEYS && sim->keys[i].id[0]; i++)
		if (!strcmp(sim->keys[i].id, text))
			return &sim->keys[i];
	return NULL;
}

static struct sim_key *live(const struct svcenc_keyid *id)
{
	struct sim_key *key = place_of(id);

	return key && !key->ended_ms ? key : NULL;
}

static u64 hash_of(const struct svcenc_key_payload *payload)
{
	u64 hash = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < sizeof(payload->key); i++)
		hash = (hash ^ payload->key[i]) * 1099511628211ULL;
	return hash;
}

int sys_key_add(const struct svcenc_keyid *id, u32 lease_s,
		struct svcenc_key_payload *payload, sys_key_serial *ret_serial)
{
	struct sim_key *key = place_of(id);
	unsigned int i;

	(void)ret_serial;
	if (key && !key->ended_ms && key->hash != hash_of(payload))
		return -EKEYREJECTED;
	for (i = 0; !key && i < KEYS; i++)
		if (!sim->keys[i].id[0])
			key = &sim->keys[i];
	if (!key)
		return -EDQUOT;
	svcenc_keyid_print(id, key->id);
	key->hash = hash_of(payload);
	key->lease_s = lease_s;
	key->end_ms = agent_now_ms() + (int64_t)lease_s * 1000;
	key->ended_ms = 0;
	return 0;
}

int sys_key_revoke(const struct svcenc_keyid *id)
{
	struct sim_key *key = live(id);

	if (!key)
		return -ENOKEY;
	end_key(key, agent_now_ms(), "revoked");
	return 0;
}

const char *sys_keyctl_hint(int error)
{
	return error == -EDQUOT ? "the simulated keyring is full" : NULL;
}

/* --- netlink -------------------------------------------------------------- */

int sys_genl_open(struct sys_genl **ret)
{
	*ret = (struct sys_genl *)get();
	return 0;
}

struct sys_genl *sys_genl_close(struct sys_genl *genl)
{
	(void)genl;
	return NULL;
}

int sys_genl_keyring(struct sys_genl *genl, int32_t *ret_serial)
{
	(void)genl;
	*ret_serial = 1;
	return 0;
}

int sys_genl_keys(struct sys_genl *genl, struct sys_genl_key **ret,
		  size_t *ret_count)
{
	struct sys_genl_key *keys = calloc(KEYS, sizeof(*keys));
	const int64_t now = agent_now_ms();
	size_t count = 0, i;

	(void)genl;
	if (!keys)
		return -ENOMEM;
	settle();
	for (i = 0; i < KEYS && sim->keys[i].id[0]; i++) {
		if (sim->keys[i].ended_ms)
			continue;
		(void)svcenc_keyid_parse(sim->keys[i].id, &keys[count].key);
		keys[count].lease_s = sim->keys[i].lease_s;
		keys[count++].lease_left_ms = (u64)(sim->keys[i].end_ms - now);
	}
	*ret = keys;
	*ret_count = count;
	return 0;
}

int sys_genl_devices(struct sys_genl *genl, struct sys_genl_device **ret,
		     size_t *ret_count)
{
	struct sys_genl_device *devices = calloc(VOLUMES, sizeof(*devices));
	size_t count = 0, i;

	(void)genl;
	if (!devices)
		return -ENOMEM;
	settle();
	for (i = 0; i < VOLUMES; i++) {
		const struct sim_volume *volume = &sim->volumes[i];
		struct sys_genl_device *device = &devices[count];

		if (!is_volume(volume))
			continue;
		snprintf(device->devno, sizeof(device->devno), "4095:%zu", i);
		(void)svcenc_uuid_parse(volume->uuid, &device->uuid);
		(void)svcenc_keyid_parse(volume->key, &device->key);
		device->state = volume->locked ? SVCENC_STATE_LOCKED :
						 SVCENC_STATE_ACTIVE;
		device->sectors = volume->sectors;
		count++;
	}
	*ret = devices;
	*ret_count = count;
	return 0;
}

int sys_genl_lease(struct sys_genl *genl, const struct svcenc_keyid *id,
		   u32 lease_s)
{
	struct sim_key *key = live(id);

	(void)genl;
	if (!key)
		return -ENOKEY;
	key->end_ms = agent_now_ms() + (int64_t)lease_s * 1000;
	key->renewals++;
	return 0;
}

int sys_genl_events_open(sys_genl_event_fn fn, void *userdata,
			 struct sys_genl_events **ret)
{
	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	on_event = fn;
	on_event_data = userdata;
	*ret = (struct sys_genl_events *)get();
	return event_fd < 0 ? -errno : 0;
}

struct sys_genl_events *sys_genl_events_close(struct sys_genl_events *unused)
{
	(void)unused;
	return NULL;
}

int sys_genl_events_fd(const struct sys_genl_events *unused)
{
	(void)unused;
	return event_fd;
}

int sys_genl_events_read(struct sys_genl_events *unused)
{
	const unsigned int count = event_count;
	struct sys_genl_event taken[EVENTS];
	unsigned int i;
	u64 number;

	(void)unused;
	(void)!read(event_fd, &number, sizeof(number));
	memcpy(taken, events, sizeof(taken));
	event_count = 0;
	for (i = 0; i < count; i++)
		on_event(&taken[i], on_event_data);
	return (int)count;
}

/* --- device-mapper -------------------------------------------------------- */

/* A hash table: with thousands of volumes a search would be all that is seen. */
static struct sim_volume *place_after(const char *name, unsigned int tries)
{
	unsigned int hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return &sim->volumes[(hash + tries) % VOLUMES];
}

static struct sim_volume *find(const char *name)
{
	struct sim_volume *place;
	unsigned int i;

	settle();
	for (i = 0; i < VOLUMES; i++) {
		place = place_after(name, i);
		if (!strcmp(place->name, name))
			return place;
		if (!place->name[0])
			break;
	}
	return NULL;
}

static struct sim_volume *find_room(const char *name)
{
	unsigned int i;

	for (i = 0; i < VOLUMES; i++)
		if (!is_volume(place_after(name, i)))
			return place_after(name, i);
	return NULL;
}

int sys_dm_create(const struct sys_dm_spec *spec, enum sys_dm_step *ret_step)
{
	struct sim_volume *volume;

	*ret_step = SYS_DM_STEP_RESUME;
	if (!live(&spec->table->key))
		return -ENOKEY;
	volume = find_room(spec->name);
	if (!volume)
		return -ENOSPC;
	memset(volume, 0, sizeof(*volume));
	svcenc_uuid_print(&spec->table->uuid, volume->uuid);
	svcenc_keyid_print(&spec->table->key, volume->key);
	volume->sectors = spec->sectors;
	snprintf(volume->name, sizeof(volume->name), "%s", spec->name);
	return 0;
}

int sys_dm_remove(const char *name, unsigned int flags)
{
	struct sim_volume *volume = find(name);

	(void)flags;
	if (!volume)
		return -ENXIO;
	memset(volume, 0, sizeof(*volume));
	strcpy(volume->name, GONE);
	return 0;
}

/* The agent has opened a volume's device just before it sends "rewrap". */
static char last_device[PATH_MAX];

static int put_key(const struct sys_device *device, unsigned int copy,
		   const struct sim_volume *volume,
		   const struct svcenc_keyid *id)
{
	char uuid[SVCENC_UUID_TEXT + 1];
	u8 image[SVCENC_SB_SIZE];
	struct svcenc_sb sb;
	int r;

	r = sys_device_read_superblock(device, copy, image);
	if (r < 0)
		return r;
	if (svcenc_sb_decode(image, 0, &sb) != SVCENC_SB_NONE)
		return -EBADMSG;
	svcenc_uuid_print(&sb.uuid, uuid);
	if (strcmp(uuid, volume->uuid))
		return -ENODEV;
	sb.key = *id;
	svcenc_sb_encode(&sb, image);
	return sys_device_write_superblock(device, copy, image);
}

/* "KEY AUTHORISATION"; nobody here could check the latter. */
static int rewrap(struct sim_volume *volume, const char *words)
{
	char text[SVCENC_KEYID_TEXT + 1] = "";
	struct sys_device *device;
	struct svcenc_keyid id;
	unsigned int copy;
	int r;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(words, " "), words);
	if (svcenc_keyid_parse(text, &id) < 0 || !live(&id))
		return -ENOKEY;
	r = sys_device_open(last_device, SYS_DEVICE_WRITE, &device);
	if (r < 0)
		return r;
	for (copy = 0; !r && copy < SVCENC_SB_COPIES; copy++)
		r = put_key(device, copy, volume, &id);
	(void)sys_device_close(device);
	if (!r)
		snprintf(volume->key, sizeof(volume->key), "%s", text);
	return r;
}

int sys_dm_message(const char *name, const char *message)
{
	struct sim_volume *volume = find(name);
	struct svcenc_keyid id;

	if (!volume)
		return -ENXIO;
	if (!strncmp(message, "rewrap ", 7))
		return rewrap(volume, message + 7);
	if (strncmp(message, "unlock ", 7))
		return -EINVAL;
	if (svcenc_keyid_parse(message + 7, &id) < 0 || !live(&id))
		return -ENOKEY;
	volume->locked = 0;
	volume->unlocks++;
	return 0;
}

int sys_dm_info(const char *name, struct sys_dm_info *ret)
{
	const struct sim_volume *volume = find(name);
	struct svcenc_uuid uuid;

	memset(ret, 0, sizeof(*ret));
	if (!volume)
		return 0;
	ret->exists = true;
	ret->live_table = true;
	snprintf(ret->devno_text, sizeof(ret->devno_text), "4095:%td",
		 volume - sim->volumes);
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)svcenc_uuid_parse(volume->uuid, &uuid);
	sys_dm_uuid(&uuid, name, ret->dm_uuid);
	return 0;
}

bool sys_dm_info_is_svcenc(const struct sys_dm_info *info,
			   struct svcenc_uuid *ret_volume)
{
	const struct sim_volume *volume = find(info->name);

	return volume && !svcenc_uuid_parse(volume->uuid, ret_volume);
}

int sys_dm_status(const char *name, struct svcenc_status *ret)
{
	const struct sim_volume *volume = find(name);

	memset(ret, 0, sizeof(*ret));
	if (!volume)
		return -ENXIO;
	ret->state = volume->locked ? SVCENC_STATE_LOCKED : SVCENC_STATE_ACTIVE;
	return svcenc_keyid_parse(volume->key, &ret->key);
}

int sys_dm_table(const char *name, struct sys_dm_table *ret)
{
	const struct sim_volume *volume = find(name);

	memset(ret, 0, sizeof(*ret));
	if (!volume)
		return -ENXIO;
	ret->sectors = volume->sectors;
	return 0;
}

void sys_dm_uuid(const struct svcenc_uuid *volume, const char *name,
		 char ret_uuid[static SYS_DM_UUID_SIZE])
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(volume, text);
	snprintf(ret_uuid, SYS_DM_UUID_SIZE, "%s%s-%s", SYS_DM_UUID_PREFIX,
		 text, name);
}

void sys_dm_path(const char *name, char ret_path[static SYS_DM_PATH_SIZE])
{
	snprintf(ret_path, SYS_DM_PATH_SIZE, "/dev/mapper/%s", name);
}

const char *sys_dm_step_text(enum sys_dm_step step)
{
	(void)step;
	return "the simulation";
}

/* What a test left behind is of no interest here. */
int sys_dm_list(struct sys_dm_info **ret, size_t *ret_count)
{
	*ret = NULL;
	*ret_count = 0;
	return 0;
}

/* Nothing that the tests here do grows or suspends a volume. */
int sys_dm_reload(const struct sys_dm_spec *spec, enum sys_dm_step *ret_step)
{
	(void)spec;
	*ret_step = SYS_DM_STEP_LOAD;
	return -EOPNOTSUPP;
}

int sys_dm_suspend(const char *name)
{
	return find(name) ? -EOPNOTSUPP : -ENXIO;
}

int sys_dm_resume(const char *name)
{
	return find(name) ? 0 : -ENXIO;
}

/* --- devices -------------------------------------------------------------- */

int __real_sys_device_open(const char *path, unsigned int flags,
			   struct sys_device **ret);
int __wrap_sys_device_open(const char *path, unsigned int flags,
			   struct sys_device **ret);

int __wrap_sys_device_open(const char *path, unsigned int flags,
			   struct sys_device **ret)
{
	flags &= ~(unsigned int)SYS_DEVICE_EXCLUSIVE;
	if (path != last_device)
		snprintf(last_device, sizeof(last_device), "%s", path);
	return __real_sys_device_open(path, flags | SYS_DEVICE_ALLOW_FILE, ret);
}

/* --- the wall clock ------------------------------------------------------- */

time_t __wrap_time(time_t *ret);

time_t __wrap_time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += get()->wall_offset_s;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}
