# SPDX-License-Identifier: GPL-2.0-or-later
"""A vault's worker for a test: started as nobody, asked over its socket as
svcencd would ask it; and checks that print TAP."""

import base64
import json
import os
import pwd
import socket
import subprocess
import sys
import time

NOBODY = pwd.getpwnam("nobody")
count = 0
failed = 0


def check(name, holds, seen=""):
    global count, failed
    count += 1
    print(("ok" if holds else "not ok") + f" {count} - {name}", flush=True)
    if not holds:
        failed += 1
        print(f"# {seen}", flush=True)


def done():
    print(f"1..{count}")
    sys.exit(1 if failed or not count else 0)


def become_nobody():
    os.setgroups([])
    os.setresgid(NOBODY.pw_gid, NOBODY.pw_gid, NOBODY.pw_gid)
    os.setresuid(NOBODY.pw_uid, NOBODY.pw_uid, NOBODY.pw_uid)


def private_file(path, text):
    """For nobody alone."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)


def private_directory(path):
    os.makedirs(path, 0o700, exist_ok=True)
    os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Answer:
    """What a call gave: error is "" for a reply, "gone" if nobody answers."""

    def __init__(self, error, parameters):
        self.error = error.removeprefix("io.svcenc.Vault.")
        self.parameters = parameters

    def __getitem__(self, name):
        return self.parameters.get(name)

    def __str__(self):
        return f"{self.error or 'reply'} {self.parameters}"


class Worker:
    def __init__(self, program, folder, name, settings, *more):
        self.command = [program, "--name", name, *more]
        self.socket = f"{folder}/{name}.sock"
        self.command += ["--socket", self.socket]
        for key, value in settings.items():
            self.command += ["--set", f"{key}={value}"]
        self.log = open(f"{folder}/{name}.log", "a+")
        self.process = None

    def start(self):
        self.stop()
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = subprocess.Popen(
            self.command, preexec_fn=become_nobody, stderr=self.log, env={}, stdin=subprocess.DEVNULL
        )
        if not wait_until(lambda: self.answers() or self.process.poll() is not None):
            sys.exit("Bail out! the worker does not listen")
        return self

    def answers(self):
        return self.ask("GetInfo").error == ""

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def exit_status(self):
        return self.process.wait(timeout=30)

    def ask(self, method, **parameters):
        call = {"method": "io.svcenc.Vault." + method, "parameters": parameters}
        text = b""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(60)
                connection.connect(self.socket)
                connection.sendall(json.dumps(call).encode() + b"\0")
                while not text.endswith(b"\0"):
                    part = connection.recv(65536)
                    if not part:
                        return Answer("gone", {})
                    text += part
        except OSError:
            return Answer("gone", {})
        reply = json.loads(text[:-1])
        return Answer(reply.get("error", ""), reply.get("parameters", {}))

    def wrap(self, kid, plaintext):
        return self.ask("Wrap", kid=kid, plaintext=base64.b64encode(plaintext).decode())

    def unwrap(self, kid, blob):
        return self.ask("Unwrap", kid=kid, blob=base64.b64encode(blob).decode())

    def blob(self, kid, plaintext):
        answer = self.wrap(kid, plaintext)
        if answer.error:
            sys.exit(f"Bail out! wrap: {answer}")
        return base64.b64decode(answer["blob"])

    def opens(self, name, kid, blob, plaintext):
        answer = self.unwrap(kid, blob)
        check(name, answer.error == "" and base64.b64decode(answer["plaintext"]) == plaintext, answer)

    def expect(self, name, answer, error, words="", reason=None):
        holds = answer.error == error and words in (answer["detail"] or "")
        if reason is not None:
            holds = holds and answer["reason"] == reason
        check(f"{name}: {error}{' ' + reason if reason else ''}", holds, answer)


def the_example_is_understood(program, folder, kind, error, words):
    """Its file for vaults.d, as it is: only what it points to is not there."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(f"{here}/../../agent/vault/{kind}/example.conf") as file:
        private_file(f"{folder}/example.conf", file.read())
    example = Worker(program, folder, "example", {}, "--config", f"{folder}/example.conf").start()
    example.expect("the example's settings are understood", example.ask("UseKey", key="k"), error, words)
    example.stop()


def tampered(blob, place):
    changed = bytearray(blob)
    changed[place] ^= 1
    return bytes(changed)
