"""What is read of configurations and attributes, and what never is."""

from __future__ import annotations

import pytest

from nhictl.providers.keycloak import mapping


@pytest.mark.parametrize("key", ["clientSecret", "apiToken", "my-token", "bindCredential", "api.key", "dbPassword"])
def test_what_is_named_a_secret_is_not_read(key: str) -> None:
    """Neither in a configuration nor among the attributes that people give."""
    assert mapping.mapper_config({key: "CANARY", "x": "y"}) == {"x": "y"}
    assert mapping.tags_of({key: "CANARY", "x": "y"}) == {"x": "y"}


@pytest.mark.parametrize("key", ["tokenUrl", "access.token.claim", "clientAuthMethod", "sendIdTokenOnLogout"])
def test_what_only_sounds_like_a_secret_is_read(key: str) -> None:
    """Where tokens come from, and in which a claim is."""
    assert mapping.mapper_config({key: "true"}) == {key: "true"}
