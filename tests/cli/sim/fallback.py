# SPDX-License-Identifier: GPL-2.0-or-later
"""The availability key by the rules. See t_agent_fallback.sh."""

import signal
import socket
import json
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import DISABLED, SILENT, Checks, Refused, Site, now_ms, wait

YEARS_S = 10 * 365 * 86400
checks = Checks()


def refused(site, wanted, words, name_of_check, method, /, **parameters):
    try:
        site.call(method, **parameters)
        checks.ok(False, name_of_check + ": is refused")
    except Refused as refusal:
        checks.ok(refusal.error == wanted and words in refusal.parameters["message"],
                  f"{name_of_check}: {refusal}")
        checks.ok(refusal.parameters["hint"], f"{name_of_check}: {refusal.parameters['hint']}")


def state_is(site, name, state, patience_s=10):
    wait(patience_s, lambda: site.show("t", name)["state"] == state, f"{name} becomes {state}")


def is_visible(site):
    """Everywhere, with its reason."""
    policy, reason = site.show("t", "short"), "no root answers; the availability key bridges"
    checks.ok(policy["why"].startswith(reason), "status: " + policy["why"])
    checks.ok(0 <= policy["fallback_ms"] < 20000, f"status: for {policy['fallback_ms']} ms")
    event = [event for event in site.call("ListEvents")["events"]
             if event["policy"] == "t/short"][-1]
    checks.equal((event["was"], event["state"], event["root_a"], event["root_b"]),
                 ("active", "fallback", "unreachable", "unreachable"), "event: fallback")
    checks.ok(event["why"].startswith(reason), "event: " + event["why"])
    checks.ok(f"policy 't/short' is fallback now, was active: {reason}" in site.said(), "log")
    label = f'policy="{policy["uuid"]}",key="1"'
    wait(5, lambda: site.metrics().get(f'svcenc_policy_state{{{label},state="fallback"}}'),
         "the metrics tell")
    metrics = site.metrics()
    checks.ok(metrics[f"svcenc_policy_fallback_seconds{{{label}}}"] > 0, "metrics: for how long")
    checks.ok(metrics[f"svcenc_policy_lease_seconds{{{label}}}"] > 0, "metrics: the lease")
    checks.ok(metrics['svcenc_policies{state="fallback"}'] >= 1, "metrics: how many")
    checks.ok(any('class="ok",le="2.5"' in name for name in metrics), "metrics: latency by class")
    text = "".join(metrics)
    checks.ok("short" not in text and '"t/' not in text, "metrics: no names of tenants or policies")


def ends_after_its_time(site):
    key = site.show("t", "short")["key"]
    wait(15, lambda: not site.is_alive(key), "fallback_max ends the fallback")
    state_is(site, "short", "locked")
    after = (site.keys()[key].ended_ms - site.gone_ms) / 1000
    checks.ok(6 <= after <= 6 + 4, f"fallback_max of 6 s: ended after {after:.1f} s")
    time.sleep(1.2)
    checks.equal(site.show("t", "short")["state"], "locked", "it does not begin anew")
    refused(site, "VaultUnreachable", "no worker listens", "nor by an open", "OpenVolume",
            name="short")


def ask_needs_a_grant(site):
    key = site.show("t", "ask")["key"]
    checks.equal(site.show("t", "ask")["fallback_ms"], -1, "ask: no fallback by itself")
    refused(site, "Usage", "nothing to grant", "a grant for a policy that does not ask",
            "GrantFallback", tenant="t", name="short", reason="r", for_s=60)
    for for_s in (59, 301):
        refused(site, "Usage", "lasts 60 to 300 seconds", f"a grant of {for_s} s",
                "GrantFallback", tenant="t", name="ask", reason="r", for_s=for_s)
    for reason in ("", "r" * 201):
        refused(site, "Usage", "reason", f"a reason of {len(reason)} bytes",
                "GrantFallback", tenant="t", name="ask", reason=reason, for_s=60)
    refused(site, "NotFound", "has no grant", "to revoke none", "RevokeGrant", tenant="t",
            name="ask")
    only_officers(site)
    wait(15, lambda: not site.is_alive(key), "ask: the lease runs out")
    site.call("GrantFallback", tenant="t", name="ask", reason="ticket 4711", for_s=60)
    wait(5, lambda: site.is_alive(key), "a grant brings the key back")
    state_is(site, "ask", "fallback")
    policy = site.show("t", "ask")
    checks.ok(policy["grant"] == "ticket 4711" and 0 < policy["grant_left_ms"] <= 60000,
              f"status: granted for {policy['grant_left_ms']} ms more: {policy['grant']}")
    checks.ok("by an officer's grant" in policy["why"], "status: " + policy["why"])
    checks.equal([event["why"] for event in site.call("ListEvents")["events"]
                  if event["event"] == "grant"], ["ticket 4711"], "event: grant")
    checks.ok("grant for the availability key of policy 't/ask' by uid 0: ticket 4711"
              in site.said(), "audit: who, what and why")


