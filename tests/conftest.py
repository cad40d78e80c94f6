"""Make the tests' own modules importable (`tests.conformance`, `tests.servers`) and their assertions readable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
pytest.register_assert_rewrite("tests.conformance.suite", "tests.conformance.world")

from tests.servers.aws import aws_account, aws_env, moto_port, strict, strict_layer  # noqa: E402
from tests.servers.keycloak import (  # noqa: E402
    keycloak,
    keycloak_admin,
    keycloak_env,
    keycloak_layer,
    keycloak_port,
)
from tests.servers.postgres import pg, pg_env, pg_proxy, pg_server  # noqa: E402
from tests.servers.vault import vault, vault_env, vault_layer, vault_port  # noqa: E402

__all__ = [
    "aws_account",
    "aws_env",
    "keycloak",
    "keycloak_admin",
    "keycloak_env",
    "keycloak_layer",
    "keycloak_port",
    "moto_port",
    "pg",
    "pg_env",
    "pg_proxy",
    "pg_server",
    "strict",
    "strict_layer",
    "vault",
    "vault_env",
    "vault_layer",
    "vault_port",
]
