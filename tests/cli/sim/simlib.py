# SPDX-License-Identifier: GPL-2.0-or-later
"""The real svcencd over a simulated kernel (kernel.c), and vaults that say what
a test wants: for tests of the rules on a host without device-mapper."""

import asyncio
import atexit
import base64
import collections
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
BIN = os.environ.get("CLI_BIN", TOP + "/build/bin")
SIM = TOP + "/build/test/sim/svcencd"
KEYS, VOLUMES = 4096, 16384
KEY = struct.Struct("63sxQqqII")
VOLUME = struct.Struct("64s40s63sxQII")
MIB = 1 << 20
Key = collections.namedtuple("Key", "id hash end_ms ended_ms lease_s renewals")
Volume = collections.namedtuple("Volume", "name uuid key sectors locked unlocks")


def now_ms():
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000


class Refused(Exception):
    """A Varlink error: name without the interface, and its parameters."""

    def __init__(self, error, parameters):
        super().__init__(f"{error}: {parameters.get('message', parameters)}")
        self.error = error.rsplit(".", 1)[-1]
        self.parameters = parameters


# --- vaults -------------------------------------------------------------------

def error(name, **parameters):
    parameters.setdefault("detail", "as the test says")
    return {"error": "io.svcenc.Vault." + name, "parameters": parameters}


DISABLED = error("Denied", reason="disabled")
SILENT = "silent"  # takes the call and never answers


def slow(seconds):
    """Answers as it should, but late."""
    return ("slow", seconds)


def raw(text):
    """Sends these bytes instead of an answer, then closes."""
    return ("raw", text)


