// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/ktime.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "keyring.h"
#include "netlink.h"
#include "registry.h"
#include "status.h"
#include "uapi/linux/dm-svcenc.h"

static struct genl_family family;

static const struct nla_policy lease_policy[SVCENC_ATTR_LEASE_S + 1] = {
	[SVCENC_ATTR_KEY] = { .type = NLA_NUL_STRING,
			      .len = SVCENC_KEYID_TEXT },
	/* svcenc_key_lease() checks the range: NLA_POLICY_RANGE has 16 bits. */
	[SVCENC_ATTR_LEASE_S] = { .type = NLA_U32 },
};

static int put_uuid(struct sk_buff *skb, const struct svcenc_uuid *uuid)
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(uuid, text);
	return nla_put_string(skb, SVCENC_ATTR_UUID, text);
}

static int put_key(struct sk_buff *skb, const struct svcenc_keyid *key)
{
	char text[SVCENC_KEYID_TEXT + 1];

	svcenc_keyid_print(key, text);
	return nla_put_string(skb, SVCENC_ATTR_KEY, text);
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, SVCENC_ATTR_PAD);
}

static int put_rotation(struct sk_buff *skb, u64 done, u64 total,
			enum svcenc_rotation_state state)
{
	return put_u64(skb, SVCENC_ATTR_ROTATION_DONE, done) ||
	       put_u64(skb, SVCENC_ATTR_ROTATION_TOTAL, total) ||
	       nla_put_u32(skb, SVCENC_ATTR_ROTATION, state);
}

/* ----------------------------------------------------------------- dumps */

static int put_volume(struct sk_buff *skb, const struct svcenc_dev_info *info)
{
	return nla_put_string(skb, SVCENC_ATTR_DEVNO, info->name) ||
	       put_uuid(skb, &info->uuid) || put_key(skb, &info->key) ||
	       nla_put_u32(skb, SVCENC_ATTR_STATE, info->state) ||
	       put_u64(skb, SVCENC_ATTR_EPOCH, info->epoch) ||
	       put_u64(skb, SVCENC_ATTR_SEQ, info->seq) ||
	       put_u64(skb, SVCENC_ATTR_SECTORS, info->sectors) ||
	       put_rotation(skb, info->rotation_done, info->rotation_total,
			    info->rotation);
}

static int put_live_key(struct sk_buff *skb, const struct svcenc_key_info *info)
{
	char check[SVCENC_CHECK_TEXT + 1];

	svcenc_hex_print(info->check, sizeof(info->check), check);
	return put_key(skb, &info->id) ||
	       nla_put_string(skb, SVCENC_ATTR_CHECK, check) ||
	       nla_put_u32(skb, SVCENC_ATTR_LEASE_S, info->lease_s) ||
	       put_u64(skb, SVCENC_ATTR_LEASE_LEFT_MS, info->lease_left_ms) ||
	       nla_put_u32(skb, SVCENC_ATTR_DEVICES, info->devices);
}

/*
 * What is there from the begin of a dump to its end is shown once: the cursor
 * is the number of the last that was.
 */
static int dump_device(struct sk_buff *skb, long *cursor)
{
	struct svcenc_dev_info device;
	int rc = svcenc_registry_describe(*cursor, &device);

	if (!rc)
		rc = put_volume(skb, &device);
	if (!rc)
		*cursor = device.number;
	return rc;
}

static int dump_key(struct sk_buff *skb, long *cursor)
{
	struct svcenc_key_info key;
	int rc = svcenc_key_describe(*cursor, &key);

	if (!rc)
		rc = put_live_key(skb, &key);
	if (!rc)
		*cursor = key.number;
	return rc;
}

/* As much as there is room for; args[0] is where the next call goes on. */
static int dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	const u8 cmd = genl_dumpit_info(cb)->op.cmd;

	if (!netlink_capable(cb->skb, CAP_SYS_ADMIN))
		return -EPERM;
	for (;;) {
		void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
					 cb->nlh->nlmsg_seq, &family,
					 NLM_F_MULTI, cmd);
		int rc;

		if (!head)
			break;
		rc = cmd == SVCENC_CMD_GET_DEVICES ?
			     dump_device(skb, &cb->args[0]) :
			     dump_key(skb, &cb->args[0]);
		if (rc) {
			genlmsg_cancel(skb, head);
			break;
		}
		genlmsg_end(skb, head);
	}
	return skb->len;
}

/* -------------------------------------------------------------- commands */

static int get_keyring(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *head;

	if (!netlink_capable(skb, CAP_SYS_ADMIN))
		return -EPERM;
	reply = genlmsg_new(nla_total_size(sizeof(s32)), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	head = genlmsg_put_reply(reply, info, &family, 0,
				 SVCENC_CMD_GET_KEYRING);
	if (!head || nla_put_s32(reply, SVCENC_ATTR_KEYRING,
				 svcenc_keyring_serial())) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, head);
	return genlmsg_reply(reply, info);
}

