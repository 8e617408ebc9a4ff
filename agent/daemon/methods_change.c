// SPDX-License-Identifier: GPL-2.0-or-later
/* The methods that change what a policy's key is under, and look at it. */
#include <string.h>

#include "change.h"
#include "methods_roots.h"
#include "pass.h"
#include "recordjson.h"
#include "retire.h"
#include "roots.h"
#include "view.h"

struct job {
	struct request *request;
	struct policy policy;
	struct change change;
	struct pass pass;
	const char *after; /* NULL: the first call */
};

static void begin(struct job *job, struct request *request)
{
	memset(job, 0, sizeof(*job));
	job->request = request;
	job->change.checks = json_array();
	job->change.notes = json_array();
	job->pass.unreached = json_array();
}

static int end(struct job *job, int r)
{
	json_decref(job->change.checks);
	json_decref(job->change.notes);
	json_decref(job->pass.unreached);
	svcenc_secret_free(job->change.key);
	return r;
}

static int reply(struct job *job)
{
	struct request *request = job->request;
	const struct pass *pass = &job->pass;

	return methods_reply(
		request,
		json_pack("{s:o, s:b, s:I, s:I, s:O, s:O, s:O, s:s}", "policy",
			  view_policy(request->agent, &job->policy), "changed",
			  job->change.changed, "rewrapped",
			  (json_int_t)pass->rewrapped, "records",
			  (json_int_t)pass->records, "unreached",
			  pass->unreached, "checks", job->change.checks,
			  "notes", job->change.notes, "next", pass->next));
}

/* The change is stored: the headers follow, as far as this call gets. */
static int follow(struct job *job)
{
	struct svcenc_secret *key = job->change.key;
	int r;

	job->change.key = NULL;
	r = pass_run(job->request->agent, &job->policy, key,
		     job->after ? job->after : "", &job->pass,
		     &job->request->fault);
	return r < 0 ? r : reply(job);
}

/* --- roll, rekey ---------------------------------------------------------- */

static int take_roles(struct request *request, const json_t *names,
		      unsigned int *ret)
{
	const json_t *name;
	size_t i;
	u32 role;

	if (!names)
		return 0;
	*ret = 0;
	json_array_foreach(names, i, name) {
		role = json_is_string(name) ? svcenc_recordjson_role_parse(
						      json_string_value(name)) :
					      0;
		if (!role) {
			svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
					 "a root is a, b or availability");
			return svcenc_fault_hint(&request->fault,
						 "as in --root a,b");
		}
		*ret |= 1U << (role - 1);
	}
	return 0;
}

int method_roll_policy(struct request *request)
{
	unsigned int roots = CHANGE_ROOTS_AB;
	const char *tenant, *name;
	json_t *names = NULL;
	struct job job;
	int r;

	begin(&job, request);
	r = methods_unpack(request, "{s:s, s:s, s?o, s?s}", "tenant", &tenant,
			   "name", &name, "roots", &names, "after", &job.after);
	if (!r)
		r = take_roles(request, names, &roots);
	if (!r)
		r = methods_find_policy(request, tenant, name, &job.policy);
	if (!r && !job.after)
		r = change_roll(request->agent, &job.policy, roots, &job.change,
				&request->fault);
	return end(&job, r < 0 ? r : follow(&job));
}

int method_rekey_policy(struct request *request)
{
	const char *tenant, *name;
	struct job job;
	int r;

	begin(&job, request);
	r = methods_unpack(request, "{s:s, s:s, s?s}", "tenant", &tenant,
			   "name", &name, "after", &job.after);
	if (!r)
		r = methods_find_policy(request, tenant, name, &job.policy);
	if (!r && !job.after)
		r = change_rekey(request->agent, &job.policy, &job.change,
				 &request->fault);
	return end(&job, r < 0 ? r : follow(&job));
}

/* --- set-roots ------------------------------------------------------------ */

int methods_take_roots(struct request *request, const char *root_a,
		       const char *root_b, struct svcenc_rootspec specs[2],
		       struct policy_wish *wish)
{
	const char *const texts[] = { root_a, root_b };
	int i, r;

	if (!root_a != !root_b) {
		svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
				 "root %s is not named: a customer's policy "
				 "has two roots",
				 root_a ? "b" : "a");
		return svcenc_fault_hint(&request->fault,
					 "name both: --root-a VAULT:KEY "
					 "--root-b VAULT:KEY, in two vaults");
	}
	for (i = 0; root_a && i < 2; i++) {
		r = svcenc_rootspec_parse(&request->agent->config, texts[i],
					  &specs[i], &request->fault);
		if (r < 0)
			return r;
		wish->vaults[i] = specs[i].vault;
		wish->root_names[i] = specs[i].key;
		wish->customer = true;
	}
	return 0;
}

static int check_roots_wish(struct request *request, const char *root_a,
			    const char *root_b, bool provider)
{
	if (!provider == (root_a || root_b))
		return 0;
	svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
			 provider ? "roots of the provider's and a customer's "
				    "are both named" :
				    "no roots are named");
	return svcenc_fault_hint(&request->fault,
				 "either --root-a VAULT:KEY --root-b VAULT:KEY "
				 "or --provider");
}

