// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the agent's configuration: defaults with
 * DESCRIPTION: no file at all, drop-ins, vaults added and replaced, and that
 * DESCRIPTION: unknown keys, sections, values and types are refused by name.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 20
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config.h"

static char etc[64];

static int set_up(void **state)
{
	char path[96];

	(void)state;
	strcpy(etc, "/tmp/svcenc-config.XXXXXX");
	if (!mkdtemp(etc))
		return -1;
	snprintf(path, sizeof(path), "%s/vaults.d", etc);
	if (mkdir(path, 0700) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/svcencd.conf.d", etc);
	return mkdir(path, 0700);
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", etc);
	return system(command);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", etc, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

#define FOUR_KEYS(n) #n "a=x\n" #n "b=x\n" #n "c=x\n" #n "d=x\n"
#define SEVENTEEN_KEYS \
	FOUR_KEYS(w) FOUR_KEYS(x) FOUR_KEYS(y) FOUR_KEYS(z) "last=x\n"

static struct svcenc_config config;
static struct svcenc_fault fault;

static int load(void)
{
	svcenc_fault_clear(&fault);
	return svcenc_config_load(etc, "/var/lib/svcenc-vault", &config,
				  &fault);
}

static void nothing_is_enough(void **state)
{
	const struct svcenc_vault_config *vault;

	(void)state;
	assert_int_equal(load(), 0);
	assert_int_equal(config.vault_count, 3);
	assert_int_equal(config.rules.lease_s, 600);
	assert_int_equal(config.rules.probe_s, 30);
	vault = svcenc_config_vault(&config, "availability");
	assert_non_null(vault);
	assert_string_equal(vault->directory,
			    "/var/lib/svcenc-vault/availability");
	assert_string_equal(vault->user, "svcenc-vault");
	assert_false(vault->external);
	assert_null(svcenc_config_vault(&config, "c"));
}

static void files_change_and_add(void **state)
{
	const struct svcenc_vault_config *vault;

	(void)state;
	write_file("svcencd.conf", "# comment\n[agent]\nlease = 100\n"
				   "probe = 10\navailability = never\n"
				   "metrics = /run/m.prom\n"
				   "metrics_names = yes\n"
				   "metrics_interval = 5\n");
	write_file("svcencd.conf.d/20.conf", "[agent]\nlease = 300\n");
	write_file("svcencd.conf.d/10.conf", "[agent]\nlease = 200\n");
	write_file("vaults.d/a.conf", "[vault]\ntype = file\n"
				      "directory = /keys/a\nuser = nobody\n"
				      "start = external\n");
	write_file("vaults.d/site.conf", "[vault]\ntype = file\n");
	write_file("vaults.d/README", "not a configuration\n");
	assert_int_equal(load(), 0);
	assert_int_equal(config.rules.lease_s, 300);
	assert_int_equal(config.rules.probe_s, 10);
	assert_int_equal(config.rules.availability, SVCENC_AVAILABILITY_NEVER);
	assert_string_equal(config.metrics, "/run/m.prom");
	assert_true(config.metrics_names);
	assert_int_equal(config.metrics_s, 5);
	assert_int_equal(config.vault_count, 4);
	vault = svcenc_config_vault(&config, "a");
	assert_string_equal(vault->directory, "/keys/a");
	assert_string_equal(vault->user, "nobody");
	assert_true(vault->external);
	assert_non_null(svcenc_config_vault(&config, "site"));
}

/* Its program is asked, not this list: any site can have back ends. */
/* Two roots in one place would be lost together. */
static void one_place_under_two_names(void **state)
{
	struct svcenc_vault_config one = { .name = "a",
					   .type = "file",
					   .directory = "/k" };
	struct svcenc_vault_config other = { .name = "b",
					     .type = "file",
					     .directory = "/k" };

	(void)state;
	assert_true(svcenc_config_same_vault(&one, &one));
	assert_true(svcenc_config_same_vault(&one, &other));
	strcpy(other.directory, "/l");
	assert_false(svcenc_config_same_vault(&one, &other));
	one = (struct svcenc_vault_config){
		.name = "a",
		.type = "akv",
		.options = { { "url", "https://x" }, { "tenant", "t" } },
		.option_count = 2,
	};
	other = one;
	strcpy(other.name, "b");
	strcpy(other.options[1].value, "another account");
	assert_true(svcenc_config_same_vault(&one, &other));
	strcpy(other.options[0].value, "https://X/");
	assert_true(svcenc_config_same_vault(&one, &other));
	strcpy(other.options[0].value, "https://y");
	assert_false(svcenc_config_same_vault(&one, &other));
	other = one;
	strcpy(other.type, "akv2");
	assert_false(svcenc_config_same_vault(&one, &other));
	/* one token by two modules is two places as far as anybody can say */
	one = (struct svcenc_vault_config){
		.type = "pkcs11",
		.options = { { "module", "m" }, { "token", "t" } },
		.option_count = 2,
	};
	other = one;
	assert_true(svcenc_config_same_vault(&one, &other));
	strcpy(other.options[1].value, "T");
	assert_false(svcenc_config_same_vault(&one, &other));
	/* two of a site's own type that say nothing of where they are */
	one.option_count = 0;
	other = one;
	assert_false(svcenc_config_same_vault(&one, &other));
}

static void types_of_the_sites_own_keep_their_keys(void **state)
{
	const struct svcenc_vault_config *vault;

	(void)state;
	write_file("vaults.d/own.conf", "[vault]\nurl = there\ntype = own\n"
					"test_key = k\nlevel_2 = high\n");
	assert_int_equal(load(), 0);
	vault = svcenc_config_vault(&config, "own");
	assert_non_null(vault);
	assert_string_equal(vault->type, "own");
	assert_string_equal(vault->test_key, "k");
	assert_string_equal(vault->directory, "");
	assert_false(vault->external);
	assert_int_equal(vault->option_count, 2);
	assert_string_equal(vault->options[0].name, "url");
	assert_string_equal(vault->options[0].value, "there");
	assert_string_equal(vault->options[1].name, "level_2");
}

static void wrong_files_are_refused_by_name(void **state)
{
	static const struct {
		const char *file;
		const char *text;
		const char *wanted;
	} bad[] = {
		{ "svcencd.conf", "[agent]\nleese = 5\n",
		  "'leese': unknown key" },
		{ "svcencd.conf", "[agnet]\nlease = 5\n",
		  "'agnet': unknown section" },
		{ "svcencd.conf", "[agent]\nlease = 5m\n", "seconds wanted" },
		{ "svcencd.conf", "[agent]\nlease = -5\n", "seconds wanted" },
		{ "svcencd.conf", "[agent]\nmetrics = here\n", "metrics" },
		{ "svcencd.conf", "[agent]\nmetrics_names = maybe\n",
		  "metrics_names" },
		{ "svcencd.conf", "[agent]\nmetrics_interval = 0\n",
		  "metrics_interval" },
		{ "svcencd.conf", "[agent]\navailability = maybe\n",
		  "never, transient or ask" },
		{ "svcencd.conf", "[agent]\nlease = 10\nprobe = 6\n",
		  "half of the lease" },
		{ "svcencd.conf", "[agent]\nnonsense\n", "line 2" },
		{ "svcencd.conf.d/x.conf", "[vault]\ntype = file\n",
		  "'vault': unknown section" },
		{ "vaults.d/a.conf", "[vault]\ntype = ../cloud\n",
		  "not a type of vault" },
		{ "vaults.d/a.conf", "[vault]\nurl = x\n",
		  "'url': unknown key" },
		{ "vaults.d/a.conf", "[vault]\nurl = x\ntype = file\n",
		  "'url': unknown key" },
		{ "vaults.d/a.conf", "[vault]\ntype = own\nU-L = x\n",
		  "'U-L': unknown key" },
		{ "vaults.d/a.conf", "[vault]\ntype = own\nurl =\n",
		  "'url': empty or too long" },
		{ "vaults.d/a.conf", "[vault]\ntype = own\n" SEVENTEEN_KEYS,
		  "too many keys" },
		{ "vaults.d/a.conf", "[vault]\ndirectory = keys\n",
		  "absolute path" },
		{ "vaults.d/a.conf", "[vault]\nstart = never\n",
		  "agent or external" },
		{ "vaults.d/a.conf", "[agent]\nlease = 5\n",
		  "'agent': unknown section" },
		{ "vaults.d/-x.conf", "[vault]\ntype = file\n",
		  "not a name for a vault" },
	};
	char command[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i].file, bad[i].text);
		assert_true(load() < 0);
		assert_int_equal(svcenc_fault_exit(&fault), 1);
		if (!strstr(fault.message, bad[i].wanted))
			fail_msg("wanted '%s', got '%s'", bad[i].wanted,
				 fault.message);
		snprintf(command, sizeof(command), "rm -f %s/%s", etc,
			 bad[i].file);
		assert_int_equal(system(command), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_place_under_two_names),
		cmocka_unit_test_setup_teardown(nothing_is_enough, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(files_change_and_add, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			types_of_the_sites_own_keep_their_keys, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(wrong_files_are_refused_by_name,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
