# SPDX-License-Identifier: GPL-2.0-or-later
"""Lives through the cells of svcencd(8)'s tables; all at the same time, each a
policy of its own. See t_agent_key_states.sh."""

import re
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import SILENT, TOP, Checks, Site, error, now_ms, slow, wait

MANUAL = TOP + "/agent/man/svcencd.8.scd"
PROBE, LEASE = 1, 7
BOUND_MS = PROBE * 1000 + 5000
NOISE_MS = 1500  # of this machine, on top of what is promised


def tables():
    """Each as a list of rows, each a list of texts; the first row is the head."""
    found, rows = [], None
    with open(MANUAL, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"(\[\[|\||:)\[? *(.*)\n", line)
            if not match:
                rows = None
                continue
            if match[1] == "[[":
                rows = []
                found.append(rows)
            if match[1] != ":":
                rows.append([])
            rows[-1].append(match[2].strip("*"))
    return found


def answer_of(state, text):
    """What a scripted vault says so that svcencd sees this class."""
    name, reason = re.match(r"(\w+)(?: \((.*)\))?$", text).groups()
    if state == "vault slow, up to 3 s":
        return slow(2)
    if state == "vault silent":
        return SILENT
    if name == "ok":
        return None
    more = {"reason": reason} if reason else {}
    names = {"denied": "Denied", "badauth": "BadAuth", "corrupt": "Corrupt",
             "unreachable": "Unreachable", "throttled": "Throttled"}
    if name == "throttled":
        more["retry_after_s"] = 1
    return error(names[name], **more)


# Vaults of their own: nobody listens there at all, or it wants to be left alone
# by everybody, which concerns the keys of others, too.
OWN_VAULTS = {"vault gone": "gone", "throttled": "busy"}


class Cell:
    """One policy whose roots (0: a, 1: b) are in a state, and what it leads to."""

    def __init__(self, name, roots, answer, wanted, **rules):
        self.name, self.roots, self.answer, self.wanted = name, roots, answer, wanted
        self.rules, self.granted = rules, False
        own = OWN_VAULTS.get(name.split(",")[0]) or OWN_VAULTS.get(name.split()[-1])
        self.vaults = [f"{own}-{vault}" if own and root in roots else vault
                       for root, vault in enumerate("ab")] + ["availability"]
        self.policy = self.begun = None

    def make(self, site, number):
        rules = dict(zip(("vault_a", "vault_b", "vault_availability"), self.vaults))
        self.number = f"p{number}"
        self.policy = site.policy("t", self.number, probe_s=PROBE, lease_s=LEASE, **rules,
                                  **self.rules)
        site.volume(f"v{number}", "t", self.number)
        self.key = self.policy["key"]

    def begin(self, site):
        for root in self.roots:
            site[self.vaults[root]].of[self.policy["roots"][root]["kid"]] = self.answer
        self.begun = now_ms()

    def end(self, site):
        for root in self.roots:
            site[self.vaults[root]].of.pop(self.policy["roots"][root]["kid"], None)
        self.ended = now_ms()

    def stopped_after(self, site):
        """Milliseconds from the state's begin to the key's end; None: it lives."""
        key = site.keys()[self.key]
        return None if site.is_alive(self.key) else (key.ended_ms or key.end_ms) - self.begun


def cells_of_states(rows):
    for number, (state, text, one, both) in enumerate(rows[1:]):
        answer = answer_of(state, text)
        for roots, wanted in (([number % 2], one), ([0, 1], both)):
            yield Cell(f"{state}, {len(roots)} of 2 roots: {text}", roots, answer, wanted)


def cells_of_rules(rows):
    for rule, wanted in rows[1:]:
        for text in ("unreachable", "throttled"):
            name, *granted = rule.split(", ")
            cell = Cell(f"availability {rule}, both roots {text}", [0, 1], answer_of("", text),
                        wanted, availability=name)
            cell.granted = bool(granted)
            yield cell


