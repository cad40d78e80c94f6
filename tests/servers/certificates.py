"""A throwaway certificate authority in a folder, and what it signs. Nothing is installed in the machine's trust."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = timedelta(days=2)
NAME = "nhictl tests' throwaway authority"


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's certificate as a file, and the context of a server that it vouches for."""

    ca: Path
    server: ssl.SSLContext


def authority(folder: Path) -> Authority:
    """Make an authority and a certificate of it for 127.0.0.1 and localhost, as files in a folder.

    The files: `ca.pem`, `ca.key.pem`, and of the server `server.pem` with the key first, `server.key.pem`.
    """
    root = ec.generate_private_key(ec.SECP256R1())
    issuer = common_name(NAME)
    ca = _signed(issuer, issuer, root.public_key(), root, _authority_extensions(root.public_key()))
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "ca.key.pem").write_bytes(_private(root))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    own = issued(folder, common_name("localhost"), folder / "server.pem", names)
    (folder / "server.key.pem").write_bytes(own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Authority(folder / "ca.pem", context)


def issued(folder: Path, subject: x509.Name, to: Path, *extensions: x509.ExtensionType) -> bytes:
    """Write a new key and a certificate of a folder's authority to a file; return the key."""
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    root = serialization.load_pem_private_key((folder / "ca.key.pem").read_bytes(), None)
    assert isinstance(root, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    vouched = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    said = tuple((extension, False) for extension in (*extensions, vouched))
    certificate = _signed(subject, ca.subject, key.public_key(), root, said)
    to.write_bytes(_private(key) + certificate.public_bytes(serialization.Encoding.PEM))
    return _private(key)


def common_name(text: str) -> x509.Name:
    """Return a name with nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _authority_extensions(key: ec.EllipticCurvePublicKey) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    off = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **off)
    own = x509.SubjectKeyIdentifier.from_public_key(key)
    return (x509.BasicConstraints(ca=True, path_length=None), True), (usage, True), (own, False)


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...],
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + LIFE)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
