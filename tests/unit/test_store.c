// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check that the store keeps its records over a
 * DESCRIPTION: reopen, takes an aborted transaction back, and notices each way
 * DESCRIPTION: of tampering with single records: forged, swapped, deleted,
 * DESCRIPTION: inserted, rolled back, head rolled back, wrong key.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 60
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "proto.h"
#include "store.h"

struct fixture {
	char folder[64];
	char path[96];
	char key_path[96];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/svcenc-store.XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/store.db",
		 fixture->folder);
	snprintf(fixture->key_path, sizeof(fixture->key_path), "%s/key",
		 fixture->folder);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
	free(fixture);
	return system(command);
}

static int try_open(const struct fixture *fixture, struct svcenc_store **ret)
{
	struct svcenc_secret *key = NULL;
	int r;

	r = svcenc_store_load_key(fixture->key_path, true, &key);
	return r < 0 ? r : svcenc_store_open(fixture->path, key, ret);
}

static struct svcenc_store *must_open(const struct fixture *fixture)
{
	struct svcenc_store *store = NULL;

	assert_int_equal(try_open(fixture, &store), 0);
	return store;
}

static void put(struct svcenc_store *store, const char *kind, const char *id,
		int value)
{
	assert_int_equal(svcenc_store_put_now(store, kind, id,
					      json_pack("{s:i}", "v", value)),
			 0);
}

static int value_of(const struct svcenc_store *store, const char *kind,
		    const char *id)
{
	const json_t *body = svcenc_store_get(store, kind, id, NULL);

	return body ? (int)json_integer_value(json_object_get(body, "v")) : -1;
}

static void fill(const struct fixture *fixture)
{
	struct svcenc_store *store = must_open(fixture);

	put(store, "tenant", "alpha", 1);
	put(store, "tenant", "beta", 2);
	put(store, "volume", "one", 3);
	put(store, "tenant", "alpha", 4);
	svcenc_store_close(store);
}

static void records_outlive_a_reopen(void **state)
{
	struct svcenc_store *store;
	uint64_t generation = 0;
	size_t cursor = 0;

	fill(*state);
	store = must_open(*state);
	assert_int_equal(svcenc_store_counter(store), 4);
	assert_int_equal(value_of(store, "tenant", "alpha"), 4);
	assert_non_null(
		svcenc_store_get(store, "tenant", "alpha", &generation));
	assert_int_equal(generation, 2);
	assert_int_equal(svcenc_store_count(store, "tenant"), 2);
	assert_int_equal(svcenc_store_count(store, "ten"), 0);
	assert_non_null(svcenc_store_next(store, "tenant", &cursor));
	assert_non_null(svcenc_store_next(store, "tenant", &cursor));
	assert_null(svcenc_store_next(store, "tenant", &cursor));
	svcenc_store_close(store);
}

static void abort_takes_everything_back(void **state)
{
	struct svcenc_store *store;

	fill(*state);
	store = must_open(*state);
	assert_int_equal(svcenc_store_begin(store), 0);
	assert_int_equal(svcenc_store_put(store, "tenant", "gamma",
					  json_pack("{s:i}", "v", 9)),
			 0);
	assert_int_equal(svcenc_store_delete(store, "tenant", "alpha"), 0);
	svcenc_store_abort(store);
	assert_int_equal(value_of(store, "tenant", "gamma"), -1);
	assert_int_equal(value_of(store, "tenant", "alpha"), 4);
	put(store, "tenant", "gamma", 10);
	svcenc_store_close(store);
	store = must_open(*state);
	assert_int_equal(value_of(store, "tenant", "gamma"), 10);
	svcenc_store_close(store);
}

static void writes_need_a_transaction(void **state)
{
	struct svcenc_store *store = must_open(*state);

	assert_int_equal(svcenc_store_put(store, "k", "i", json_object()),
			 -EINVAL);
	assert_int_equal(svcenc_store_commit(store), -EINVAL);
	assert_int_equal(svcenc_store_put_now(store, "k", "", json_object()),
			 -EINVAL);
	assert_int_equal(svcenc_store_put_now(store, "k", "i", json_array()),
			 -EINVAL);
	assert_int_equal(svcenc_store_put_now(store, "k", "i", NULL), -ENOMEM);
	put(store, "k", "i", 1);
	svcenc_store_close(store);
}

/* What somebody with the file, but without the key, may do. */
static void tamper(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = NULL;
	char *error = NULL;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

static void tampering_is_noticed(void **state)
{
	static const char *const ways[] = {
		"UPDATE record SET body = '{\"v\":5}' WHERE id = 'alpha'",
		"UPDATE record SET generation = 1 WHERE id = 'alpha'",
		"UPDATE record SET mac = zeroblob(32) WHERE id = 'alpha'",
		"UPDATE record SET mac = x'00' WHERE id = 'alpha'",
		"DELETE FROM record WHERE id = 'beta'",
		"DELETE FROM record",
		"UPDATE record SET id = 'delta' WHERE id = 'beta'",
		"UPDATE record SET kind = 'volume' WHERE id = 'beta'",
		"INSERT INTO record SELECT kind, 'copy', generation, body, mac"
		" FROM record WHERE id = 'alpha'",
		"UPDATE head SET counter = counter - 1",
		"UPDATE head SET counter = counter + 1",
		"UPDATE head SET mac = zeroblob(32)",
		"DELETE FROM head",
	};
	const struct fixture *fixture = *state;
	struct svcenc_store *store = NULL;
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		unlink(fixture->path);
		fill(fixture);
		tamper(fixture, ways[i]);
		if (try_open(fixture, &store) != -EBADMSG)
			fail_msg("not noticed: %s", ways[i]);
	}
}

