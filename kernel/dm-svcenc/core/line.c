// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "line.h"

static const char min_seq_prefix[] = "min_seq:";

/* A refusal and its reason. */
static int reject(const char **ret_error, const char *text)
{
	*ret_error = text;
	return -EINVAL;
}

static int set_flag(bool *flag, const char **ret_error)
{
	if (*flag)
		return reject(ret_error, "option given twice");
	*flag = true;
	return 0;
}

static int parse_option(const char *word, struct svcenc_table *table,
			const char **ret_error)
{
	const size_t prefix = sizeof(min_seq_prefix) - 1;

	if (!strcmp(word, "allow_discards"))
		return set_flag(&table->allow_discards, ret_error);
	if (!strcmp(word, "initialize"))
		return set_flag(&table->initialize, ret_error);
	if (!strcmp(word, "grow"))
		return set_flag(&table->grow, ret_error);
	if (strncmp(word, min_seq_prefix, prefix))
		return reject(ret_error,
			      "unknown option (wanted: allow_discards, initialize, grow, min_seq:<n>)");
	if (table->min_seq)
		return reject(ret_error, "option given twice");
	if (svcenc_u64_parse(word + prefix, U64_MAX - 1, &table->min_seq) ||
	    !table->min_seq)
		return reject(ret_error,
			      "min_seq wants a number from 1 to 18446744073709551614");
	return 0;
}

static int parse_options(unsigned int argc, char **argv,
			 struct svcenc_table *table, const char **ret_error)
{
	unsigned int i;
	u64 count;

	if (!argc)
		return 0;
	if (svcenc_u64_parse(argv[0], SVCENC_TABLE_OPTS_MAX, &count))
		return reject(ret_error,
			      "number of options is not a number from 0 to 4");
	if (count != argc - 1)
		return reject(ret_error,
			      "number of options does not match the options given");
	for (i = 1; i < argc; i++)
		if (parse_option(argv[i], table, ret_error))
			return -EINVAL;
	if (table->initialize && table->grow)
		return reject(ret_error,
			      "initialize and grow exclude each other");
	if (table->initialize && table->min_seq)
		return reject(ret_error,
			      "initialize and min_seq exclude each other");
	return 0;
}

int svcenc_table_parse(unsigned int argc, char **argv,
		       struct svcenc_table *ret, const char **ret_error)
{
	memset(ret, 0, sizeof(*ret));
	*ret_error = NULL;
	if (argc < SVCENC_TABLE_ARGS_MIN)
		return reject(ret_error,
			      "too few arguments (wanted: <device> <volume uuid> <policy key description> [<#opts> <opt>...])");
	ret->device = argv[0];
	if (strlen(argv[0]) >= SVCENC_DEVICE_PATH_MAX)
		return reject(ret_error, "device path is too long");
	if (strlen(argv[1]) != SVCENC_UUID_TEXT ||
	    svcenc_uuid_parse(argv[1], &ret->uuid) ||
	    svcenc_uuid_is_zero(&ret->uuid))
		return reject(ret_error,
			      "volume uuid is malformed (wanted: 36 lower-case characters)");
	if (svcenc_keyid_parse(argv[2], &ret->key))
		return reject(ret_error,
			      "policy key description is malformed (wanted: svcenc:<policy uuid>:<version>)");
	return parse_options(argc - SVCENC_TABLE_ARGS_MIN,
			     argv + SVCENC_TABLE_ARGS_MIN, ret, ret_error);
}

int svcenc_table_print(const struct svcenc_table *table, char *buf,
		       size_t size)
{
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];
	unsigned int opts = table->allow_discards + (table->min_seq != 0);
	char min_seq[32] = "";

	svcenc_uuid_print(&table->uuid, uuid);
	svcenc_keyid_print(&table->key, key);
	if (table->min_seq)
		snprintf(min_seq, sizeof(min_seq), " %s%llu", min_seq_prefix,
			 (unsigned long long)table->min_seq);
	if (!opts)
		return snprintf(buf, size, "%s %s %s", table->device, uuid,
				key);
	return snprintf(buf, size, "%s %s %s %u%s%s", table->device, uuid, key,
			opts, table->allow_discards ? " allow_discards" : "",
			min_seq);
}

/* snprintf() that continues at *@at, however small the buffer. */
static __printf(4, 5) void append(char *buf, size_t size, int *at,
				  const char *format, ...)
{
	const size_t used = (size_t)*at < size ? (size_t)*at : size;
	va_list args;

	va_start(args, format);
	*at += vsnprintf(size ? buf + used : buf, size - used, format, args);
	va_end(args);
}

