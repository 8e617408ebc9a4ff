// SPDX-License-Identifier: GPL-2.0-or-later
#include "methods.h"
#include "policies.h"
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

static int read_wish(struct request *request, const char **ret_tenant,
		     struct policy_wish *wish)
{
	const char *vaults[MODEL_ROLES] = { NULL, NULL, NULL };
	const char *availability = NULL, *on_withdrawal = NULL, *name;
	json_int_t lease = -1, probe = -1, fallback_max = -1;
	int i, r;

	r = methods_unpack(request,
			   "{s:s, s:s, s?s, s?s, s?s, s?s, s?s, s?I, s?I, s?I}",
			   "tenant", ret_tenant, "name", &name, "vault_a",
			   &vaults[0], "vault_b", &vaults[1],
			   "vault_availability", &vaults[2], "availability",
			   &availability, "on_withdrawal", &on_withdrawal,
			   "lease_s", &lease, "probe_s", &probe,
			   "fallback_max_s", &fallback_max);
	if (r < 0)
		return r;
	policies_default_wish(request->agent, name, wish);
	for (i = 0; i < MODEL_ROLES; i++)
		if (vaults[i])
			wish->vaults[i] = vaults[i];
	r = take_rules(request, availability, on_withdrawal, &wish->rules);
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
	struct policy_wish wish;
	const char *tenant_name;
	struct policy policy;
	struct tenant tenant;
	bool created;
	int r;

	r = read_wish(request, &tenant_name, &wish);
	if (!r)
		r = tenant_find(request->agent, tenant_name, &tenant,
				&request->fault);
	if (!r)
		r = policies_create(request->agent, &tenant, &wish, &policy,
				    &created, &request->fault);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o, s:b}", "policy",
				       view_policy(request->agent, &policy),
				       "created", created));
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
	const char *tenant_name, *name;
	struct policy policy;
	struct tenant tenant;
	int r;

	r = methods_unpack(request, "{s:s, s:s}", "tenant", &tenant_name,
			   "name", &name);
	if (!r)
		r = tenant_find(request->agent, tenant_name, &tenant,
				&request->fault);
	if (!r)
		r = policy_find(request->agent, &tenant.uuid, name, &policy,
				&request->fault);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o}", "policy",
				       view_policy(request->agent, &policy)));
}
