# SPDX-License-Identifier: GPL-2.0-or-later
"""
A vault worker under test: starts it as user nobody, speaks io.svcenc.Vault to
its socket, commands the emulator, reads what the emulator has received, and
prints what holds.
"""

import atexit
import base64
import ctypes
import errno
import json
import os
import pwd
import shutil
import socket
import subprocess
import time

TENANT = "11111111-2222-3333-4444-555555555555"
NOBODY = pwd.getpwnam("nobody")
PREFIX = "io.svcenc.Vault."


class Checks:
    def __init__(self):
        self.count = self.failed = 0

    def that(self, name, holds, got=""):
        self.count += 1
        if holds:
            print(f"ok {self.count} - {name}", flush=True)
            return
        self.failed += 1
        print(f"not ok {self.count} - {name}\n# got: {got}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        raise SystemExit(0 if self.count and not self.failed else 1)


class Emulator:
    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "ports"), encoding="ascii") as file:
            self.ports = dict(line.split() for line in file)
        control = socket.create_connection(("127.0.0.1", int(self.ports["control"])))
        self.control = control.makefile("rw", encoding="utf-8")

    def do(self, *words):
        self.control.write(" ".join(str(word) for word in words) + "\n")
        self.control.flush()
        answer = self.control.readline().rstrip("\n")
        if not answer.startswith("ok"):
            raise RuntimeError(f"{words}: {answer}")
        return answer[3:]

    def requests(self):
        path = os.path.join(self.folder, "requests")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def proxied(self):
        """What the proxies were asked: METHOD HOST:PORT FIELD..."""
        path = os.path.join(self.folder, "proxied")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def url(self, host="kv1.vault.localhost", port="vault"):
        return f"https://{host}:{self.ports[port]}"


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp of libseccomp."""

    _fields_ = [
        ("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64),
    ]  # fmt: skip


def forbid_network():
    """No sockets of AF_INET, as RestrictAddressFamilies= has it. In the child."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(0x7FFF0000))  # allow the rest
    call = library.seccomp_syscall_resolve_name(b"socket")
    inet = Comparison(0, 4, socket.AF_INET, 0)  # first argument equals
    error = 0x00050000 | errno.EAFNOSUPPORT
    if library.seccomp_rule_add_array(context, error, call, 1, ctypes.byref(inet)) or library.seccomp_load(context):
        raise OSError("seccomp")


class Worker:
    """svcenc-vault-akv with these settings; None leaves one out."""

    def __init__(self, program, folder, settings, credentials=None, without_network=False):
        self.folder = folder
        self.socket_path = os.path.join(folder, "sock")
        argv = [program, "--name", "t", "--socket", self.socket_path]
        for name, value in settings.items():
            if value is not None:
                argv += ["--set", f"{name}={value}"]
        environment = {"CREDENTIALS_DIRECTORY": credentials} if credentials else {}
        self.process = subprocess.Popen(
            argv, user="nobody", group=NOBODY.pw_gid, extra_groups=[], env=environment,
            stderr=subprocess.DEVNULL, cwd="/", preexec_fn=forbid_network if without_network else None,
        )  # fmt: skip
        atexit.register(self.process.kill)
        self.connection = self.connect()

    def connect(self):
        end = time.monotonic() + 20
        while True:
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(self.socket_path)
                return connection
            except OSError:
                connection.close()
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.005)

    def ask(self, method, **parameters):
        """(class or name of error, parameters)"""
        return self.ask_on(self.connection, method, parameters)

    def ask_on(self, connection, method, parameters):
        message = json.dumps({"method": PREFIX + method, "parameters": parameters})
        connection.sendall(message.encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            piece = connection.recv(65536)
            if not piece:
                return "Gone", {"status": self.process.wait()}
            answer += piece
        answer = json.loads(answer[:-1])
        return answer.get("error", "OK").split(".")[-1], answer.get("parameters", {})

    def stop(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(timeout=20)
        os.unlink(self.socket_path)


class Bench:
    def __init__(self, program, emulator_folder, folder):
        self.program, self.folder = program, folder
        self.checks, self.emulator = Checks(), Emulator(emulator_folder)
        self.worker = None
        self.secret = self.private_file("secret", "s3cret~x")
        self.plain = os.urandom(32)

    def private_file(self, name, text, mode=0o400):
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.unlink(path)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        return path

    def settings(self, **more):
        emulator = self.emulator
        settings = {
            "url": emulator.url(),
            "authority": f"https://login.localhost:{emulator.ports['login']}",
            "tenant": TENANT,
            "client_id": "app",
            "client_secret_file": self.secret,
            "ca_file": os.path.join(emulator.folder, "ca.pem"),
            "calls_at_once": "1",
        }
        settings.update(more)
        return settings

    def start(self, credentials=None, without_network=False, **more):
        if self.worker:
            self.worker.stop()
        settings = self.settings(**more)
        self.worker = Worker(self.program, self.folder, settings, credentials, without_network)

    def managed(self, who="yes"):
        """Settings of a worker with a managed identity."""
        return {
            "managed_identity": who,
            "identity_endpoint": f"http://127.0.0.1:{self.emulator.ports['imds']}",
            "client_secret_file": None,
            "client_id": None,
            "tenant": None,
        }

    # --- calls

    def wrap(self, kid, plain=None):
        text = base64.b64encode(self.plain if plain is None else plain).decode()
        return self.worker.ask("Wrap", kid=kid, plaintext=text)

    def unwrap(self, kid, blob):
        return self.worker.ask("Unwrap", kid=kid, blob=blob)

    def round_trip(self, key):
        """(class, parameters) of the first call that fails, or OK and the kid."""
        got, parameters = self.worker.ask("UseKey", key=key)
        if got != "OK":
            return got, parameters
        kid = parameters["kid"]
        got, parameters = self.wrap(kid)
        if got != "OK":
            return got, parameters
        blob, alg = parameters["blob"], parameters["alg"]
        got, parameters = self.unwrap(kid, blob)
        if got != "OK":
            return got, parameters
        if base64.b64decode(parameters["plaintext"]) != self.plain:
            return "Other bytes", parameters
        return "OK", {"kid": kid, "alg": alg, "blob": blob}

    # --- checks

    def expect(self, name, answer, wanted, reason=None, text=""):
        got, parameters = answer
        detail = parameters.get("detail", "") if isinstance(parameters, dict) else ""
        holds = got == wanted and text in detail
        if reason is not None:
            holds = holds and parameters.get("reason", "") == reason
        words = f"{name}: {wanted}" + (f" ({reason})" if reason else "")
        self.checks.that(words, holds, f"{got} {parameters}")

    def done(self):
        if self.worker:
            self.worker.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.checks.done()
