// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "events.h"
#include "grants.h"
#include "lease.h"
#include "methods.h"
#include "methods_roots.h"
#include "view.h"

/* Puts an optional number of seconds into @ret. */
static int take_seconds(struct request *request, const char *name,
			json_int_t value, u32 *ret)
{
	if (value == -1)
		return 0;
	if (value < 0 || value > U32_MAX)
		return svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
					"%s: seconds wanted", name);
	*ret = (u32)value;
	return 0;
}

static int take_rules(struct request *request, const char *availability,
		      const char *on_withdrawal,
		      struct svcenc_policy_rules *ret)
{
	int number;

	if (availability) {
		number = svcenc_availability_parse(availability);
		if (number < 0)
			return svcenc_fault_set(&request->fault,
						SVCENC_FAULT_USAGE,
						"availability is never, "
						"transient or ask");
		ret->availability = (enum svcenc_availability)number;
	}
	if (on_withdrawal) {
		number = svcenc_on_withdrawal_parse(on_withdrawal);
		if (number < 0)
			return svcenc_fault_set(&request->fault,
						SVCENC_FAULT_USAGE,
						"on_withdrawal is shutdown or "
						"fail");
		ret->on_withdrawal = (enum svcenc_on_withdrawal)number;
	}
	return 0;
}

static int check_either(struct request *request, const char *vault,
			const char *root)
{
	if (!vault || !root)
		return 0;
	svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
			 "a vault for a root key and a key are both named");
	return svcenc_fault_hint(&request->fault,
				 "--root-a VAULT:KEY for a key that is there, "
				 "--vault-a VAULT for one that is to be made");
}

static int read_wish(struct request *request, const char **ret_tenant,
		     struct svcenc_rootspec specs[2], struct policy_wish *wish)
{
	const char *vaults[MODEL_ROLES] = { NULL, NULL, NULL };
	const char *availability = NULL, *on_withdrawal = NULL, *name;
	const char *root_a = NULL, *root_b = NULL;
	json_int_t lease = -1, probe = -1, fallback_max = -1;
	int accept = 0, i, r;

	r = methods_unpack(request,
			   "{s:s, s:s, s?s, s?s, s?s, s?s, s?s, s?I, s?I, s?I, "
			   "s?s, s?s, s?b}",
			   "tenant", ret_tenant, "name", &name, "vault_a",
			   &vaults[0], "vault_b", &vaults[1],
			   "vault_availability", &vaults[2], "availability",
			   &availability, "on_withdrawal", &on_withdrawal,
			   "lease_s", &lease, "probe_s", &probe,
			   "fallback_max_s", &fallback_max, "root_a", &root_a,
			   "root_b", &root_b, "accept_unrecoverable", &accept);
	if (r < 0)
		return r;
	policies_default_wish(request->agent, name, wish);
	for (i = 0; i < MODEL_ROLES; i++)
		if (vaults[i])
			wish->vaults[i] = vaults[i];
	wish->accept_unrecoverable = accept;
	r = check_either(request, vaults[0] ? vaults[0] : vaults[1], root_a);
	if (!r)
		r = methods_take_roots(request, root_a, root_b, specs, wish);
	if (!r)
		r = take_rules(request, availability, on_withdrawal,
			       &wish->rules);
	if (!r)
		r = take_seconds(request, "lease", lease, &wish->rules.lease_s);
	if (!r)
		r = take_seconds(request, "probe", probe, &wish->rules.probe_s);
	if (!r)
		r = take_seconds(request, "fallback_max", fallback_max,
				 &wish->rules.fallback_max_s);
	return r;
}

int method_create_policy(struct request *request)
{
	struct svcenc_rootspec specs[2];
	struct policy_wish wish;
	const char *tenant_name;
	struct policy policy;
	struct tenant tenant;
	json_t *checks;
	bool created;
	int r;

	r = read_wish(request, &tenant_name, specs, &wish);
	if (!r)
		r = tenant_find(request->agent, tenant_name, &tenant,
				&request->fault);
	if (r < 0)
		return r;
	checks = json_array();
	r = policies_create(request->agent, &tenant, &wish, &policy, &created,
			    checks, &request->fault);
	if (r < 0) {
		json_decref(checks);
		return r;
	}
	return methods_reply(request,
			     json_pack("{s:o, s:b, s:o}", "policy",
				       view_policy(request->agent, &policy),
				       "created", created, "checks", checks));
}

