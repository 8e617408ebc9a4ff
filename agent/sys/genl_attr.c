// SPDX-License-Identifier: GPL-2.0-or-later
#include "genl_attr.h"

#include <netlink/genl/genl.h>

#include "linux/dm-svcenc.h"

static struct nla_policy policy[SVCENC_ATTR_MAX + 1] = {
	[SVCENC_ATTR_DEVNO] = { .type = NLA_STRING },
	[SVCENC_ATTR_UUID] = { .type = NLA_STRING },
	[SVCENC_ATTR_KEY] = { .type = NLA_STRING },
	[SVCENC_ATTR_CHECK] = { .type = NLA_STRING },
	[SVCENC_ATTR_STATE] = { .type = NLA_U32 },
	[SVCENC_ATTR_EPOCH] = { .type = NLA_U64 },
	[SVCENC_ATTR_SEQ] = { .type = NLA_U64 },
	[SVCENC_ATTR_SECTORS] = { .type = NLA_U64 },
	[SVCENC_ATTR_ROTATION_DONE] = { .type = NLA_U64 },
	[SVCENC_ATTR_ROTATION_TOTAL] = { .type = NLA_U64 },
	[SVCENC_ATTR_LEASE_S] = { .type = NLA_U32 },
	[SVCENC_ATTR_LEASE_LEFT_MS] = { .type = NLA_U64 },
	[SVCENC_ATTR_DEVICES] = { .type = NLA_U32 },
	[SVCENC_ATTR_KEYRING] = { .type = NLA_S32 },
	[SVCENC_ATTR_EVENT] = { .type = NLA_U32 },
	[SVCENC_ATTR_TIME_MS] = { .type = NLA_U64 },
	[SVCENC_ATTR_REASON] = { .type = NLA_STRING },
	[SVCENC_ATTR_ROTATION] = { .type = NLA_U32 },
};

enum { TEXT_MAX = 64 };

static int parse(struct nlmsghdr *header, struct nlattr **attrs)
{
	return genlmsg_parse(header, 0, attrs, SVCENC_ATTR_MAX, policy) < 0 ?
		       -EBADMSG :
		       0;
}

