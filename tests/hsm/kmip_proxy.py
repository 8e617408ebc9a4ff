# SPDX-License-Identifier: GPL-2.0-or-later
"""Between a KMIP client and its server, with certificates of both sides, so
that answers can be spoiled: cut, replaced, delayed, or of an older version."""

import socket
import ssl
import struct
import threading

DISCOVER_VERSIONS = bytes.fromhex("42005c05000000040000001e")


def item(tag, kind, value):
    padding = bytes(-len(value) % 8)
    return bytes.fromhex(tag) + bytes([kind]) + struct.pack(">I", len(value)) + value + padding


def number(tag, value, kind=2):
    return item(tag, kind, struct.pack(">i", value))


def versions_reply(minor):
    """Of a server that speaks 1.minor only."""
    version = item("420069", 1, number("42006a", 1) + number("42006b", minor))
    header = item("42007a", 1, version + item("420092", 9, bytes(8)) + number("42000d", 1))
    payload = item("42007c", 1, version if minor >= 0 else b"")
    batch = item("42000f", 1, number("42005c", 0x1E, 5) + number("42007f", 0, 5) + payload)
    return item("42007b", 1, header + batch)


def message_of(connection):
    head = read(connection, 8)
    return head + read(connection, struct.unpack(">I", head[4:])[0]) if head else b""


def read(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            return b""
        data += part
    return data


class Cut(bytes):
    """A reply behind which the connection ends."""


class Proxy:
    """fault: a function of (request, reply) that gives what to send instead;
    None closes the connection."""

    def __init__(self, server_context, client_context, target):
        self.server_context, self.client_context, self.target = server_context, client_context, target
        self.minor = None  # answer DiscoverVersions with 1.minor alone
        self.fault = None
        self.minors = set()  # of the requests that were seen
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, raw):
        try:
            with self.server_context.wrap_socket(raw, server_side=True) as client:
                with socket.create_connection(self.target) as plain:
                    with self.client_context.wrap_socket(plain) as server:
                        while self.pass_on(client, server):
                            pass
        except OSError:
            pass

    def pass_on(self, client, server):
        request = message_of(client)
        if not request:
            return False
        if DISCOVER_VERSIONS in request and self.minor is not None:
            client.sendall(versions_reply(self.minor))
            return True
        if DISCOVER_VERSIONS not in request:
            self.minors.add(request[8 + 8 + 8 + 16 + 11])
        server.sendall(request)
        reply = message_of(server)
        if self.fault and DISCOVER_VERSIONS not in request:
            reply = self.fault(request, reply)
        if reply is None:
            return False
        client.sendall(reply)
        return not isinstance(reply, Cut)


def contexts(folder):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    server.load_verify_locations(f"{folder}/ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_cert_chain(f"{folder}/client.pem", f"{folder}/client.key")
    client.load_verify_locations(f"{folder}/ca.pem")
    return server, client