int svcenc_status_print(const struct svcenc_status *status, char *buf,
			size_t size)
{
	char key[SVCENC_KEYID_TEXT + 1], check[SVCENC_CHECK_TEXT + 1] = "-";
	int at = 0;

	svcenc_keyid_print(&status->key, key);
	if (status->has_check)
		svcenc_hex_print(status->check, sizeof(status->check), check);
	append(buf, size, &at, "%s %llu %s %s %llu %llu/%llu",
	       svcenc_state_text(status->state),
	       (unsigned long long)status->epoch, key, check,
	       (unsigned long long)status->seq,
	       (unsigned long long)status->rotation_done,
	       (unsigned long long)status->rotation_total);
#define x(name) \
	append(buf, size, &at, " %llu", \
	       (unsigned long long)status->counters.name);
	SVCENC_COUNTERS(x)
#undef x
	append(buf, size, &at, " %s %llu %llu %llu",
	       svcenc_rotation_text(status->rotation),
	       (unsigned long long)status->rate_kib_s,
	       (unsigned long long)status->longest_park_us,
	       (unsigned long long)status->unreadable);
	return at;
}

/* Copies the next blank-separated word; false at the end or if too long. */
static bool next_word(const char **text, char *word, size_t size)
{
	const char *at = *text;
	size_t len = 0;

	while (*at == ' ')
		at++;
	while (at[len] && at[len] != ' ' && at[len] != '\n')
		len++;
	if (!len || len >= size)
		return false;
	memcpy(word, at, len);
	word[len] = '\0';
	*text = at + len;
	return true;
}

static bool next_u64(const char **text, u64 *ret)
{
	char word[21];

	return next_word(text, word, sizeof(word)) &&
	       !svcenc_u64_parse(word, U64_MAX, ret);
}

/* A word of one of the lists of names.h, as its number. */
static bool next_name(const char **text, const char *(*name)(unsigned int),
		      unsigned int count, unsigned int *ret)
{
	char word[24];
	unsigned int i;

	if (!next_word(text, word, sizeof(word)))
		return false;
	for (i = 0; i < count; i++) {
		if (!strcmp(word, name(i))) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool next_state(const char **text, enum svcenc_state *ret)
{
	unsigned int number;

	if (!next_name(text, svcenc_state_text, SVCENC_STATE_COUNT, &number))
		return false;
	*ret = (enum svcenc_state)number;
	return true;
}

static bool next_rotation(const char **text, enum svcenc_rotation_state *ret)
{
	unsigned int number;

	if (!next_name(text, svcenc_rotation_text, SVCENC_ROTATION_COUNT,
		       &number))
		return false;
	*ret = (enum svcenc_rotation_state)number;
	return true;
}

static bool next_check(const char **text, struct svcenc_status *ret)
{
	char word[SVCENC_CHECK_TEXT + 1];

	if (!next_word(text, word, sizeof(word)))
		return false;
	ret->has_check = strcmp(word, "-") != 0;
	return !ret->has_check ||
	       !svcenc_hex_parse(word, ret->check, sizeof(ret->check));
}

/* "<done>/<total>" */
static bool next_fraction(const char **text, u64 *ret_done, u64 *ret_total)
{
	char word[42], *slash;

	if (!next_word(text, word, sizeof(word)))
		return false;
	slash = strchr(word, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return !svcenc_u64_parse(word, U64_MAX, ret_done) &&
	       !svcenc_u64_parse(slash + 1, U64_MAX, ret_total);
}

int svcenc_status_parse(const char *text, struct svcenc_status *ret)
{
	char key[SVCENC_KEYID_TEXT + 1];

	memset(ret, 0, sizeof(*ret));
	if (!next_state(&text, &ret->state) || !next_u64(&text, &ret->epoch) ||
	    !next_word(&text, key, sizeof(key)) ||
	    svcenc_keyid_parse(key, &ret->key) || !next_check(&text, ret) ||
	    !next_u64(&text, &ret->seq) ||
	    !next_fraction(&text, &ret->rotation_done, &ret->rotation_total))
		return -EINVAL;
#define x(name) \
	if (!next_u64(&text, &ret->counters.name)) \
		return -EINVAL;
	SVCENC_COUNTERS(x)
#undef x
	if (!next_rotation(&text, &ret->rotation) ||
	    !next_u64(&text, &ret->rate_kib_s) ||
	    !next_u64(&text, &ret->longest_park_us) ||
	    !next_u64(&text, &ret->unreadable))
		return -EINVAL;
	return 0;
}
