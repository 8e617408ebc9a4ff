# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates of the emulator: a CA of its own and what it signs, or not."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem_key(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path, text):
    """A file that nobody else can read, not even for a moment."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(text)


class Authority:
    """Signs certificates; its own is in FOLDER/ca.pem."""

    def __init__(self, folder, name="emulator CA"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.certificate = self._build(self.name, self.key.public_key(), self.name, 0, 2, True, [])

    def save(self, name="ca.pem"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _build(self, subject, public, issuer, first_day, last_day, is_ca, hosts):
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + first_day * DAY - DAY)
            .not_valid_after(now + last_day * DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), True)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), False)
        return builder.sign(self.key, hashes.SHA256())

    def server(self, file, hosts, first_day=0, last_day=2):
        """FOLDER/FILE: key and certificate for these hosts."""
        names = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(
            _name(hosts[0]), key.public_key(), self.name, first_day, last_day, False, names
        )
        path = os.path.join(self.folder, file)
        write_private(path, _pem_key(key) + certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def client(self, file, name):
        """FOLDER/FILE: an RSA key and its certificate, for signing assertions."""
        key = rsa.generate_private_key(65537, 2048)
        certificate = self._build(_name(name), key.public_key(), self.name, 0, 2, False, [])
        path = os.path.join(self.folder, file)
        write_private(path, _pem_key(key) + certificate.public_bytes(serialization.Encoding.PEM))
        return certificate
