#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A vault of one's own, to begin with: vault.py NAME SOCKET DIRECTORY. A root key
is a file of 32 bytes, DIRECTORY/KEY; mode 000 disables it.
svcenc-vault(7) says what the methods are, and when which error is the right one."""
import base64, json, os, socket, struct, sys
from cryptography.hazmat.primitives import keywrap

VAULT, SOCKET, DIRECTORY = sys.argv[1:4]


class Refused(Exception):
    def __init__(self, error, detail, **more):
        self.reply = {"error": "io.svcenc.Vault." + error, "parameters": {"detail": detail, **more}}


def read_key(kid):  # anew each time: what its owner does counts at once
    prefix, _, key = kid.rpartition("/")
    if prefix != "own:" + VAULT or not key.strip("."):
        raise Refused("Corrupt", f"'{kid}' names no key of vault '{VAULT}'")
    try:
        with open(f"{DIRECTORY}/{key}", "rb") as file:
            return file.read()
    except PermissionError:
        raise Refused("Denied", f"{DIRECTORY}/{key} has mode 000", reason="disabled")
    except FileNotFoundError:
        if not os.path.isdir(DIRECTORY):
            raise Refused("Unreachable", f"{DIRECTORY} is not there: mount it")
        raise Refused("Denied", f"there is no {DIRECTORY}/{key}", reason="deleted")


def GetInfo():
    return {"name": VAULT, "type": "own", "separates_from_root": False, "creates_keys": True,
            "note": "the root keys of this vault are files on this host"}


def CreateKey(name):
    if os.path.isdir(DIRECTORY) and not os.path.exists(f"{DIRECTORY}/{name}"):
        with open(f"{DIRECTORY}/{name}", "xb") as file:
            file.write(os.urandom(32))
    return UseKey(name)


def RenewKey(kid):
    raise Refused("Denied", f"whoever owns {kid} makes its successor", reason="permission")


def UseKey(key):
    read_key(f"own:{VAULT}/{key}")
    return {"kid": f"own:{VAULT}/{key}", "alg": "A256KW"}


def Wrap(kid, plaintext):
    blob = keywrap.aes_key_wrap(read_key(kid), base64.b64decode(plaintext))
    return {"blob": base64.b64encode(blob).decode(), "alg": "A256KW"}


def Unwrap(kid, blob):
    try:
        plaintext = keywrap.aes_key_unwrap(read_key(kid), base64.b64decode(blob))
    except keywrap.InvalidUnwrap:
        raise Refused("Corrupt", f"the blob does not open with {kid}")
    return {"plaintext": base64.b64encode(plaintext).decode()}


def DescribeKey(kid):
    read_key(kid)
    return {"kid": kid, "version": "1", "state": "enabled", "alg": "A256KW", "key_type": "AES",
            "size_bits": 256, "wrap": "yes", "unwrap": "yes", "expiry": "none", "expires_at": 0,
            "recovery": "unknown", "recovery_days": 0}


METHODS = {"io.svcenc.Vault." + f.__name__: f
           for f in (GetInfo, CreateKey, RenewKey, UseKey, Wrap, Unwrap, DescribeKey)}


def answer(method, parameters={}):
    if method not in METHODS:
        return {"error": "org.varlink.service.MethodNotFound", "parameters": {"method": method}}
    try:
        return {"parameters": METHODS[method](**parameters)}
    except Refused as refused:
        return refused.reply


os.umask(0o177)  # nobody but root shall connect, and that is asked for again below
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(SOCKET)
    listener.listen()
    while True:  # svcencd makes a connection for each call
        with listener.accept()[0] as peer:
            uid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
            text = b""
            while uid == 0 and not text.endswith(b"\0") and (part := peer.recv(65536)):
                text += part
            if text.endswith(b"\0"):
                peer.sendall(json.dumps(answer(**json.loads(text[:-1]))).encode() + b"\0")
