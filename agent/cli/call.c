// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One call to svcencd: which socket, what a failure means for the caller.
 * An error of the agent brings its own exit code.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "proto.h"
#include "step.h"

#define INTERFACE "io.svcenc.Agent"

enum {
	AGENT_UID = 0,
	ANSWER_DEADLINE_MS = 180 * 1000,
	EXIT_MAX = 125, /* above, the shell's own meanings begin */
};

static int open_socket(const struct cli *cli, const char *name,
		       struct svcenc_client **ret)
{
	char path[4096];
	int len;

	len = snprintf(path, sizeof(path), "%s/%s.sock", cli->socket_dir, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	return svcenc_client_open(path, AGENT_UID, false, ret);
}

/* Operators first: who may use both sockets needs only the lesser right. */
static int open_for_role(const struct cli *cli, enum cli_role role,
			 struct svcenc_client **ret)
{
	int r;

	if (role == CLI_ROLE_STATUS)
		return open_socket(cli, "status", ret);
	if (role == CLI_ROLE_OFFICER || cli->officer)
		return open_socket(cli, "officer", ret);
	r = open_socket(cli, "operator", ret);
	return r == -EACCES ? open_socket(cli, "officer", ret) : r;
}

static int fail_to_open(const struct cli *cli, enum cli_role role, int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return cli_fail(cli, CLI_NO_AGENT,
				"start it: systemctl start svcencd",
				"svcencd is not running (no socket in %s)",
				cli->socket_dir);
	case -EACCES:
		return cli_fail(
			cli, CLI_PERMISSION,
			role == CLI_ROLE_OFFICER || cli->officer ?
				"be root or in group svcenc-officer" :
				"be root, or in group svcenc-operator or svcenc-officer",
			"no permission to use the sockets of svcencd in %s",
			cli->socket_dir);
	case -EPERM:
		return cli_fail(
			cli, CLI_PERMISSION,
			"whoever made that socket is not svcencd: look who owns it",
			"the socket in %s is not served by root",
			cli->socket_dir);
	case -ENAMETOOLONG:
		return cli_fail(cli, CLI_USAGE,
				"a socket's path has at most 107 characters",
				"--socket-dir %s is too long", cli->socket_dir);
	case -ENOMEM:
		return cli_fail_memory(cli);
	}
	return cli_fail(cli, CLI_NO_AGENT, "systemctl status svcencd",
			"cannot reach svcencd in %s: %s", cli->socket_dir,
			strerror(-error));
}

static int fail_without_answer(const struct cli *cli, int error)
{
	static const char hint[] =
		"look with 'svcenc agent status' and 'journalctl -u svcencd', then give the command again: that is safe, it goes on where it stopped";

	if (error == -ENOMEM)
		return cli_fail_memory(cli);
	if (error == -ETIMEDOUT)
		return cli_fail(cli, CLI_NO_AGENT, hint,
				"svcencd did not answer within %d s",
				ANSWER_DEADLINE_MS / 1000);
	if (error == -EPIPE || error == -ECONNRESET)
		return cli_fail(cli, CLI_NO_AGENT, hint,
				"svcencd went away before it answered");
	if (error == -EBADMSG)
		return cli_fail(cli, CLI_NO_AGENT, hint,
				"svcencd's answer is not one of %s", INTERFACE);
	return cli_fail(cli, CLI_NO_AGENT, hint,
			"the connection to svcencd broke: %s",
			strerror(-error));
}

static int fail_as_told(const struct cli *cli, const char *error,
			const json_t *parameters)
{
	const json_int_t code = cli_int(parameters, "exit");
	const char *message = cli_text(parameters, "message");

	if (!strncmp(error, "org.varlink.service.", 20))
		return cli_fail(
			cli, CLI_USAGE,
			"svcenc and svcencd are of different versions: systemctl restart svcencd",
			"svcencd does not know this request (%s)", error);
	return cli_fail(cli,
			code >= 1 && code <= EXIT_MAX ? (int)code : CLI_USAGE,
			cli_text(parameters, "hint"), "%s",
			*message ? message : error);
}

int cli_call(const struct cli *cli, const char *method, enum cli_role role,
	     json_t *parameters, json_t **ret_reply)
{
	SVCENC_CLIENT_AUTO struct svcenc_client *client = NULL;
	json_t *reply = NULL;
	char full[SVCENC_PROTO_NAME_MAX];
	char *error = NULL;
	int exit_code = CLI_OK;
	int r;

	r = open_for_role(cli, role, &client);
	if (r < 0) {
		json_decref(parameters);
		return fail_to_open(cli, role, r);
	}
	svcenc_step("cli-connected");
	snprintf(full, sizeof(full), INTERFACE ".%s", method);
	r = svcenc_client_call(client, full, parameters, ANSWER_DEADLINE_MS,
			       &reply, &error);
	if (r < 0)
		return fail_without_answer(cli, r);
	svcenc_step("cli-answered");
	if (error) {
		exit_code = fail_as_told(cli, error, reply);
		json_decref(reply);
		reply = NULL;
	}
	free(error);
	*ret_reply = reply;
	return exit_code;
}
