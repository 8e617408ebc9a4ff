// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "files.h"
#include "hierarchy.h"
#include "store.h"

enum { MAC_SIZE = 32 };

struct record {
	char kind[SVCENC_STORE_KIND_MAX + 1];
	char id[SVCENC_STORE_ID_MAX + 1];
	uint64_t generation;
	json_t *body;
	uint8_t mac[MAC_SIZE];
};

struct svcenc_store {
	sqlite3 *db;
	struct svcenc_secret *key;
	struct record *records; /* sorted by kind, id; bytewise */
	size_t count;
	size_t room;
	uint64_t counter;
	bool in_transaction;
	bool broken; /* memory and file differ: no more writes */
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS record ("
	" kind TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL,"
	" body TEXT NOT NULL, mac BLOB NOT NULL,"
	" PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS head ("
	" one INTEGER PRIMARY KEY CHECK (one = 1), counter INTEGER NOT NULL,"
	" mac BLOB NOT NULL) STRICT;";

static int from_sqlite(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_ERROR:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	default:
		return -EIO;
	}
}

/* --- the key -------------------------------------------------------------- */

static int read_key(int dirfd, const char *name, struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	mode_t mode;
	uid_t uid;
	ssize_t n;
	int fd;

	fd = svcenc_files_open_private(dirfd, name, &mode, &uid);
	if (fd < 0)
		return fd;
	key = svcenc_secret_new(SVCENC_STORE_KEY_SIZE);
	n = key ? svcenc_files_read_all(fd, svcenc_secret_bytes(key),
					SVCENC_STORE_KEY_SIZE) :
		  -ENOMEM;
	close(fd);
	if (n == -EFBIG || (n >= 0 && n < SVCENC_STORE_KEY_SIZE))
		return -EBADMSG;
	if (n < 0)
		return (int)n;
	*ret = key;
	key = NULL;
	return 0;
}

static int make_key(int dirfd, const char *name)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	int r;

	r = svcenc_secret_random(SVCENC_STORE_KEY_SIZE, &key);
	if (r < 0)
		return r;
	return svcenc_files_create(dirfd, name, svcenc_secret_peek(key),
				   SVCENC_STORE_KEY_SIZE);
}

int svcenc_store_load_key(const char *path, bool may_create,
			  struct svcenc_secret **ret)
{
	char *folder = strdup(path), *name = strdup(path);
	int dirfd, r = -ENOMEM;

	if (!folder || !name)
		goto out;
	dirfd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		r = -errno;
		goto out;
	}
	r = read_key(dirfd, basename(name), ret);
	if (r == -ENOENT && may_create) {
		r = make_key(dirfd, basename(name));
		if (!r)
			r = read_key(dirfd, basename(name), ret);
	}
	close(dirfd);
out:
	free(folder);
	free(name);
	return r;
}

/* --- MACs ----------------------------------------------------------------- */

static uint8_t *put_be64(uint8_t *at, uint64_t value)
{
	int i;

	for (i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> (56 - 8 * i));
	return at + 8;
}

/* "svcenc store record" 0 kind 0 id 0 be64 generation, then the body */
static int record_mac(const struct svcenc_store *store,
		      const struct record *record, const char *body,
		      uint8_t ret[MAC_SIZE])
{
	static const char label[] = "svcenc store record";
	const size_t kind_len = strlen(record->kind) + 1;
	const size_t id_len = strlen(record->id) + 1;
	const size_t body_len = strlen(body);
	uint8_t *text, *at;
	int r;

	text = malloc(sizeof(label) + kind_len + id_len + 8 + body_len);
	if (!text)
		return -ENOMEM;
	at = mempcpy(text, label, sizeof(label));
	at = mempcpy(at, record->kind, kind_len);
	at = mempcpy(at, record->id, id_len);
	at = put_be64(at, record->generation);
	at = mempcpy(at, body, body_len);
	r = svcenc_hierarchy_hmac(store->key, text, (size_t)(at - text), ret);
	free(text);
	return r;
}

static int head_mac(const struct svcenc_store *store, uint64_t counter,
		    uint8_t ret[MAC_SIZE])
{
	static const char label[] = "svcenc store head";
	uint8_t text[sizeof(label) + 8 + 8 + 32], *at;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok;
	size_t i;

	at = mempcpy(text, label, sizeof(label));
	at = put_be64(at, counter);
	at = put_be64(at, store->count);
	ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
	for (i = 0; ok && i < store->count; i++)
		ok = EVP_DigestUpdate(md, store->records[i].mac, MAC_SIZE) == 1;
	ok = ok && EVP_DigestFinal_ex(md, at, NULL) == 1;
	EVP_MD_CTX_free(md);
	if (!ok)
		return -EIO;
	return svcenc_hierarchy_hmac(store->key, text, sizeof(text), ret);
}

