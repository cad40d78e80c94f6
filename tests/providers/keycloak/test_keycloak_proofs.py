"""What is told of a client's credentials, from its representation alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from nhictl.model import Address
from nhictl.providers.keycloak import convert
from nhictl.providers.keycloak.proofs import proof_of

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
PATTERN = "x509.allow.regex.pattern.comparison"
PAST, FUTURE = "1700000000", "1900000000"


def told(method: str, **attributes: str) -> Any:
    """Return the credentials that a client with this authenticator has, None when nothing is said."""
    data = {"id": "1", "clientId": "a", "clientAuthenticatorType": method, "attributes": attributes}
    return convert.client(Address("sso", "client", "a"), data, now=NOW).facts.get("credentials")


def test_a_secret_without_an_end_never_ends():
    """An empty time says so, which is more than that nobody knows."""
    (secret,) = told("client-secret", **{"client.secret.creation.time": PAST})
    assert secret == {
        "kind": "client-secret", "id": "current", "status": "active", "created": "2023-11-14T22:13:20Z", "expires": "",
    }  # fmt: skip


@pytest.mark.parametrize(("at", "status"), [(PAST, "expired"), (FUTURE, "active")])
def test_a_secret_past_its_end_is_expired(at: str, status: str):
    """The server takes it no more: it is no active credential."""
    (secret,) = told("client-secret", **{"client.secret.expiration.time": at})
    assert secret["status"] == status


def test_a_way_that_is_not_known_says_nothing_of_credentials():
    """No fact, where none at all would say that there are none."""
    assert told("client-of-a-plugin") is None
    assert told("client-jwt") == ()


@pytest.mark.parametrize(
    ("said", "proof"),
    [
        ({PATTERN: "false"}, {"subject_dn": "CN=a"}),
        ({}, {"subject_dn": "CN=a", "pattern": True}),
        ({PATTERN: "TRUE"}, {"subject_dn": "CN=a", "pattern": True}),
    ],
    ids=["off", "nothing", "on"],
)
def test_a_subject_is_a_pattern_unless_that_is_switched_off(said: dict[str, str], proof: dict[str, Any]):
    """Keycloak takes the absence of the switch for on."""
    assert proof_of("tls", {"x509.subjectdn": "CN=a", **said}) == proof


def test_without_a_subject_the_rest_says_nothing():
    """No certificate is let in: which authority signs, and whether it is a pattern, are no difference."""
    assert proof_of("tls", {"x509.casubjectdn": "CN=Our CA"}) == {"subject_dn": ""}
