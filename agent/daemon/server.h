/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The three sockets and the connections on them: who is it, one message at a
 * time, the answer. A socket stands for one role; a peer is let in only if
 * its credentials fit the socket, whatever the file's mode says. Knows no
 * method.
 *
 * Limits: 64 connections in all, 16 of one user other than root; a message of
 * 1 MiB; an unfinished message or an unread answer ends the connection after
 * 30 s; what a peer sends while its call is served waits in the kernel.
 */
#ifndef SVCENC_DAEMON_SERVER_H
#define SVCENC_DAEMON_SERVER_H

#include "agent.h"

int server_start(struct agent *agent, struct svcenc_fault *fault);
void server_stop(struct agent *agent);

#endif