/* --- memory --------------------------------------------------------------- */

static int compare(const struct record *record, const char *kind,
		   const char *id)
{
	const int by_kind = strcmp(record->kind, kind);

	return by_kind ? by_kind : strcmp(record->id, id);
}

/* Index of the record, or of the place where it would go. */
static size_t find(const struct svcenc_store *store, const char *kind,
		   const char *id, bool *ret_found)
{
	size_t low = 0, high = store->count;

	*ret_found = false;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = compare(&store->records[middle], kind, id);

		if (!order) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct record *insert(struct svcenc_store *store, size_t at)
{
	if (store->count == store->room) {
		const size_t room = store->room ? 2 * store->room : 64;
		struct record *records =
			reallocarray(store->records, room, sizeof(*records));

		if (!records)
			return NULL;
		store->records = records;
		store->room = room;
	}
	memmove(&store->records[at + 1], &store->records[at],
		(store->count - at) * sizeof(*store->records));
	store->count++;
	memset(&store->records[at], 0, sizeof(*store->records));
	return &store->records[at];
}

static void forget(struct svcenc_store *store)
{
	while (store->count)
		json_decref(store->records[--store->count].body);
}

/* --- file ----------------------------------------------------------------- */

static int execute(struct svcenc_store *store, const char *sql)
{
	return from_sqlite(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static bool copy_text(const unsigned char *text, char *ret, size_t size)
{
	const size_t len = text ? strlen((const char *)text) : 0;

	if (!len || len >= size)
		return false;
	memcpy(ret, text, len + 1);
	return true;
}

/* One row becomes the last record in memory, verified. */
static int load_row(struct svcenc_store *store, sqlite3_stmt *row)
{
	const char *body = (const char *)sqlite3_column_text(row, 3);
	const void *mac = sqlite3_column_blob(row, 4);
	struct record *record;
	uint8_t want[MAC_SIZE];
	int r;

	record = insert(store, store->count);
	if (!record)
		return -ENOMEM;
	if (!copy_text(sqlite3_column_text(row, 0), record->kind,
		       sizeof(record->kind)) ||
	    !copy_text(sqlite3_column_text(row, 1), record->id,
		       sizeof(record->id)) ||
	    !body || !mac || sqlite3_column_bytes(row, 4) != MAC_SIZE ||
	    strlen(body) > SVCENC_STORE_BODY_MAX)
		return -EBADMSG;
	record->generation = (uint64_t)sqlite3_column_int64(row, 2);
	r = record_mac(store, record, body, want);
	if (r < 0)
		return r;
	if (CRYPTO_memcmp(want, mac, MAC_SIZE))
		return -EBADMSG;
	memcpy(record->mac, want, MAC_SIZE);
	record->body = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	return json_is_object(record->body) ? 0 : -EBADMSG;
}

static int load_records(struct svcenc_store *store)
{
	sqlite3_stmt *row = NULL;
	int code, r;

	forget(store);
	r = from_sqlite(sqlite3_prepare_v2(
		store->db,
		"SELECT kind, id, generation, body, mac FROM record"
		" ORDER BY kind COLLATE BINARY, id COLLATE BINARY",
		-1, &row, NULL));
	while (!r && (code = sqlite3_step(row)) != SQLITE_DONE)
		r = code == SQLITE_ROW ? load_row(store, row) :
					 from_sqlite(code);
	sqlite3_finalize(row);
	return r;
}

/* -ENOENT: the store is new. */
static int read_head(struct svcenc_store *store, uint64_t *ret_counter,
		     uint8_t ret_mac[MAC_SIZE])
{
	sqlite3_stmt *row = NULL;
	const void *mac;
	int code, r;

	r = from_sqlite(sqlite3_prepare_v2(
		store->db, "SELECT counter, mac FROM head WHERE one = 1", -1,
		&row, NULL));
	if (r < 0)
		return r;
	code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		mac = sqlite3_column_blob(row, 1);
		*ret_counter = (uint64_t)sqlite3_column_int64(row, 0);
		if (mac && sqlite3_column_bytes(row, 1) == MAC_SIZE)
			memcpy(ret_mac, mac, MAC_SIZE);
		else
			r = -EBADMSG;
	} else {
		r = code == SQLITE_DONE ? -ENOENT : from_sqlite(code);
	}
	sqlite3_finalize(row);
	return r;
}

static int write_head(struct svcenc_store *store, uint64_t counter)
{
	uint8_t mac[MAC_SIZE];
	sqlite3_stmt *row = NULL;
	int r;

	r = head_mac(store, counter, mac);
	if (r < 0)
		return r;
	r = from_sqlite(sqlite3_prepare_v2(
		store->db,
		"INSERT OR REPLACE INTO head (one, counter, mac)"
		" VALUES (1, ?, ?)",
		-1, &row, NULL));
	if (r < 0)
		return r;
	sqlite3_bind_int64(row, 1, (sqlite3_int64)counter);
	sqlite3_bind_blob(row, 2, mac, MAC_SIZE, SQLITE_STATIC);
	r = from_sqlite(sqlite3_step(row));
	sqlite3_finalize(row);
	return r;
}

/* Is the file still what memory says it is? */
static int verify_head(struct svcenc_store *store)
{
	uint8_t have[MAC_SIZE], want[MAC_SIZE];
	uint64_t counter;
	int r;

	r = read_head(store, &counter, have);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	r = head_mac(store, counter, want);
	if (r < 0)
		return r;
	return counter != store->counter ||
			       CRYPTO_memcmp(have, want, MAC_SIZE) ?
		       -EBADMSG :
		       0;
}

static int load_all(struct svcenc_store *store)
{
	uint8_t mac[MAC_SIZE];
	int r;

	r = load_records(store);
	if (r < 0)
		return r;
	r = read_head(store, &store->counter, mac);
	if (r == -ENOENT && !store->count) {
		store->counter = 0;
		return write_head(store, 0);
	}
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	return verify_head(store);
}

static int open_file(struct svcenc_store *store, const char *path)
{
	const mode_t mask = umask(0177);
	int r;

	r = from_sqlite(sqlite3_open_v2(path, &store->db,
					SQLITE_OPEN_READWRITE |
						SQLITE_OPEN_CREATE |
						SQLITE_OPEN_NOFOLLOW,
					NULL));
	if (!r) {
		sqlite3_busy_timeout(store->db, 2000);
		r = execute(store, "PRAGMA trusted_schema = OFF;"
				   "PRAGMA cell_size_check = ON;"
				   /* before WAL: no -shm file, so that a
				    * full disk does not keep us from starting
				    */
				   "PRAGMA locking_mode = EXCLUSIVE;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "BEGIN IMMEDIATE;");
	}
	if (!r)
		r = execute(store, schema);
	if (!r)
		r = load_all(store);
	if (!r)
		r = execute(store, "COMMIT;");
	if (r < 0 && store->db &&
	    sqlite3_extended_errcode(store->db) == SQLITE_CANTOPEN_SYMLINK)
		r = -ELOOP;
	/* what the filesystem said, where SQLite has only a class */
	if (r == -EIO && store->db && sqlite3_system_errno(store->db) > 0)
		r = -sqlite3_system_errno(store->db);
	umask(mask);
	return r;
}

int svcenc_store_open(const char *path, struct svcenc_secret *key,
		      struct svcenc_store **ret)
{
	struct svcenc_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store) {
		svcenc_secret_free(key);
		return -ENOMEM;
	}
	store->key = key;
	r = open_file(store, path);
	if (r < 0) {
		svcenc_store_close(store);
		return r;
	}
	*ret = store;
	return 0;
}

struct svcenc_store *svcenc_store_close(struct svcenc_store *store)
{
	if (store) {
		forget(store);
		free(store->records);
		sqlite3_close(store->db);
		svcenc_secret_free(store->key);
		free(store);
	}
	return NULL;
}

uint64_t svcenc_store_counter(const struct svcenc_store *store)
{
	return store->counter;
}

const char *svcenc_store_detail(const struct svcenc_store *store)
{
	return sqlite3_errmsg(store->db);
}

/* --- reading -------------------------------------------------------------- */

const json_t *svcenc_store_get(const struct svcenc_store *store,
			       const char *kind, const char *id,
			       uint64_t *ret_generation)
{
	bool found;
	const size_t at = find(store, kind, id, &found);

	if (!found)
		return NULL;
	if (ret_generation)
		*ret_generation = store->records[at].generation;
	return store->records[at].body;
}

const json_t *svcenc_store_next(const struct svcenc_store *store,
				const char *kind, size_t *cursor)
{
	bool found;

	if (!*cursor)
		*cursor = find(store, kind, "", &found) + 1;
	if (*cursor > store->count ||
	    strcmp(store->records[*cursor - 1].kind, kind))
		return NULL;
	return store->records[(*cursor)++ - 1].body;
}

size_t svcenc_store_count(const struct svcenc_store *store, const char *kind)
{
	size_t cursor = 0, n = 0;

	while (svcenc_store_next(store, kind, &cursor))
		n++;
	return n;
}

/* --- writing -------------------------------------------------------------- */

int svcenc_store_begin(struct svcenc_store *store)
{
	int r;

	if (store->broken)
		return -EIO;
	if (store->in_transaction)
		return -EINVAL;
	r = execute(store, "BEGIN IMMEDIATE;");
	if (r < 0)
		return r;
	store->in_transaction = true;
	return verify_head(store);
}

static int write_row(struct svcenc_store *store, const struct record *record,
		     const char *body)
{
	sqlite3_stmt *row = NULL;
	int r;

	r = from_sqlite(sqlite3_prepare_v2(
		store->db,
		"INSERT OR REPLACE INTO record"
		" (kind, id, generation, body, mac) VALUES (?, ?, ?, ?, ?)",
		-1, &row, NULL));
	if (r < 0)
		return r;
	sqlite3_bind_text(row, 1, record->kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 2, record->id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 3, (sqlite3_int64)record->generation);
	sqlite3_bind_text(row, 4, body, -1, SQLITE_STATIC);
	sqlite3_bind_blob(row, 5, record->mac, MAC_SIZE, SQLITE_STATIC);
	r = from_sqlite(sqlite3_step(row));
	sqlite3_finalize(row);
	return r;
}

static int put_record(struct svcenc_store *store, const char *kind,
		      const char *id, json_t *body, const char *text)
{
	struct record *record;
	bool found;
	size_t at;
	int r;

	at = find(store, kind, id, &found);
	record = found ? &store->records[at] : insert(store, at);
	if (!record)
		return -ENOMEM;
	if (!found) {
		memcpy(record->kind, kind, strlen(kind) + 1);
		memcpy(record->id, id, strlen(id) + 1);
	}
	record->generation++;
	json_decref(record->body);
	record->body = json_incref(body);
	r = record_mac(store, record, text, record->mac);
	return r < 0 ? r : write_row(store, record, text);
}

int svcenc_store_put(struct svcenc_store *store, const char *kind,
		     const char *id, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS) :
			    NULL;
	int r;

	if (!text)
		r = -ENOMEM;
	else if (!store->in_transaction || !*kind || !*id ||
		 strlen(kind) > SVCENC_STORE_KIND_MAX ||
		 strlen(id) > SVCENC_STORE_ID_MAX ||
		 strlen(text) > SVCENC_STORE_BODY_MAX || !json_is_object(body))
		r = -EINVAL;
	else
		r = put_record(store, kind, id, body, text);
	svcenc_secret_release(text);
	json_decref(body);
	return r;
}

int svcenc_store_delete(struct svcenc_store *store, const char *kind,
			const char *id)
{
	sqlite3_stmt *row = NULL;
	bool found;
	size_t at;
	int r;

	at = find(store, kind, id, &found);
	if (!found)
		return -ENOENT;
	if (!store->in_transaction)
		return -EINVAL;
	r = from_sqlite(sqlite3_prepare_v2(
		store->db, "DELETE FROM record WHERE kind = ? AND id = ?", -1,
		&row, NULL));
	if (r < 0)
		return r;
	sqlite3_bind_text(row, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 2, id, -1, SQLITE_STATIC);
	r = from_sqlite(sqlite3_step(row));
	sqlite3_finalize(row);
	if (r < 0)
		return r;
	json_decref(store->records[at].body);
	store->count--;
	memmove(&store->records[at], &store->records[at + 1],
		(store->count - at) * sizeof(*store->records));
	return 0;
}

int svcenc_store_commit(struct svcenc_store *store)
{
	int r;

	if (!store->in_transaction)
		return -EINVAL;
	r = write_head(store, store->counter + 1);
	if (!r)
		r = execute(store, "COMMIT;");
	if (r < 0)
		return r;
	store->in_transaction = false;
	store->counter++;
	return 0;
}

void svcenc_store_abort(struct svcenc_store *store)
{
	if (!store->in_transaction)
		return;
	store->in_transaction = false;
	(void)execute(store, "ROLLBACK;");
	if (load_all(store) < 0)
		store->broken = true;
}

int svcenc_store_put_now(struct svcenc_store *store, const char *kind,
			 const char *id, json_t *body)
{
	int r;

	r = svcenc_store_begin(store);
	if (r < 0)
		json_decref(body);
	else
		r = svcenc_store_put(store, kind, id, body);
	if (!r)
		r = svcenc_store_commit(store);
	if (r < 0)
		svcenc_store_abort(store);
	return r;
}
