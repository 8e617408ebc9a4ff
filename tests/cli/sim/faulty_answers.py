# SPDX-License-Identifier: GPL-2.0-or-later
"""What a vault, or whoever sits in its place, may say. See t_agent_faulty_answers.sh."""

import base64
import os
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import SILENT, Checks, Refused, Site, error, raw, wait

NEIGHBOURS = 3
RANDOM = base64.b64encode(os.urandom(32)).decode()
GOOD = b'{"parameters": {"plaintext": "' + RANDOM.encode() + b'"}}\0'


def plaintext(value):
    return {"parameters": {"plaintext": value}}


# Name -> (answer, class). All but the last few are no answers of the interface.
FAULTS = {
    "no JSON": (raw(b"{]\0"), "corrupt"),
    "an empty message": (raw(b"\0"), "corrupt"),
    "no object": (raw(b"[]\0"), "corrupt"),
    "a member twice": (raw(b'{"parameters": {}, "parameters": {}}\0'), "corrupt"),
    "a member too many": (raw(b'{"parameters": {}, "continues": true}\0'), "corrupt"),
    "a hundred objects in each other": (raw(b'{"a":' * 100 + b"1" + b"}" * 100 + b"\0"),
                                        "corrupt"),
    "two megabytes without an end": (raw(b"x" * (2 << 20)), "corrupt"),
    "no plaintext": ({"parameters": {}}, "corrupt"),
    "plaintext that is a number": (plaintext(7), "corrupt"),
    "plaintext that is no base64": (plaintext("?" * 44), "corrupt"),
    "plaintext of no byte": (plaintext(""), "corrupt"),
    "another plaintext": (plaintext(RANDOM), "corrupt"),
    "a plaintext of 10000 bytes": (plaintext(base64.b64encode(bytes(10000)).decode()),
                                   "corrupt"),
    "an error of another interface": ({"error": "org.example.Denied", "parameters": {}},
                                      "corrupt"),
    "an error whose name is no name": ({"error": "\n\n"}, "corrupt"),
    "the plaintext of another tenant": (None, "corrupt"),  # is filled in below
    "half an answer": (raw(GOOD[:20]), "unreachable"),
    "no answer, and hangs up": (raw(b""), "unreachable"),
    "no answer at all": (SILENT, "unreachable"),
    "Denied without a reason": ({"error": "io.svcenc.Vault.Denied"}, "denied"),
    "Denied for a reason of 5000 bytes": (error("Denied", reason="r" * 5000), "denied"),
    "Unreachable with a detail of 5000 bytes": (error("Unreachable", detail="d" * 5000),
                                                "unreachable"),
}
EXIT = {"corrupt": "Integrity", "unreachable": "VaultUnreachable", "denied": "VaultDenied"}
checks = Checks()


