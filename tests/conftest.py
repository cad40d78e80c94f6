"""Make the tests' own modules importable (`tests.conformance`, `tests.servers`) and their assertions readable."""

from __future__ import annotations

import os
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
    keycloak_realms,
    keycloak_running,
)
from tests.servers.postgres import pg, pg_env, pg_proxy, pg_server  # noqa: E402
from tests.servers.tls import keycloak_mutual, keycloak_tls, tls_authority, vault_tls  # noqa: E402
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
    "keycloak_mutual",
    "keycloak_port",
    "keycloak_realms",
    "keycloak_running",
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the estates of a thousand, which take minutes, unless they are asked for."""
    if os.environ.get("NHICTL_TEST_THOUSANDS"):
        return
    for item in items:
        if item.get_closest_marker("thousands"):
            item.add_marker(pytest.mark.skip(reason="set NHICTL_TEST_THOUSANDS=1"))
