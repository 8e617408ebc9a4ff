# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's PyKMIP server on the loopback, and what the owner of its keys does."""

import logging
import os
import signal
import socket
import subprocess
import sys

from kmip import enums
from kmip.pie import client as kmip_client, objects

from worker import wait_until

logging.disable(logging.CRITICAL)  # of the client: it looks for files of its own

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Server:
    """With a port: the one that listens there already."""

    def __init__(self, folder, certificates, port=None):
        self.folder, self.port, self.process = folder, port or free_port(), None
        self.certificates = certificates
        if port:
            return
        with open(f"{folder}/server.conf", "w") as file:
            file.write(
                f"[server]\nhostname=127.0.0.1\nport={self.port}\n"
                f"certificate_path={certificates}/server.pem\nkey_path={certificates}/server.key\n"
                f"ca_path={certificates}/ca.pem\nauth_suite=TLS1.2\npolicy_path={folder}\n"
                f"database_path={folder}/keys.db\nlogging_level=INFO\n"
            )

    def start(self):
        log = open(f"{self.folder}/server.out", "a")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "/usr/bin/pykmip-server", "-f", f"{self.folder}/server.conf",
             "-l", f"{self.folder}/server.log"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )
        if not wait_until(lambda: listens(self.port) or self.process.poll() is not None, 120) or self.process.poll():
            with open(log.name) as said:
                sys.exit(f"Bail out! the PyKMIP server does not listen: {said.read()}")
        return self

    def stop(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)  # it has a process that watches its policies
            self.process.wait()
        self.process = None

    def owner(self):
        """Of all keys that the worker makes: the same certificate."""
        folder = self.certificates
        return kmip_client.ProxyKmipClient(
            hostname="127.0.0.1", port=self.port, cert=f"{folder}/client.pem", key=f"{folder}/client.key",
            ca=f"{folder}/ca.pem", ssl_version="PROTOCOL_TLSv1_2",
            kmip_version=enums.KMIPVersion.KMIP_1_2,
        )

    def make_key(self, name, active=True, masks=(enums.CryptographicUsageMask.ENCRYPT,
                                                 enums.CryptographicUsageMask.DECRYPT), bits=256):
        key = objects.SymmetricKey(enums.CryptographicAlgorithm.AES, bits, bytes(range(bits // 8)), list(masks), name)
        with self.owner() as owner:
            uid = owner.register(key)
            if active:
                owner.activate(uid)
        return uid

    def revoke(self, uid, reason=enums.RevocationReasonCode.CESSATION_OF_OPERATION):
        with self.owner() as owner:
            owner.revoke(reason, uid)

    def destroy(self, uid):
        with self.owner() as owner:
            owner.destroy(uid)
