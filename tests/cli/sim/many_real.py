# SPDX-License-Identifier: GPL-2.0-or-later
"""Many policies with some volumes each on a real kernel: many_real.py AGENT_DIR
POLICIES VOLUMES PROBE_S. See t_agent_many_policies_really_open_long.sh."""

import json
import os
import sys
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from simlib import Checks, Client, wait

AGENT, (POLICIES, VOLUMES, PROBE) = sys.argv[1], (int(word) for word in sys.argv[2:])
checks = Checks()


def status_kib(field):
    with open(AGENT + "/pid", encoding="ascii") as file:
        pid = file.read().strip()
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def free_kib():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))


def unwraps():
    """Of vaults a and b, as the metrics tell."""
    with open(AGENT + "/run/metrics.prom", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file
                   if line.startswith(("svcenc_vault_call_seconds_count{vault=\"a\"",
                                       "svcenc_vault_call_seconds_count{vault=\"b\"")))


def make(client):
    alone = status_kib("VmRSS")
    policies = [client.call("CreatePolicy", tenant="t", name=f"p{number}", probe_s=PROBE,
                            lease_s=20 * PROBE)["policy"] for number in range(POLICIES)]
    middle = status_kib("VmRSS")
    for number in range(POLICIES * VOLUMES):
        client.call("CreateVolume", name=f"v{number}", device=f"/dev/mapper/part{number}",
                    tenant="t", policy=f"p{number // VOLUMES}")
    formatted, before = status_kib("VmRSS"), free_kib()
    for number in range(POLICIES * VOLUMES):
        client.call("OpenVolume", name=f"v{number}")
    opened, after = status_kib("VmRSS"), free_kib()
    count = POLICIES * VOLUMES
    print(f"memory of the agent: {alone} KiB alone, {(middle - alone) / POLICIES:.1f} per policy, "
          f"{(formatted - middle) / count:.1f} per volume, {(opened - formatted) / count:.1f} more "
          f"per open one; of the kernel: {(before - after) / count:.1f} KiB per open volume")
    return policies


def locked(client):
    return client.call("GetStatus")["volumes_locked"]


def withdraw(client, policies, state):
    for policy in policies:
        for vault in "ab":
            path = f"{AGENT}/vaults/{vault}/{policy['uuid']}.1.key"
            info = os.stat(path)
            with open(path, encoding="ascii") as file:
                key = dict(json.load(file), state=state)
            with open(path + ".new", "w", encoding="ascii") as file:
                os.fchmod(file.fileno(), 0o600)
                os.fchown(file.fileno(), info.st_uid, info.st_gid)
                json.dump(key, file)
            os.rename(path + ".new", path)
    begun = time.monotonic()
    wanted = VOLUMES * len(policies) if state == "disabled" else 0
    wait(3 * PROBE + 60, lambda: locked(client) == wanted, f"{wanted} volumes are locked")
    return time.monotonic() - begun


def main():
    client = Client(AGENT + "/run")
    client.call("CreateTenant", name="t")
    begun = time.monotonic()
    policies = make(client)
    print(f"made in {time.monotonic() - begun:.0f} s")
    checks.equal(client.call("GetStatus")["volumes_open"], POLICIES * VOLUMES, "volumes open")
    time.sleep(PROBE)
    count, begun = unwraps(), time.monotonic()
    time.sleep(2 * PROBE)
    each = (unwraps() - count) / POLICIES / ((time.monotonic() - begun) / PROBE)
    checks.ok(1.7 <= each <= 2.5, f"{each:.2f} unwraps per policy and interval, two roots")
    with open(AGENT + "/restart", "w", encoding="ascii"):
        pass
    wait(120, lambda: not os.path.exists(AGENT + "/restart"), "the agent is restarted")
    client = Client(AGENT + "/run")
    begun = time.monotonic()
    seen = []
    while not seen or seen[-1] < POLICIES:
        status = client.call("GetStatus")
        seen.append(status["policies_probed"])
        if status["policies_found"] != POLICIES or time.monotonic() - begun > 2 * PROBE + 60:
            sys.exit(f"after a restart: {status}")
        time.sleep(0.5)
    took = time.monotonic() - begun
    checks.ok(took < PROBE + 5, f"restarted: {POLICIES} policies found, all probed after {took:.0f} s "
                                f"({seen[0]}, {seen[len(seen) // 2]}, {seen[-1]})")
    checks.equal(locked(client), 0, "restarted: locked volumes")
    some = policies[::max(1, POLICIES // 10)]
    took = withdraw(client, some, "disabled")
    checks.ok(took <= PROBE + 5, f"{len(some)} withdrawn: their volumes are locked after {took:.1f} s")
    took = withdraw(client, some, "enabled")
    checks.ok(took <= PROBE + 2, f"allowed again: none is locked after {took:.1f} s")
    for number in range(POLICIES * VOLUMES):
        client.call("CloseVolume", name=f"v{number}")
    checks.equal(client.call("GetStatus")["volumes_open"], 0, "volumes open in the end")
    checks.done()


main()
