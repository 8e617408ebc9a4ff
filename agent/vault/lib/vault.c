// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "vault.h"

enum { CREDENTIAL_MAX = 16384 };

void vault_key_init(struct vault_key *key)
{
	*key = (struct vault_key){
		.alg = "unknown",
		.state = "unknown",
		.key_type = "unknown",
		.wrap = "unknown",
		.unwrap = "unknown",
		.expiry = "unknown",
		.recovery = "unknown",
	};
}

enum vault_class vault_no_memory(const struct vault *vault,
				 struct vault_answer *answer)
{
	return vault_say(answer, VAULT_UNREACHABLE, NULL,
			 "vault '%s' has no memory left", vault->name);
}

/* --- settings ------------------------------------------------------------- */

const char *vault_option(const struct vault *vault, const char *name,
			 const char *fallback)
{
	size_t i;

	/* the last one counts, as in the files */
	for (i = vault->option_count; i-- > 0;)
		if (!strcmp(vault->options[i].name, name))
			return vault->options[i].value;
	return fallback;
}

int vault_option_set(struct vault *vault, const char *name, const char *value)
{
	const struct svcenc_vault_type *type =
		svcenc_vault_type_find(vault->ops->type);
	struct svcenc_vault_option *option =
		&vault->options[vault->option_count];

	if (!type || !svcenc_vault_type_takes(type, name) ||
	    strlen(value) >= sizeof(option->value) ||
	    vault->option_count > SVCENC_VAULT_OPTIONS)
		return -EINVAL;
	memcpy(option->name, name, strlen(name) + 1);
	memcpy(option->value, value, strlen(value) + 1);
	vault->option_count++;
	return 0;
}

/* --- secrets in files ----------------------------------------------------- */

static enum vault_class refuse(const struct vault *vault, const char *option,
			       const char *file, const char *why,
			       struct vault_answer *answer)
{
	return vault_say(answer, VAULT_BADAUTH, NULL, "vault '%s': %s = %s: %s",
			 vault->name, option, file, why);
}

/* Ours or root's, a file, nobody else's to read or write. */
static bool is_private(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       (st.st_uid == geteuid() || !st.st_uid) && !(st.st_mode & 0077);
}

static enum vault_class open_credential(const struct vault *vault,
					const char *option, const char *file,
					int *ret_fd,
					struct vault_answer *answer)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int fd;

	if (*file == '/')
		snprintf(path, sizeof(path), "%s", file);
	else if (strchr(file, '/'))
		return refuse(vault, option, file,
			      "an absolute path, or the name of a credential "
			      "of the worker's unit wanted",
			      answer);
	else if (!folder)
		return refuse(vault, option, file,
			      "the worker has no credentials directory: give "
			      "it LoadCredential= in its unit, or an absolute "
			      "path here",
			      answer);
	else if (snprintf(path, sizeof(path), "%s/%s", folder, file) >=
		 (int)sizeof(path))
		return refuse(vault, option, file, "too long", answer);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse(vault, option, file, strerror(errno), answer);
	/* systemd sees to the modes of credentials by itself */
	if (*file == '/' && !is_private(fd)) {
		close(fd);
		return refuse(vault, option, file,
			      "open to others, or another user's: chown it to "
			      "the worker's user and chmod 0400",
			      answer);
	}
	*ret_fd = fd;
	return VAULT_OK;
}

enum vault_class vault_read_credential(const struct vault *vault,
				       const char *option, bool text,
				       struct svcenc_secret **ret,
				       struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	const char *file = vault_option(vault, option, "");
	enum vault_class class;
	ssize_t n;
	int fd;

	class = open_credential(vault, option, file, &fd, answer);
	if (class != VAULT_OK)
		return class;
	room = svcenc_secret_new(CREDENTIAL_MAX);
	n = room ? svcenc_files_read_all(fd, svcenc_secret_bytes(room),
					 CREDENTIAL_MAX) :
		   -ENOMEM;
	close(fd);
	if (n == -ENOMEM)
		return vault_no_memory(vault, answer);
	if (n < 0)
		return refuse(vault, option, file, strerror((int)-n), answer);
	while (text && n > 0 && strchr("\r\n", svcenc_secret_peek(room)[n - 1]))
		n--;
	if (!n)
		return refuse(vault, option, file, "the file is empty", answer);
	if (text && memchr(svcenc_secret_peek(room), 0, (size_t)n))
		return refuse(vault, option, file, "the file is not text",
			      answer);
	if (svcenc_secret_move_bytes(svcenc_secret_bytes(room), (size_t)n,
				     ret) < 0)
		return vault_no_memory(vault, answer);
	return VAULT_OK;
}