def check_begun(site, checks, cell):
    """Half of the outcome: after the bound, before a lease can have run out."""
    stopped, shown = cell.stopped_after(site), site.show("t", cell.number)
    state = {"runs out": "degraded"}.get(cell.wanted, cell.wanted)
    if cell.wanted == "locked":
        checks.ok(stopped is not None and stopped <= BOUND_MS,
                  f"{cell.name}: stopped after {stopped or 0:.0f} ms, bound {BOUND_MS}")
    elif cell.wanted != "runs out":
        checks.ok(stopped is None, f"{cell.name}: I/O goes on")
    if cell.wanted != "runs out":
        checks.equal(shown["state"], state, f"{cell.name}: state")


def check_run_out(site, checks, cell):
    wait(LEASE + 10, lambda: not site.is_alive(cell.key), cell.name)
    stopped = cell.stopped_after(site)
    # the last renewal was up to a round of probes before the state began
    checks.ok((LEASE - PROBE) * 1000 - NOISE_MS <= stopped <= LEASE * 1000 + NOISE_MS,
              f"{cell.name}: the lease of {LEASE} s ran out, after {stopped:.0f} ms")
    wait(5, lambda: site.show("t", cell.number)["state"] == "locked", cell.name + ": locked")
    checks.ok(True, f"{cell.name}: state locked")


def check_return(site, checks, cells):
    """Allowed again: no cell needs a hand."""
    longest = 0
    for cell in cells:
        cell.end(site)
    site.back("gone-a", "gone-b")
    begun = now_ms()
    for cell in cells:
        wait(PROBE + 20, lambda cell=cell: site.is_alive(cell.key), cell.name + ": key is back")
        if cell.wanted in ("locked", "runs out"):
            longest = max(longest, now_ms() - begun)
    checks.ok(longest <= PROBE * 1000 + NOISE_MS,
              f"all keys are back, the last after {longest:.0f} ms, probe interval {PROBE} s")
    for cell in cells:
        wait(PROBE + 20, lambda cell=cell: site.show("t", cell.number)["state"] == "active",
             cell.name + ": active")
    locked = [volume.name for volume in site.volumes().values() if volume.locked]
    checks.equal(locked, [], "all policies are active, no volume is locked")


def check_defaults(site, checks, rows):
    policy = site.show("t", "provider")
    is_now = {"probe + 5 s": policy["probe_s"] + 5, "probe": policy["probe_s"],
              "lease": policy["lease_s"], "fallback_max": policy["fallback_max_s"],
              "3 s": 3, "Retry-After": 300}
    for what, bound, default in rows[1:]:
        checks.equal(f"{is_now[bound]} s", default, f"{what}: {bound}, by default")


def main():
    states, rules, bounds = tables()
    checks, site = Checks(), Site("metrics_interval = 1\n")
    for name in ("gone-a", "gone-b", "busy-a", "busy-b"):
        site.add_vault(name)
    site.start()
    cells = [*cells_of_states(states), *cells_of_rules(rules)]
    checks.ok(len(states) - 1 >= 11 and len(cells) >= 30, f"the manual has {len(cells)} cells")
    for number, cell in enumerate(cells):
        cell.make(site, number)
    check_defaults(site, checks, bounds)
    wait(20, lambda: all(site.show("t", cell.number)["state"] == "active" for cell in cells),
         "all policies are active")
    for cell in cells:
        if cell.granted:
            site.call("GrantFallback", tenant="t", name=cell.number, reason="a test", for_s=60)
    site.gone("gone-a", "gone-b")
    for cell in cells:
        cell.begin(site)
    wait(30, lambda: now_ms() - cells[-1].begun > BOUND_MS, "the bound")
    for cell in cells:
        check_begun(site, checks, cell)
    for cell in cells:
        if cell.wanted == "runs out":
            check_run_out(site, checks, cell)
    check_return(site, checks, cells)
    site.end()
    checks.done()


main()
