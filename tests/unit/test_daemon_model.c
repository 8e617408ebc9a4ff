// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check that a request which has waited does not undo
 * DESCRIPTION: what the watch over leases stored meanwhile, that stores of before
 * DESCRIPTION: are read, and that volumes are found by uuid as they come and go.
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
#include <unistd.h>

#include <cmocka.h>

#include "model.h"

static char folder[] = "/tmp/svcenc-model.XXXXXX";
static char path[64];
static struct agent agent;

int64_t agent_now_ms(void)
{
	return 5000;
}

static int set_up(void **state)
{
	struct svcenc_secret *key = NULL;

	(void)state;
	if (svcenc_secret_random(SVCENC_STORE_KEY_SIZE, &key) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/store.db", folder);
	return svcenc_store_open(path, key, &agent.store);
}

static int tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char file[80];
	size_t i;

	(void)state;
	agent.store = svcenc_store_close(agent.store);
	for (i = 0; i < 3; i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		(void)unlink(file);
	}
	return 0;
}

/* The beginning of one: it has vaults, and no key yet. */
static void make_policy(struct policy *ret)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	u32 i;

	memset(ret, 0, sizeof(*ret));
	strcpy(ret->name, "strict");
	assert_int_equal(model_new_uuid(&ret->key.policy), 0);
	assert_int_equal(model_new_uuid(&ret->tenant), 0);
	ret->key.version = 1;
	svcenc_policy_default_rules(&ret->rules);
	for (i = 0; i < MODEL_ROLES; i++) {
		ret->wraps[i].role = i + 1;
		snprintf(ret->wraps[i].vault, sizeof(ret->wraps[i].vault),
			 "vault%u", i);
	}
	assert_int_equal(policy_save(&agent, ret, &fault), 0);
}

static void find(const struct policy *policy, struct policy *ret)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };

	assert_int_equal(
		policy_find_uuid(&agent, &policy->key.policy, ret, &fault), 0);
}

static void save(struct policy *policy)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };

	assert_int_equal(policy_save(&agent, policy, &fault), 0);
}

static void a_denial_is_not_undone_by_a_late_request(void **state)
{
	struct policy policy, request, watch, now;

	(void)state;
	make_policy(&policy);
	find(&policy, &request);
	/* the request waits for a vault, and a probe ends */
	find(&policy, &watch);
	watch.denied[1] = true;
	watch.state = SVCENC_POLICY_LOCKED;
	moment_now(&watch.fallback);
	save(&watch);
	/* it goes on with what it knew, and changes one thing */
	request.held = true;
	request.rules.probe_s = 7;
	save(&request);
	find(&policy, &now);
	assert_true(now.denied[1] && !now.denied[0] && now.held);
	assert_int_equal(now.state, SVCENC_POLICY_LOCKED);
	assert_int_equal(now.rules.probe_s, 7);
	assert_true(moment_equal(&now.fallback, &watch.fallback));
	/* and knows it now */
	assert_true(request.denied[1]);
	assert_int_equal(request.state, SVCENC_POLICY_LOCKED);
}

static void who_changes_something_has_it_stored(void **state)
{
	struct policy policy, request, now;

	(void)state;
	make_policy(&policy);
	find(&policy, &request);
	request.state = SVCENC_POLICY_DEGRADED;
	request.denied[0] = true;
	save(&request);
	/* back again, by the same copy */
	request.state = SVCENC_POLICY_ACTIVE;
	request.denied[0] = false;
	save(&request);
	find(&policy, &now);
	assert_int_equal(now.state, SVCENC_POLICY_ACTIVE);
	assert_false(now.denied[0]);
	/* a copy that only looks again is up to date */
	now.denied[0] = true;
	save(&now);
	policy_catch_up(&agent, &request);
	assert_true(request.denied[0]);
}

/* As stores of before have it: seconds of the wall clock alone. */
static void an_older_fallback_is_read(void **state)
{
	struct policy policy, now;
	char id[SVCENC_UUID_TEXT + 1];
	json_t *json;

	(void)state;
	make_policy(&policy);
	svcenc_uuid_print(&policy.key.policy, id);
	json = json_deep_copy(
		svcenc_store_get(agent.store, "policy", id, NULL));
	json_object_del(json, "fallback");
	json_object_set_new(json, "fallback_since", json_integer(1600000000));
	assert_int_equal(svcenc_store_put_now(agent.store, "policy", id, json),
			 0);
	find(&policy, &now);
	assert_int_equal(now.fallback.wall_s, 1600000000);
	assert_true(moment_ago_ms(&now.fallback) > 0);
}

static void make_volume(const char *name, struct volume *ret)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };

	memset(ret, 0, sizeof(*ret));
	strcpy(ret->name, name);
	strcpy(ret->device, "/dev/null");
	ret->key.version = 1;
	assert_int_equal(model_new_uuid(&ret->uuid), 0);
	assert_int_equal(model_new_uuid(&ret->key.policy), 0);
	assert_int_equal(model_new_uuid(&ret->tenant), 0);
	ret->on_withdrawal = SVCENC_ON_WITHDRAWAL_FAIL + 1;
	assert_int_equal(volume_save(&agent, ret, &fault), 0);
}

static void volumes_are_found_by_uuid(void **state)
{
	struct volume one, two, found;

	(void)state;
	make_volume("one", &one);
	assert_true(volume_by_uuid(&agent, &one.uuid, &found));
	assert_string_equal(found.name, "one");
	assert_int_equal(found.on_withdrawal, SVCENC_ON_WITHDRAWAL_FAIL + 1);
	make_volume("two", &two);
	assert_true(volume_by_uuid(&agent, &two.uuid, &found));
	assert_true(volume_by_uuid(&agent, &one.uuid, &found));
	/* formatted anew: the old uuid leads nowhere */
	make_volume("one", &two);
	assert_false(volume_by_uuid(&agent, &one.uuid, &found));
	assert_true(volume_by_uuid(&agent, &two.uuid, &found));
	assert_string_equal(found.name, "one");
	/* gone by another way than volume_save() */
	assert_int_equal(svcenc_store_begin(agent.store), 0);
	assert_int_equal(svcenc_store_delete(agent.store, "volume", "one"), 0);
	assert_int_equal(svcenc_store_commit(agent.store), 0);
	assert_false(volume_by_uuid(&agent, &two.uuid, &found));
	assert_int_equal(model_volumes_under(&agent, &two.key), 0);
	assert_int_equal(model_volumes_of(&agent, &one.tenant), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_denial_is_not_undone_by_a_late_request, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			who_changes_something_has_it_stored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_older_fallback_is_read,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(volumes_are_found_by_uuid,
						set_up, tear_down),
	};
	int failed;

	if (svcenc_secret_init() < 0 || !mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