class Vault:
    """Opens what it has wrapped, unless told otherwise: .says for every Unwrap,
    .of[kid] for those of one key; a callable gets (kid, blob)."""

    def __init__(self, name, path):
        self.name, self.path = name, path
        self.wrapped = {}
        self.says, self.of = None, {}
        self.calls = collections.Counter()
        self.times = []  # of Unwraps: when, which key, which blob
        self.server = None

    def answer(self, method, parameters):
        self.calls[method] += 1
        if method == "GetInfo":
            return {"parameters": {"name": self.name, "type": "scripted", "note": "a test",
                                   "separates_from_root": True, "creates_keys": True}}
        if method == "CreateKey":
            kid = f"scripted:{self.name}/{parameters['name']}"
            return {"parameters": {"kid": kid, "alg": "A256KW"}}
        kid = parameters["kid"]
        if method == "Wrap":
            blob = base64.b64encode(os.urandom(32)).decode()
            self.wrapped[blob] = (kid, parameters["plaintext"])
            return {"parameters": {"blob": blob, "alg": "A256KW"}}
        if method != "Unwrap":
            return error("Corrupt", detail="unknown method " + method)
        self.times.append((now_ms(), kid, parameters["blob"]))
        wanted = self.of.get(kid, self.says)
        if callable(wanted):
            wanted = wanted(kid, parameters["blob"])
        return wanted or self.unwrap(kid, parameters["blob"])

    def unwrap(self, kid, blob):
        if self.wrapped.get(blob, ("",))[0] != kid:
            return error("Corrupt", detail="not a blob of this key")
        return {"parameters": {"plaintext": self.wrapped[blob][1]}}

    async def serve_one(self, reader, writer, call):
        answer = self.answer(call["method"].rsplit(".", 1)[-1], call.get("parameters", {}))
        if answer == SILENT:
            await reader.read()
            return False
        if isinstance(answer, tuple) and answer[0] == "slow":
            await asyncio.sleep(answer[1])
            answer = self.unwrap(call["parameters"]["kid"], call["parameters"]["blob"])
        if isinstance(answer, tuple):
            writer.write(answer[1])
            await writer.drain()
            return False
        writer.write(json.dumps(answer).encode() + b"\0")
        await writer.drain()
        return True

    async def serve(self, reader, writer):
        try:
            while await self.serve_one(reader, writer,
                                       json.loads((await reader.readuntil(b"\0"))[:-1])):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def listen(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.server = await asyncio.start_unix_server(self.serve, self.path, backlog=512)
        os.chmod(self.path, 0o600)

    async def leave(self):
        if self.server:
            self.server.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


def place_with(room):
    """Memory, if @room bytes are wanted and there: many flushes cost much on disks."""
    if not room or not os.path.isdir("/dev/shm"):
        return None
    free = os.statvfs("/dev/shm")
    return "/dev/shm" if free.f_bavail * free.f_frsize > room else None


class Client:
    """Talks to the agent whose sockets are in a directory."""

    def __init__(self, run):
        self.run, self.socket = run, None

    def call(self, method, **parameters):
        if not self.socket:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(60)
            self.socket.connect(self.run + "/officer.sock")
        call = {"method": "io.svcenc.Agent." + method, "parameters": parameters}
        self.socket.sendall(json.dumps(call).encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            part = self.socket.recv(1 << 20)
            if not part:
                raise ConnectionResetError("the agent hung up")
            answer += part
        answer = json.loads(answer[:-1])
        if "error" in answer:
            raise Refused(answer["error"], answer["parameters"])
        return answer["parameters"]


class Loop:
    """Lets vaults serve in a thread of their own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


class Site(Client, Loop):
    """Directories, three vaults ("a", "b", "availability"), an agent."""

    def __init__(self, config="", room=0):
        self.dir = tempfile.mkdtemp(prefix="svcenc-sim.", dir=place_with(room))
        Client.__init__(self, self.dir + "/run")
        Loop.__init__(self)
        self.etc, self.sim = self.dir + "/etc", self.dir + "/sim"
        self.log = self.dir + "/log"
        os.makedirs(self.etc + "/vaults.d")
        self.configure(config)
        self.vaults = {}
        for name in ("a", "b", "availability"):
            self.add_vault(name)
        self.process = None
        atexit.register(self.end)

    def configure(self, config):
        with open(self.etc + "/svcencd.conf", "w", encoding="ascii") as file:
            file.write("[agent]\n" + config)

    def add_vault(self, name):
        with open(f"{self.etc}/vaults.d/{name}.conf", "w", encoding="ascii") as file:
            file.write("[vault]\nstart = external\nuser = root\n")
        os.makedirs(f"{self.run}/vault/{name}")
        self.vaults[name] = Vault(name, f"{self.run}/vault/{name}/sock")
        self.do(self.vaults[name].listen())

    def __getitem__(self, name):
        return self.vaults[name]

    def gone(self, *names):
        for name in names:
            self.do(self.vaults[name].leave())

    def back(self, *names):
        for name in names:
            self.do(self.vaults[name].listen())

    def start(self, *options):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [SIM, *options, "--etc", self.etc, "--state", self.dir + "/state", "--run",
                 self.run, "--vault-state", self.dir + "/vaults", "--libexec", BIN],
                stderr=log, env={"SVCENC_SIM": self.sim, "PATH": os.environ["PATH"]})
        wait(30, self.answers, "svcencd does not start: " + self.log)

    def answers(self):
        if self.process.poll() is not None:
            sys.exit(f"Bail out! svcencd ended: {self.said()[-1000:]}")
        try:
            self.call("GetStatus")
            return True
        except OSError:
            self.socket = None
            return False

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(30)
        self.socket = None

    def end(self):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGKILL if sys.exc_info()[0] else signal.SIGTERM)
        shutil.rmtree(self.dir, ignore_errors=True)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    # --- what tests do ------------------------------------------------------

    def volume(self, name, tenant, policy="provider", **more):
        """Formats and opens one; its device is forgotten, as nobody reads it."""
        device = f"{self.dir}/device.{name}"
        with open(device, "wb") as file:
            file.truncate(8 * MIB)
        self.call("CreateVolume", name=name, device=device, tenant=tenant, policy=policy)
        self.call("OpenVolume", name=name, **more)
        return device

    def policy(self, tenant, name, **rules):
        self.call("CreateTenant", name=tenant)
        return self.call("CreatePolicy", tenant=tenant, name=name, **rules)["policy"]

    def show(self, tenant, name):
        return self.call("ShowPolicy", tenant=tenant, name=name)["policy"]

    def keys(self):
        return {key.id: key for key in self.read(KEY, Key, 0, KEYS) if key.id}

    def volumes(self):
        return {volume.name: volume for volume in
                self.read(VOLUME, Volume, KEYS * KEY.size, VOLUMES)
                if volume.name not in ("", "-")}

    def read(self, form, kind, offset, count):
        with open(self.sim, "rb") as file:
            file.seek(offset)
            image = file.read(form.size * count)
        for fields in form.iter_unpack(image):
            yield kind._make(f.split(b"\0")[0].decode() if isinstance(f, bytes) else f
                             for f in fields)

    def set_wall_clock(self, offset_s):
        with open(self.sim, "r+b") as file:
            file.seek(KEYS * KEY.size + VOLUMES * VOLUME.size)
            file.write(struct.pack("q", offset_s))

    def metrics(self):
        """Name with labels -> value."""
        with open(self.run + "/metrics.prom", encoding="ascii") as file:
            lines = [line for line in file if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def is_alive(self, key_id):
        """Does the key live: I/O goes on. The lease counts without the agent."""
        key = self.keys()[key_id]
        return not key.ended_ms and key.end_ms > now_ms()


def wait(seconds, condition, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit("Bail out! timed out: " + what)
        time.sleep(0.02)


# --- checks -------------------------------------------------------------------

class Checks:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        return good

    def equal(self, got, wanted, name):
        if not self.ok(got == wanted, name):
            print(f"# got {got!r}, wanted {wanted!r}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed or not self.count else 0)
