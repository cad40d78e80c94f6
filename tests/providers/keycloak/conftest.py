"""Fixtures of the Keycloak provider's tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conformance.world import World
from tests.providers.keycloak.keycloak_kit import world_of
from tests.servers.keycloak import Keycloak


@pytest.fixture()
def world(keycloak: Keycloak, keycloak_env: Mapping[str, str], tmp_path: Path) -> World:
    """A fresh realm as a target, with an administering client."""
    return world_of(keycloak, tmp_path)
