"""What the tests of the Keycloak provider share: an estate in a realm, a change by hand, a full picture of a client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nhictl.kinds.workspace import Target
from nhictl.providers.keycloak.adapter import adapter
from tests.conformance.world import World
from tests.servers.keycloak import Keycloak

ESTATE = """
kind: Role
metadata: {name: orders-reader}
spec: {description: Read orders, keycloak: {scope: {audiences: [https://vault.example.com]}}}
---
kind: NHI
metadata: {name: payments}
spec:
  type: service-account
  owner: payments
  purpose: Take payments
  identity: {keycloak: {clientId: payments, auth: client-secret}}
  grants: [{role: orders-reader}]
"""
CHANGED = ESTATE.replace("Take payments", "Take and give payments").replace("Read orders", "Read all orders")


def world_of(keycloak: Keycloak, root: Path, **settings: Any) -> World:
    """Return the realm as a target with an empty memory."""
    known = {"url": keycloak.url, "realm": keycloak.realm, "plainHttp": True, **settings}
    return World(adapter, Target("sso-test", "keycloak", known, root))


def client(keycloak: Keycloak, client_id: str = "payments") -> dict[str, Any]:
    """Return a client as the administrator sees it, secret included."""
    return dict(keycloak.call("GET", f"/clients?clientId={client_id}")[0])


def put(keycloak: Keycloak, data: Mapping[str, Any], **changed: Any) -> None:
    """Update a client by hand, everything else sent back as it was read."""
    keycloak.call("PUT", f"/clients/{data['id']}", {**data, **changed})


def picture(keycloak: Keycloak, client_id: str = "payments") -> dict[str, Any]:
    """Return everything the server knows about a client: itself, its secrets, account, grants and authorization."""
    data = client(keycloak, client_id)
    path = f"/clients/{data['id']}"
    account = keycloak.call("GET", f"{path}/service-account-user")
    found = {
        "client": data,
        "secret": keycloak.call("GET", f"{path}/client-secret"),
        "account": account,
        "roles": keycloak.call("GET", f"/users/{account['id']}/role-mappings"),
        "groups": keycloak.call("GET", f"/users/{account['id']}/groups"),
        "default": keycloak.call("GET", f"{path}/default-client-scopes"),
        "optional": keycloak.call("GET", f"{path}/optional-client-scopes"),
        "scope-mappings": keycloak.call("GET", f"{path}/scope-mappings"),
    }
    if data.get("authorizationServicesEnabled"):
        found["authorization"] = keycloak.call("GET", f"{path}/authz/resource-server/settings")
    return plain(found)


def plain(value: Any) -> Any:
    """Return JSON data with lists in one order: those of the server have none."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in sorted(value.items())}
    return sorted((plain(item) for item in value), key=repr) if isinstance(value, list) else value


def differences(before: Any, after: Any, path: str = "") -> set[str]:
    """Return the paths at which two pictures differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = set(before) | set(after)
        return {d for key in keys for d in differences(before.get(key), after.get(key), f"{path}/{key}")}
    return set() if before == after else {path}