int method_list_policies(struct request *request)
{
	struct tenant tenant;
	const char *name = NULL;
	int r;

	r = methods_unpack(request, "{s?s}", "tenant", &name);
	if (!r && name)
		r = tenant_find(request->agent, name, &tenant, &request->fault);
	if (r < 0)
		return r;
	return methods_reply(
		request, json_pack("{s:o}", "policies",
				   view_policies(request->agent,
						 name ? &tenant.uuid : NULL)));
}

int method_show_policy(struct request *request)
{
	const char *tenant, *name;
	struct policy policy;
	int r;

	r = methods_unpack(request, "{s:s, s:s}", "tenant", &tenant, "name",
			   &name);
	if (!r)
		r = methods_find_policy(request, tenant, name, &policy);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o}", "policy",
				       view_policy(request->agent, &policy)));
}

/* What a grant may be, and of which policy. */
static int check_grant(struct request *request, const struct policy *policy,
		       const char *reason, json_int_t for_s)
{
	struct svcenc_fault *fault = &request->fault;

	if (policy->rules.availability != SVCENC_AVAILABILITY_ASK) {
		svcenc_fault_set(
			fault, SVCENC_FAULT_USAGE,
			"policy '%s' has availability = %s: there is nothing "
			"to grant",
			policy->name,
			svcenc_availability_text(policy->rules.availability));
		return svcenc_fault_hint(fault, "grants are for policies with "
						"availability = ask");
	}
	if (!*reason || strlen(reason) > GRANT_REASON_MAX) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "a reason of 1 to %d bytes is wanted",
				 GRANT_REASON_MAX);
		return svcenc_fault_hint(fault, "say why: it goes into the "
						"audit trail, and the tenant "
						"sees it");
	}
	if (for_s >= GRANT_MIN_S && for_s <= policy->rules.fallback_max_s)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
			 "a grant for policy '%s' lasts %d to %u seconds",
			 policy->name, GRANT_MIN_S,
			 policy->rules.fallback_max_s);
	return svcenc_fault_hint(fault, "its rule fallback_max is the most; "
					"when a grant ends it can be given "
					"anew");
}

int method_grant_fallback(struct request *request)
{
	const char *tenant, *name, *reason;
	struct policy policy;
	struct grant grant = { .uid = request->uid };
	json_int_t for_s;
	int r;

	r = methods_unpack(request, "{s:s, s:s, s:s, s:I}", "tenant", &tenant,
			   "name", &name, "reason", &reason, "for_s", &for_s);
	if (!r)
		r = methods_find_policy(request, tenant, name, &policy);
	if (!r)
		r = check_grant(request, &policy, reason, for_s);
	if (r < 0)
		return r;
	memcpy(grant.reason, reason, strlen(reason) + 1);
	grant.for_s = (u32)for_s;
	moment_now(&grant.since);
	r = grant_save(request->agent, &policy, &grant, &request->fault);
	if (r < 0)
		return r;
	events_grant(request->agent, &policy, "grant", reason, request->uid);
	lease_look(request->agent, &policy);
	return methods_reply(request,
			     json_pack("{s:o}", "policy",
				       view_policy(request->agent, &policy)));
}

int method_revoke_grant(struct request *request)
{
	const char *tenant, *name;
	struct policy policy;
	int r;

	r = methods_unpack(request, "{s:s, s:s}", "tenant", &tenant, "name",
			   &name);
	if (!r)
		r = methods_find_policy(request, tenant, name, &policy);
	if (!r)
		r = grant_delete(request->agent, &policy, &request->fault);
	if (r < 0)
		return r;
	events_grant(request->agent, &policy, "grant-revoked",
		     "the officer takes the grant back", request->uid);
	lease_look(request->agent, &policy);
	return methods_reply(request,
			     json_pack("{s:o}", "policy",
				       view_policy(request->agent, &policy)));
}