int method_set_policy_roots(struct request *request)
{
	const char *tenant, *name, *a = NULL, *b = NULL, *availability = NULL;
	struct svcenc_rootspec specs[2];
	int provider = 0, accept = 0, r;
	struct policy_wish wish;
	struct job job;

	begin(&job, request);
	policies_default_wish(request->agent, "", &wish);
	r = methods_unpack(request, "{s:s, s:s, s?s, s?s, s?b, s?s, s?b, s?s}",
			   "tenant", &tenant, "name", &name, "root_a", &a,
			   "root_b", &b, "provider", &provider,
			   "vault_availability", &availability,
			   "accept_unrecoverable", &accept, "after",
			   &job.after);
	if (!r)
		r = check_roots_wish(request, a, b, provider);
	if (!r)
		r = methods_take_roots(request, a, b, specs, &wish);
	if (!r)
		r = methods_find_policy(request, tenant, name, &job.policy);
	if (r < 0)
		return end(&job, r);
	wish.name = job.policy.name;
	wish.rules = job.policy.rules;
	wish.accept_unrecoverable = accept;
	wish.vaults[2] = availability ? availability :
					job.policy.wraps[2].vault;
	if (!job.after)
		r = change_roots(request->agent, &job.policy, &wish,
				 &job.change, &request->fault);
	return end(&job, r < 0 ? r : follow(&job));
}

/* --- recover -------------------------------------------------------------- */

int method_recover_policy(struct request *request)
{
	const char *tenant, *name, *lost, *root = NULL;
	struct svcenc_rootspec spec;
	struct job job;
	int accept = 0, r;
	u32 role = 0;

	begin(&job, request);
	r = methods_unpack(request, "{s:s, s:s, s:s, s?s, s?b, s?s}", "tenant",
			   &tenant, "name", &name, "lost", &lost, "root", &root,
			   "accept_unrecoverable", &accept, "after",
			   &job.after);
	if (!r)
		role = svcenc_recordjson_role_parse(lost);
	if (!r && !role) {
		svcenc_fault_set(&request->fault, SVCENC_FAULT_USAGE,
				 "lost is a, b or availability");
		r = svcenc_fault_hint(&request->fault,
				      "the root that 'svcenc policy test' "
				      "shows as not opening");
	}
	if (!r && root)
		r = svcenc_rootspec_parse(&request->agent->config, root, &spec,
					  &request->fault);
	if (!r)
		r = methods_find_policy(request, tenant, name, &job.policy);
	if (!r && !job.after)
		r = change_recover(request->agent, &job.policy, role - 1,
				   root ? &spec : NULL, accept, &job.change,
				   &request->fault);
	return end(&job, r < 0 ? r : follow(&job));
}

/* --- retire --------------------------------------------------------------- */

int method_retire_roots(struct request *request)
{
	const char *tenant, *name;
	json_t *roots = NULL;
	struct job job;
	int r;

	begin(&job, request);
	r = methods_unpack(request, "{s:s, s:s, s?s}", "tenant", &tenant,
			   "name", &name, "after", &job.after);
	if (!r)
		r = methods_find_policy(request, tenant, name, &job.policy);
	/* headers that can be reached must not hold a version back */
	if (!r)
		r = follow(&job);
	if (!r && !job.pass.next[0])
		r = retire_roots(request->agent, &job.policy, &roots,
				 &request->fault);
	if (r < 0) {
		json_decref(roots);
		return end(&job, r);
	}
	json_object_set_new(request->reply, "roots",
			    roots ? roots : json_array());
	return end(&job, 0);
}

/* --- test ----------------------------------------------------------------- */

static json_t *test_root(struct agent *agent, const struct policy *policy,
			 unsigned int index)
{
	const int64_t began_ms = agent_now_ms();
	struct unwrap_job job;

	roots_fill_probe(policy, index, &job);
	vaults_unwrap(agent, &job, 1, VAULTS_ALL);
	svcenc_secret_free(job.plain);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "role",
			 svcenc_recordjson_role_text(index + 1), "vault",
			 job.vault, "kid", job.kid, "answer",
			 svcenc_answer_text(job.result.answer), "reason",
			 job.result.reason, "detail", job.result.detail,
			 "took_ms", (json_int_t)(agent_now_ms() - began_ms));
}

int method_test_policy(struct request *request)
{
	const char *tenant, *name;
	struct policy policy;
	json_t *roots;
	unsigned int i;
	int r;

	r = methods_unpack(request, "{s:s, s:s}", "tenant", &tenant, "name",
			   &name);
	if (!r)
		r = methods_find_policy(request, tenant, name, &policy);
	if (r < 0)
		return r;
	roots = json_array();
	for (i = 0; policy.ready && i < MODEL_ROLES; i++)
		json_array_append_new(roots,
				      test_root(request->agent, &policy, i));
	return methods_reply(request,
			     json_pack("{s:o, s:o}", "policy",
				       view_policy(request->agent, &policy),
				       "roots", roots));
}
