// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "methods.h"

#define INTERFACE "io.svcenc.Agent."

enum {
	ANYBODY = ROLE_STATUS | ROLE_OPERATOR | ROLE_OFFICER,
	STAFF = ROLE_OPERATOR | ROLE_OFFICER,
};

/* The table of the interface file; what is not here is refused. */
static const struct {
	const char *name;
	unsigned int roles;
	int (*serve)(struct request *request);
} methods[] = {
	{ INTERFACE "GetStatus", ANYBODY, method_get_status },
	{ INTERFACE "CreateTenant", ROLE_OFFICER, method_create_tenant },
	{ INTERFACE "ListTenants", STAFF, method_list_tenants },
	{ INTERFACE "ShowTenant", STAFF, method_show_tenant },
	{ INTERFACE "CreatePolicy", ROLE_OFFICER, method_create_policy },
	{ INTERFACE "ListPolicies", STAFF, method_list_policies },
	{ INTERFACE "ShowPolicy", STAFF, method_show_policy },
	{ INTERFACE "RollPolicy", ROLE_OFFICER, method_roll_policy },
	{ INTERFACE "RekeyPolicy", ROLE_OFFICER, method_rekey_policy },
	{ INTERFACE "SetPolicyRoots", ROLE_OFFICER, method_set_policy_roots },
	{ INTERFACE "RecoverPolicy", ROLE_OFFICER, method_recover_policy },
	{ INTERFACE "RetireRoots", ROLE_OFFICER, method_retire_roots },
	{ INTERFACE "TestPolicy", STAFF, method_test_policy },
	{ INTERFACE "GrantFallback", ROLE_OFFICER, method_grant_fallback },
	{ INTERFACE "RevokeGrant", ROLE_OFFICER, method_revoke_grant },
	{ INTERFACE "ListEvents", STAFF, method_list_events },
	{ INTERFACE "ListVaults", STAFF, method_list_vaults },
	{ INTERFACE "TestVault", STAFF, method_test_vault },
	{ INTERFACE "CreateVolume", STAFF, method_create_volume },
	{ INTERFACE "OpenVolume", STAFF, method_open_volume },
	{ INTERFACE "CloseVolume", STAFF, method_close_volume },
	{ INTERFACE "ListVolumes", STAFF, method_list_volumes },
	{ INTERFACE "VolumeStatus", STAFF, method_volume_status },
	{ INTERFACE "ResizeVolume", STAFF, method_resize_volume },
	{ INTERFACE "RotateVolume", STAFF, method_rotate_volume },
	{ INTERFACE "RecoverStore", ROLE_OFFICER, method_recover_store },
};

static int refuse(const char *method, unsigned int roles,
		  struct request *request)
{
	const char *socket = roles & ROLE_OPERATOR ? "operator" : "officer";

	svcenc_fault_set(&request->fault, SVCENC_FAULT_PERMISSION,
			 "%s may not be called on this socket",
			 method + strlen(INTERFACE));
	svcenc_fault_hint(&request->fault,
			  "it is for members of group svcenc-%s and root, on "
			  "%s/%s.sock",
			  socket, request->agent->paths.run, socket);
	return -EPERM;
}

/* null is the same as leaving an optional parameter out. */
static void drop_nulls(json_t *parameters)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(parameters, next, name, value)
		if (json_is_null(value))
			json_object_del(parameters, name);
}

int methods_call(const char *method, struct request *request)
{
	size_t i;
	int r;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, method))
			continue;
		if (!(methods[i].roles & request->role))
			return refuse(method, methods[i].roles, request);
		drop_nulls(request->parameters);
		kernel_forget_glance(request->agent);
		r = methods[i].serve(request);
		if (r < 0 && request->fault.kind == SVCENC_FAULT_NONE)
			svcenc_fault_set(&request->fault, SVCENC_FAULT_KERNEL,
					 "%s failed: %s",
					 method + strlen(INTERFACE),
					 strerror(-r));
		return r;
	}
	return -ENOSYS;
}

int methods_unpack(struct request *request, const char *format, ...)
{
	json_error_t error;
	va_list args;
	int r;

	va_start(args, format);
	r = json_vunpack_ex(request->parameters, &error, JSON_STRICT, format,
			    args);
	va_end(args);
	if (!r)
		return 0;
	svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
			 "the parameters do not fit the method: %.150s",
			 error.text);
	return svcenc_fault_hint(&request->fault,
				 "see io.svcenc.Agent.varlink");
}

int methods_reply(struct request *request, json_t *reply)
{
	if (!reply)
		return svcenc_fault_memory(&request->fault);
	request->reply = reply;
	return 0;
}

int methods_find_policy(struct request *request, const char *tenant,
			const char *name, struct policy *ret)
{
	struct tenant found;
	int r;

	r = tenant_find(request->agent, tenant, &found, &request->fault);
	return r < 0 ? r :
		       policy_find(request->agent, &found.uuid, name, ret,
				   &request->fault);
}
