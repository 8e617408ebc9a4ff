// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "lease.h"
#include "methods.h"
#include "view.h"
#include "volumes.h"

enum { RECOVER_DEVICES_MAX = 1024 };

int method_create_volume(struct request *request)
{
	struct volume_wish wish = { .sector_size = 4096 };
	json_int_t sector_size = 4096, spare = 0, size = 0;
	int discards = 0, force = 0, r;
	struct volume volume;
	bool created = false;
	json_t *notes;

	r = methods_unpack(request,
			   "{s:s, s:s, s?s, s?s, s?I, s?I, s?I, s?b, s?b}",
			   "name", &wish.name, "device", &wish.device, "tenant",
			   &wish.tenant, "policy", &wish.policy, "sector_size",
			   &sector_size, "spare", &spare, "size", &size,
			   "allow_discards", &discards, "force", &force);
	if (r < 0)
		return r;
	if (sector_size < 0 || sector_size > 4096 || spare < 0 || size < 0)
		return svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
					"a size is out of range");
	wish.sector_size = (u32)sector_size;
	wish.spare = (u64)spare;
	wish.size = (u64)size;
	wish.allow_discards = discards;
	wish.force = force;
	notes = json_array();
	r = volumes_format(request->agent, &wish, &volume, &created, notes,
			   &request->fault);
	if (r < 0) {
		json_decref(notes);
		return r;
	}
	return methods_reply(request,
			     json_pack("{s:o, s:b, s:o}", "volume",
				       view_volume(request->agent, &volume),
				       "created", created, "notes", notes));
}

/* "policy": as the policy says, whatever was said before. */
static int take_on_withdrawal(struct request *request, const char *text,
			      int *ret)
{
	const int number = svcenc_on_withdrawal_parse(text);

	if (number < 0 && strcmp(text, "policy")) {
		svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
				 "'%.64s' is not what can happen on withdrawal",
				 text);
		return svcenc_fault_hint(&request->fault,
					 "shutdown, fail, or policy for what "
					 "its policy says");
	}
	*ret = number + 1;
	return 0;
}

int method_open_volume(struct request *request)
{
	struct volume_opening opening = { .allow_discards = -1,
					  .on_withdrawal = -1 };
	int accept_rollback = 0, readonly = 0, r;
	const char *on_withdrawal = NULL;
	struct volume volume;
	bool already = false;
	json_t *notes;

	r = methods_unpack(request, "{s:s, s?s, s?b, s?b, s?b, s?s}", "name",
			   &opening.name, "device", &opening.device,
			   "allow_discards", &opening.allow_discards,
			   "accept_rollback", &accept_rollback, "readonly",
			   &readonly, "on_withdrawal", &on_withdrawal);
	if (!r && on_withdrawal)
		r = take_on_withdrawal(request, on_withdrawal,
				       &opening.on_withdrawal);
	if (r < 0)
		return r;
	opening.readonly = readonly;
	opening.accept_rollback = accept_rollback;
	if (accept_rollback && request->role != ROLE_OFFICER) {
		svcenc_fault_set(&request->fault, SVCENC_FAULT_PERMISSION,
				 "only an officer may accept a rollback");
		return svcenc_fault_hint(
			&request->fault,
			"ask a member of group svcenc-officer; "
			"it goes through officer.sock");
	}
	notes = json_array();
	r = volumes_open(request->agent, &opening, &volume, &already, notes,
			 &request->fault);
	if (r < 0) {
		json_decref(notes);
		return r;
	}
	return methods_reply(request,
			     json_pack("{s:o, s:b, s:o}", "volume",
				       view_volume(request->agent, &volume),
				       "already", already, "notes", notes));
}

int method_close_volume(struct request *request)
{
	struct volume volume;
	bool already = false;
	const char *name;
	int r;

	r = methods_unpack(request, "{s:s}", "name", &name);
	if (!r)
		r = volumes_close(request->agent, name, &volume, &already,
				  &request->fault);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o, s:b}", "volume",
				       view_volume(request->agent, &volume),
				       "already", already));
}

