// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "files.h"
#include "keys.h"
#include "proto.h"

#define SCHEMA "svcenc-file-vault/1"

enum {
	ROOT_KEY_SIZE = 32,
	KEY_FILE_MAX = 1024,
	FILE_NAME_SIZE = SVCENC_NAME_SIZE + 16,
};

static const char *const state_texts[] = { "enabled", "disabled", "deleted" };

const char *key_state_text(enum key_state state)
{
	return state_texts[state];
}

void root_key_clear(struct root_key *root)
{
	root->key = svcenc_secret_free(root->key);
}

void vault_kid(const struct key_folder *vault, const struct root_key *root,
	       char ret[SVCENC_KID_MAX + 1])
{
	snprintf(ret, SVCENC_KID_MAX + 1, "file:%s/%s/%u", vault->name,
		 root->name, root->version);
}

/* Takes "file:<this vault>/<name>/<version>" apart. */
static bool parse_kid(const struct key_folder *vault, const char *kid,
		      struct root_key *ret)
{
	const size_t len = strlen(vault->name);
	const char *name, *slash;
	u64 version;

	if (strncmp(kid, "file:", 5) || strncmp(kid + 5, vault->name, len) ||
	    kid[5 + len] != '/')
		return false;
	name = kid + 5 + len + 1;
	slash = strchr(name, '/');
	if (!slash || slash - name >= SVCENC_NAME_SIZE)
		return false;
	memcpy(ret->name, name, (size_t)(slash - name));
	ret->name[slash - name] = '\0';
	if (!svcenc_name_is_valid(ret->name) ||
	    svcenc_u64_parse(slash + 1, U32_MAX, &version) < 0 || !version)
		return false;
	ret->version = (uint32_t)version;
	return true;
}

static void file_name(const struct root_key *root, char ret[FILE_NAME_SIZE])
{
	snprintf(ret, FILE_NAME_SIZE, "%s.%u.key", root->name, root->version);
}

/* Opens the directory; *ret_fd is set only on VAULT_OK. */
static enum vault_class open_directory(const struct key_folder *vault,
				       int *ret_fd, struct vault_answer *answer)
{
	mode_t mode = 0;
	uid_t uid = 0;
	int fd;

	fd = svcenc_files_open_private_dir(vault->directory, &mode, &uid);
	if (fd >= 0) {
		*ret_fd = fd;
		return VAULT_OK;
	}
	if (fd == -EPERM)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "directory %s of vault '%s' has owner %u and "
				 "mode %04o, wanted owner %u and mode 0700: "
				 "chown %u %s && chmod 0700 %s",
				 vault->directory, vault->name, uid,
				 mode & 07777, geteuid(), geteuid(),
				 vault->directory, vault->directory);
	if (fd == -EACCES)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "directory %s of vault '%s' cannot be entered "
				 "by user %u: chown %u %s && chmod 0700 %s",
				 vault->directory, vault->name, geteuid(),
				 geteuid(), vault->directory, vault->directory);
	/* not an outage, which the availability key might bridge */
	if (fd == -ELOOP || fd == -ENOTDIR)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "%s of vault '%s' is a symbolic link or no "
				 "directory: name the directory itself in "
				 "vaults.d/%s.conf",
				 vault->directory, vault->name, vault->name);
	return vault_say(answer, VAULT_UNREACHABLE, NULL,
			 "directory %s of vault '%s': %s: mount it, or correct "
			 "'directory' in vaults.d/%s.conf",
			 vault->directory, vault->name, strerror(-fd),
			 vault->name);
}

static enum vault_class parse_key_file(const char *text, size_t len,
				       struct root_key *root)
{
	SVCENC_JSON_AUTO json_t *json = NULL;
	const char *schema, *name, *state, *alg, *key;
	json_int_t version;
	int i;