static void swapping_bodies_and_macs_is_noticed(void **state)
{
	struct svcenc_store *store = NULL;

	fill(*state);
	tamper(*state, "CREATE TEMP TABLE x AS SELECT * FROM record;"
		       "UPDATE record SET (generation, body, mac) ="
		       " (SELECT generation, body, mac FROM x"
		       "  WHERE id = 'beta') WHERE id = 'alpha'");
	assert_int_equal(try_open(*state, &store), -EBADMSG);
}

/* An authentic older version of one record, put back. */
static void rolling_back_one_record_is_noticed(void **state)
{
	const struct fixture *fixture = *state;
	struct svcenc_store *store = must_open(fixture);

	put(store, "tenant", "alpha", 1);
	svcenc_store_close(store);
	tamper(fixture, "CREATE TABLE old AS SELECT * FROM record");
	store = must_open(fixture);
	put(store, "tenant", "alpha", 2);
	svcenc_store_close(store);
	tamper(fixture, "INSERT OR REPLACE INTO record SELECT * FROM old");
	store = NULL;
	assert_int_equal(try_open(fixture, &store), -EBADMSG);
}

static void second_opener_is_refused(void **state)
{
	struct svcenc_store *store = must_open(*state), *second = NULL;

	put(store, "tenant", "alpha", 1);
	assert_int_equal(try_open(*state, &second), -EBUSY);
	put(store, "tenant", "beta", 2);
	svcenc_store_close(store);
}

/* A full disk: the write fails whole, what was there stays, reopen works. */
static void full_disk_keeps_what_was_there(void **state)
{
	const struct rlimit tight = { 16384, RLIM_INFINITY };
	const struct rlimit wide = { RLIM_INFINITY, RLIM_INFINITY };
	struct svcenc_store *store;
	json_t *large;
	char *noise;
	int r;

	fill(*state);
	noise = malloc(100000);
	memset(noise, 'x', 99999);
	noise[99999] = '\0';
	large = json_pack("{s:s}", "v", noise);
	free(noise);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	store = must_open(*state);
	r = svcenc_store_put_now(store, "tenant", "large", large);
	assert_true(r == -ENOSPC || r == -EIO || r == -EFBIG);
	assert_int_equal(value_of(store, "tenant", "alpha"), 4);
	assert_int_equal(value_of(store, "tenant", "large"), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &wide), 0);
	put(store, "tenant", "gamma", 5);
	svcenc_store_close(store);
	store = must_open(*state);
	assert_int_equal(value_of(store, "tenant", "gamma"), 5);
	assert_int_equal(svcenc_store_count(store, "tenant"), 3);
	svcenc_store_close(store);
}

static void another_key_does_not_open(void **state)
{
	const struct fixture *fixture = *state;
	struct svcenc_store *store = NULL;

	fill(fixture);
	assert_int_equal(unlink(fixture->key_path), 0);
	assert_int_equal(try_open(fixture, &store), -EBADMSG);
}

static void garbage_is_no_store(void **state)
{
	const struct fixture *fixture = *state;
	struct svcenc_store *store = NULL;
	char noise[8192];
	int fd;

	memset(noise, 0x5a, sizeof(noise));
	fd = open(fixture->path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, noise, sizeof(noise)), sizeof(noise));
	close(fd);
	assert_int_equal(try_open(fixture, &store), -EBADMSG);
}

static void key_file_is_private_and_whole(void **state)
{
	const struct fixture *fixture = *state;
	struct svcenc_secret *key = NULL;
	struct stat st;

	assert_int_equal(svcenc_store_load_key(fixture->key_path, false, &key),
			 -ENOENT);
	assert_int_equal(svcenc_store_load_key(fixture->key_path, true, &key),
			 0);
	key = svcenc_secret_free(key);
	assert_int_equal(stat(fixture->key_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, SVCENC_STORE_KEY_SIZE);
	assert_int_equal(chmod(fixture->key_path, 0640), 0);
	assert_int_equal(svcenc_store_load_key(fixture->key_path, true, &key),
			 -EPERM);
	assert_int_equal(chmod(fixture->key_path, 0600), 0);
	assert_int_equal(truncate(fixture->key_path, 31), 0);
	assert_int_equal(svcenc_store_load_key(fixture->key_path, true, &key),
			 -EBADMSG);
	assert_int_equal(truncate(fixture->key_path, 33), 0);
	assert_int_equal(svcenc_store_load_key(fixture->key_path, true, &key),
			 -EBADMSG);
}

static void store_file_is_private(void **state)
{
	const struct fixture *fixture = *state;
	struct stat st;

	fill(fixture);
	assert_int_equal(stat(fixture->path, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_outlive_a_reopen),
		TEST(abort_takes_everything_back),
		TEST(writes_need_a_transaction),
		TEST(tampering_is_noticed),
		TEST(swapping_bodies_and_macs_is_noticed),
		TEST(rolling_back_one_record_is_noticed),
		TEST(second_opener_is_refused),
		TEST(full_disk_keeps_what_was_there),
		TEST(another_key_does_not_open),
		TEST(garbage_is_no_store),
		TEST(key_file_is_private_and_whole),
		TEST(store_file_is_private),
	};

	if (svcenc_secret_init() < 0) {
		fputs("memory cannot be locked\n", stderr);
		return 1;
	}
	svcenc_proto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
