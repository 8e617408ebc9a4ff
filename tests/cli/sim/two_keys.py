# SPDX-License-Identifier: GPL-2.0-or-later
"""Two keys of one policy, both in use. See t_agent_two_keys.sh."""

import os
import signal
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import DISABLED, Checks, Refused, Site, slow, wait

checks = Checks()


def left_behind(site, name, **rules):
    """A policy with an open volume under each of two keys; returns their names."""
    site.policy("t", name, **rules)
    device = site.volume(name + "-old", "t", name)
    former = site.show("t", name)["key"]
    os.rename(device, device + ".away")
    answer = site.call("RekeyPolicy", tenant="t", name=name)
    checks.equal([volume["volume"] for volume in answer["unreached"]], [name + "-old"],
                 f"{name}: left behind by its rekey")
    site.volume(name + "-new", "t", name)
    policy = site.show("t", name)
    checks.equal(policy["superseded_keys"], [former], f"{name}: keys left behind")
    return former, policy["key"]


def are_renewed(site, keys, when):
    before = {key: site.keys()[key].renewals for key in keys}
    wait(20, lambda: all(site.keys()[key].renewals > before[key] + 2 for key in keys),
         when + ": both keys are renewed")
    checks.ok(all(site.is_alive(key) for key in keys), when + ": both keys are renewed and live")


def are_alive(site, keys, wanted, patience_s, what):
    wait(patience_s, lambda: all(site.is_alive(key) == wanted for key in keys), what)
    checks.ok(True, what)


def a_restart_finds_both(site, keys):
    site.stop(signal.SIGKILL)
    site.start()
    checks.equal(site.call("GetStatus")["policies_found"], 4, "keys in use found at the start")
    are_renewed(site, keys, "started anew")


def state_in_metrics(site, name, state):
    """Of each key of the policy."""
    uuid = site.show("t", name)["uuid"]
    wait(5, lambda: all(
        site.metrics().get(f'svcenc_policy_state{{policy="{uuid}",key="{version}",'
                           f'state="{state}"}}') for version in (1, 2)),
         f"{name}: both keys are {state} in the metrics")
    checks.ok(True, f"{name}: both keys are {state} in the metrics")


def figures_have_one_line(site):
    with open(site.run + "/metrics.prom", encoding="ascii") as file:
        names = [line.rsplit(" ", 1)[0] for line in file if not line.startswith("#")]
    checks.equal(len(names), len(set(names)), "metrics: lines, and different ones")


def a_withdrawal_ends_both(site, keys):
    roots = site.show("t", "near")["roots"]
    for root in (0, 1):
        site["ab"[root]].of[roots[root]["kid"]] = DISABLED
    are_alive(site, keys, False, 6, "withdrawn: both keys end within the bound")
    for root in (0, 1):
        site["ab"[root]].of.clear()
    are_alive(site, keys, True, 6, "allowed again: both keys are back")


def locked_meanwhile(site):
    """While the new key is being wrapped its owner takes the roots away."""
    before = site.show("t", "near")

    def take_away(_kid, _blob):
        for root in (0, 1):
            site["ab"[root]].of[before["roots"][root]["kid"]] = DISABLED
        return slow(2.5)

    site["availability"].says = take_away
    try:
        site.call("RekeyPolicy", tenant="t", name="near")
        checks.ok(False, "locked meanwhile: no rekey")
    except Refused as refusal:
        checks.ok(refusal.error == "VaultDenied" and "it is locked" in str(refusal),
                  f"locked meanwhile: {refusal}")
    site["availability"].says = None
    policy = site.show("t", "near")
    checks.equal((policy["key"], policy["task"], policy["superseded_keys"]),
                 (before["key"], "", before["superseded_keys"]), "locked meanwhile: its keys")
    site["a"].of.clear()
    site["b"].of.clear()


def a_grant_is_for_both(site, keys):
    """At once: the next probe is half a minute away."""
    site.gone("a", "b")
    site.call("GrantFallback", tenant="t", name="far", reason="both sites are down", for_s=60)
    state_in_metrics(site, "far", "fallback")
    site.call("RevokeGrant", tenant="t", name="far")
    are_alive(site, keys, False, 5, "a grant that is taken back ends both keys")
    site.call("GrantFallback", tenant="t", name="far", reason="once more", for_s=60)
    are_alive(site, keys, True, 5, "another grant brings both back")


def main():
    site = Site("metrics_interval = 1\n")
    site.start()
    near = left_behind(site, "near", probe_s=1, lease_s=4)
    far = left_behind(site, "far", probe_s=30, lease_s=60, availability="ask",
                      fallback_max_s=300)
    are_renewed(site, near, "rekeyed")
    state_in_metrics(site, "near", "active")
    figures_have_one_line(site)
    a_withdrawal_ends_both(site, near)
    locked_meanwhile(site)
    are_alive(site, near, True, 6, "allowed again: the keys of before are back")
    a_grant_is_for_both(site, far)
    site.back("a", "b")
    a_restart_finds_both(site, near)
    checks.done()


main()
