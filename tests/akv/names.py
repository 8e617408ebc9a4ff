# SPDX-License-Identifier: GPL-2.0-or-later
"""
A name server that knows no names: NXDOMAIN for everything, or, when told so,
no answer at all. What exists is in /etc/hosts.
"""

import socket
import threading


class NameServer(threading.Thread):
    def __init__(self, address):
        super().__init__(daemon=True)
        self.silent = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))

    def run(self):
        while True:
            query, client = self.socket.recvfrom(512)
            if self.silent or len(query) < 12:
                continue
            # same id and question; QR, RD, RA set, code 3
            head = query[:2] + b"\x81\x83" + query[4:6] + bytes(6)
            end = 12
            while end < len(query) and query[end]:
                end += query[end] + 1
            self.socket.sendto(head + query[12 : end + 5], client)
