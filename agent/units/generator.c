// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-generator: from /etc/svcenctab to drop-ins of svcenc@NAME.service
 * and to symbolic links that pull it in. Runs very early, as a systemd
 * generator: no socket, no log daemon, so it complains to the kernel log. A
 * wrong line costs that one volume; the others are set up.
 *
 * usage: svcenc-generator NORMAL-DIR [EARLY-DIR LATE-DIR [SVCENCTAB]]
 * With SVCENCTAB (for tests) it complains to stderr.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "svcenctab.h"

#define TAB_PATH "/etc/svcenctab"
#ifndef SVCENC_SBINDIR
#define SVCENC_SBINDIR "/usr/sbin"
#endif
#ifndef SVCENC_UNITDIR
#define SVCENC_UNITDIR "/usr/lib/systemd/system"
#endif

enum {
	PATH_MAX_BYTES = 8192,
	ENTRIES_MAX = 4096,
};

struct generator {
	const char *dir; /* where units go */
	const char *tab;
	FILE *log;
	unsigned int line;
	char (*names)[SVCENC_NAME_SIZE]; /* of the entries so far */
	size_t name_count;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void
complain(struct generator *generator, const char *format, ...)
{
	va_list args;

	generator->failed = true;
	fprintf(generator->log, "<3>svcenc-generator: %s", generator->tab);
	if (generator->line)
		fprintf(generator->log, ":%u", generator->line);
	fputs(": ", generator->log);
	va_start(args, format);
	vfprintf(generator->log, format, args);
	va_end(args);
	fputc('\n', generator->log);
	fflush(generator->log); /* one record of /dev/kmsg per write */
}

/* "DIR/@a@b", with its directory made. False: said why. */
static bool make_path(struct generator *generator, char path[PATH_MAX_BYTES],
		      const char *directory, const char *file)
{
	int len;

	len = snprintf(path, PATH_MAX_BYTES, "%s/%s", generator->dir,
		       directory);
	if (len > 0 && len < PATH_MAX_BYTES && mkdir(path, 0755) < 0 &&
	    errno != EEXIST) {
		complain(generator, "cannot make %s: %s", path,
			 strerror(errno));
		return false;
	}
	len = snprintf(path, PATH_MAX_BYTES, "%s/%s/%s", generator->dir,
		       directory, file);
	if (len < 0 || len >= PATH_MAX_BYTES) {
		complain(generator, "a path is too long");
		return false;
	}
	return true;
}

/* Links @unit into "TARGET.wants" or "TARGET.requires". */
static bool pull_in(struct generator *generator, const char *target,
		    const char *how, const char *unit)
{
	char directory[SVCENCTAB_UNIT_MAX + 16], path[PATH_MAX_BYTES];

	snprintf(directory, sizeof(directory), "%s.%s", target, how);
	if (!make_path(generator, path, directory, unit))
		return false;
	if (symlink(SVCENC_UNITDIR "/svcenc@.service", path) < 0 &&
	    errno != EEXIST) {
		complain(generator, "cannot link %s: %s", path,
			 strerror(errno));
		return false;
	}
	return true;
}

static FILE *open_drop_in(struct generator *generator, const char *unit,
			  char path[PATH_MAX_BYTES])
{
	char directory[SVCENCTAB_UNIT_MAX + 16];
	FILE *file;

	snprintf(directory, sizeof(directory), "%s.d", unit);
	if (!make_path(generator, path, directory, "50-svcenctab.conf"))
		return NULL;
	file = fopen(path, "we");
	if (!file)
		complain(generator, "cannot write %s: %s", path,
			 strerror(errno));
	else
		fprintf(file, "# Made by svcenc-generator from %s:%u\n",
			generator->tab, generator->line);
	return file;
}

static bool close_drop_in(struct generator *generator, FILE *file,
			  const char *path)
{
	const bool bad = ferror(file);

	if (fclose(file) == 0 && !bad)
		return true;
	complain(generator, "cannot write %s: %s", path, strerror(errno));
	return false;
}

static void write_command(FILE *file, const struct svcenctab_entry *entry)
{
	char word[SVCENCTAB_UNIT_MAX];

	fputs("\n[Service]\nExecStart=\nExecStart=" SVCENC_SBINDIR
	      "/svcenc open",
	      file);
	if (entry->discard)
		fputs(" --discard", file);
	if (entry->readonly)
		fputs(" --readonly", file);
	if (*entry->policy)
		fprintf(file, " --policy %s", entry->policy);
	svcenctab_quote(entry->device, word);
	fprintf(file, " -- %s %s\n", entry->name, word);
}

static bool write_service(struct generator *generator, const char *unit,
			  const struct svcenctab_entry *entry)
{
	char device_unit[SVCENCTAB_UNIT_MAX], path[PATH_MAX_BYTES];
	FILE *file;

	file = open_drop_in(generator, unit, path);
	if (!file)
		return false;
	svcenctab_escape_path(entry->device, device_unit);
	fprintf(file, "[Unit]\nSourcePath=%s\n", generator->tab);
	fprintf(file, "BindsTo=%s.device\nAfter=%s.device\n", device_unit,
		device_unit);
	if (entry->netdev)
		fputs("After=remote-fs-pre.target network-online.target\n"
		      "Wants=network-online.target\n",
		      file);
	/* Nobody waits for a volume that may fail. */
	if (!entry->nofail && !entry->noauto)
		fprintf(file, "Before=%s\n",
			entry->netdev ? "remote-svcenc.target" :
					"svcenc.target");
	write_command(file, entry);
	return close_drop_in(generator, file, path);
}

/* How long to wait for the device below; its unit is made by udev. */
static bool write_device_timeout(struct generator *generator,
				 const struct svcenctab_entry *entry)
{
	char unit[SVCENCTAB_UNIT_MAX + 8], path[PATH_MAX_BYTES];
	FILE *file;

	if (!*entry->timeout)
		return true;
	svcenctab_escape_path(entry->device, unit);
	strcat(unit, ".device");
	file = open_drop_in(generator, unit, path);
	if (!file)
		return false;
	fprintf(file, "[Unit]\nJobRunningTimeoutSec=%s\n", entry->timeout);
	return close_drop_in(generator, file, path);
}

/* A mount of the volume waits for the service, which has its own deadline. */
static bool write_mapped_timeout(struct generator *generator,
				 const char *mapped)
{
	char path[PATH_MAX_BYTES];
	FILE *file;

	file = open_drop_in(generator, mapped, path);
	if (!file)
		return false;
	fputs("[Unit]\nJobTimeoutSec=infinity\n", file);
	return close_drop_in(generator, file, path);
}

static bool write_entry(struct generator *generator,
			const struct svcenctab_entry *entry)
{
	char escaped[SVCENCTAB_UNIT_MAX];
	char unit[SVCENCTAB_UNIT_MAX + 32], mapped[SVCENCTAB_UNIT_MAX + 32];

	svcenctab_escape(entry->name, escaped);
	snprintf(unit, sizeof(unit), "svcenc@%s.service", escaped);
	snprintf(mapped, sizeof(mapped), "dev-mapper-%s.device", escaped);
	if (!write_service(generator, unit, entry) ||
	    !write_device_timeout(generator, entry) ||
	    !pull_in(generator, mapped, "requires", unit))
		return false;
	if (entry->noauto)
		return true;
	if (!entry->nofail && !write_mapped_timeout(generator, mapped))
		return false;
	return pull_in(generator,
		       entry->netdev ? "remote-svcenc.target" : "svcenc.target",
		       entry->nofail ? "wants" : "requires", unit);
}

static bool is_taken(const struct generator *generator, const char *name)
{
	size_t i;

	for (i = 0; i < generator->name_count; i++)
		if (!strcmp(generator->names[i], name))
			return true;
	return false;
}

static void take_line(struct generator *generator, char *line)
{
	struct svcenctab_entry entry;
	const char *error;
	int r;

	r = svcenctab_parse(line, &entry, &error);
	if (r < 0)
		complain(generator, "%s; this line is left out", error);
	if (r <= 0)
		return;
	if (is_taken(generator, entry.name)) {
		complain(generator,
			 "volume %s is there already; this line is left out",
			 entry.name);
		return;
	}
	if (generator->name_count == ENTRIES_MAX) {
		complain(generator, "more than %d volumes", ENTRIES_MAX);
		return;
	}
	memcpy(generator->names[generator->name_count++], entry.name,
	       sizeof(entry.name));
	(void)write_entry(generator, &entry);
}

static void take_file(struct generator *generator, FILE *tab)
{
	char line[SVCENCTAB_LINE_MAX];
	int byte;

	while (fgets(line, sizeof(line), tab)) {
		generator->line++;
		if (strchr(line, '\n') || feof(tab)) {
			take_line(generator, line);
			continue;
		}
		complain(generator, "the line is too long; it is left out");
		while ((byte = fgetc(tab)) != EOF && byte != '\n')
			;
	}
}

int main(int argc, char **argv)
{
	struct generator generator = {
		.dir = argc > 1 ? argv[1] : "",
		.tab = argc > 4 ? argv[4] : TAB_PATH,
		.log = argc > 4 ? stderr : fopen("/dev/kmsg", "we"),
	};
	FILE *tab;

	if (!generator.log)
		generator.log = stderr;
	if (argc < 2) {
		complain(&generator, "wants the directory for units");
		return EXIT_FAILURE;
	}
	umask(0022);
	tab = fopen(generator.tab, "re");
	if (!tab && errno == ENOENT)
		return EXIT_SUCCESS;
	generator.names = calloc(ENTRIES_MAX, sizeof(*generator.names));
	if (!tab || !generator.names)
		complain(&generator, "%s", strerror(errno));
	else
		take_file(&generator, tab);
	if (tab)
		fclose(tab);
	free(generator.names);
	return generator.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
