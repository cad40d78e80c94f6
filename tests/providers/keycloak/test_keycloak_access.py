"""What a client of a realm may do, through roles that include others."""

from __future__ import annotations

from nhictl.model import Address, Resource
from nhictl.providers.keycloak import access
from nhictl.providers.keycloak.names import CLIENT, CLIENT_ROLE, role_name, role_text


def test_an_administrator_of_another_realm_has_what_its_role_includes():
    """In the master realm the client `shop-realm` has the management roles of the realm `shop`."""
    held = role_text(CLIENT_ROLE, role_name("shop-realm", "view-users"))
    client = Resource(Address("sso", CLIENT, "batch"), {"enabled": True, "serviceAccount": True, "roles": (held,)})
    found = {(p.action, p.resource) for p in access.permissions(client, {client.address: client})}
    assert {("admin:view-users", "realm:shop"), ("admin:query-users", "realm:shop")} <= found
