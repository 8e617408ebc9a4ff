// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include <openssl/rand.h>

#include "access.h"

static void fill_job(const struct access *access, unsigned int index,
		     struct unwrap_job *job)
{
	const struct svcenc_record_wrap *wrap = &access->wraps[index];

	job->vault = wrap->vault;
	job->kid = wrap->kid;
	job->blob = wrap->blob;
	job->blob_len = wrap->blob_len;
	job->accept = access->accept;
	job->what = access->what;
}

int access_by_roots(struct agent *agent, struct access *access,
		    struct svcenc_secret **ret)
{
	struct unwrap_job jobs[2];
	unsigned char coin = 0;
	unsigned int i;

	(void)RAND_bytes(&coin, 1);
	coin &= 1;
	for (i = 0; i < 2; i++)
		fill_job(access, i ^ coin, &jobs[i]);
	vaults_unwrap(agent, jobs, 2, VAULTS_FIRST);
	for (i = 0; i < 2; i++)
		access->results[i ^ coin] = jobs[i].result;
	if (jobs[0].plain && jobs[1].plain)
		jobs[1].plain = svcenc_secret_free(jobs[1].plain);
	if (!jobs[0].plain && !jobs[1].plain)
		return -EREMOTEIO;
	*ret = jobs[0].plain ? jobs[0].plain : jobs[1].plain;
	return 0;
}

int access_by_availability(struct agent *agent, struct access *access,
			   struct svcenc_secret **ret)
{
	const unsigned int index = SVCENC_ROLE_AVAILABILITY - 1;
	struct unwrap_job job;

	fill_job(access, index, &job);
	vaults_unwrap(agent, &job, 1, VAULTS_ALL);
	access->results[index] = job.result;
	if (!job.plain)
		return -EREMOTEIO;
	*ret = job.plain;
	return 0;
}

static enum svcenc_fault_kind kind_of(const struct access *access)
{
	const enum svcenc_answer a = access->results[0].answer;
	const enum svcenc_answer b = access->results[1].answer;

	if (a == SVCENC_ANSWER_DENIED || b == SVCENC_ANSWER_DENIED ||
	    access->denied)
		return SVCENC_FAULT_VAULT_DENIED;
	if (a == SVCENC_ANSWER_CORRUPT || b == SVCENC_ANSWER_CORRUPT)
		return SVCENC_FAULT_INTEGRITY;
	if (a == SVCENC_ANSWER_BADAUTH || b == SVCENC_ANSWER_BADAUTH)
		return SVCENC_FAULT_PERMISSION;
	return SVCENC_FAULT_VAULT_UNREACHABLE;
}

/* None says no now, so the words of their answers would not tell. */
static bool denied_before(const struct access *access)
{
	return access->denied &&
	       access->results[0].answer != SVCENC_ANSWER_DENIED &&
	       access->results[1].answer != SVCENC_ANSWER_DENIED;
}

int access_fault(const struct access *access, const char *object,
		 struct svcenc_fault *fault)
{
	static const char was_denied[] =
		" was denied to this host, which no outage undoes";
	const enum svcenc_fault_kind kind = kind_of(access);

	svcenc_fault_set(fault, kind, "%s%s: root a: %.180s; root b: %.180s",
			 object, denied_before(access) ? was_denied : "",
			 access->results[0].detail, access->results[1].detail);
	switch (kind) {
	case SVCENC_FAULT_VAULT_DENIED:
		return svcenc_fault_hint(fault,
					 "only the owner of the root "
					 "keys can change that, in "
					 "vaults '%s' and '%s'",
					 access->wraps[0].vault,
					 access->wraps[1].vault);
	case SVCENC_FAULT_VAULT_UNREACHABLE:
		return svcenc_fault_hint(fault,
					 "try again; 'svcenc vault "
					 "test %s' shows more",
					 access->wraps[0].vault);
	default:
		return svcenc_fault_hint(fault,
					 "correct that; 'svcenc vault "
					 "test %s' and '%s' show "
					 "whether it is",
					 access->wraps[0].vault,
					 access->wraps[1].vault);
	}
}
