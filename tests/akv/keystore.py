# SPDX-License-Identifier: GPL-2.0-or-later
"""
Keys of the emulated vaults: versions, states, soft delete, and the operations
on them with real cryptography. Refuses as the service does (HTTP status, code,
inner code). Knows no HTTP and no token.
"""

import base64
import os
import time

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa

OAEP_256 = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
OAEP_1 = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
RSA_ALGS = {"RSA-OAEP-256": OAEP_256, "RSA-OAEP": OAEP_1}
AES_ALGS = {"A128KW": 16, "A192KW": 24, "A256KW": 32}
ALL_OPS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status, code, message, inner=None, headers=None):
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        self.body = {"error": {"code": code, "message": message}}
        if inner:
            self.body["error"]["innererror"] = {"code": inner}


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text):
    if not isinstance(text, str):
        raise Refusal(400, "BadParameter", "value is no text")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Refusal(400, "BadParameter", str(error)) from error


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Version:
    def __init__(self, kty, size, ops):
        self.id = os.urandom(16).hex()
        self.kty, self.size, self.ops = kty, size, list(ops)
        self.enabled, self.exp, self.nbf = True, None, None
        self.created = int(time.time())
        if kty.startswith("RSA"):
            self.key = rsa.generate_private_key(65537, size)
        elif kty == "oct-HSM":
            self.key = os.urandom(size // 8)
        elif kty == "EC":
            self.key = None  # it is only looked at
        else:
            raise Refusal(400, "BadParameter", f"kty {kty}")

    def document(self, base, name, level):
        jwk = {"kid": f"{base}/keys/{name}/{self.id}", "kty": self.kty, "key_ops": self.ops}
        if self.kty.startswith("RSA"):
            public = self.key.public_key().public_numbers()
            jwk.update(n=number(public.n), e=number(public.e))
        elif self.kty == "EC":
            jwk.update(crv="P-256", x=b64(bytes(32)), y=b64(bytes(32)))
        else:
            jwk["key_size"] = self.size
        attributes = {
            "enabled": self.enabled,
            "created": self.created,
            "updated": self.created,
            "recoveryLevel": level,
            "recoverableDays": 90,
        }
        if self.exp is not None:
            attributes["exp"] = self.exp
        if self.nbf is not None:
            attributes["nbf"] = self.nbf
        return {"key": jwk, "attributes": attributes}

    def _aes(self, alg):
        if self.kty != "oct-HSM" or AES_ALGS.get(alg) != len(self.key):
            raise Refusal(400, "BadParameter", f"{alg} is not for this key")

    def wrap(self, alg, plain):
        """A disabled key still wraps: that is how the service was seen to be."""
        try:
            if alg in RSA_ALGS and self.kty.startswith("RSA"):
                return self.key.public_key().encrypt(plain, RSA_ALGS[alg])
            self._aes(alg)
            return keywrap.aes_key_wrap(self.key, plain)
        except ValueError as error:
            raise Refusal(400, "BadParameter", str(error)) from error

    def unwrap(self, alg, blob):
        if not self.enabled:
            raise Refusal(403, "Forbidden", "the key is disabled", "KeyDisabled")
        try:
            if alg in RSA_ALGS and self.kty.startswith("RSA"):
                return self.key.decrypt(blob, RSA_ALGS[alg])
            self._aes(alg)
            return keywrap.aes_key_unwrap(self.key, blob)
        except (ValueError, keywrap.InvalidUnwrap) as error:
            raise Refusal(400, "BadParameter", f"does not unwrap: {error}") from error


class Vault:
    def __init__(self, level="Recoverable+Purgeable"):
        self.keys, self.deleted, self.level = {}, {}, level

    def create(self, name, kty="RSA", size=None, ops=None):
        if name in self.deleted:
            raise Refusal(
                409, "Conflict", f"{name} is deleted", "ObjectIsDeletedButRecoverable"
            )
        size = size or (256 if kty == "oct-HSM" else 2048)
        version = Version(kty, size, ops or (["wrapKey", "unwrapKey"] if kty == "oct-HSM" else ALL_OPS))
        self.keys.setdefault(name, []).append(version)
        return version

    def find(self, name, wanted=""):
        versions = self.keys.get(name)
        if not versions:
            raise Refusal(404, "KeyNotFound", f"key {name} was not found")
        if not wanted:
            return versions[-1]
        for version in versions:
            if version.id == wanted:
                return version
        raise Refusal(404, "KeyNotFound", f"version {wanted} of {name} was not found")

    def operate(self, what, name, wanted, alg, raw):
        version = self.find(name, wanted)
        operation = {"wrapkey": "wrapKey", "unwrapkey": "unwrapKey"}[what]
        if operation not in version.ops:
            raise Refusal(403, "Forbidden", f"{operation} is not allowed", "KeyOperationForbidden")
        out = version.wrap(alg, raw) if what == "wrapkey" else version.unwrap(alg, raw)
        return version, out

    def _move(self, name, source, target):
        if name not in source:
            raise Refusal(404, "KeyNotFound", f"key {name} was not found")
        target[name] = source.pop(name)
        return target[name][-1]

    def delete(self, name):
        return self._move(name, self.keys, self.deleted)

    def recover(self, name):
        return self._move(name, self.deleted, self.keys)

    def purge(self, name):
        if "Purgeable" not in self.level:
            raise Refusal(403, "Forbidden", "purge protection is on", "ForbiddenByPurgeProtection")
        self._move(name, self.deleted, {})

    def find_deleted(self, name):
        if name not in self.deleted:
            raise Refusal(404, "KeyNotFound", f"deleted key {name} was not found")
        return self.deleted[name][-1]
