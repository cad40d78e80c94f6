"""Make the tests' own modules importable (`tests.conformance`, `tests.servers`) and their assertions readable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
pytest.register_assert_rewrite("tests.conformance.suite", "tests.conformance.world", "tests.importing.suite")

from tests.servers.aws import aws_account, aws_env, moto_port, strict, strict_layer  # noqa: E402
from tests.servers.browser import axe, browser, page  # noqa: E402
from tests.servers.keycloak import (  # noqa: E402
    keycloak,
    keycloak_admin,
    keycloak_env,
    keycloak_layer,
    keycloak_port,
)
from tests.servers.postgres import pg, pg_env, pg_proxy, pg_server  # noqa: E402
from tests.servers.tls import keycloak_tls, tls_authority, vault_tls  # noqa: E402
from tests.servers.vault import vault, vault_env, vault_layer, vault_port  # noqa: E402

__all__ = [
    "aws_account",
    "aws_env",
    "axe",
    "browser",
    "keycloak",
    "keycloak_admin",
    "keycloak_env",
    "keycloak_layer",
    "keycloak_port",
    "keycloak_tls",
    "moto_port",
    "page",
    "pg",
    "pg_env",
    "pg_proxy",
    "pg_server",
    "strict",
    "strict_layer",
    "tls_authority",
    "vault",
    "vault_env",
    "vault_layer",
    "vault_port",
    "vault_tls",
]
