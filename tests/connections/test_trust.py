"""Keycloak's clients at Vault: made by nhictl on empty servers, known by what the manifests say and by nothing else."""

from __future__ import annotations

import pytest

from tests.connections.enterprise import Enterprise

pytestmark = pytest.mark.parametrize("pg_server", [18], indirect=True, ids=["pg18"])


def test_a_client_gets_exactly_the_policies_of_the_manifests(enterprise: Enterprise):
    """Applied once, nothing is left to do; the client's token opens what its roles say, and nothing more."""
    it = enterprise
    it.apply()
    assert it.plan().code == 0

    reply = it.log_in("orders-api", it.token("orders-api"))

    assert reply.status == 200, reply
    said = reply.body["auth"]
    assert sorted(said["identity_policies"]) == ["ledger-credentials", "orders-secrets"]
    assert sorted(said["token_policies"]) == ["default", "orders-audit"]
    assert sorted(said["policies"]) == ["default", "ledger-credentials", "orders-audit", "orders-secrets"]
    assert (said["lease_duration"], said["metadata"]["role"]) == (300, "orders-api")
    token = said["client_token"]
    assert it.may(token, "secret/data/orders/api")
    assert it.ask("POST", "secret/data/audit/orders/one", token, {"data": {}}).status == 200
    for path in ("secret/data/invoices/api", "secret/data/audit/orders/one", "sys/auth", "identity/entity/id"):
        assert it.ask("GET", path, token).status == 403, path
    assert it.ask("POST", "secret/data/orders/api", token, {"data": {}}).status == 403
