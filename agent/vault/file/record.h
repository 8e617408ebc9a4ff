/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other job of this program: reading a policy record from a device's
 * header. The record is a stranger's until its MAC has been verified, and the
 * key for that comes out of the record's own wraps, so somebody must parse it
 * before anything about it can be trusted. That somebody is this: a process
 * of its own for one record, run as the vault user, with nothing but a pipe
 * in and a pipe out, unable to make any system call but read and write. (A
 * forked child of svcencd was rejected: it would hold a copy of the agent's
 * memory while it parses; exec gives it none.)
 *
 * In:  16 KiB.
 * Out: one JSON object, {"defect": "..."} or the record's fields; bytes are
 *      base64. svcencd checks the shape of that again, computes the MAC over
 *      the undecoded image, and believes no field before it matches.
 */
#ifndef SVCENC_VAULT_FILE_RECORD_H
#define SVCENC_VAULT_FILE_RECORD_H

/* Reads fd 0, writes fd 1. Exit status. */
int record_job(void);

#endif
