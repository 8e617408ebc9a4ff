// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check how Varlink messages are framed and what
 * DESCRIPTION: is refused: too long, too deep, not an object, unknown members,
 * DESCRIPTION: flags; and that a client meets the right peer, deadlines and
 * DESCRIPTION: broken answers.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 30
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "proto.h"
#include "secret.h"

static void messages_come_out_whole(void **state)
{
	static const char stream[] = "{\"a\":1}\0{\"b\":2}\0{\"c\"";
	struct svcenc_frame frame = { .bytes = NULL };
	size_t i, got = 0;

	(void)state;
	/* byte by byte: cuts anywhere do not matter */
	for (i = 0; i < sizeof(stream) - 1; i++) {
		json_t *message = NULL;
		int r;

		assert_int_equal(svcenc_frame_feed(&frame, stream + i, 1), 0);
		r = svcenc_frame_next(&frame, &message);
		assert_int_equal(r, stream[i] ? -EAGAIN : 0);
		got += r == 0;
		json_decref(message);
	}
	assert_int_equal(got, 2);
	assert_true(svcenc_frame_pending(&frame));
	svcenc_frame_clear(&frame);
}

static int feed_text(const char *text, size_t len)
{
	struct svcenc_frame frame = { .bytes = NULL };
	json_t *message = NULL;
	int r;

	r = svcenc_frame_feed(&frame, text, len);
	if (!r)
		r = svcenc_frame_next(&frame, &message);
	json_decref(message);
	svcenc_frame_clear(&frame);
	return r;
}

static void broken_messages_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"1",
		"null",
		"{\"a\":1}x",
		"{\"a\":1,}",
		"{'a':1}",
		"{\"a\"}",
		"{\"a\":1} {}",
		"{\"a\":1,\"a\":2}",
		"\"x\"",
		"{\"a\":\"\xff\"}",
		"{\"\\u0000\":1}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (feed_text(bad[i], strlen(bad[i]) + 1) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

static void depth_has_a_limit(void **state)
{
	char text[1024];
	int deep;

	(void)state;
	for (deep = 63; deep <= 64; deep++) {
		char *at = text + sprintf(text, "{\"a\":");

		memset(at, '[', deep);
		memset(at + deep, ']', deep);
		strcpy(at + 2 * deep, "}");
		assert_int_equal(feed_text(text, strlen(text) + 1),
				 deep == 63 ? 0 : -EBADMSG);
	}
	/* brackets within strings are no depth */
	memset(text, '[', sizeof(text));
	memcpy(text, "{\"a\":\"\\\"", 8);
	strcpy(text + 500, "\"}");
	assert_int_equal(feed_text(text, strlen(text) + 1), 0);
}

static void length_has_a_limit(void **state)
{
	const size_t max = SVCENC_PROTO_MESSAGE_MAX;
	char *text = malloc(max + 2);

	(void)state;
	memset(text, ' ', max + 2);
	text[0] = '{';
	text[max - 1] = '}';
	text[max] = '\0';
	assert_int_equal(feed_text(text, max + 1), 0);
	text[max] = ' ';
	assert_int_equal(feed_text(text, max + 1), -EMSGSIZE);
	text[max + 1] = '\0';
	assert_int_equal(feed_text(text, max + 2), -EMSGSIZE);
	free(text);
}

static int parse(const char *text, char *method, size_t size)
{
	json_t *message = json_loads(text, 0, NULL);
	struct svcenc_call call;
	int r;

	assert_non_null(message);
	r = svcenc_proto_parse_call(message, &call);
	if (!r)
		snprintf(method, size, "%s/%zu", call.method,
			 json_object_size(call.parameters));
	json_decref(message);
	return r;
}

static void calls_have_one_shape(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"method\":1}",
		"{\"method\":\"nodots\"}",
		"{\"method\":\"ends.\"}",
		"{\"method\":\"a.B\",\"parameters\":[]}",
		"{\"method\":\"a.B\",\"parameters\":null}",
		"{\"method\":\"a.B\",\"extra\":1}",
		"{\"method\":\"a.B\",\"more\":true}",
		"{\"method\":\"a.B\",\"oneway\":1}",
		"{\"method\":\"a.B\",\"upgrade\":\"x\"}",
	};
	char long_name[256], got[64];
	size_t i;

	(void)state;
	assert_int_equal(parse("{\"method\":\"a.B\"}", got, sizeof(got)), 0);
	assert_string_equal(got, "a.B/0");
	assert_int_equal(parse("{\"method\":\"a.B\",\"more\":false,"
			       "\"parameters\":{\"x\":1}}",
			       got, sizeof(got)),
			 0);
	assert_string_equal(got, "a.B/1");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], got, sizeof(got)) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	snprintf(long_name, sizeof(long_name), "{\"method\":\"a.%0127d\"}", 1);
	assert_int_equal(parse(long_name, got, sizeof(got)), -EBADMSG);
}

static void secret_frames_lie_in_locked_memory(void **state)
{
	static const char text[] = "{\"key\":\"AAAA\"}";
	struct svcenc_frame frame = { .secret = true };
	json_t *message = NULL;

	(void)state;
	assert_int_equal(svcenc_frame_feed(&frame, text, sizeof(text)), 0);
	assert_true(CRYPTO_secure_allocated(frame.bytes));
	assert_int_equal(svcenc_frame_next(&frame, &message), 0);
	assert_true(CRYPTO_secure_allocated(
		json_string_value(json_object_get(message, "key"))));
	json_decref(message);
	svcenc_frame_clear(&frame);
}

