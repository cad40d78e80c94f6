"""The workspace `enterprise` led to an empty realm, an empty Vault and an empty PostgreSQL, all over TLS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.commandline import Shell
from tests.connections.enterprise import DATABASE_PASSWORD, EXAMPLE, Enterprise, prepare, settings
from tests.servers import keycloak as keycloaks
from tests.servers import vault as vaults
from tests.servers.postgres import PgServer


@pytest.fixture()
def enterprise(
    keycloak_tls: keycloaks.Keycloak, vault_tls: vaults.Vault, pg: PgServer, pg_env: Mapping[str, str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> Enterprise:  # fmt: skip
    """The workspace before its first apply."""
    for name in [n for n in os.environ if n.startswith(("KEYCLOAK_", "VAULT_", "BAO_", "NHICTL_")) and "TEST" not in n]:
        monkeypatch.delenv(name)
    assert vault_tls.ca is not None
    found = {
        "VAULT_TOKEN": vault_tls.token, "VAULT_CACERT": str(vault_tls.ca), "NO_PROXY": "127.0.0.1",
        "LEDGER_VAULT_PASSWORD": DATABASE_PASSWORD,
    }  # fmt: skip
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    root = shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".nhictl"))

    def log_in_nhictl() -> None:
        monkeypatch.setenv("KEYCLOAK_CLIENT_SECRET", keycloak_tls.service_client()[1])

    it = Enterprise(root, Shell(root, capsys, []), keycloak_tls, vault_tls, pg, log_in_nhictl)
    settings(it, vault_tls.ca)
    prepare(it)
    return it
