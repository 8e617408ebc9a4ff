// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "events.h"
#include "log.h"

struct event {
	json_int_t number; /* from 1; 0: this place is free */
	int64_t wall_s;
	char what[24];
	char label[2 * SVCENC_NAME_SIZE + 1]; /* tenant/policy */
	struct svcenc_uuid policy;
	char was[24], is[24];
	char a[64], b[64]; /* answers of the roots */
	char why[EVENTS_WHY_SIZE];
};

static struct event kept[EVENTS_KEPT];
static json_int_t last_number;

static struct event *add(struct agent *agent, const struct policy *policy,
			 const char *what, const char *why)
{
	struct event *event = &kept[last_number % EVENTS_KEPT];

	memset(event, 0, sizeof(*event));
	event->number = ++last_number;
	event->wall_s = model_wall_s();
	event->policy = policy->key.policy;
	snprintf(event->what, sizeof(event->what), "%s", what);
	snprintf(event->label, sizeof(event->label), "%s",
		 policy_label(agent, policy));
	snprintf(event->why, sizeof(event->why), "%s", why);
	return event;
}

/* "denied (disabled)" */
static void print_answer(const struct vault_result *result, char *buf,
			 size_t size)
{
	const char *text = svcenc_answer_text(result->answer);

	if (result->reason[0])
		snprintf(buf, size, "%s (%s)", text, result->reason);
	else
		snprintf(buf, size, "%s", text);
}

static int priority_of(enum svcenc_policy_state state)
{
	switch (state) {
	case SVCENC_POLICY_LOCKED:
		return LOG_ERR;
	case SVCENC_POLICY_FALLBACK:
	case SVCENC_POLICY_DEGRADED:
		return LOG_WARNING;
	default:
		return LOG_NOTICE;
	}
}

void events_policy_state(struct agent *agent,
			 const struct policy_change *change)
{
	const enum svcenc_policy_state state = change->policy->state;
	struct event *event =
		add(agent, change->policy, "policy-state", change->why);
	char uuid[SVCENC_UUID_TEXT + 1];
	const struct log_field fields[] = {
		{ "MESSAGE_ID", EVENTS_ID_STATE },
		{ "SVCENC_EVENT", event->what },
		{ "SVCENC_POLICY", event->label },
		{ "SVCENC_POLICY_UUID", uuid },
		{ "SVCENC_STATE", event->is },
		{ "SVCENC_STATE_BEFORE", event->was },
		{ "SVCENC_ROOT_A", event->a },
		{ "SVCENC_ROOT_B", event->b },
		{ "SVCENC_REASON", event->why },
	};

	snprintf(event->is, sizeof(event->is), "%s",
		 svcenc_policy_state_text(state));
	snprintf(event->was, sizeof(event->was), "%s",
		 svcenc_policy_state_text(change->before));
	print_answer(change->a, event->a, sizeof(event->a));
	print_answer(change->b, event->b, sizeof(event->b));
	svcenc_uuid_print(&event->policy, uuid);
	log_fields(priority_of(state), fields,
		   sizeof(fields) / sizeof(fields[0]),
		   "policy '%s' is %s now, was %s%s%s", event->label, event->is,
		   event->was, *change->why ? ": " : "", change->why);
}

void events_grant(struct agent *agent, const struct policy *policy,
		  const char *what, const char *why, uid_t uid)
{
	const struct event *event = add(agent, policy, what, why);
	char uuid[SVCENC_UUID_TEXT + 1], officer[16];
	const struct log_field fields[] = {
		{ "MESSAGE_ID", EVENTS_ID_GRANT },
		{ "SVCENC_EVENT", event->what },
		{ "SVCENC_POLICY", event->label },
		{ "SVCENC_POLICY_UUID", uuid },
		{ "SVCENC_OFFICER_UID", officer },
		{ "SVCENC_REASON", event->why },
	};

	svcenc_uuid_print(&event->policy, uuid);
	snprintf(officer, sizeof(officer), "%u", uid);
	log_fields(LOG_NOTICE, fields, sizeof(fields) / sizeof(fields[0]),
		   "%s for the availability key of policy '%s' by uid %u: %s",
		   what, event->label, uid, why);
}

static json_t *view_event(const struct event *event)
{
	char uuid[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(&event->policy, uuid);
	return json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
			 "number", event->number, "time",
			 (json_int_t)event->wall_s, "event", event->what,
			 "policy", event->label, "uuid", uuid, "was",
			 event->was, "state", event->is, "root_a", event->a,
			 "root_b", event->b, "why", event->why);
}

json_t *events_list(json_int_t after, json_int_t *ret_last)
{
	json_int_t number = last_number - EVENTS_KEPT + 1;
	json_t *list = json_array();

	*ret_last = last_number;
	if (number < after + 1)
		number = after + 1;
	for (number = number > 0 ? number : 1; number <= last_number; number++)
		json_array_append_new(
			list, view_event(&kept[(number - 1) % EVENTS_KEPT]));
	return list;
}
