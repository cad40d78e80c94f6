"""Servers over TLS with a certificate of a throwaway authority.

Fixtures: `tls_authority` (one per worker), `vault_tls` and `keycloak_tls`: the objects of `vault` and `keycloak` whose
`url` is https and whose `ca` is the file that a client has to trust. `keycloak_mutual` is Keycloak's own TLS, which
asks clients for a certificate of an authority of its own.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.servers import keycloak as keycloaks
from tests.servers import vault as vaults
from tests.servers.aws import missing
from tests.servers.certificates import NAME, Authority, authority, common_name, issued
from tests.servers.http_faults import serve
from tests.servers.once import Running


@dataclass(frozen=True, slots=True)
class Mutual:
    """A realm at the server's own TLS port, past every layer; `folder` has the authority whose clients it lets in."""

    port: int
    realm: str
    folder: Path
    own: Path

    @property
    def issuer(self) -> str:
        """What tokens from here name as their issuer."""
        return f"https://127.0.0.1:{self.port}/realms/{self.realm}"

    @property
    def name(self) -> str:
        """The subject of the authority, as RFC 4514 writes it."""
        return common_name(NAME).rfc4514_string()

    def certificate(self, subject: str, *, of: Path | None = None) -> Path:
        """Return a new key with a certificate for a subject as RFC 4514 writes it, of this or another authority."""
        file = self.own / f"client-{len(list(self.own.glob('client-*')))}.pem"
        issued(of or self.folder, x509.Name.from_rfc4514_string(subject), file)
        return file

    def token(self, form: Mapping[str, str], certificate: Path | None = None) -> dict[str, Any]:
        """Return what the token endpoint says to a client with a certificate; raises AssertionError when it refuses."""
        trust = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if certificate is not None:
            trust.load_cert_chain(certificate)
        asked = {"grant_type": "client_credentials", **form}
        return keycloaks.token(self.port, self.realm, asked, trust=trust)


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


@pytest.fixture()
def keycloak_mutual(keycloak: keycloaks.Keycloak, keycloak_running: Running, tmp_path: Path) -> Mutual:
    """The realm of `keycloak` at the server's own TLS port."""
    home = keycloak_running.home or os.environ.get("NHICTL_TEST_KEYCLOAK_HOME")
    if not home:
        missing("the folder of the given Keycloak (NHICTL_TEST_KEYCLOAK_HOME)")
    folder = Path(str(home)) / "tls"
    own = tmp_path / "certificates"
    own.mkdir()
    return Mutual(int((folder / "port").read_text()), keycloak.realm, folder, own)
