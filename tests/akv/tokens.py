# SPDX-License-Identifier: GPL-2.0-or-later
"""
Who may do what: applications with their credentials, access tokens (signed, and
checked again at the vault), permissions. Knows no HTTP.
"""

import json
import os
import time
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from keystore import Refusal, b64, unb64

PKCS1 = padding.PKCS1v15()
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenRefusal(Exception):
    """An answer of the token endpoint: {"error", "error_description"}."""

    def __init__(self, status, error, words):
        super().__init__(words)
        self.status, self.headers = status, {}
        self.body = {"error": error, "error_description": words, "error_codes": []}


class Principal:
    def __init__(self):
        self.secret = self.certificate = self.federated = None
        self.permissions = {}  # vault -> set
        self.refusal = "ForbiddenByRbac"


class Directory:
    def __init__(self, tenant):
        self.tenant = tenant
        self.principals = {}
        self.lifetime = 3600
        self.seen = set()  # jti of assertions
        self.claims = False  # tokens must have been asked for with claims
        self.new_key()

    def new_key(self):
        """All tokens that are out become worthless."""
        self.key = rsa.generate_private_key(65537, 2048)

    def principal(self, name):
        return self.principals.setdefault(name, Principal())

    # --- credentials

    def _check_assertion(self, client, text, endpoint):
        principal = self.principals[client]
        if principal.federated is not None and text == principal.federated:
            return
        try:
            head, body, signature = text.split(".")
            header, claims = json.loads(unb64(head)), json.loads(unb64(body))
        except (ValueError, Refusal) as error:
            raise TokenRefusal(401, "invalid_client", "AADSTS50027: malformed assertion") from error
        certificate = principal.certificate
        if certificate is None:
            raise TokenRefusal(401, "invalid_client", "AADSTS700027: no certificate")
        prints = {
            "x5t#S256": b64(certificate.fingerprint(hashes.SHA256())),
            "x5t": b64(certificate.fingerprint(hashes.SHA1())),
        }
        if not any(header.get(name) == value for name, value in prints.items()):
            raise TokenRefusal(401, "invalid_client", "AADSTS700027: unknown certificate")
        scheme = {"PS256": PSS, "RS256": PKCS1}.get(header.get("alg"))
        try:
            certificate.public_key().verify(
                unb64(signature), f"{head}.{body}".encode(), scheme, hashes.SHA256()
            )
        except (InvalidSignature, TypeError) as error:
            raise TokenRefusal(401, "invalid_client", "AADSTS700027: bad signature") from error
        now = time.time()
        fresh = claims["nbf"] <= now + 300 and now < claims["exp"] <= now + 86400
        if not fresh or claims["aud"] != endpoint:
            raise TokenRefusal(401, "invalid_client", "AADSTS700024: time or audience")
        if claims["iss"] != client or claims["sub"] != client or claims["jti"] in self.seen:
            raise TokenRefusal(401, "invalid_client", "AADSTS700021: issuer, subject or replay")
        self.seen.add(claims["jti"])

    def issue_to_client(self, form, endpoint):
        """Form of a client_credentials request, for POST /TENANT/oauth2/v2.0/token."""
        client, scope = form.get("client_id"), form.get("scope", "")
        if form.get("grant_type") != "client_credentials":
            raise TokenRefusal(400, "unsupported_grant_type", "client_credentials wanted")
        if client not in self.principals:
            raise TokenRefusal(400, "unauthorized_client", "AADSTS700016: no such application")
        # MSAL adds the scopes of OpenID Connect
        resources = [word[:-9] for word in scope.split() if word.endswith("/.default")]
        if len(resources) != 1:
            raise TokenRefusal(400, "invalid_scope", "AADSTS1002012: RESOURCE/.default wanted")
        secret = self.principals[client].secret
        if form.get("client_assertion_type") == JWT_BEARER:
            self._check_assertion(client, form.get("client_assertion", ""), endpoint)
        elif secret is None or form.get("client_secret") != secret:
            raise TokenRefusal(401, "invalid_client", "AADSTS7000215: wrong client secret")
        return self.issue(client, resources[0], "claims" in form)

    # --- tokens

    def issue(self, client, resource, claims=False):
        now = int(time.time())
        head = b64(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
        body = b64(
            json.dumps(
                {
                    "aud": resource,
                    "iss": f"https://sts/{self.tenant}/",
                    "tid": self.tenant,
                    "appid": client,
                    "nbf": now,
                    "exp": now + self.lifetime,
                    "xms_cc": claims,
                    "uti": os.urandom(8).hex(),
                }
            ).encode()
        )
        signature = self.key.sign(f"{head}.{body}".encode(), PKCS1, hashes.SHA256())
        return {
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "ext_expires_in": self.lifetime,
            "access_token": f"{head}.{body}.{b64(signature)}",
        }

    def check(self, header, resource):
        """The principal of an Authorization field, or None: it is not good."""
        kind, _, token = (header or "").partition(" ")
        try:
            head, body, signature = token.split(".")
            self.key.public_key().verify(
                unb64(signature), f"{head}.{body}".encode(), PKCS1, hashes.SHA256()
            )
            claims = json.loads(unb64(body))
        except (ValueError, InvalidSignature, Refusal):
            return None
        same = urlsplit(claims["aud"]).netloc == urlsplit(resource).netloc
        if kind != "Bearer" or not same or claims["exp"] < time.time():
            return None
        if claims["tid"] != self.tenant or (self.claims and not claims["xms_cc"]):
            return None
        return claims["appid"]

    def require(self, name, vault, permission):
        principal = self.principal(name)
        if permission not in principal.permissions.get(vault, set()):
            raise Refusal(
                403, "Forbidden", f"{permission} is not granted", principal.refusal
            )