static int renew_lease(struct sk_buff *skb, struct genl_info *info)
{
	struct svcenc_keyid id;

	if (!netlink_capable(skb, CAP_SYS_ADMIN))
		return -EPERM;
	if (GENL_REQ_ATTR_CHECK(info, SVCENC_ATTR_KEY) ||
	    GENL_REQ_ATTR_CHECK(info, SVCENC_ATTR_LEASE_S))
		return -EINVAL;
	if (svcenc_keyid_parse(nla_data(info->attrs[SVCENC_ATTR_KEY]), &id)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[SVCENC_ATTR_KEY],
				    "key description is malformed (wanted: svcenc:<policy uuid>:<version>)");
		return -EINVAL;
	}
	return svcenc_key_lease(&id,
				nla_get_u32(info->attrs[SVCENC_ATTR_LEASE_S]));
}

/* ---------------------------------------------------------------- events */

/* A message begun with what every event has; NULL without memory. */
static struct sk_buff *event_begin(enum svcenc_event event, const char *reason,
				   void **ret_head)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!skb)
		return NULL;
	*ret_head = genlmsg_put(skb, 0, 0, &family, 0, SVCENC_CMD_EVENT);
	if (*ret_head && !nla_put_u32(skb, SVCENC_ATTR_EVENT, event) &&
	    !put_u64(skb, SVCENC_ATTR_TIME_MS,
		     ktime_to_ms(ktime_get_boottime())) &&
	    (!reason || !nla_put_string(skb, SVCENC_ATTR_REASON, reason)))
		return skb;
	nlmsg_free(skb);
	return NULL;
}

static void event_send(struct sk_buff *skb, void *head)
{
	genlmsg_end(skb, head);
	/* -ESRCH: nobody listens. */
	genlmsg_multicast(&family, skb, 0, 0, GFP_KERNEL);
}

void svcenc_netlink_dev_event(enum svcenc_event event, struct svcenc_dev *dev,
			      const char *reason)
{
	struct svcenc_status status;
	struct sk_buff *skb;
	void *head;

	skb = event_begin(event, reason, &head);
	if (!skb)
		return;
	svcenc_status_get(dev, &status);
	if (nla_put_string(skb, SVCENC_ATTR_DEVNO, svcenc_dev_name(dev)) ||
	    put_uuid(skb, &dev->table.uuid) || put_key(skb, &status.key) ||
	    put_u64(skb, SVCENC_ATTR_EPOCH, status.epoch) ||
	    put_u64(skb, SVCENC_ATTR_SEQ, status.seq) ||
	    put_rotation(skb, status.rotation_done, status.rotation_total,
			 status.rotation))
		nlmsg_free(skb);
	else
		event_send(skb, head);
}

void svcenc_netlink_key_event(enum svcenc_event event,
			      const struct svcenc_keyid *key,
			      const char *reason)
{
	struct sk_buff *skb;
	void *head;

	skb = event_begin(event, reason, &head);
	if (!skb)
		return;
	if (put_key(skb, key))
		nlmsg_free(skb);
	else
		event_send(skb, head);
}

/* ------------------------------------------------------------------ family */

static const struct genl_ops ops[] = {
	{ .cmd = SVCENC_CMD_GET_DEVICES, .dumpit = dump },
	{ .cmd = SVCENC_CMD_GET_KEYS, .dumpit = dump },
	{ .cmd = SVCENC_CMD_GET_KEYRING, .doit = get_keyring },
	{ .cmd = SVCENC_CMD_LEASE, .doit = renew_lease,
	  .policy = lease_policy, .maxattr = SVCENC_ATTR_LEASE_S },
};

static const struct genl_multicast_group groups[] = {
	{
		.name = SVCENC_GENL_EVENTS,
		/* Stable backports have it, others have only the network one. */
#if defined(GENL_MCAST_CAP_SYS_ADMIN)
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
#else
		.flags = GENL_UNS_ADMIN_PERM,
#endif
	},
};

static struct genl_family family __ro_after_init = {
	.name = SVCENC_GENL_NAME,
	.version = SVCENC_GENL_VERSION,
	.maxattr = SVCENC_ATTR_MAX,
	.module = THIS_MODULE,
	/* A lease must not wait behind a dump. */
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = SVCENC_CMD_GET_DEVICES,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int svcenc_netlink_init(void)
{
	return genl_register_family(&family);
}

void svcenc_netlink_exit(void)
{
	genl_unregister_family(&family);
}
