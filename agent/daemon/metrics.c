// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lease_key.h"
#include "log.h"
#include "metrics.h"

/* As vault_call.c sorts them, in seconds. */
static const char *const bounds[VAULTS_BUCKETS] = { "0.005", "0.01", "0.025",
						    "0.05",  "0.1",  "0.25",
						    "0.5",   "1",    "2.5" };

static void head(FILE *out, const char *name, const char *type,
		 const char *help)
{
	fprintf(out, "# HELP svcenc_%s %s\n# TYPE svcenc_%s %s\n", name, help,
		name, type);
}

/* --- vaults --------------------------------------------------------------- */

static void print_latency(FILE *out, const struct vault *vault,
			  unsigned int class)
{
	const struct vault_figures *figures = &vault->figures;
	const char *name = vault->config->name;
	const char *text = svcenc_answer_text(class);
	unsigned int i;

	for (i = 0; i < VAULTS_BUCKETS; i++)
		fprintf(out,
			"svcenc_vault_call_seconds_bucket{vault=\"%s\",class="
			"\"%s\",le=\"%s\"} %llu\n",
			name, text, bounds[i],
			(unsigned long long)figures->within[class][i]);
	fprintf(out,
		"svcenc_vault_call_seconds_bucket{vault=\"%s\",class=\"%s\","
		"le=\"+Inf\"} %llu\n"
		"svcenc_vault_call_seconds_sum{vault=\"%s\",class=\"%s\"} "
		"%.3f\n"
		"svcenc_vault_call_seconds_count{vault=\"%s\",class=\"%s\"} "
		"%llu\n",
		name, text, (unsigned long long)figures->answers[class], name,
		text, (double)figures->took_us[class] / 1e6, name, text,
		(unsigned long long)figures->answers[class]);
}

static void print_vaults(FILE *out, const struct agent *agent)
{
	unsigned int class;
	size_t i;

	head(out, "vault_call_seconds", "histogram",
	     "Time until a vault's answer, by its class.");
	for (i = 0; i < agent->config.vault_count; i++)
		for (class = SVCENC_ANSWER_OK; class < SVCENC_ANSWER_COUNT;
		     class ++)
			if (agent->vaults[i].figures.answers[class])
				print_latency(out, &agent->vaults[i], class);
	head(out, "vault_silent", "gauge",
	     "1 if the last call had no answer in time.");
	for (i = 0; i < agent->config.vault_count; i++)
		fprintf(out, "svcenc_vault_silent{vault=\"%s\"} %d\n",
			agent->vaults[i].config->name, agent->vaults[i].silent);
}

/* --- policies ------------------------------------------------------------- */

/*
 * "policy="uuid",key="version"", and names where they are wanted. Two keys of
 * a policy are in use until all of its volumes have followed a rekey.
 */
static void print_labels(FILE *out, const struct lease *lease)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	char uuid[SVCENC_UUID_TEXT + 1];
	struct policy policy;

	svcenc_uuid_print(&lease->key.policy, uuid);
	fprintf(out, "policy=\"%s\",key=\"%u\"", uuid, lease->key.version);
	if (lease->agent->config.metrics_names &&
	    !policy_find_uuid(lease->agent, &lease->key.policy, &policy,
			      &ignored))
		fprintf(out, ",name=\"%s\"", /* valid names need no quoting */
			policy_label(lease->agent, &policy));
}

static void print_gauge(FILE *out, const struct lease *lease, const char *name,
			double value)
{
	fprintf(out, "svcenc_policy_%s{", name);
	print_labels(out, lease);
	fprintf(out, "} %.3f\n", value);
}

static void print_state(FILE *out, const struct lease *lease)
{
	fprintf(out, "svcenc_policy_state{");
	print_labels(out, lease);
	fprintf(out, ",state=\"%s\"} 1\n",
		svcenc_policy_state_text(lease->state));
}

/* Policies in use: those that somebody looks at. */
static bool is_used(const struct lease *lease)
{
	return lease->timer != NULL;
}

