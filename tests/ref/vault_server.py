#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""io.svcenc.Vault on a socket, independent of the workers: vault_server.py
[NAME=]DIR SOCKET [ANSWER].  Serves Unwrap with a file vault's directory; with
ANSWER it gives that instead: an error's last name (Denied, Corrupt, ...), or
"short" for a key of wrong length, "garbage", "silence"."""

import base64
import json
import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from svcenc_crypto import FileVault
from svcenc_layout import ModelError


def error(name, detail):
    parameters = {"detail": detail}
    if name == "Denied":
        parameters["reason"] = "disabled"
    return json.dumps({"error": "io.svcenc.Vault." + name, "parameters": parameters}).encode()


def reply(key):
    return json.dumps({"parameters": {"plaintext": base64.b64encode(key).decode()}}).encode()


def answer_call(vault, call, wanted):
    if call["method"] != "io.svcenc.Vault.Unwrap":
        return error("Corrupt", "unknown method " + call["method"])
    if wanted == "short":
        return reply(bytes(31))
    if wanted == "garbage":
        return b"{]"
    if wanted:
        return error(wanted, "as the test asked")
    parameters = call["parameters"]
    try:
        return reply(vault.unwrap(parameters["kid"], 1, base64.b64decode(parameters["blob"])))
    except (ModelError, OSError) as failure:
        return error("Corrupt", str(failure))


def serve(vault, connection, wanted):
    pending = b""
    while part := connection.recv(65536):
        pending += part
        while b"\0" in pending:
            message, pending = pending.split(b"\0", 1)
            if wanted == "silence":
                return
            connection.sendall(answer_call(vault, json.loads(message), wanted) + b"\0")


def main():
    vault, path, wanted = FileVault(sys.argv[1]), sys.argv[2], (sys.argv + [""])[3]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                serve(vault, connection, wanted)


main()
