"""The workspace `enterprise` led to an empty realm, an empty Vault and an empty PostgreSQL, all over TLS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import Shell
from tests.connections import forging
from tests.connections.enterprise import DATABASE_PASSWORD, EXAMPLE, Enterprise, prepare, settings
from tests.servers import keycloak as keycloaks
from tests.servers import vault as vaults
from tests.servers.http_faults import serve
from tests.servers.postgres import PgServer
from tests.servers.tls import Authority


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the run's servers are."""

    keycloak: int
    vault: int
    pg: PgServer
    authority: Authority


@pytest.fixture(scope="session")
def servers(keycloak_port: int, vault_port: int, pg_server: PgServer, tls_authority: Authority) -> Servers:
    """The run's servers, with whatever is in them."""
    return Servers(keycloak_port, vault_port, pg_server, tls_authority)


@contextmanager
def opened(servers: Servers, folder: Path, environ: pytest.MonkeyPatch) -> Iterator[Enterprise]:
    """Empty the servers, lead a copy of the workspace to them over TLS, and remove the realm at the end."""
    with ExitStack() as stack:
        admin = keycloaks.Admin(f"http://127.0.0.1:{servers.keycloak}")
        own = {"tls": servers.authority.server}
        layers = (
            stack.enter_context(serve(port, reads=reads, **own))
            for port, reads in ((servers.keycloak, keycloaks.READS), (servers.vault, vaults.READS))
        )
        realm, ca = stack.enter_context(keycloaks.fresh_realm(admin)), servers.authority.ca
        keycloak = keycloaks.Keycloak(realm, admin.url, next(layers), admin, ca=ca)
        vault = vaults.Vault(servers.vault, next(layers), ca=ca)
        vaults.empty(vault)
        servers.pg.clean()
        _environment(environ, vault, servers.pg)

        def log_in_nhictl() -> None:
            environ.setenv("KEYCLOAK_CLIENT_SECRET", keycloak.service_client()[1])

        root = shutil.copytree(EXAMPLE, folder / "shop", ignore=shutil.ignore_patterns(".nhictl"))
        wrote: list[str] = []
        it = Enterprise(root, _process(root, wrote), keycloak, vault, servers.pg, log_in_nhictl, wrote)
        settings(it, ca)
        prepare(it)
        yield it


def _environment(environ: pytest.MonkeyPatch, vault: vaults.Vault, pg: PgServer) -> None:
    """Set what opens the servers to nhictl, and nothing else."""
    ours = ("KEYCLOAK_", "VAULT_", "BAO_", "NHICTL_", "PG")
    for name in [n for n in os.environ if n.startswith(ours) and not n.startswith("NHICTL_TEST_")]:
        environ.delenv(name)
    found: Mapping[str, str] = {
        "VAULT_TOKEN": vault.token, "VAULT_CACERT": str(vault.ca), "NO_PROXY": "127.0.0.1",
        "LEDGER_VAULT_PASSWORD": DATABASE_PASSWORD, "PGUSER": "postgres", "PGPASSWORD": pg.password,
        "PGSSLROOTCERT": str(pg.ca), "PGPASSFILE": os.devnull,
    }  # fmt: skip
    for name, value in found.items():
        environ.setenv(name, value)


def _process(root: Path, wrote: list[str]) -> Callable[..., Any]:
    nobody: Any = None
    shell = Shell(root, nobody, wrote)
    return lambda *words: shell.process(*words, seconds=300)


@pytest.fixture()
def enterprise(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enterprise]:
    """The workspace before its first apply."""
    with opened(servers, tmp_path, monkeypatch) as it:
        yield it


@pytest.fixture(scope="module")
def applied(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enterprise]:
    """The workspace after its first apply, for tests that only ask: made once for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch, opened(servers, tmp_path_factory.mktemp("shop"), patch) as it:
        it.batch_key, certificate = forging.client_key("invoice-batch")
        it.certify("invoice-batch", certificate)
        it.realm_key = forging.key_of_realm(it.keycloak)
        it.apply()
        yield it
