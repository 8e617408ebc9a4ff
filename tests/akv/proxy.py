# SPDX-License-Identifier: GPL-2.0-or-later
"""
An HTTP proxy that knows one method, CONNECT, and leads every name it is asked
for to this host: names exist here that exist nowhere else. Notes what it was
asked, in the file "proxied": a line each of HOST:PORT and the header fields.
Refuses, or keeps silent, on demand.
"""

import os
import selectors
import socket
import socketserver
import ssl


class Handler(socketserver.StreamRequestHandler):
    def setup(self):
        if self.server.tls:
            self.request.settimeout(20)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.request.settimeout(None)
        super().setup()
        self.rbufsize = 0

    rbufsize = 0  # nothing of the tunnel may be read ahead

    def head(self):
        lines = []
        while line := self.rfile.readline(8192).strip():
            lines.append(line.decode("latin-1"))
        return lines

    def say(self, status, *fields):
        head = [f"HTTP/1.1 {status} as told", *fields, "", ""]
        self.wfile.write("\r\n".join(head).encode())

    def handle(self):
        lines = self.head()
        if not lines:
            return
        method, place, _ = lines[0].split()
        with self.server.lock:
            mode = self.server.mode
            with open(self.server.log, "a", encoding="utf-8") as log:
                log.write(" ".join([method, place, *(line.split(":")[0] for line in lines[1:])]) + "\n")
        if mode == "hang":
            self.request.recv(1)
        elif mode:
            self.say(mode, "Content-Length: 0", 'WWW-Authenticate: Bearer authorization="https://evil.localhost/x", '
                     'resource="https://evil.localhost"', "Retry-After: 9")
        elif method != "CONNECT":
            self.say(405, "Content-Length: 0")
        else:
            self.tunnel(place.rsplit(":", 1)[1])

    def tunnel(self, port):
        try:
            far = socket.create_connection(("127.0.0.1", int(port)), 5)
        except OSError:
            self.say(502, "Content-Length: 0")
            return
        # a stranger's fields must not be taken for the server's
        self.say(200, "x-ms-request-id: of-the-proxy")
        with far:
            self.pump(far)

    def pump(self, far):
        near = self.request
        with selectors.DefaultSelector() as selector:
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            while True:
                for key, _ in selector.select():
                    piece = key.fileobj.recv(65536)
                    while isinstance(key.fileobj, ssl.SSLSocket) and key.fileobj.pending():
                        piece += key.fileobj.recv(65536)
                    if not piece:
                        return
                    key.data.sendall(piece)


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, world, folder, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.tls = world.lock, tls
        self.log = os.path.join(folder, "proxied")
        self.mode = ""
        self.port = self.server_address[1]

    def handle_error(self, request, client_address):
        """Somebody has hung up."""
