# SPDX-License-Identifier: GPL-2.0-or-later
"""Many policies with some volumes each: many_policies.py POLICIES VOLUMES PROBE_S.
See t_agent_many_policies.sh."""

import os
import signal
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import DISABLED, Checks, Site, error, now_ms, slow, wait

POLICIES, VOLUMES, PROBE = (int(word) for word in sys.argv[1:])
NOISE_MS = 1500
BUSY = "p1v0"  # is opened and closed, so its device is kept
checks = Checks()


def memory_kib(site):
    with open(f"/proc/{site.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def processor_s(site):
    with open(f"/proc/{site.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_policies(site):
    rules = {"probe_s": PROBE, "lease_s": 20 * PROBE}
    before = memory_kib(site)
    policies = [site.call("CreatePolicy", tenant="t", name=f"p{number}", **rules)["policy"]
                for number in range(POLICIES)]
    middle = memory_kib(site)
    for policy in policies:
        for number in range(VOLUMES):
            name = f"{policy['name']}v{number}"
            device = site.volume(name, "t", policy["name"])
            if name != BUSY:
                os.unlink(device)
    after = memory_kib(site)
    print(f"# memory: {before} KiB alone, {(middle - before) / POLICIES:.1f} KiB per policy, "
          f"{(after - middle) / POLICIES / VOLUMES:.1f} KiB per open volume", flush=True)
    checks.ok(after - before < 64 * POLICIES + 16 * POLICIES * VOLUMES,
              f"{POLICIES} policies with {POLICIES * VOLUMES} open volumes: {after} KiB in all")
    return policies


def unwraps_between(site, begun, ended):
    return [call for name in "ab" for call in site[name].times if begun <= call[0] < ended]


def steady(site):
    """Five intervals with nothing else to do."""
    begun, used = now_ms(), processor_s(site)
    time.sleep(5 * PROBE)
    ended = now_ms()
    used = processor_s(site) - used
    calls = unwraps_between(site, begun, ended)
    rounds = (ended - begun) / 1000 / PROBE
    each = len(calls) / POLICIES / rounds
    # the interval is up to a tenth shorter than the rule says
    checks.ok(1.8 <= each <= 2.4, f"each policy is probed by itself, whatever its volumes: "
                                  f"{each:.2f} unwraps per interval of {PROBE} s, two roots")
    parts = [0] * 50  # of 5 intervals
    for when, *_ in calls:
        parts[min(49, int((when - begun) * 50 / (ended - begun)))] += 1
    mean = len(calls) / 50
    checks.ok(max(parts) <= 3 * mean + 10,
              f"they are spread: {mean:.0f} in a tenth of an interval, at most {max(parts)}")
    print(f"# processor: {used / rounds / POLICIES * 1e6:.0f} us per policy and interval")


def longest_gap(site, begun, ended):
    last, longest = {}, 0
    for when, kid, _ in unwraps_between(site, begun, ended):
        longest = max(longest, when - last.get(kid, when))
        last[kid] = when
    return longest


def with_slow_vaults(site, policies):
    """Each answer takes 2.5 s, and somebody opens and closes volumes meanwhile;
    every tenth policy is withdrawn. So slow is no outage: with all of them under
    way at the same time, nobody has to go without an answer."""
    withdrawn = policies[::max(1, POLICIES // 10)]
    for name in "ab":
        site[name].says = slow(2.5)
    time.sleep(PROBE)
    begun = now_ms()
    for policy in withdrawn:
        for root, name in enumerate("ab"):
            site[name].of[policy["roots"][root]["kid"]] = DISABLED
    bridged = 0
    while now_ms() - begun < PROBE * 1000 + 5000:
        bridged = max(bridged, site.call("GetStatus")["policies_not_active"] - len(withdrawn))
        site.call("CloseVolume", name=BUSY)
        site.call("OpenVolume", name=BUSY)
        time.sleep(0.1)
    keys = site.keys()
    after = [keys[policy["key"]].ended_ms - begun for policy in withdrawn]
    checks.ok(min(after) >= 0 and max(after) <= PROBE * 1000 + 5000,
              f"slow vaults: {len(after)} withdrawn, the last one stopped after {max(after):.0f} ms, "
              f"bound {PROBE * 1000 + 5000}")
    gone = [policy["name"] for policy in policies
            if policy not in withdrawn and not site.is_alive(policy["key"])]
    checks.equal(gone, [], "slow vaults: all others live")
    checks.ok(bridged <= POLICIES // 20,
              f"slow vaults: at most {bridged} of the others were not active at the same time")
    # an answer is part of the time between two questions
    longest = longest_gap(site, begun, now_ms())
    checks.ok(longest <= PROBE * 1000 + 3000 + NOISE_MS,
              f"slow vaults: nobody waited longer than {longest:.0f} ms for the next probe")
    for name in "ab":
        site[name].says = None
        site[name].of.clear()
    begun = now_ms()
    for policy in withdrawn:
        wait(PROBE + 10, lambda policy=policy: site.is_alive(policy["key"]), "service returns")
    checks.ok(now_ms() - begun < PROBE * 1000 + NOISE_MS + 2500,
              f"all are back {now_ms() - begun:.0f} ms after the last word")


class Bucket:
    """Lets so many calls a second through; to others it says: come again."""

    def __init__(self, per_second):
        self.per_second, self.tokens, self.last = per_second, per_second, now_ms()
        self.refused = 0

    def __call__(self, _kid, _blob):
        now = now_ms()
        self.tokens = min(self.per_second,
                          self.tokens + (now - self.last) / 1000 * self.per_second)
        self.last = now
        if self.tokens < 1:
            self.refused += 1
            return error("Throttled", retry_after_s=1)
        self.tokens -= 1
        return None


def start_against_throttling(site, policies):
    """A restart, and vaults that let through a third of what is asked."""
    for name in "ab":
        site[name].says = Bucket(POLICIES / PROBE / 3)
    site.stop(signal.SIGKILL)
    begun = now_ms()
    site.start()
    ready = now_ms() - begun
    seen, slowest = [], 0
    while not seen or seen[-1][0] < seen[-1][1]:
        asked = now_ms()
        status = site.call("GetStatus")
        slowest = max(slowest, now_ms() - asked)
        seen.append((status["policies_probed"], status["policies_found"]))
        if now_ms() - begun > 3 * PROBE * 1000 + 10000:
            break
        time.sleep(0.1)
    took = now_ms() - begun
    print("# progress: " + " ".join(f"{probed}/{found}" for probed, found in
                                    seen[::max(1, len(seen) // 12)]))
    checks.equal(seen[-1], (POLICIES, POLICIES), "throttled start: all policies were probed")
    checks.ok(took <= PROBE * 1000 + NOISE_MS + ready,
              f"throttled start: ready after {ready:.0f} ms, all probed after {took:.0f} ms")
    checks.ok(slowest < 1000, f"throttled start: status answers within {slowest:.0f} ms")
    checks.ok(len({probed for probed, _ in seen}) >= 4, "throttled start: progress is seen")
    refused = sum(site[name].says.refused for name in "ab")
    checks.ok(refused < 20 + 2 * took / 1000 * 8,
              f"throttled start: vaults are left alone, they had to refuse {refused} calls")
    time.sleep(PROBE)
    gone = [policy["name"] for policy in policies if not site.is_alive(policy["key"])]
    checks.equal(gone, [], "throttled start: no key ended")
    for name in "ab":
        site[name].says = None
    wait(PROBE * 2 + 20, lambda: site.call("GetStatus")["policies_not_active"] == 0, "all active")
    checks.ok(True, "not throttled any more: all are active")


def main():
    site = Site(room=512 << 20)
    site.start()
    site.call("CreateTenant", name="t")
    begun = time.monotonic()
    policies = make_policies(site)
    print(f"# made in {time.monotonic() - begun:.0f} s", flush=True)
    wait(PROBE + 30, lambda: site.call("GetStatus")["policies_not_active"] == 0, "all active")
    steady(site)
    with_slow_vaults(site, policies)
    start_against_throttling(site, policies)
    checks.equal(len(site.volumes()), POLICIES * VOLUMES, "volumes are mapped")
    checks.equal([v.name for v in site.volumes().values() if v.locked], [], "locked volumes")
    site.end()
    checks.done()


main()
