"""Single objects of a realm, read by their names with all their details.

Rules enforced here: a name is compared exactly, whatever the server's search matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nhictl.model import Address, Fault, ProviderError, Resource
from nhictl.providers.base import Scope
from nhictl.providers.keycloak import convert, names
from nhictl.providers.keycloak.names import CLIENT_ROLE
from nhictl.providers.keycloak.reading import (
    Reading,
    client_resource,
    granted,
    inside,
    provider_resource,
    role_resource,
)
from nhictl.providers.keycloak.wire import Calls, segment

_FULL = {"briefRepresentation": "false"}


def one(calls: Calls, address: Address) -> Resource | None:
    """Return one object by its name, with all details; None when there is none."""
    scope = Scope(addresses=frozenset({address}))
    work = Reading(calls, address.target, scope)
    match address.kind:
        case "client":
            return _one_client(work, address)
        case "realm-role" | "client-role":
            return _one_role(work, address)
        case "client-scope":
            listed = calls.get("/client-scopes")
            return next((convert.scope(address, s) for s in listed if s["name"] == address.name), None)
        case "identity-provider":
            data = calls.found(f"/identity-provider/instances/{segment(address.name)}")
            return provider_resource(work, data) if data is not None else None
        case "application":
            data = find_client(calls, address.name)
            return None if data is None else client_resource(address.target, calls.realm, data, ())
    raise ProviderError(Fault.INVALID, f"{address}: keycloak has no kind {address.kind}", code="UnknownKind")


def find_client(calls: Calls, name: str) -> dict[str, Any] | None:
    """Return the representation of a client by its client id."""
    return next((c for c in calls.get("/clients", clientId=name) if c["clientId"] == name), None)


def _one_client(work: Reading, address: Address) -> Resource | None:
    data = find_client(work.calls, address.name)
    if data is None:
        return None
    resource = client_resource(address.target, work.calls.realm, data, {address})
    if not resource.attributes["service_account"]:
        return resource
    return granted(work, resource, grouped=int(work.calls.get("/groups/count")["count"]) > 0)


def find_role(calls: Calls, text: str) -> dict[str, Any] | None:
    """Return the representation of a role by its text, None when it or its client does not exist."""
    kind, _, name = text.partition("/")
    base = ""
    if kind == CLIENT_ROLE:
        container, name = names.split_role(name)
        client = find_client(calls, container)
        if client is None:
            return None
        base = f"/clients/{segment(client['id'])}"
    if name.isascii() and all(c.isalnum() or c in "-_.:@ " for c in name):
        found: dict[str, Any] | None = calls.found(f"{base}/roles/{segment(name)}")
        return found
    # A slash in a segment of a path is refused by the server.
    return next((r for r in calls.pages(f"{base}/roles", "id", search=name, **_FULL) if r["name"] == name), None)


def _one_role(work: Reading, address: Address) -> Resource | None:
    text = names.role_text(address.kind, address.name)
    data = find_role(work.calls, text)
    if data is None:
        return None
    listed = inside(work.calls, data["id"]) if data.get("composite") else []
    return role_resource(replace_inside(work, text, listed), text, data)


def replace_inside(work: Reading, text: str, listed: Iterable[Mapping[str, Any]]) -> Reading:
    """Note what is inside of a role; the names of its clients are asked for."""
    known: dict[str, str] = {}
    for data in listed:
        container = str(data.get("containerId", ""))
        if data.get("clientRole") and container not in known:
            known[container] = work.calls.get(f"/clients/{segment(container)}")["clientId"]
    work.inside[text] = tuple(sorted(names.role_of(data, known) for data in listed))
    return work
