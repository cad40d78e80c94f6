"""A throwaway certificate authority, and servers over TLS with a certificate of it.

Fixtures: `tls_authority` (one per worker), `vault_tls` and `keycloak_tls`: the objects of `vault` and `keycloak` whose
`url` is https and whose `ca` is the file that a client has to trust. Nothing is installed in the machine's trust.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import keycloak as keycloaks
from tests.servers import vault as vaults
from tests.servers.http_faults import serve

LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's certificate as a file, and the context of a server that it vouches for."""

    ca: Path
    server: ssl.SSLContext


def authority(folder: Path) -> Authority:
    """Make an authority and a certificate of it for 127.0.0.1 and localhost, as files in a folder."""
    root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("nhictl tests' throwaway authority")
    ca = _signed(issuer, issuer, root.public_key(), root, _authority_extensions(root.public_key()))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    vouched = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    certificate = _signed(_name("localhost"), issuer, leaf.public_key(), root, ((names, False), (vouched, False)))
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(_private(leaf) + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Authority(folder / "ca.pem", context)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


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


@pytest.fixture(scope="session")
def tls_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts unless told."""
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture()
def vault_tls(vault: vaults.Vault, tls_authority: Authority) -> Iterator[vaults.Vault]:
    """The Vault of `vault`, over TLS, behind a fault layer of its own."""
    with serve(vault.direct_port, reads=vaults.READS, tls=tls_authority.server) as layer:
        yield replace(vault, faults=layer, ca=tls_authority.ca)


@pytest.fixture()
def keycloak_tls(
    keycloak: keycloaks.Keycloak, keycloak_port: int, tls_authority: Authority
) -> Iterator[keycloaks.Keycloak]:
    """The realm of `keycloak`, over TLS, behind a fault layer of its own."""
    with serve(keycloak_port, reads=keycloaks.READS, tls=tls_authority.server) as layer:
        yield replace(keycloak, faults=layer, ca=tls_authority.ca)
