# SPDX-License-Identifier: GPL-2.0-or-later
"""
The three servers over HTTP: vaults, token endpoint, identity endpoint of a
host. Writes each request to a log before it looks at it.
"""

import json
import os
import socketserver
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import faults
from keystore import Refusal, b64, unb64
from tokens import TokenRefusal

LOG_LOCK = threading.Lock()
PERMISSION = {"wrapkey": "wrapKey", "unwrapkey": "unwrapKey"}


class Server(ThreadingHTTPServer):
    """One listening port. The TLS handshake is done in the thread of its
    connection, so that a client that stops half-way delays nobody."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, world, role, context):
        self.world, self.role, self.context = world, role, context
        super().__init__(("127.0.0.1", 0), HANDLERS[role])
        self.port = self.server_address[1]

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # without a look-up of names
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def get_request(self):
        sock, address = super().get_request()
        if self.context:
            sock = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, address

    def handle_error(self, request, client_address):
        pass  # broken connections are what many tests are about


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            self.close_connection = True

    def log_message(self, format, *args):
        pass

    def _log(self, body):
        line = json.dumps(
            {
                "server": self.server.role,
                "host": self.headers.get("Host", ""),
                "method": self.command,
                "path": self.path,
                "token": "Authorization" in self.headers,
                "client_request_id": self.headers.get("x-ms-client-request-id", ""),
                "body": body.decode("latin-1"),
            }
        )
        with LOG_LOCK, open(self.server.world.log, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def answer_bytes(self, status, body, kind="application/json", headers=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-ms-request-id", self.request_id)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer(self, status, body, headers=None):
        raw = b"" if body is None else json.dumps(body).encode()
        self.answer_bytes(status, raw, headers=headers)

    def _fault(self):
        """True if the answer is given already."""
        world, role = self.server.world, self.server.role
        fault = None
        if "Authorization" in self.headers:
            fault = world.faults.take(role + "-op")
        fault = fault or world.faults.take(role)
        self.change = fault if fault and fault[0] in faults.CHANGES else None
        if not fault or self.change:
            return False
        return faults.MODES[fault[0]](self, fault[1]) is not False

    def _serve(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.request_id = os.urandom(8).hex()
        self._log(body)
        if self._fault():
            return
        parts = urlsplit(self.path)
        query = {unquote(name): value for name, value in parse_qsl(parts.query)}
        try:
            with self.server.world.lock:
                status, reply, headers = self.serve(unquote(parts.path), query, body)
        except (Refusal, TokenRefusal) as refusal:
            status, reply, headers = refusal.status, refusal.body, refusal.headers
        self.answer(status, reply, headers)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve


class VaultHandler(Handler):
    def serve(self, path, query, body):
        world = self.server.world
        host = self.headers.get("Host", "").lower()
        name = host.split(".")[0]
        if name not in world.vaults:
            raise Refusal(404, "VaultNotFound", f"no vault {name}")
        self.vault_name, self.vault = name, world.vaults[name]
        self.base, self.resource = f"https://{host}", world.resource_of(host)
        self.who = world.directory.check(self.headers.get("Authorization"), self.resource)
        if self.who is None:
            return 401, {"error": {"code": "Unauthorized", "message": "token wanted"}}, {
                "WWW-Authenticate": world.challenge(self.resource, "Authorization" in self.headers)
            }
        if "api-version" not in query:
            raise Refusal(400, "BadParameter", "api-version is missing")
        try:
            content = json.loads(body) if body else {}
        except ValueError as error:
            raise Refusal(400, "BadParameter", "body is no JSON") from error
        reply = self.route(path.strip("/").split("/"), content)
        return (204 if reply is None else 200), reply, {}

    def _need(self, permission):
        self.server.world.directory.require(self.who, self.vault_name, permission)

    def route(self, words, content):
        if words[0] == "deletedkeys" and len(words) >= 2:
            return self._deleted(words[1], words[2:])
        if words[0] != "keys" or len(words) < 2:
            raise Refusal(404, "NotFound", "no such path")
        name, rest = words[1], words[2:]
        if self.command == "GET" and rest == ["versions"]:
            return self._versions(name)
        if self.command == "GET" and len(rest) <= 1:
            self._need("get")
            return self._document(name, self.vault.find(name, rest[0] if rest else ""))
        if self.command == "POST" and rest in (["create"], ["rotate"]):
            return self._create(name, rest[0], content)
        if self.command == "POST" and len(rest) in (1, 2) and rest[-1] in PERMISSION:
            return self._operate(name, rest, content)
        if self.command == "POST" and len(rest) == 2 and not rest[0] and rest[1] in PERMISSION:
            return self._operate(name, rest, content)
        if self.command == "PATCH" and len(rest) <= 1:
            return self._update(name, rest[0] if rest else "", content)
        if self.command == "DELETE" and not rest:
            self._need("delete")
            version = self.vault.delete(name)
            return self._deleted_document(name, version)
        raise Refusal(404, "NotFound", "no such path")

    def _document(self, name, version):
        return version.document(self.base, name, self.vault.level)

    def _deleted_document(self, name, version):
        now = int(time.time())
        return dict(
            self._document(name, version),
            recoveryId=f"{self.base}/deletedkeys/{name}",
            deletedDate=now,
            scheduledPurgeDate=now + 90 * 86400,
        )

    def _versions(self, name):
        self._need("list")
        self.vault.find(name)
        items = []
        for version in self.vault.keys[name]:
            document = self._document(name, version)
            items.append({"kid": document["key"]["kid"], "attributes": document["attributes"]})
        return {"value": items, "nextLink": None}

    def _create(self, name, what, content):
        self._need("create")
        if what == "rotate":
            newest = self.vault.find(name)
            content = {"kty": newest.kty, "key_size": newest.size, "key_ops": newest.ops}
        version = self.vault.create(
            name, content.get("kty", "RSA"), content.get("key_size"), content.get("key_ops")
        )
        version.enabled = content.get("attributes", {}).get("enabled", True)
        return self._document(name, version)

    def _update(self, name, wanted, content):
        self._need("update")
        version = self.vault.find(name, wanted)
        attributes = content.get("attributes", {})
        version.enabled = attributes.get("enabled", version.enabled)
        version.exp = attributes.get("exp", version.exp)
        version.ops = content.get("key_ops") or version.ops
        return self._document(name, version)

    def _operate(self, name, rest, content):
        what = rest[-1]
        self._need(PERMISSION[what])
        version, out = self.vault.operate(
            what, name, rest[0] if len(rest) == 2 else "", content.get("alg"), unb64(content.get("value"))
        )
        reply = {"kid": f"{self.base}/keys/{name}/{version.id}", "value": b64(out)}
        return self._changed(reply)

    def _changed(self, reply):
        if not self.change:
            return reply
        if self.change[0] == "other-kid":
            reply["kid"] = self.change[1]
        elif self.change[0] == "other-value":
            reply["value"] = b64(os.urandom(32))
        else:
            del reply["value"]
        return reply

    def _deleted(self, name, rest):
        if self.command == "GET" and not rest:
            self._need("get")
            return self._deleted_document(name, self.vault.find_deleted(name))
        if self.command == "POST" and rest == ["recover"]:
            self._need("recover")
            return self._document(name, self.vault.recover(name))
        if self.command == "DELETE" and not rest:
            self._need("purge")
            self.vault.purge(name)
            return None  # 204
        raise Refusal(404, "NotFound", "no such path")


class LoginHandler(Handler):
    def serve(self, path, query, body):
        world = self.server.world
        base = f"https://{self.headers.get('Host', '')}"
        tenant, _, rest = path.strip("/").partition("/")
        if tenant != world.directory.tenant:
            raise TokenRefusal(400, "invalid_request", "AADSTS90002: no such tenant")
        if rest == "v2.0/.well-known/openid-configuration":
            return 200, {
                "issuer": f"{base}/{tenant}/v2.0",
                "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
            }, {}
        if rest != "oauth2/v2.0/token" or self.command != "POST":
            raise TokenRefusal(404, "invalid_request", "no such path")
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        return 200, world.directory.issue_to_client(form, f"{base}{path}"), {}


class IdentityHandler(Handler):
    """http://169.254.169.254 of a machine with a managed identity."""

    def serve(self, path, query, body):
        directory = self.server.world.directory
        # the vendor's client puts a slash behind it
        if path.rstrip("/") != "/metadata/identity/oauth2/token" or self.headers.get("Metadata") != "true":
            raise TokenRefusal(400, "invalid_request", "Metadata: true is missing")
        who = query.get("client_id", "identity")
        if who not in directory.principals:
            raise TokenRefusal(400, "invalid_request", "Identity not found")
        reply = directory.issue(who, query["resource"])
        reply.update(expires_in=str(reply["expires_in"]), resource=query["resource"], client_id=who)
        reply["expires_on"] = str(int(time.time()) + directory.lifetime)
        return 200, reply, {}


HANDLERS = {"vault": VaultHandler, "login": LoginHandler, "imds": IdentityHandler}
