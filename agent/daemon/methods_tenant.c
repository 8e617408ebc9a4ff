// SPDX-License-Identifier: GPL-2.0-or-later
#include "methods.h"
#include "policies.h"
#include "view.h"

int method_create_tenant(struct request *request)
{
	struct tenant tenant;
	const char *name;
	bool created;
	int r;

	r = methods_unpack(request, "{s:s}", "name", &name);
	if (!r)
		r = policies_create_tenant(request->agent, name, &tenant,
					   &created, &request->fault);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o, s:b}", "tenant",
				       view_tenant(request->agent, &tenant),
				       "created", created));
}

int method_list_tenants(struct request *request)
{
	json_t *list = json_array();
	struct tenant tenant;
	size_t cursor = 0;
	int r;

	r = methods_unpack(request, "{}");
	while (!r && (r = tenant_next(request->agent, &cursor, &tenant,
				      &request->fault)) > 0)
		r = json_array_append_new(list,
					  view_tenant(request->agent, &tenant));
	if (r < 0) {
		json_decref(list);
		return r;
	}
	return methods_reply(request, json_pack("{s:o}", "tenants", list));
}

int method_show_tenant(struct request *request)
{
	struct agent *agent = request->agent;
	struct tenant tenant;
	const char *name;
	int r;

	r = methods_unpack(request, "{s:s}", "name", &name);
	if (!r)
		r = tenant_find(agent, name, &tenant, &request->fault);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o, s:o, s:o}", "tenant",
				       view_tenant(agent, &tenant), "policies",
				       view_policies(agent, &tenant.uuid),
				       "volumes",
				       view_volumes(agent, &tenant.uuid)));
}
