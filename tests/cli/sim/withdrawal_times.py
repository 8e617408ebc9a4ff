# SPDX-License-Identifier: GPL-2.0-or-later
"""Withdraws keys of volumes under load and measures: withdrawal_times.py
AGENT_DIR VOLUMES ROUNDS PROBE_S. See t_agent_withdrawal_times.sh; each volume
has a policy of its own."""

import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import Client, Loop, Vault, error, wait

AGENT, (VOLUMES, ROUNDS, PROBE) = sys.argv[1], (int(word) for word in sys.argv[2:])
BOUND_MS = PROBE * 1000 + 5000
PERMISSION = error("Denied", reason="permission")


def uptime_ms():
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0]) * 1000


class Load:
    """svcenc-load, with less weight than the agent has."""

    def __init__(self, device, facts):
        self.facts = facts
        with open(facts + ".out", "wb") as out:
            self.process = subprocess.Popen(
                ["nice", "-n", "19", os.environ["SVC_LOAD"], "--threads", "1", "--max-bytes",
                 "4096", "--facts", facts, device], stdout=out, stderr=out)
        wait(60, lambda: os.path.exists(facts), "the load starts")

    def look(self):
        """What it saw since the last look."""
        os.unlink(self.facts)
        self.process.send_signal(signal.SIGUSR1)
        wait(60, lambda: os.path.exists(self.facts), "the load answers")
        with open(self.facts, encoding="ascii") as file:
            pairs = (line.strip().split("=") for line in file)
            return {name: int(value) for name, value in pairs if name != "first_error"}

    def end(self):
        self.process.terminate()
        self.process.wait()


class Tried:
    """One volume with a policy of its own, and the keys' owner's hand."""

    def __init__(self, client, number, told):
        self.number, self.told = number, told
        self.name = f"v{number}"
        vaults = ("told-a", "told-b") if told else ("a", "b")
        self.policy = client.call("CreatePolicy", tenant="t", name=self.name, probe_s=PROBE,
                                  lease_s=max(10, 2 * PROBE), vault_a=vaults[0],
                                  vault_b=vaults[1])["policy"]
        client.call("CreateVolume", name=self.name, device=f"/dev/mapper/part{number}",
                    tenant="t", policy=self.name)
        client.call("OpenVolume", name=self.name)
        self.files = [f"{AGENT}/vaults/{vault}/{self.policy['uuid']}.1.key" for vault in vaults]
        self.load = Load(f"/dev/mapper/{self.name}", f"{AGENT}/facts.{number}")

    def set_state(self, state):
        """As the file vault's owner does it: a new file in the old one's place."""
        for path in self.files:
            info = os.stat(path)
            with open(path, encoding="ascii") as file:
                key = json.load(file)
            key["state"] = state
            with open(path + ".new", "w", encoding="ascii") as file:
                os.fchmod(file.fileno(), 0o600)
                os.fchown(file.fileno(), info.st_uid, info.st_gid)
                json.dump(key, file)
            os.rename(path + ".new", path)

    def withdraw(self, turn):
        self.how = "permission removed" if self.told else \
            ("disabled", "deleted", "file gone")[turn % 3]
        self.when = uptime_ms()
        if self.told:
            for root, vault in zip(self.policy["roots"], self.told):
                vault.of[root["kid"]] = PERMISSION
        elif self.how == "file gone":
            for path in self.files:
                os.rename(path, path + ".away")
        else:
            self.set_state(self.how)

    def allow(self):
        self.when = uptime_ms()
        if self.told:
            for vault in self.told:
                vault.of.clear()
        elif self.how == "file gone":
            for path in self.files:
                os.rename(path + ".away", path)
        else:
            self.set_state("enabled")


def stopped(tried):
    """ms from the order to the first failed I/O; None: not yet."""
    facts = tried.load.look()
    if facts["not_offline"] or facts["wrong"]:
        sys.exit(f"{tried.name}: {facts}")
    if not facts["failed"]:
        return None
    return facts["first_failure"] / 1e6 - tried.when


def distribution(name, values):
    values = sorted(values)
    parts = ", ".join(f"{what} {values[min(len(values) - 1, int(len(values) * part))]:.0f}"
                      for what, part in (("median", .5), ("90 %", .9), ("max", 1)))
    print(f"# {name}, {len(values)} tries: min {values[0]:.0f}, {parts} ms", flush=True)


def one_round(everybody, turn):
    """Spread over a probe interval; (withdrawn, how) to stop, and to flow again."""
    for tried in everybody:
        tried.load.look()
        tried.withdraw(turn + tried.number)
        time.sleep(PROBE / len(everybody))
    ends, returns = {}, {}
    while len(ends) < len(everybody):
        for tried in everybody:
            if tried not in ends and (after := stopped(tried)) is not None:
                ends[tried] = (after, tried.how)
            elif tried not in ends and uptime_ms() - tried.when > 3 * BOUND_MS:
                sys.exit(f"{tried.name}, {tried.how}: I/O goes on")
        time.sleep(0.2)
    for tried in everybody:
        tried.allow()
    while len(returns) < len(everybody):
        for tried in everybody:
            if tried not in returns and tried.load.look()["ok"]:
                returns[tried] = uptime_ms() - tried.when
            elif tried not in returns and uptime_ms() - tried.when > 3 * BOUND_MS:
                sys.exit(f"{tried.name}, {tried.how}: no I/O again")
        time.sleep(0.2)
    return list(ends.values()), list(returns.values())


def main():
    client, loop = Client(AGENT + "/run"), Loop()
    told = [Vault(name, f"{AGENT}/run/vault/{name}/sock") for name in ("told-a", "told-b")]
    for vault in told:
        loop.do(vault.listen())
    client.call("CreateTenant", name="t")
    everybody = [Tried(client, number, told if number % 5 == 4 else None)
                 for number in range(VOLUMES)]
    time.sleep(PROBE + 1)
    ends, returns = [], []
    for turn in range(ROUNDS):
        more_ends, more_returns = one_round(everybody, turn)
        ends += more_ends
        returns += more_returns
    for tried in everybody:
        tried.load.end()
        wait(20, lambda tried=tried: client.call("CloseVolume", name=tried.name), "it closes")
    for how in sorted({how for _, how in ends}):
        distribution(how, [after for after, what in ends if what == how])
    distribution("I/O stopped", [after for after, _ in ends])
    distribution("I/O flowed again", returns)
    print(f"# bounds: {BOUND_MS} ms to stop, {PROBE * 1000} ms to flow again (seen up to 0.2 s "
          "late)")
    # this machine emulates a processor, on which the loads leave little time
    late = [after for after in returns if after > PROBE * 1000 + 2000]
    wrong = [end for end in ends if not 0 <= end[0] <= BOUND_MS]
    sys.exit(f"outside of the bounds: {wrong} {late}" if wrong or late else 0)


main()
