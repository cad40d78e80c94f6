"""A client of a Keycloak realm at a jwt mount: known by its client id, and by nothing that changes."""

from __future__ import annotations

import pytest

from nhictl.kinds import connection
from nhictl.model import Document
from nhictl.providers.vault import fields, trusting
from nhictl.providers.vault.trusting import Untrusted

CLIENT = {"clientId": "orders-api"}


def realm(**block):
    """Return a Connection of Vault to a realm."""
    spec = {"issuer": {"oidc": {"url": "https://sso.example.com/realms/shop"}}}
    body = {"mount": "jwt-shop", "audiences": ["https://vault.example.com"], **block}
    value = {"metadata": {"name": "realm"}, "spec": {**spec, "vault": body}}
    return connection.parse(Document("Connection", "realm", value, "realm.yaml"))


def test_a_realm_connection_takes_clients():
    """An OIDC issuer fits; a Kubernetes mount or another kind of issuer does not."""
    assert trusting.fits("keycloak", realm())
    assert not trusting.fits("keycloak", realm(type="kubernetes"))


def test_the_client_is_bound_and_named_by_azp():
    """Only its own tokens fit, for the mount's audience, and all of them are one entity's."""
    found = trusting.bounds("keycloak", CLIENT, realm())

    assert found["bound_claims"] == {"azp": ("orders-api",)}
    assert found["bound_subject"] == ""
    assert found["bound_audiences"] == ("https://vault.example.com",)
    assert fields.alias_name({"method": "jwt", **found}) == "orders-api"


def test_a_claim_that_the_client_does_not_pin_names_nobody():
    """The subject of a service account is made up by Keycloak: it is refused as the name, with the one that works."""
    with pytest.raises(Untrusted) as refused:
        trusting.bounds("keycloak", CLIENT, realm(userClaim="sub"))

    assert refused.value.code == "E522"
    assert "azp" in refused.value.hint


def test_a_client_id_with_a_wildcard_is_refused():
    """It would be a pattern for whoever reads it."""
    with pytest.raises(Untrusted) as refused:
        trusting.bounds("keycloak", {"clientId": "orders-*"}, realm())

    assert refused.value.code == "E523"
