# SPDX-License-Identifier: GPL-2.0-or-later
"""Independent model, layer 2: the key hierarchy and the sector cipher.

Uses hmac/hashlib and Debian's python3-cryptography; shares no line with
core/ or the kernel's crypt.c.  Knows keys and byte strings; knows no file
and no offset of a header.
"""

import base64
import hashlib
import hmac
import json
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap, aes_key_unwrap, aes_key_wrap)

from svcenc_layout import ALG_A256KW, ModelError

LABELS = ("wrap", "mac", "rewrap", "record", "check")
LEASE_MAX_S = 7 * 24 * 3600


def subkey(policy_key, purpose, policy, version):
    """SP 800-108 counter mode, HMAC-SHA-256, one block."""
    message = (struct.pack(">I", 1) + b"svcenc " + purpose.encode() + b"\0" +
               policy.bytes + struct.pack(">II", version, 256))
    return hmac.new(policy_key, message, hashlib.sha256).digest()


def check_value(policy_key, policy, version):
    return subkey(policy_key, "check", policy, version)[:16]


def mac(policy_key, purpose, policy, version, span):
    return hmac.new(subkey(policy_key, purpose, policy, version), span,
                    hashlib.sha256).digest()


def wrap_aad(sb, epoch):
    return (b"svcenc volume key" + sb["uuid"].bytes + struct.pack("<Q", epoch) +
            struct.pack("<II", sb["cipher"], sb["sector_size"]) +
            sb["policy"].bytes + struct.pack("<I", sb["policy_version"]))


def wrap_volume_key(policy_key, sb, epoch, volume_key, nonce=None):
    """96 bytes as they stand in the superblock."""
    nonce = nonce or os.urandom(12)
    key = subkey(policy_key, "wrap", sb["policy"], sb["policy_version"])
    sealed = AESGCM(key).encrypt(nonce, volume_key, wrap_aad(sb, epoch))
    return nonce + sealed + bytes(4)


def unwrap_volume_key(policy_key, sb, epoch, wrap):
    key = subkey(policy_key, "wrap", sb["policy"], sb["policy_version"])
    try:
        volume_key = AESGCM(key).decrypt(wrap[:12], wrap[12:92], wrap_aad(sb, epoch))
    except InvalidTag:
        raise ModelError("wrap of the volume key does not authenticate") from None
    if volume_key[:32] == volume_key[32:]:
        raise ModelError("volume key has equal halves")
    return volume_key


def fingerprint(volume_key, volume):
    return hmac.new(volume_key, b"svcenc fingerprint" + volume.bytes,
                    hashlib.sha256).digest()[:16]


def rewrap_authorisation(policy_key, volume, old, new, new_check):
    """old, new: (policy uuid, version). HMAC under the old key's rewrap key."""
    message = (b"svcenc rewrap authorisation" + volume.bytes +
               old[0].bytes + struct.pack(">I", old[1]) +
               new[0].bytes + struct.pack(">I", new[1]) + new_check)
    return mac(policy_key, "rewrap", old[0], old[1], message)


def key_payload(policy_key, lease_s):
    return struct.pack("<II", 1, lease_s) + policy_key


def _xts(aes, sector512):
    tweak = struct.pack("<Q", sector512) + bytes(8)
    return Cipher(aes, modes.XTS(tweak))


def encrypt_sectors(volume_key, sector_size, offset, data):
    """data begins at logical byte offset; both are multiples of sector_size."""
    return _each_sector(lambda c: c.encryptor(), volume_key, sector_size, offset, data)


def decrypt_sectors(volume_key, sector_size, offset, data):
    return _each_sector(lambda c: c.decryptor(), volume_key, sector_size, offset, data)


def _each_sector(direction, volume_key, sector_size, offset, data):
    if offset % sector_size or len(data) % sector_size:
        raise ModelError(f"not a multiple of the sector size {sector_size}")
    out = bytearray()
    aes = algorithms.AES(volume_key)
    for at in range(0, len(data), sector_size):
        context = direction(_xts(aes, (offset + at) // 512))
        out += context.update(data[at:at + sector_size]) + context.finalize()
    return bytes(out)


class FileVault:
    """Directory of a file vault: <key name>.<version>.key, JSON, A256KW."""

    def __init__(self, spec):
        name, _, directory = spec.rpartition("=")
        self.directory = directory
        self.name = name or os.path.basename(os.path.normpath(directory))

    def path(self, key_name, version):
        return os.path.join(self.directory, f"{key_name}.{version}.key")

    def kid(self, key_name, version):
        return f"file:{self.name}/{key_name}/{version}"

    def root_key(self, key_name, version):
        path = self.path(key_name, version)
        with open(path, encoding="utf-8") as file:
            entry = json.load(file)
        wanted = {"schema": "svcenc-file-vault/1", "name": key_name,
                  "version": version, "state": "enabled", "alg": "A256KW"}
        for field, value in wanted.items():
            if entry.get(field) != value:
                raise ModelError(f"{path}: {field} is {entry.get(field)!r}, wanted {value!r}")
        key = base64.b64decode(entry["key"], validate=True)
        if len(key) != 32:
            raise ModelError(f"{path}: root key has {len(key)} bytes, wanted 32")
        return key

    def create(self, key_name, version):
        """The root key of that name, made when it is not there yet."""
        path = self.path(key_name, version)
        if os.path.exists(path):
            return self.root_key(key_name, version)
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        key = os.urandom(32)
        entry = {"schema": "svcenc-file-vault/1", "name": key_name,
                 "version": version, "state": "enabled", "alg": "A256KW",
                 "key": base64.b64encode(key).decode()}
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(entry, file)
            file.write("\n")
        return key

    def wrap(self, key_name, version, policy_key):
        return aes_key_wrap(self.create(key_name, version), policy_key)

    def unwrap(self, kid, alg, blob):
        prefix = f"file:{self.name}/"
        if alg != ALG_A256KW or not kid.startswith(prefix):
            raise ModelError(f"{kid}: not a key of file vault {self.name}")
        key_name, _, version = kid[len(prefix):].rpartition("/")
        if not version.isdigit() or "/" in key_name or key_name.startswith("."):
            raise ModelError(f"{kid}: malformed key identifier")
        try:
            return aes_key_unwrap(self.root_key(key_name, int(version)), blob)
        except InvalidUnwrap:
            raise ModelError(f"{kid}: wrap does not authenticate") from None
