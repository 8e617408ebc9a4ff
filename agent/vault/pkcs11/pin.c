// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "files.h"
#include "pin.h"

#define MEMORY_FILE "pin"
#define MEMORY_NEW "pin.new"

enum {
	ROUNDS = 20000,
	SALT_SIZE = 16,
	HASH_SIZE = 32,
};

/* The file: one letter, salt, hash. */
struct memory {
	unsigned char letter; /* 't' trying, 'r' refused */
	unsigned char salt[SALT_SIZE];
	unsigned char hash[HASH_SIZE];
};

static_assert(sizeof(struct memory) == 1 + SALT_SIZE + HASH_SIZE);

void pin_clear(struct pin *pin)
{
	pin->text = svcenc_secret_free(pin->text);
}

size_t pin_len(const struct pin *pin)
{
	return svcenc_secret_len(pin->text) - 1;
}

static int hash_pin(const struct pin *pin, struct memory *memory)
{
	return PKCS5_PBKDF2_HMAC((const char *)svcenc_secret_peek(pin->text),
				 (int)pin_len(pin), memory->salt, SALT_SIZE,
				 ROUNDS, EVP_sha256(), HASH_SIZE,
				 memory->hash) == 1 ?
		       0 :
		       -ENOMEM;
}

static const char *directory_of(const struct vault *vault)
{
	return vault_option(vault, "directory", "");
}

/* The directory, opened; BADAUTH with the cure if it is not ours alone. */
static enum vault_class open_directory(const struct vault *vault, int *ret_fd,
				       struct vault_answer *answer)
{
	const char *directory = directory_of(vault);
	mode_t mode = 0;
	uid_t uid = 0;
	const int fd = svcenc_files_open_private_dir(directory, &mode, &uid);

	if (fd >= 0) {
		*ret_fd = fd;
		return VAULT_OK;
	}
	return vault_say(answer, VAULT_BADAUTH, NULL,
			 "vault '%s' needs directory %s to remember a refused "
			 "PIN, else it might lock the token: make it with "
			 "owner %u and mode 0700 (%s)",
			 vault->name, directory, geteuid(), strerror(-fd));
}

/* *ret is PIN_FRESH unless the memory is of this very PIN. */
static enum vault_class recall(const struct vault *vault, int dirfd,
			       const struct pin *pin, enum pin_memory *ret,
			       struct vault_answer *answer)
{
	struct memory there, here;
	mode_t mode = 0;
	uid_t uid = 0;
	ssize_t n;
	int fd;

	*ret = PIN_FRESH;
	fd = svcenc_files_open_private(dirfd, MEMORY_FILE, &mode, &uid);
	if (fd == -ENOENT)
		return VAULT_OK;
	n = fd < 0 ? fd : svcenc_files_read_all(fd, &there, sizeof(there));
	if (fd >= 0)
		close(fd);
	if (n != sizeof(there))
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "%s/" MEMORY_FILE " of vault '%s' cannot be "
				 "used: see that the PIN in 'pin_file' is "
				 "right, then remove it",
				 directory_of(vault), vault->name);
	memcpy(here.salt, there.salt, SALT_SIZE);
	if (hash_pin(pin, &here) < 0)
		return vault_no_memory(vault, answer);
	if (!CRYPTO_memcmp(here.hash, there.hash, HASH_SIZE))
		*ret = there.letter == 't' ? PIN_TRYING : PIN_REFUSED;
	return VAULT_OK;
}

enum vault_class pin_read(const struct vault *vault, struct pin *ret,
			  struct vault_answer *answer)
{
	enum vault_class class;
	int dirfd = -1;

	class = vault_read_credential(vault, "pin_file", true, &ret->text,
				      answer);
	if (class == VAULT_OK)
		class = open_directory(vault, &dirfd, answer);
	if (class != VAULT_OK)
		return class;
	class = recall(vault, dirfd, ret, &ret->memory, answer);
	close(dirfd);
	return class;
}

/* Whole or not at all, durable. */
static int replace(int dirfd, const struct memory *memory)
{
	int r;

	(void)unlinkat(dirfd, MEMORY_NEW, 0);
	r = svcenc_files_create(dirfd, MEMORY_NEW, memory, sizeof(*memory));
	if (!r && renameat(dirfd, MEMORY_NEW, dirfd, MEMORY_FILE) < 0)
		r = -errno;
	if (!r && fsync(dirfd) < 0)
		r = -errno;
	return r;
}

static int store(int dirfd, const struct pin *pin, enum pin_memory what)
{
	struct memory memory = { .letter = what == PIN_TRYING ? 't' : 'r' };
	int r;

	if (what == PIN_FRESH)
		return unlinkat(dirfd, MEMORY_FILE, 0) < 0 && errno != ENOENT ?
			       -errno :
			       0;
	if (RAND_bytes(memory.salt, SALT_SIZE) != 1)
		return -EIO;
	r = hash_pin(pin, &memory);
	return r < 0 ? r : replace(dirfd, &memory);
}

enum vault_class pin_remember(const struct vault *vault, const struct pin *pin,
			      enum pin_memory memory,
			      struct vault_answer *answer)
{
	enum vault_class class;
	int dirfd = -1, r;

	class = open_directory(vault, &dirfd, answer);
	if (class != VAULT_OK)
		return class;
	r = store(dirfd, pin, memory);
	close(dirfd);
	if (r < 0)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "vault '%s' cannot note in %s that it tries a "
				 "PIN, and does not try it so: %s",
				 vault->name, directory_of(vault),
				 strerror(-r));
	return VAULT_OK;
}

enum vault_class pin_say_refused(const struct vault *vault,
				 struct vault_answer *answer)
{
	return vault_say(answer, VAULT_BADAUTH, NULL,
			 "the token of vault '%s' has refused the PIN in %s, "
			 "which is not tried again lest the token is locked: "
			 "put the right one there; if it is right, remove "
			 "%s/" MEMORY_FILE,
			 vault->name, vault_option(vault, "pin_file", ""),
			 directory_of(vault));
}