	svcenc_secret_scope_enter();
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	svcenc_secret_scope_leave();
	if (!json ||
	    json_unpack(json, "{s:s, s:s, s:I, s:s, s:s, s:s !}", "schema",
			&schema, "name", &name, "version", &version, "state",
			&state, "alg", &alg, "key", &key) < 0)
		return VAULT_CORRUPT;
	if (strcmp(schema, SCHEMA) || strcmp(name, root->name) ||
	    version != root->version || strcmp(alg, "A256KW"))
		return VAULT_CORRUPT;
	for (i = 0; i < 3 && strcmp(state, state_texts[i]); i++)
		;
	if (i == 3 || svcenc_secret_from_base64(key, &root->key) < 0)
		return VAULT_CORRUPT;
	root->state = (enum key_state)i;
	return svcenc_secret_len(root->key) == ROOT_KEY_SIZE ? VAULT_OK :
							       VAULT_CORRUPT;
}

static enum vault_class say_open_failed(const struct key_folder *vault,
					const char *file, int error,
					const struct vault_answer *found,
					struct vault_answer *answer)
{
	if (error == -ENOENT)
		return vault_say(answer, VAULT_DENIED, "deleted",
				 "key %s/%s does not exist", vault->directory,
				 file);
	if (error == -ELOOP)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "key %s/%s cannot be opened: it is a "
				 "symbolic link; put the file itself there",
				 vault->directory, file);
	if (error == -EPERM || error == -EACCES)
		return vault_say(
			answer, VAULT_BADAUTH, NULL,
			"key %s/%s %s, wanted a file of owner %u and "
			"mode 0600: chown %u %s/%s && chmod 0600 %s/%s",
			vault->directory, file, found->detail, geteuid(),
			geteuid(), vault->directory, file, vault->directory,
			file);
	return vault_say(answer, VAULT_UNREACHABLE, NULL, "key %s/%s: %s",
			 vault->directory, file, strerror(-error));
}

static enum vault_class read_key_at(const struct key_folder *vault, int dirfd,
				    struct root_key *root,
				    struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *text = NULL;
	struct vault_answer found;
	char file[FILE_NAME_SIZE];
	mode_t mode = 0;
	uid_t uid = 0;
	ssize_t n;
	int fd;

	file_name(root, file);
	fd = svcenc_files_open_private(dirfd, file, &mode, &uid);
	if (fd < 0) {
		vault_say(&found, VAULT_OK, NULL, "has owner %u and mode %04o",
			  uid, mode & 07777);
		if (fd != -EPERM)
			vault_say(&found, VAULT_OK, NULL, "cannot be opened");
		return say_open_failed(vault, file, fd, &found, answer);
	}
	text = svcenc_secret_new(KEY_FILE_MAX);
	n = text ? svcenc_files_read_all(fd, svcenc_secret_bytes(text),
					 KEY_FILE_MAX) :
		   -ENOMEM;
	close(fd);
	if (n == -ENOMEM || n == -EIO)
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "key %s/%s: %s", vault->directory, file,
				 strerror((int)-n));
	if (n < 0 || parse_key_file((const char *)svcenc_secret_peek(text),
				    (size_t)n, root) != VAULT_OK) {
		root_key_clear(root);
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "key %s/%s is damaged: restore the file from "
				 "a backup",
				 vault->directory, file);
	}
	return VAULT_OK;
}

enum vault_class vault_read_key(const struct key_folder *vault, const char *kid,
				struct root_key *ret,
				struct vault_answer *answer)
{
	enum vault_class class;
	int dirfd = -1;

	if (!parse_kid(vault, kid, ret))
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "'%.200s' names no key of vault '%s'", kid,
				 vault->name);
	class = open_directory(vault, &dirfd, answer);
	if (class != VAULT_OK)
		return class;
	class = read_key_at(vault, dirfd, ret, answer);
	close(dirfd);
	return class;
}

/* --- making --------------------------------------------------------------- */

/* Version of "<name>.<version>.key", or 0. */
static uint32_t version_of(const char *file, const char *name)
{
	const size_t len = strlen(name);
	char digits[12];
	const char *dot;
	u64 version;

	if (strncmp(file, name, len) || file[len] != '.')
		return 0;
	dot = strchr(file + len + 1, '.');
	if (!dot || strcmp(dot, ".key") ||
	    dot - (file + len + 1) >= (ptrdiff_t)sizeof(digits))
		return 0;
	memcpy(digits, file + len + 1, (size_t)(dot - (file + len + 1)));
	digits[dot - (file + len + 1)] = '\0';
	if (svcenc_u64_parse(digits, U32_MAX, &version) < 0)
		return 0;
	return (uint32_t)version;
}

