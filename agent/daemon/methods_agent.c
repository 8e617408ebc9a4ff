// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "events.h"
#include "kernel.h"
#include "lease.h"
#include "methods.h"
#include "vaults.h"

struct tally {
	size_t open;
	size_t locked;
};

static void tally_volume(struct agent *agent,
			 const struct sys_genl_device *device, void *userdata)
{
	struct tally *tally = userdata;

	(void)agent;
	tally->open++;
	tally->locked += device->state == SVCENC_STATE_LOCKED;
}

/* Without asking them: everybody may call this. */
static size_t count_unreachable(struct agent *agent)
{
	size_t count = 0, i;

	for (i = 0; i < agent->config.vault_count; i++) {
		const struct vault *vault = &agent->vaults[i];

		count += (!vault->config->external && !vault->worker.pid) ||
			 vault->silent;
	}
	return count;
}

static size_t count_not_active(struct agent *agent)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	size_t cursor = 0, count = 0;
	struct policy policy;

	while (policy_next(agent, &cursor, &policy, &ignored) > 0)
		count += !policy.ready || policy.held ||
			 policy.state != SVCENC_POLICY_ACTIVE;
	return count;
}

static json_t *warnings(bool kernel, size_t unreachable, size_t not_active,
			const struct tally *tally)
{
	json_t *list = json_array();

	json_array_append_new(
		list, json_string("all vaults are of type file: they separate "
				  "nothing from root on this host"));
	if (!kernel)
		json_array_append_new(list,
				      json_string("module dm-svcenc is not "
						  "loaded: 'modprobe "
						  "dm-svcenc'"));
	if (unreachable)
		json_array_append_new(list,
				      json_string("a vault cannot be reached: "
						  "'svcenc vault list'"));
	if (not_active)
		json_array_append_new(list,
				      json_string("a policy is not active: "
						  "'svcenc policy list'"));
	if (tally->locked)
		json_array_append_new(list,
				      json_string("an open volume is locked: "
						  "'svcenc volume list'"));
	return list;
}

int method_get_status(struct request *request)
{
	struct agent *agent = request->agent;
	struct tally tally = { .open = 0 };
	struct lease_progress progress;
	size_t unreachable, not_active;
	bool kernel;
	int r;

	r = methods_unpack(request, "{}");
	if (r < 0)
		return r;
	kernel = kernel_ready(agent);
	(void)kernel_each_volume(agent, NULL, tally_volume, &tally);
	unreachable = count_unreachable(agent);
	not_active = count_not_active(agent);
	lease_progress(agent, &progress);
	return methods_reply(
		request,
		json_pack(
			"{s:s, s:i, s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I, "
			"s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
			"version", AGENT_VERSION, "pid", (int)getpid(),
			"uptime_ms",
			(json_int_t)(agent_now_ms() - agent->started_ms),
			"kernel", kernel ? "ready" : "absent", "kernel_detail",
			kernel ? "" : "module dm-svcenc is not loaded", "store",
			svcenc_store_counter(agent->store) ? "ok" : "empty",
			"store_counter",
			(json_int_t)svcenc_store_counter(agent->store),
			"tenants",
			(json_int_t)svcenc_store_count(agent->store, "tenant"),
			"policies",
			(json_int_t)svcenc_store_count(agent->store, "policy"),
			"volumes",
			(json_int_t)svcenc_store_count(agent->store, "volume"),
			"volumes_open", (json_int_t)tally.open,
			"volumes_locked", (json_int_t)tally.locked,
			"policies_not_active", (json_int_t)not_active,
			"policies_found", (json_int_t)progress.found,
			"policies_probed", (json_int_t)progress.probed,
			"vaults", (json_int_t)agent->config.vault_count,
			"vaults_unreachable", (json_int_t)unreachable,
			"warnings",
			warnings(kernel, unreachable, not_active, &tally)));
}

int method_list_events(struct request *request)
{
	json_int_t after = 0, last = 0;
	json_t *events;
	int r;

	r = methods_unpack(request, "{s?I}", "after", &after);
	if (r < 0)
		return r;
	events = events_list(after, &last);
	return methods_reply(request, json_pack("{s:o, s:I}", "events", events,
						"last", last));
}