/* --- a client against a server that misbehaves ---------------------------- */

struct service {
	char folder[64];
	char path[96];
	pid_t pid;
};

/* Answers the first call with these bytes, then waits for the end. */
static void serve(struct service *service, const void *answer, size_t len)
{
	int listener, fd;
	char call[512];

	strcpy(service->folder, "/tmp/svcenc-proto.XXXXXX");
	assert_non_null(mkdtemp(service->folder));
	snprintf(service->path, sizeof(service->path), "%s/sock",
		 service->folder);
	listener = svcenc_proto_listen(service->path, 0600, (gid_t)-1);
	assert_true(listener >= 0);
	service->pid = fork();
	if (service->pid) {
		close(listener);
		return;
	}
	do {
		fd = accept(listener, NULL, NULL);
	} while (fd < 0);
	if (read(fd, call, sizeof(call)) > 0 && len)
		_exit(write(fd, answer, len) < 0);
	/* no answer at all: stay until the client gives up */
	_exit(!len && read(fd, call, sizeof(call)) != 0);
}

static void end_service(struct service *service)
{
	waitpid(service->pid, NULL, 0);
	unlink(service->path);
	rmdir(service->folder);
}

static int ask(const char *path, uid_t uid, json_t **ret, char **ret_error)
{
	SVCENC_CLIENT_AUTO struct svcenc_client *client = NULL;
	int r;

	r = svcenc_client_open(path, uid, false, &client);
	if (r < 0)
		return r;
	return svcenc_client_call(client, "a.B", NULL, 300, ret, ret_error);
}

static void client_takes_replies_and_errors(void **state)
{
	static const char reply[] = "{\"parameters\":{\"x\":7}}";
	static const char error[] = "{\"error\":\"a.Bad\",\"parameters\":{}}";
	struct service service;
	json_t *parameters = NULL;
	char *name = NULL;

	(void)state;
	serve(&service, reply, sizeof(reply));
	assert_int_equal(ask(service.path, getuid(), &parameters, &name), 0);
	assert_null(name);
	assert_int_equal(json_integer_value(json_object_get(parameters, "x")),
			 7);
	json_decref(parameters);
	end_service(&service);
	serve(&service, error, sizeof(error));
	assert_int_equal(ask(service.path, getuid(), &parameters, &name), 0);
	assert_string_equal(name, "a.Bad");
	json_decref(parameters);
	free(name);
	end_service(&service);
}

static void client_refuses_broken_replies(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		int wanted;
	} cases[] = {
		{ "{\"parameters\":[]}", 18, -EBADMSG },
		{ "{\"parameters\":{},\"continues\":true}", 35, -EBADMSG },
		{ "{\"error\":7}", 12, -EBADMSG },
		{ "hello", 6, -EBADMSG },
		{ "{\"parameters\":{}}", 17, -EPIPE }, /* no NUL, then EOF */
		{ "", 0, -ETIMEDOUT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *parameters = NULL;
		struct service service;
		char *name = NULL;

		serve(&service, cases[i].text, cases[i].len);
		assert_int_equal(ask(service.path, getuid(), &parameters,
				     &name),
				 cases[i].wanted);
		end_service(&service);
	}
}

static void client_refuses_another_users_service(void **state)
{
	static const char reply[] = "{\"parameters\":{}}";
	json_t *parameters = NULL;
	struct service service;
	struct svcenc_client *client = NULL;
	char *name = NULL;

	(void)state;
	serve(&service, reply, sizeof(reply));
	assert_int_equal(svcenc_client_open(service.path, getuid() + 1, false,
					    &client),
			 -EPERM);
	waitpid(service.pid, NULL, 0);
	assert_int_equal(ask(service.path, getuid(), &parameters, &name),
			 -ECONNREFUSED);
	unlink(service.path);
	assert_int_equal(ask(service.path, getuid(), &parameters, &name),
			 -ENOENT);
	rmdir(service.folder);
}

static void listener_is_private(void **state)
{
	static const char folder_template[] = "/tmp/svcenc-proto.XXXXXX";
	char folder[64], path[96];
	struct stat st;
	int fd, again;

	(void)state;
	strcpy(folder, folder_template);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sock", folder);
	fd = svcenc_proto_listen(path, 0600, (gid_t)-1);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	again = svcenc_proto_listen(path, 0660, (gid_t)-1); /* stale: taken */
	assert_true(again >= 0);
	close(again);
	close(fd);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_out_whole),
		cmocka_unit_test(broken_messages_are_refused),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(length_has_a_limit),
		cmocka_unit_test(calls_have_one_shape),
		cmocka_unit_test(secret_frames_lie_in_locked_memory),
		cmocka_unit_test(client_takes_replies_and_errors),
		cmocka_unit_test(client_refuses_broken_replies),
		cmocka_unit_test(client_refuses_another_users_service),
		cmocka_unit_test(listener_is_private),
	};

	if (svcenc_secret_init() < 0) {
		fputs("memory cannot be locked\n", stderr);
		return 1;
	}
	svcenc_proto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
