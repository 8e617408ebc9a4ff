// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TTLV decoder and readers of KMIP replies, which take what a server, or
 * whoever is in its place, sends. Claims: no input makes them misbehave; what
 * is accepted, put together again from its parts, is the same bytes; whatever
 * is read out is terminated, printable and within its limits. The first byte
 * chooses the operation and whether the rest patches a proper reply.
 */
#include "fuzz.h"
#include "message.h"
#include "refusal.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { VALID = 0x80 };

static const enum kmip_operation operations[] = {
	KMIP_DISCOVER_VERSIONS, KMIP_LOCATE,  KMIP_CREATE,
	KMIP_GET_ATTRIBUTES,	KMIP_DECRYPT, KMIP_ENCRYPT,
};

enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

/* --- a proper reply ------------------------------------------------------- */

static void put_payload(struct ttlv_writer *w, enum kmip_operation operation)
{
	ttlv_open(w, 0x42007c);
	if (operation == KMIP_DISCOVER_VERSIONS) {
		ttlv_open(w, 0x420069);
		ttlv_put_integer(w, 0x42006a, 1);
		ttlv_put_integer(w, 0x42006b, 3);
		ttlv_close(w);
	} else {
		ttlv_put_text(w, 0x420094, "a1b2-c3");
	}
	if (operation == KMIP_GET_ATTRIBUTES) {
		ttlv_open(w, 0x420008);
		ttlv_put_text(w, 0x42000a, "State");
		ttlv_put_enum(w, 0x42000b, KMIP_ACTIVE);
		ttlv_close(w);
	}
	ttlv_put_bytes(w, 0x4200c2, "sixteen bytes...", 16);
	ttlv_close(w);
}

static size_t make_reply(uint8_t *bytes, size_t room,
			 enum kmip_operation operation)
{
	struct ttlv_writer w = { .bytes = bytes, .room = room };
	int len;

	ttlv_open(&w, 0x42007b);
	ttlv_open(&w, 0x42007a);
	ttlv_put_integer(&w, 0x42000d, 1);
	ttlv_close(&w);
	ttlv_open(&w, 0x42000f);
	ttlv_put_enum(&w, 0x42005c, operation);
	ttlv_put_enum(&w, 0x42007f, 0);
	put_payload(&w, operation);
	ttlv_close(&w);
	ttlv_close(&w);
	len = ttlv_end(&w);
	CLAIM(len > 0);
	return (size_t)len;
}

/* --- claims --------------------------------------------------------------- */

/* Appends to *@at what the items of @view are, by their parts. */
static void put_together(struct ttlv_view view, uint8_t *out, size_t *at)
{
	struct ttlv_item item;

	while (ttlv_next(&view, &item)) {
		uint8_t head[8] = { (uint8_t)(item.tag >> 16),
				    (uint8_t)(item.tag >> 8),
				    (uint8_t)item.tag,
				    (uint8_t)item.type,
				    (uint8_t)(item.value.len >> 24),
				    (uint8_t)(item.value.len >> 16),
				    (uint8_t)(item.value.len >> 8),
				    (uint8_t)item.value.len };

		memcpy(out + *at, head, sizeof(head));
		*at += sizeof(head);
		if (item.type == TTLV_STRUCTURE) {
			put_together(item.value, out, at);
			continue;
		}
		memcpy(out + *at, item.value.bytes, item.value.len);
		*at += item.value.len;
		for (; *at % 8; (*at)++)
			out[*at] = 0;
	}
	CLAIM(!view.len);
}

static void check_tree(const uint8_t *bytes, size_t len)
{
	static uint8_t again[TTLV_MESSAGE_MAX];
	const struct ttlv_view whole = { bytes, len };
	size_t at = 0;

	if (ttlv_check(bytes, len) < 0)
		return;
	CLAIM(len <= TTLV_MESSAGE_MAX);
	CLAIM(ttlv_message_len(bytes) == (int)len);
	put_together(whole, again, &at);
	CLAIM(at == len);
	CLAIM(!memcmp(bytes, again, len));
}

static void check_uid(const char *uid)
{
	CLAIM(*uid && strnlen(uid, KMIP_UID_MAX + 1) <= KMIP_UID_MAX);
	for (; *uid; uid++)
		CLAIM(*uid > ' ' && *uid <= '~');
}

static void check_reply(const struct kmip_reply *reply,
			enum kmip_operation operation)
{
	char uids[KMIP_LOCATE_MAX][KMIP_UID_MAX + 1], uid[KMIP_UID_MAX + 1];
	struct kmip_attributes attributes;
	struct ttlv_view out;
	const char *c;
	int i, count;

	for (c = reply->message; *c; c++)
		CLAIM(*c >= ' ' && *c <= '~');
	if (!reply->success) {
		const struct refusal refusal =
			refusal_of(reply->reason, operation);

		CLAIM(refusal.class != VAULT_OK);
		CLAIM((refusal.class == VAULT_DENIED) == !!refusal.reason);
		return;
	}
	i = kmip_read_versions(reply);
	CLAIM(i < 0 || (i >= KMIP_MINOR_MIN && i <= KMIP_MINOR_MAX));
	if (!kmip_read_uid(reply, uid))
		check_uid(uid);
	count = kmip_read_located(reply, uids);
	CLAIM(count <= KMIP_LOCATE_MAX);
	for (i = 0; i < count; i++)
		check_uid(uids[i]);
	if (!kmip_read_attributes(reply, &attributes))
		CLAIM(attributes.state && refusal_state_text(attributes.state));
	if (!kmip_read_data(reply, &out))
		CLAIM(out.bytes >= reply->payload.bytes &&
		      out.bytes + out.len <=
			      reply->payload.bytes + reply->payload.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static uint8_t buffer[TTLV_MESSAGE_MAX + 64];
	struct kmip_reply reply;
	enum kmip_operation operation;
	size_t len;
	uint8_t mode;

	if (!size)
		return 0;
	mode = *input++;
	size--;
	operation = operations[(mode & ~VALID) % OPERATIONS];
	if (mode & VALID) {
		len = make_reply(buffer, sizeof(buffer), operation);
		fuzz_patch(input, size, buffer, len);
	} else {
		len = size < sizeof(buffer) ? size : sizeof(buffer);
		memcpy(buffer, input, len);
	}
	check_tree(buffer, len);
	if (!kmip_read_reply(buffer, len, operation, &reply))
		check_reply(&reply, operation);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t buffer[1024];
	struct kmip_reply reply;
	size_t i;

	(void)argc;
	(void)argv;
	for (i = 0; i < OPERATIONS; i++) {
		const size_t len =
			make_reply(buffer, sizeof(buffer), operations[i]);

		CLAIM(!kmip_read_reply(buffer, len, operations[i], &reply));
		CLAIM(reply.success);
		check_tree(buffer, len);
		check_reply(&reply, operations[i]);
	}
	return 0;
}
