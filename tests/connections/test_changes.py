"""What an apply takes away from clients that are in use: which tokens lose it at once, and which when they end."""

from __future__ import annotations

import pytest

from tests.connections import exports, forging
from tests.connections.enterprise import AUDIENCE, Enterprise

pytestmark = pytest.mark.parametrize("pg_server", [18], indirect=True, ids=["pg18"])


def test_without_the_audience_in_the_manifests_the_same_client_is_refused(enterprise: Enterprise):
    """The role that brings Vault's audience is taken away: the next token is as before but for that."""
    it = enterprise
    it.apply()
    before = it.token("orders-api")
    it.edit("nhis/orders-api.yaml", "    - {role: vault-login}\n", "")

    it.apply()

    after = it.token("orders-api")
    said, says = forging.claims_of(before), forging.claims_of(after)
    assert "aud" in it.log_in("orders-api", after).said
    assert [said[c] for c in ("azp", "sub", "iss")] == [says[c] for c in ("azp", "sub", "iss")]
    assert AUDIENCE in said["aud"]
    assert AUDIENCE not in says.get("aud", ())


def test_a_role_that_is_taken_away(enterprise: Enterprise):
    """With a group it is gone for tokens that live; one of the token itself stays until that token ends."""
    it = enterprise
    it.apply()
    living = it.logged_in("orders-api", it.token("orders-api"))
    for role in ("orders-secrets", "orders-audit"):
        it.edit("nhis/orders-api.yaml", f"    - {{role: {role}, via: realm-to-vault}}\n", "")

    it.apply()

    assert not it.may(living, "secret/data/orders/api")
    assert it.ask("POST", "secret/data/audit/orders/one", living, {"data": {}}).status == 200
    left = it.log_in("orders-api", it.token("orders-api")).body["auth"]
    assert left["policies"] == ["default", "ledger-credentials"]
    assert it.plan().code == 0


@pytest.mark.parametrize("way", ["enabled: false", "removed"])
def test_an_identity_that_is_stopped_stops_everywhere(enterprise: Enterprise, way: str):
    """No token of Keycloak, no login with one from before, no use of a living token of Vault; and it comes back."""
    it = enterprise
    it.apply()
    earlier = it.token("orders-api")
    living = it.logged_in("orders-api", earlier)
    file = it.root / "manifests/nhis/orders-api.yaml"
    text = file.read_text()
    if way == "removed":
        file.unlink()
    else:
        it.edit("nhis/orders-api.yaml", "  purpose:", "  enabled: false\n  purpose:")

    it.apply()

    with pytest.raises(AssertionError, match=r"unauthorized_client|invalid_client"):
        it.token("orders-api")
    assert it.log_in("orders-api", earlier).status in (400, 403)
    assert not it.may(living, "secret/data/orders/api")
    assert it.ask("POST", "secret/data/audit/orders/one", living, {"data": {}}).status == 403
    assert it.plan().code == 0
    file.write_text(text)
    it.apply()
    assert it.may(it.logged_in("orders-api", it.token("orders-api")), "secret/data/orders/api")


def test_the_same_manifests_rebuild_empty_servers(enterprise: Enterprise):
    """Everything is wiped, the ledger too, and applied again: each server's export is what it was, and logins work."""
    it = enterprise
    it.apply()
    before = exports.everything(it)
    it.wipe()
    empty = exports.everything(it)

    it.apply()

    after = exports.everything(it)
    assert it.plan().code == 0
    for server in ("realm", "vault", "ledger"):
        assert after[server] == before[server], server
        assert empty[server] != before[server], server
    assert it.may(it.logged_in("orders-api", it.token("orders-api")), "secret/data/orders/api")
