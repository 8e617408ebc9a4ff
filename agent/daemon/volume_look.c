// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel.h"
#include "volume_look.h"

int volume_find_ready(struct agent *agent, const char *name, struct volume *ret,
		      struct policy *ret_policy, struct svcenc_fault *fault)
{
	int r;

	r = volume_find(agent, name, ret, fault);
	if (r < 0)
		return r;
	if (!ret->ready) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "formatting volume '%s' was cut short", name);
		return svcenc_fault_hint(fault,
					 "run 'svcenc format %s %s' "
					 "again",
					 name, ret->device);
	}
	return policy_find_key(agent, &ret->key, ret_policy, fault);
}

int volume_find_mapping(const struct volume *volume, struct sys_dm_info *info,
			struct svcenc_fault *fault)
{
	struct svcenc_uuid uuid;
	int r;

	r = sys_dm_info(volume->name, info);
	if (r < 0)
		return kernel_fault(r, "look at mapped devices", fault);
	if (!info->exists)
		return 0;
	if (!sys_dm_info_is_svcenc(info, &uuid) ||
	    !svcenc_uuid_equal(&uuid, &volume->uuid)) {
		svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
				 "/dev/mapper/%s is not volume '%s' but "
				 "another mapped device",
				 volume->name, volume->name);
		return svcenc_fault_hint(fault,
					 "'dmsetup info %s' shows it; "
					 "remove or rename it",
					 volume->name);
	}
	if (info->live_table && !info->suspended)
		return 1;
	if (info->live_table) {
		r = sys_dm_resume(volume->name);
		return r < 0 ? kernel_fault(r, "resume the mapped device",
					    fault) :
			       1;
	}
	r = sys_dm_remove(volume->name, 0);
	return r < 0 ? kernel_fault(r, "remove a half-made mapped device",
				    fault) :
		       0;
}

int volume_learn(struct agent *agent, struct volume *volume,
		 const struct svcenc_status *status, u64 data_len,
		 struct svcenc_fault *fault)
{
	/* 0: read-only with a stale copy, so nothing is durable in both. */
	if (!status->seq ||
	    (volume->seq == status->seq && volume->epoch == status->epoch &&
	     volume->data_len == data_len))
		return 0;
	volume->seq = status->seq;
	volume->epoch = status->epoch;
	volume->data_len = data_len;
	return volume_save(agent, volume, fault);
}
