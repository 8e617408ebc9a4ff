# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a server can do wrong, on demand. A fault is set for one server: "vault",
"vault-op" (requests that carry a token), "login" or "imds"; for some requests
or until it is cleared. Knows no key and no token.
"""

import json
import os
import socket
import struct
import time


class Faults:
    def __init__(self):
        self.by_server = {}

    def set(self, server, mode, argument, count):
        self.by_server[server] = [mode, argument, count]

    def clear(self):
        self.by_server = {}

    def take(self, server):
        """(mode, argument) for this request, or None."""
        fault = self.by_server.get(server)
        if not fault:
            return None
        if fault[2] is not None:
            fault[2] -= 1
            if fault[2] <= 0:
                del self.by_server[server]
        return fault[0], fault[1]


def _raw(handler, text):
    handler.wfile.write(text)
    handler.wfile.flush()
    handler.close_connection = True


def _error(handler, status, code, inner=None, headers=None):
    body = {"error": {"code": code, "message": "as told"}}
    if inner:
        body["error"]["innererror"] = {"code": inner}
    handler.answer(status, body, headers)


def throttle(handler, argument):
    _error(handler, 429, "Throttled", headers={"Retry-After": argument} if argument else {})


def status(handler, argument):
    """CODE[/CODE-WORD[/INNER]]"""
    number, _, words = argument.partition("/")
    code, _, inner = words.partition("/")
    _error(handler, int(number), code or "Unknown", inner or None)


def firewall(handler, argument):
    _error(handler, 403, "Forbidden", "ForbiddenByFirewall")


def token_error(handler, argument):
    """STATUS/ERROR"""
    number, _, word = argument.partition("/")
    handler.answer(int(number), {"error": word, "error_description": "AADSTS90000: as told"})


def slow(handler, argument):
    time.sleep(float(argument))
    return False  # and then as always


def hang(handler, argument):
    handler.connection.settimeout(30)
    try:
        handler.connection.recv(1)
    except OSError:
        pass
    handler.close_connection = True


def garbage(handler, argument):
    handler.answer_bytes(200, os.urandom(200))


def text(handler, argument):
    """A 200 with that body."""
    handler.answer_bytes(200, argument.encode())


def page(handler, argument):
    """STATUS with HTML, as a proxy in between would send it."""
    handler.answer_bytes(int(argument), b"<html><body>Sorry</body></html>", "text/html")


def truncated(handler, argument):
    _raw(handler, b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"kid":"https://')


def headless(handler, argument):
    _raw(handler, b"HTTP/1.1 200 OK\r\nContent-Len")


def no_http(handler, argument):
    _raw(handler, b"SSH-2.0-OpenSSH_9.2\r\n")


def empty(handler, argument):
    handler.answer_bytes(200, b"")


def long_body(handler, argument):
    handler.answer_bytes(200, json.dumps({"value": "A" * 200000}).encode())


def endless(handler, argument):
    """Never stops, and never says how long it is."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while True:
            handler.wfile.write(b"1000\r\n" + b"A" * 4096 + b"\r\n")
    except OSError:
        handler.close_connection = True


def many_headers(handler, argument):
    lines = b"".join(b"X-%d: y\r\n" % i for i in range(500))
    _raw(handler, b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n{}")


def redirect(handler, argument):
    handler.answer(302, {}, {"Location": argument})


def challenge(handler, argument):
    """401 with that WWW-Authenticate field, whatever token comes."""
    handler.answer(401, {}, {"WWW-Authenticate": argument})


def bare401(handler, argument):
    handler.answer(401, {})


def reset(handler, argument):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


MODES = {
    "throttle": throttle,
    "status": status,
    "firewall": firewall,
    "token-error": token_error,
    "slow": slow,
    "hang": hang,
    "garbage": garbage,
    "text": text,
    "page": page,
    "truncated": truncated,
    "headless": headless,
    "no-http": no_http,
    "empty": empty,
    "long": long_body,
    "endless": endless,
    "many-headers": many_headers,
    "redirect": redirect,
    "challenge": challenge,
    "401": bare401,
    "reset": reset,
}
# These change a good answer; web.py applies them.
CHANGES = ("other-kid", "other-value", "no-value")
