# SPDX-License-Identifier: GPL-2.0-or-later
"""A denial is not forgotten. See t_agent_withdrawal_is_durable.sh."""

import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import DISABLED, Checks, Site, now_ms, wait

PROBE, BOUND_MS = 1, 6000
CALLS = ("pwrite64", "fdatasync", "ftruncate")
checks = Checks()


class Policy:
    def __init__(self, site, name):
        self.site, self.name = site, name
        policy = site.policy("t", name, probe_s=PROBE, lease_s=8)
        self.key, self.kids = policy["key"], [root["kid"] for root in policy["roots"]]
        site.volume(name, "t", name)

    def withdraw(self):
        for root, vault in enumerate("ab"):
            self.site[vault].of[self.kids[root]] = DISABLED
        self.begun = now_ms()

    def allow(self):
        for root, vault in enumerate("ab"):
            self.site[vault].of.pop(self.kids[root], None)

    def ends(self):
        wait(20, lambda: not self.site.is_alive(self.key), self.name + ": the key ends")
        return self.site.keys()[self.key].ended_ms - self.begun

    def state(self):
        return self.site.show("t", self.name)["state"]

    def is_back(self):
        self.allow()
        wait(20, lambda: self.state() == "active" and self.site.is_alive(self.key),
             self.name + " is back")


def stays_locked(site, policy, name):
    """After a restart without vaults, as it was with what the store had."""
    site.gone("a", "b")
    site.start()
    # a lease that another agent renewed may run; it is not renewed by us
    wait(10, lambda: not site.is_alive(policy.key), name + ": the key ends")
    time.sleep(2 * PROBE + 0.5)
    checks.ok(not site.is_alive(policy.key) and policy.state() == "locked",
              f"{name}: both vaults gone: {policy.state()}, no access")
    site.back("a", "b")
    policy.is_back()


def killed_in_between(site, policy):
    for step, name in ((1, "killed when the denial was stored"),
                       (2, "killed when the key had ended")):
        site.stop()
        site.start("--kill-at-step", str(step))
        policy.withdraw()
        wait(20, lambda: site.process.poll() is not None, name)
        checks.equal(site.process.returncode, -signal.SIGKILL, name)
        site.socket = None
        stays_locked(site, policy, name)


class Faults:
    """strace on the running agent: fails calls, and says how many it did."""

    def __init__(self, site, call, error, when):
        self.log = site.dir + "/strace"
        inject = f"{call}:error={error}" + (f":when={when}" if when else "")
        self.process = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", self.log, "-e", f"trace={call}", "-e",
             f"inject={inject}", "-p", str(site.process.pid)])
        wait(20, lambda: self.is_attached(site), "strace attaches")

    def is_attached(self, site):
        with open(f"/proc/{site.process.pid}/status", encoding="ascii") as file:
            return re.search(f"TracerPid:\t{self.process.pid}\n", file.read())

    def end(self):
        self.process.terminate()
        self.process.wait()
        with open(self.log, encoding="ascii", errors="replace") as file:
            return file.read().count("INJECTED")


def each_call_fails(site, policy):
    """Once each, and then all of them for as long as the denial lasts."""
    worst, faults = 0, 0
    for call in CALLS:
        for number in (1, 2, 3, 4, 5, 6, 0):
            for error in ("ENOSPC", "EIO"):
                faulty = Faults(site, call, error, number)
                policy.withdraw()
                after = policy.ends()
                worst = max(worst, after)
                done = faulty.end()
                wait(10, lambda: policy.state() == "locked", "the state is stored in the end")
                policy.is_back()
                faults += done
                if not done:
                    break  # no such call, or no more of them
            else:
                continue
            if number:
                break
    checks.ok(faults >= 10, f"{faults} writes, flushes and truncations failed")
    checks.ok(worst <= BOUND_MS, f"the key ended within {worst:.0f} ms each time, bound {BOUND_MS}")


def forgets_nothing_on_a_full_disk(site, policy):
    """The denial could not be stored, but then could: by a later probe."""
    faulty = Faults(site, "pwrite64", "ENOSPC", 0)
    policy.withdraw()
    policy.ends()
    site.gone("a", "b")
    time.sleep(2 * PROBE)
    checks.ok(not site.is_alive(policy.key), "full disk, then an outage: no access")
    checks.ok(faulty.end() > 0, "full disk: writes failed")
    wait(10, lambda: policy.state() == "locked", "the denial is stored after all")
    site.stop(signal.SIGKILL)
    site.back("a", "b")
    stays_locked(site, policy, "full disk, room again, killed")


def metrics_fail(site, policy):
    path = site.run + "/metrics.prom"
    for call, error in (("rename", "EIO"), ("fchmod", "EPERM")):
        faulty = Faults(site, call, error, 0)
        time.sleep(0.5)  # one that was being written when strace came
        os.unlink(path)
        time.sleep(2.2)
        # while it tries again there is one for a moment
        wait(5, lambda: not os.path.exists(path + ".new"), "nothing half-written stays")
        checks.ok(not os.path.exists(path), f"{call} fails: no metrics, nothing half-written")
        checks.ok(faulty.end() > 0, f"{call} did fail")
        wait(5, lambda: os.path.exists(path), "metrics are back")
    checks.ok("metrics are not written to" in site.said(), "the log says so")
    checks.ok(site.is_alive(policy.key) and policy.state() == "active", "and nothing else happened")


def main():
    site = Site("metrics_interval = 1\n")
    site.start()
    policy = Policy(site, "p")
    policy.is_back()
    killed_in_between(site, policy)
    each_call_fails(site, policy)
    forgets_nothing_on_a_full_disk(site, policy)
    metrics_fail(site, policy)
    site.end()
    checks.done()


main()