static u32 get_u32(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static u64 get_u64(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

/* Cuts what is too long; a string attribute may lack its NUL. */
static void get_text(struct nlattr *attr, char *buf, size_t size)
{
	size_t len;

	buf[0] = '\0';
	if (!attr)
		return;
	len = strnlen(nla_data(attr), (size_t)nla_len(attr));
	if (len >= size)
		len = size - 1;
	memcpy(buf, nla_data(attr), len);
	buf[len] = '\0';
}

static int get_uuid(struct nlattr *attr, struct svcenc_uuid *ret)
{
	char text[TEXT_MAX];

	get_text(attr, text, sizeof(text));
	if (strlen(text) != SVCENC_UUID_TEXT || svcenc_uuid_parse(text, ret))
		return -EBADMSG;
	return 0;
}

static int get_keyid(struct nlattr *attr, struct svcenc_keyid *ret)
{
	char text[TEXT_MAX];

	get_text(attr, text, sizeof(text));
	return svcenc_keyid_parse(text, ret) ? -EBADMSG : 0;
}

/* Left out by a module that does not rotate: idle. */
static int get_rotation(struct nlattr **attrs, u64 *ret_done, u64 *ret_total,
			enum svcenc_rotation_state *ret)
{
	const u32 state = get_u32(attrs[SVCENC_ATTR_ROTATION]);

	if (state >= SVCENC_ROTATION_COUNT)
		return -EBADMSG;
	*ret_done = get_u64(attrs[SVCENC_ATTR_ROTATION_DONE]);
	*ret_total = get_u64(attrs[SVCENC_ATTR_ROTATION_TOTAL]);
	*ret = (enum svcenc_rotation_state)state;
	return 0;
}

int sys_genl_parse_device(struct nlmsghdr *header, struct sys_genl_device *ret)
{
	struct nlattr *attrs[SVCENC_ATTR_MAX + 1];
	u32 state;
	int r;

	r = parse(header, attrs);
	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	get_text(attrs[SVCENC_ATTR_DEVNO], ret->devno, sizeof(ret->devno));
	if (!*ret->devno || !attrs[SVCENC_ATTR_STATE] ||
	    get_uuid(attrs[SVCENC_ATTR_UUID], &ret->uuid) ||
	    get_keyid(attrs[SVCENC_ATTR_KEY], &ret->key))
		return -EBADMSG;
	state = get_u32(attrs[SVCENC_ATTR_STATE]);
	if (state >= SVCENC_STATE_COUNT)
		return -EBADMSG;
	ret->state = (enum svcenc_state)state;
	ret->epoch = get_u64(attrs[SVCENC_ATTR_EPOCH]);
	ret->seq = get_u64(attrs[SVCENC_ATTR_SEQ]);
	ret->sectors = get_u64(attrs[SVCENC_ATTR_SECTORS]);
	return get_rotation(attrs, &ret->rotation_done, &ret->rotation_total,
			    &ret->rotation);
}

int sys_genl_parse_key(struct nlmsghdr *header, struct sys_genl_key *ret)
{
	struct nlattr *attrs[SVCENC_ATTR_MAX + 1];
	char check[TEXT_MAX];
	int r;

	r = parse(header, attrs);
	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	get_text(attrs[SVCENC_ATTR_CHECK], check, sizeof(check));
	if (get_keyid(attrs[SVCENC_ATTR_KEY], &ret->key) ||
	    svcenc_hex_parse(check, ret->check, sizeof(ret->check)))
		return -EBADMSG;
	ret->lease_s = get_u32(attrs[SVCENC_ATTR_LEASE_S]);
	ret->lease_left_ms = get_u64(attrs[SVCENC_ATTR_LEASE_LEFT_MS]);
	ret->devices = get_u32(attrs[SVCENC_ATTR_DEVICES]);
	return 0;
}

int sys_genl_parse_keyring(struct nlmsghdr *header, int32_t *ret)
{
	struct nlattr *attrs[SVCENC_ATTR_MAX + 1];
	int r;

	r = parse(header, attrs);
	if (r < 0)
		return r;
	if (!attrs[SVCENC_ATTR_KEYRING])
		return -EBADMSG;
	*ret = nla_get_s32(attrs[SVCENC_ATTR_KEYRING]);
	return 0;
}

int sys_genl_parse_event(struct nlmsghdr *header, struct sys_genl_event *ret)
{
	struct nlattr *attrs[SVCENC_ATTR_MAX + 1];
	int r;

	r = parse(header, attrs);
	if (r < 0)
		return r;
	if (!attrs[SVCENC_ATTR_EVENT])
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->event = (enum svcenc_event)get_u32(attrs[SVCENC_ATTR_EVENT]);
	ret->time_ms = get_u64(attrs[SVCENC_ATTR_TIME_MS]);
	get_text(attrs[SVCENC_ATTR_DEVNO], ret->devno, sizeof(ret->devno));
	get_text(attrs[SVCENC_ATTR_REASON], ret->reason, sizeof(ret->reason));
	ret->seq = get_u64(attrs[SVCENC_ATTR_SEQ]);
	ret->epoch = get_u64(attrs[SVCENC_ATTR_EPOCH]);
	if (attrs[SVCENC_ATTR_UUID]) {
		ret->has_uuid = true;
		if (get_uuid(attrs[SVCENC_ATTR_UUID], &ret->uuid))
			return -EBADMSG;
	}
	if (attrs[SVCENC_ATTR_KEY]) {
		ret->has_key = true;
		if (get_keyid(attrs[SVCENC_ATTR_KEY], &ret->key))
			return -EBADMSG;
	}
	return get_rotation(attrs, &ret->rotation_done, &ret->rotation_total,
			    &ret->rotation);
}