def unwraps_are_hedged(site):
    """With root a silent: whichever root is asked first, nobody waits for a."""
    kids = [root["kid"] for root in site.show("t", "hedged")["roots"]]
    # what a root has wrapped first is the policy key, then the probe blob
    key_blob = next(blob for blob, (kid, _) in site["a"].wrapped.items() if kid == kids[0])
    site["a"].of[kids[0]] = SILENT
    took, tries, before = [], 24, len(site["a"].times)
    for _ in range(tries):
        site.call("CloseVolume", name="hedged")
        begun = now_ms()
        site.call("OpenVolume", name="hedged")
        took.append(now_ms() - begun)
    first = sum(blob == key_blob for _, _, blob in site["a"].times[before:])
    checks.ok(max(took) < 1500, f"root a silent, {tries} opens: slowest {max(took):.0f} ms")
    checks.ok(0 < first < tries, f"the first root is chosen at random: a {first} times of {tries}")
    del site["a"].of[kids[0]]


def only_officers(site):
    with socket.socket(socket.AF_UNIX) as operator:
        operator.connect(site.run + "/operator.sock")
        for method in ("GrantFallback", "RevokeGrant"):
            operator.sendall(json.dumps({"method": "io.svcenc.Agent." + method, "parameters":
                                         {"tenant": "t", "name": "ask"}}).encode() + b"\0")
            answer = json.loads(operator.recv(65536)[:-1])
            checks.equal(answer["error"], "io.svcenc.Agent.Permission",
                         f"operators may not call {method}")


def clocks_do_not_matter(site):
    """A fallback and a grant under way, by clocks years off and a restart."""
    key = site.show("t", "ask")["key"]
    for years in (-1, 1):
        site.set_wall_clock(years * YEARS_S)
        site.stop(signal.SIGKILL)
        site.start()
        time.sleep(1.5)  # a probe may come to another conclusion
        checks.ok(site.is_alive(key), f"clock {years * 10:+} years, restarted: I/O goes on")
        policy = site.show("t", "ask")
        checks.ok(0 < policy["grant_left_ms"] <= 60000,
                  f"and the grant has {policy['grant_left_ms']} ms left")
        checks.equal(policy["state"], "fallback", "and the state is")
        checks.equal(site.show("t", "short")["state"], "locked", "and what had ended has ended")
    site.set_wall_clock(0)


def a_grant_ends(site):
    key = site.show("t", "ask")["key"]
    site.call("RevokeGrant", tenant="t", name="ask")
    wait(5, lambda: not site.is_alive(key), "a grant that is taken back ends the key")
    checks.ok(True, "a grant that is taken back ends the key")
    state_is(site, "ask", "locked")
    why = site.show("t", "ask")["why"]
    checks.ok("grant of the availability key has ended" in why, "status: " + why)
    site.call("GrantFallback", tenant="t", name="ask", reason="once more", for_s=60)
    wait(5, lambda: site.is_alive(key), "another grant brings it back")
    checks.ok(True, "another grant brings it back")


def denied_outlives_outages(site):
    """Both roots of "denied" said no before the outage; svcencd was killed since."""
    checks.equal(site.show("t", "denied")["state"], "locked", "denied: is locked in the outage")
    checks.ok(not site.is_alive(site.show("t", "denied")["key"]), "denied: no I/O")
    refused(site, "VaultDenied", "which no outage undoes", "denied: open", "OpenVolume",
            name="denied")
    # one had said no, and of the other nothing has been heard since
    checks.equal(site.show("t", "half")["state"], "locked",
                 "one denied, the other silent: is locked")


def all_returns(site):
    site.vaults["a"].of.clear()
    site.vaults["b"].of.clear()
    site.back("a", "b")
    begun = now_ms()
    for name in ("short", "ask", "denied", "half"):
        state_is(site, name, "active")
    checks.ok(now_ms() - begun < 4000,
              f"vaults are back: all are active after {now_ms() - begun:.0f} ms")
    checks.equal(site.show("t", "short")["fallback_ms"], -1, "no fallback any more")
    checks.equal([v.name for v in site.volumes().values() if v.locked], [], "locked volumes")


def names_if_wanted(site):
    site.stop()
    site.configure("metrics_interval = 1\nmetrics_names = yes\n")
    site.start()
    wait(5, lambda: any('name="t/short"' in name for name in site.metrics()), "names in metrics")
    checks.ok(True, "metrics_names = yes: names are told")


def main():
    site = Site("metrics_interval = 1\n")
    site.start()
    for name, rules in (("short", {"fallback_max_s": 6}),
                        ("ask", {"availability": "ask", "fallback_max_s": 300}),
                        ("denied", {}), ("half", {}), ("hedged", {})):
        site.policy("t", name, probe_s=1, lease_s=4, **rules)
        site.volume(name, "t", name)
        state_is(site, name, "active")
    unwraps_are_hedged(site)
    denied, half = site.show("t", "denied"), site.show("t", "half")
    for root in (0, 1):
        site["ab"[root]].of[denied["roots"][root]["kid"]] = DISABLED
    site["a"].of[half["roots"][0]["kid"]] = DISABLED
    state_is(site, "denied", "locked")
    state_is(site, "half", "degraded")
    site.gone("a", "b")
    site.gone_ms = now_ms()
    state_is(site, "ask", "degraded")  # for as long as its lease
    state_is(site, "short", "fallback")
    is_visible(site)
    ask_needs_a_grant(site)
    ends_after_its_time(site)
    clocks_do_not_matter(site)
    denied_outlives_outages(site)
    a_grant_ends(site)
    all_returns(site)
    names_if_wanted(site)
    site.end()
    checks.done()


main()
