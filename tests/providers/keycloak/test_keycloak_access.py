"""What a client of a realm may do, through roles that include others."""

from __future__ import annotations

from nhictl.model import Address, Resource
from nhictl.providers.base import Scope
from nhictl.providers.keycloak import access
from nhictl.providers.keycloak.adapter import adapter
from nhictl.providers.keycloak.names import CLIENT, CLIENT_ROLE, role_name, role_text


def test_an_administrator_of_another_realm_has_what_its_role_includes():
    """In the master realm the client `shop-realm` has the management roles of the realm `shop`."""
    held = role_text(CLIENT_ROLE, role_name("shop-realm", "view-users"))
    client = Resource(Address("sso", CLIENT, "batch"), {"enabled": True, "serviceAccount": True, "roles": (held,)})
    found = {(p.action, p.resource) for p in access.permissions(client, {client.address: client})}
    assert {("admin:view-users", "realm:shop"), ("admin:query-users", "realm:shop")} <= found


def allowed(world, **scope):
    """Return what the client `batch` may do by roles, as it is read."""
    with world.session() as session:
        found = {r.address: r for r in session.read(Scope(**scope))}
    batch = found[Address(world.target.name, CLIENT, "batch")]
    return {
        (p.action, p.resource) for p in adapter.permissions(batch, found) if p.action.startswith(("role:", "admin:"))
    }


def test_what_the_realm_gives_to_every_account_is_access_of_each(keycloak, world):
    """Whoever puts realm-admin into the default role gives it to every service account."""
    keycloak.call("POST", "/clients", {"clientId": "batch", "publicClient": False, "serviceAccountsEnabled": True})
    assert allowed(world, details=True) == set()
    default = keycloak.call("GET", f"/roles/default-roles-{keycloak.realm}")
    management = keycloak.call("GET", "/clients?clientId=realm-management")[0]["id"]
    given = keycloak.call("GET", f"/clients/{management}/roles/realm-admin")

    keycloak.call("POST", f"/roles-by-id/{default['id']}/composites", [given])

    assert {("admin:realm-admin", "realm"), ("admin:manage-users", "realm")} <= allowed(world, details=True)
    asked = frozenset({Address(world.target.name, CLIENT, "batch")})
    assert ("admin:manage-users", "realm") in allowed(world, addresses=asked)