int method_list_volumes(struct request *request)
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
		request, json_pack("{s:o}", "volumes",
				   view_volumes(request->agent,
						name ? &tenant.uuid : NULL)));
}

int method_volume_status(struct request *request)
{
	struct volume volume;
	struct policy policy;
	const char *name;
	int r;

	r = methods_unpack(request, "{s:s}", "name", &name);
	if (!r)
		r = volume_find(request->agent, name, &volume, &request->fault);
	if (!r)
		r = policy_find_uuid(request->agent, &volume.key.policy,
				     &policy, &request->fault);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o, s:o}", "volume",
				       view_volume(request->agent, &volume),
				       "policy",
				       view_policy(request->agent, &policy)));
}

int method_resize_volume(struct request *request)
{
	struct volume volume;
	const char *name;
	u64 old_size = 0;
	int r;

	r = methods_unpack(request, "{s:s}", "name", &name);
	if (!r)
		r = volumes_resize(request->agent, name, &volume, &old_size,
				   &request->fault);
	if (r < 0)
		return r;
	return methods_reply(
		request, json_pack("{s:o, s:I, s:I}", "volume",
				   view_volume(request->agent, &volume),
				   "old_size", (json_int_t)old_size, "new_size",
				   (json_int_t)volume.data_len));
}

int method_rotate_volume(struct request *request)
{
	struct volume_rotation wish = { .rate = -1 };
	const char *action = "start";
	json_int_t rate = -1;
	struct volume volume;
	int skip = 0, r;

	r = methods_unpack(request, "{s:s, s?s, s?I, s?b}", "name", &wish.name,
			   "action", &action, "rate", &rate, "skip_unreadable",
			   &skip);
	if (r < 0)
		return r;
	wish.rate = rate;
	wish.skip_unreadable = skip;
	r = volumes_check_rotation(action, &wish, &request->fault);
	if (!r)
		r = volumes_rotate(request->agent, &wish, &volume,
				   &request->fault);
	if (r < 0)
		return r;
	return methods_reply(request,
			     json_pack("{s:o}", "volume",
				       view_volume(request->agent, &volume)));
}

static json_t *view_recovery(const char *device,
			     const struct recovery *recovery)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "device", device,
			 "outcome", recovery->outcome, "why",
			 recovery->why.message, "volume", recovery->volume,
			 "policy", recovery->policy, "tenant",
			 recovery->tenant);
}

int method_recover_store(struct request *request)
{
	json_int_t tenants = 0, policies = 0, volumes = 0;
	json_t *devices, *results;
	struct recovery recovery;
	const char *device;
	size_t i;
	int r;

	r = methods_unpack(request, "{s:o}", "devices", &devices);
	if (r < 0)
		return r;
	if (!json_array_size(devices) ||
	    json_array_size(devices) > RECOVER_DEVICES_MAX)
		return svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
					"1 to 1024 devices wanted");
	results = json_array();
	for (i = 0; i < json_array_size(devices); i++) {
		device = json_string_value(json_array_get(devices, i));
		if (!device) {
			json_decref(results);
			return svcenc_fault_set(&request->fault,
						SVCENC_FAULT_USAGE,
						"devices are paths");
		}
		volumes_recover(request->agent, device, &recovery);
		tenants += recovery.tenants;
		policies += recovery.policies;
		volumes += recovery.volumes;
		json_array_append_new(results,
				      view_recovery(device, &recovery));
	}
	/* volumes that are open have leases that want to be renewed */
	lease_adopt(request->agent);
	return methods_reply(request,
			     json_pack("{s:o, s:I, s:I, s:I}", "results",
				       results, "tenants", tenants, "policies",
				       policies, "volumes", volumes));
}