/* Newest version below @below; 0 if there is none. */
static uint32_t newest_version(int dirfd, const char *name, uint32_t below)
{
	const int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	uint32_t newest = 0;
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(dir))) {
		const uint32_t version = version_of(entry->d_name, name);

		if (version > newest && version < below)
			newest = version;
	}
	closedir(dir);
	return newest;
}

static int write_key(int dirfd, const struct root_key *root)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL, *base64 = NULL,
						*text = NULL;
	char file[FILE_NAME_SIZE];
	int len, r;

	r = svcenc_secret_random(ROOT_KEY_SIZE, &key);
	if (!r)
		r = svcenc_secret_to_base64(key, &base64);
	if (r < 0)
		return r;
	text = svcenc_secret_new(KEY_FILE_MAX);
	if (!text)
		return -ENOMEM;
	len = snprintf((char *)svcenc_secret_bytes(text), KEY_FILE_MAX,
		       "{\"schema\": \"" SCHEMA "\", \"name\": \"%s\", "
		       "\"version\": %u, \"state\": \"enabled\", "
		       "\"alg\": \"A256KW\", \"key\": \"%s\"}\n",
		       root->name, root->version,
		       (const char *)svcenc_secret_peek(base64));
	if (len < 0 || len >= KEY_FILE_MAX)
		return -EINVAL;
	file_name(root, file);
	return svcenc_files_create(dirfd, file, svcenc_secret_peek(text),
				   (size_t)len);
}

/* The newest enabled version; root->version is 0 if there is none at all. */
static enum vault_class find_at(const struct key_folder *vault, int dirfd,
				struct root_key *root,
				struct vault_answer *answer)
{
	uint32_t below = U32_MAX;
	enum vault_class class;

	while ((root->version = newest_version(dirfd, root->name, below))) {
		class = read_key_at(vault, dirfd, root, answer);
		if (class != VAULT_OK || root->state == KEY_ENABLED)
			return class;
		below = root->version;
		root_key_clear(root);
	}
	if (below == U32_MAX)
		return vault_say(answer, VAULT_DENIED, "deleted",
				 "there is no key '%s' in %s of vault '%s'",
				 root->name, vault->directory, vault->name);
	root->version = below;
	return vault_say(answer, VAULT_DENIED, "disabled",
			 "no version of key '%s' in vault '%s' is enabled",
			 root->name, vault->name);
}

/* A key that exists but is disabled or deleted is not replaced by a new one:
 * that would undo its owner's decision.
 */
static enum vault_class find_or_make_at(const struct key_folder *vault,
					int dirfd, struct root_key *root,
					struct vault_answer *answer)
{
	const enum vault_class class = find_at(vault, dirfd, root, answer);
	int r;

	if (class != VAULT_DENIED || root->version)
		return class;
	root->version = 1;
	r = write_key(dirfd, root);
	if (r < 0 && r != -EEXIST)
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "cannot make key '%s' in %s: %s", root->name,
				 vault->directory, strerror(-r));
	return read_key_at(vault, dirfd, root, answer);
}

static enum vault_class
with_directory(const struct key_folder *vault, const char *name,
	       struct root_key *ret, struct vault_answer *answer,
	       enum vault_class (*what)(const struct key_folder *vault,
					int dirfd, struct root_key *root,
					struct vault_answer *answer))
{
	enum vault_class class;
	int dirfd = -1;

	if (!svcenc_name_is_valid(name))
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "not a name for a key");
	memcpy(ret->name, name, strlen(name) + 1);
	class = open_directory(vault, &dirfd, answer);
	if (class != VAULT_OK)
		return class;
	class = what(vault, dirfd, ret, answer);
	close(dirfd);
	return class;
}

enum vault_class vault_find(const struct key_folder *vault, const char *name,
			    struct root_key *ret, struct vault_answer *answer)
{
	return with_directory(vault, name, ret, answer, find_at);
}

enum vault_class vault_find_or_make(const struct key_folder *vault,
				    const char *name, struct root_key *ret,
				    struct vault_answer *answer)
{
	return with_directory(vault, name, ret, answer, find_or_make_at);
}