static void print_policies(FILE *out, const struct agent *agent)
{
	const int64_t now = agent_now_ms();
	const struct lease *lease;

	head(out, "policy_state", "gauge",
	     "1 for the state that a policy in use is in.");
	for (lease = agent->leases; lease; lease = lease->next)
		if (is_used(lease))
			print_state(out, lease);
	head(out, "policy_lease_seconds", "gauge",
	     "Time until the lease ends; 0: the key does not live.");
	for (lease = agent->leases; lease; lease = lease->next)
		if (is_used(lease))
			print_gauge(
				out, lease, "lease_seconds",
				lease->key_live && lease->lease_end_ms > now ?
					(double)(lease->lease_end_ms - now) /
						1000 :
					0);
	head(out, "policy_fallback_seconds", "gauge",
	     "How long the availability key has been bridging; 0: it does not.");
	for (lease = agent->leases; lease; lease = lease->next)
		if (is_used(lease))
			print_gauge(out, lease, "fallback_seconds",
				    lease->in_fallback ?
					    (double)(now -
						     lease->fallback_since_ms) /
						    1000 :
					    0);
}

static void print_sums(FILE *out, const struct agent *agent)
{
	size_t states[SVCENC_POLICY_STATE_COUNT] = { 0 };
	struct lease_progress progress;
	const struct lease *lease;
	unsigned int i;

	for (lease = agent->leases; lease; lease = lease->next)
		states[lease->state] += is_used(lease);
	head(out, "policies", "gauge",
	     "Policies in use, by state; once for each of its keys.");
	for (i = 0; i < SVCENC_POLICY_STATE_COUNT; i++)
		fprintf(out, "svcenc_policies{state=\"%s\"} %zu\n",
			svcenc_policy_state_text(i), states[i]);
	lease_progress(agent, &progress);
	head(out, "policies_found_at_start", "gauge",
	     "Policies whose volumes were open when svcencd started.");
	fprintf(out, "svcenc_policies_found_at_start %zu\n", progress.found);
	head(out, "policies_probed_since_start", "gauge",
	     "How many of those have been probed since.");
	fprintf(out, "svcenc_policies_probed_since_start %zu\n",
		progress.probed);
	head(out, "next_lease_end_seconds", "gauge",
	     "Time until the first lease ends; -1: no key lives.");
	fprintf(out, "svcenc_next_lease_end_seconds %.3f\n",
		lease_next_end_ms(agent) < 0 ?
			-1.0 :
			(double)lease_next_end_ms(agent) / 1000);
}

/* --- the file ------------------------------------------------------------- */

static int write_file(const struct agent *agent, const char *path)
{
	char beside[SVCENC_PATH_MAX + 8];
	FILE *out;
	int r;

	snprintf(beside, sizeof(beside), "%s.new", path);
	(void)unlink(beside); /* of a svcencd that was killed */
	out = fopen(beside, "wxe");
	if (!out)
		return -errno;
	print_sums(out, agent);
	print_policies(out, agent);
	print_vaults(out, agent);
	r = ferror(out) || fchmod(fileno(out), 0644) < 0 ? -EIO : 0;
	if (fclose(out) && !r)
		r = -errno;
	if (!r && rename(beside, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(beside);
	return r;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	static int last; /* a full disk is told once */
	struct agent *agent = userdata;
	int r;

	(void)usec;
	r = write_file(agent, agent->config.metrics);
	if (r < 0 && r != last)
		log_warning("metrics are not written to %s: %s",
			    agent->config.metrics, strerror(-r));
	last = r;
	(void)sd_event_source_set_time_relative(
		source, (uint64_t)agent->config.metrics_s * 1000000);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

int metrics_start(struct agent *agent)
{
	if (!agent->config.metrics[0])
		return 0;
	return sd_event_add_time_relative(agent->event, &agent->metrics_timer,
					  CLOCK_MONOTONIC, 0, 100000, on_timer,
					  agent);
}

/* Nobody keeps it up to date any more: better none than an old one. */
void metrics_stop(struct agent *agent)
{
	if (!agent->metrics_timer)
		return;
	agent->metrics_timer =
		sd_event_source_disable_unref(agent->metrics_timer);
	(void)unlink(agent->config.metrics);
}