def memory_kib(site):
    with open(f"/proc/{site.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class Case:
    def __init__(self, site, number, name):
        self.name, (self.answer, self.wanted) = name, FAULTS[name]
        self.id, self.tenant = f"p{number}", f"t{number}"
        self.policy = site.policy(self.tenant, self.id, probe_s=1, lease_s=60,
                                  availability="never")
        self.kids = [root["kid"] for root in self.policy["roots"]]
        site.volume(self.id, self.tenant, self.id)

    def fault(self, site, *names):
        for name in names:
            site[name].of[self.kids["ab".index(name)]] = self.answer

    def root(self, site, index):
        return site.show(self.tenant, self.id)["roots"][index]


def other_tenants_plaintext(site, case, other):
    """Whatever root a of one tenant is asked for, it answers with what the other
    tenant's root has: probe blob for probe blob, policy key for policy key."""
    def blobs(kid):
        return [blob for blob, (of, _) in site["a"].wrapped.items() if of == kid]

    def swapped(kid, blob):
        mine, theirs = blobs(kid), blobs(other.kids[0])
        return plaintext(site["a"].wrapped[theirs[mine.index(blob)]][1])

    case.answer = swapped


def one_root(site, cases):
    for case in cases:
        case.fault(site, "a")
    for case in cases:
        wait(20, lambda case=case: case.root(site, 0)["answer"] == case.wanted,
             f"{case.name}: {case.wanted}, but {case.root(site, 0)}")
        policy = site.show(case.tenant, case.id)
        checks.ok(site.is_alive(policy["key"]) and policy["state"] == "degraded",
                  f"{case.name}: {case.wanted}: I/O goes on with root b")


def both_roots(site, cases):
    """Nothing opens, however often it is tried, and nothing by another way."""
    available = site["availability"].calls["Unwrap"]
    for case in cases:
        site.call("CloseVolume", name=case.id)
    for case in cases:
        key = case.policy["key"]
        if callable(case.answer):
            site["b"].of[case.kids[1]] = plaintext(RANDOM)
        else:
            case.fault(site, "b")
        checks.ok(not site.is_alive(key), f"{case.name}: closed, the key does not live")
        try:
            site.call("OpenVolume", name=case.id)
            checks.ok(False, f"{case.name}: does not open")
        except Refused as refusal:
            checks.equal(refusal.error, EXIT[case.wanted], f"{case.name}: does not open: {refusal}")
        checks.ok(not site.is_alive(key) and case.id not in site.volumes(),
                  f"{case.name}: no key, no mapping")
    case, exits = next(case for case in cases if case.wanted == "denied"), set()
    for _ in range(30):
        try:
            site.call("OpenVolume", name=case.id)
        except Refused as refusal:
            exits.add((refusal.error, refusal.parameters["exit"]))
    checks.equal(exits, {("VaultDenied", 7)}, "thirty times more: exit status")
    checks.equal(site["availability"].calls["Unwrap"], available,
                 "the availability key was never asked: unwraps")


def gaps(site, kid):
    times = [when for when, of, _ in site["a"].times if of == kid]
    return [after - before for before, after in zip(times, times[1:])]


def retry_after(site):
    """However a throttling vault puts it, it is left alone, for a bounded time."""
    for value, wanted in ((5, 5), (10 ** 18, 300), (-1, 1), ("soon", 1), (None, 1)):
        name = f"busy{wanted}-{value}"[:20]
        site.vaults["busy"].says = error("Throttled", retry_after_s=value)
        count = site["busy"].calls["Unwrap"]
        try:
            site.call("TestVault", name="busy")
        except Refused as refusal:
            checks.equal(refusal.error, "VaultUnreachable", f"retry after {value}: {refusal}")
        checks.ok(f"vault 'busy' throttles; it is left alone for {wanted} s" in site.said(),
                  f"retry after {value}: left alone for {wanted} s")
        checks.equal(site["busy"].calls["Unwrap"], count + 1, f"{name}: asked once")
        site.vaults["busy"].says = None
        site.call("TestVault", name="busy")  # a person who asks is let through


def main():
    site = Site()
    site.add_vault("busy")
    site.start()
    cases = [Case(site, number, name) for number, name in enumerate(FAULTS)]
    healthy = [site.policy("healthy", f"h{number}", probe_s=1, lease_s=60)
               for number in range(NEIGHBOURS)]
    for policy in healthy:
        site.volume(policy["name"], "healthy", policy["name"])
    swapped = next(case for case in cases if "another tenant" in case.name)
    other_tenants_plaintext(site, swapped, cases[0])
    time.sleep(1)
    before = memory_kib(site)
    one_root(site, cases)
    time.sleep(3)  # each of them some times more
    grown = memory_kib(site) - before
    checks.ok(grown < 8192, f"memory has grown by {grown} KiB, from {before}")
    both_roots(site, cases)
    for policy in healthy:
        longest = max(gaps(site, policy["roots"][0]["kid"]))
        checks.ok(longest < 2000, f"beside: longest time between two probes {longest:.0f} ms, "
                                  "interval 1 s")
    checks.equal([site.show("healthy", policy["name"])["state"] for policy in healthy],
                 ["active"] * NEIGHBOURS, "beside: all are active")
    retry_after(site)
    site.end()
    checks.done()


main()
