"""Realm and client roles: create, update, delete.

Rules enforced here:
- attributes are sent as a whole, with those that others put there: a role's attributes are replaced, not merged;
- what is inside of a role has calls of its own: in the body of a new role it is ignored without a word;
- a role that somebody still holds, or that another role includes, is not deleted: Keycloak would take it from all of
  them in silence; nor is one of which the server cannot be asked who holds it. Looking costs a call for each client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nhictl.model import Change, Fault, Operation, ProviderError
from nhictl.providers.keycloak import names, reading, single
from nhictl.providers.keycloak.kc_client import found_roles
from nhictl.providers.keycloak.names import CLIENT_ROLE
from nhictl.providers.keycloak.steps import Steps, labels, mark_fields, text_of, verified, wanted
from nhictl.providers.keycloak.wire import Calls, segment

# The server refuses these in a path, in whatever way they are escaped.
_UNASKABLE = "/\\%;"


def create(steps: Steps, change: Change, operation: Operation) -> None:
    """Create the role with its mark, then put the declared roles into it."""
    attributes = wanted(change)
    declared, _ = labels(change, attributes)
    kept = {**declared, **names.mark(operation, change.subject)}
    inner = found_roles(steps.calls, attributes["roles"])
    body = {
        "name": _name(change),
        "description": attributes["description"],
        "attributes": {key: [value] for key, value in kept.items()},
    }
    steps.do("POST", f"{_container(steps.calls, change)}/roles", body)
    made = single.find_role(steps.calls, _text(change))
    if made is None:
        raise steps.partly(ProviderError(Fault.NOT_FOUND, f"{change.address} is gone again", code="404"))
    steps.native_id = made["id"]
    _include(steps, "POST", inner)


def _text(change: Change) -> str:
    return names.role_text(change.address.kind, change.address.name)


def _name(change: Change) -> str:
    return names.split_role(change.address.name)[1] if change.address.kind == CLIENT_ROLE else change.address.name


def _container(calls: Calls, change: Change) -> str:
    if change.address.kind != CLIENT_ROLE:
        return ""
    client = names.split_role(change.address.name)[0]
    found = single.find_client(calls, client)
    if found is None:
        raise ProviderError(Fault.INVALID, f"{change.address}: there is no client {client}", code="NoSuchClient")
    return f"/clients/{segment(found['id'])}"


def _include(steps: Steps, method: str, roles: Mapping[str, Mapping[str, Any]]) -> None:
    if roles:
        body = [{"id": r["id"], "name": r["name"]} for _, r in sorted(roles.items())]
        steps.do(method, f"/roles-by-id/{segment(steps.native_id)}/composites", body, absent_ok=method == "DELETE")


def _check(steps: Steps, change: Change) -> Mapping[str, Any]:
    calls = steps.calls
    return verified(
        change,
        lambda: calls.found(f"/roles-by-id/{segment(change.native_id)}"),
        lambda: single.find_role(calls, _text(change)),
    )


def update(steps: Steps, change: Change, operation: Operation) -> None:
    """Bring the role to what the change says, from what it is now."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    after = wanted(change)
    declared, gone = labels(change, after)
    there = data.get("attributes") or {}
    kept = {key: value for key, value in there.items() if key not in gone}
    kept |= {key: [value] for key, value in {**declared, **mark_fields(change, operation)}.items()}
    body = {"name": _name(change), "description": text_of(data, "description", after), "attributes": kept}
    now = {"name": data["name"], "description": data.get("description"), "attributes": there}
    if body != now:
        steps.do("PUT", f"/roles-by-id/{segment(data['id'])}", body)
    if "roles" in after:
        _contents(steps, data, after["roles"])


def _contents(steps: Steps, data: Mapping[str, Any], declared: tuple[str, ...]) -> None:
    listed = {r["id"]: r for r in reading.inside(steps.calls, data["id"])} if data.get("composite") else {}
    wanted_roles = found_roles(steps.calls, declared)
    ids = {role["id"] for role in wanted_roles.values()}
    _include(steps, "POST", {text: role for text, role in wanted_roles.items() if role["id"] not in listed})
    _include(steps, "DELETE", {key: role for key, role in listed.items() if key not in ids})


def delete(steps: Steps, change: Change) -> None:
    """Delete the role when nobody holds it. Raises ProviderError, fault IN_USE, when somebody does."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    base = f"/clients/{segment(data['containerId'])}" if data.get("clientRole") else ""
    if any(c in data["name"] for c in _UNASKABLE):
        raise ProviderError(
            Fault.IN_USE, f"{change.address}: Keycloak cannot be asked who holds a role of this name",
            code="HoldersUnknown",
            hint="look in Keycloak who has it; rename it to a name without slash, backslash, percent and semicolon, or "
            "delete it there",
        )  # fmt: skip
    _unused(steps.calls, change, f"{base}/roles/{segment(data['name'])}", data["id"])
    steps.do("DELETE", f"/roles-by-id/{segment(data['id'])}", absent_ok=True)


def _unused(calls: Calls, change: Change, path: str, role_id: str) -> None:
    users = [f"user {u['username']}" for u in calls.get(f"{path}/users", first=0, max=5)]
    groups = [f"group {g['path']}" for g in calls.get(f"{path}/groups", first=0, max=5)]
    including = [called for called, own_id in _composites(calls) if role_id in _ids_inside(calls, own_id)]
    if users or groups or including:
        raise ProviderError(
            Fault.IN_USE, f"{change.address} is still held by {', '.join((*users, *groups, *including))}", code="InUse",
            hint="take it from them first",
        )  # fmt: skip


def _composites(calls: Calls) -> Iterator[tuple[str, str]]:
    """Yield what each composite role of the realm and of its clients is called, and its id."""
    for role in calls.pages("/roles", "id"):
        if role.get("composite"):
            yield f"realm role {role['name']}", role["id"]
    for client in list(calls.pages("/clients", "id")):
        for role in calls.get(f"/clients/{segment(client['id'])}/roles"):
            if role.get("composite"):
                yield f"client role {client['clientId']}/{role['name']}", role["id"]


def _ids_inside(calls: Calls, role_id: str) -> set[str]:
    return {role["id"] for role in reading.inside(calls, role_id)}


def forget(steps: Steps, change: Change) -> None:
    """Take our mark away."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    there = data.get("attributes") or {}
    kept = {key: value for key, value in there.items() if key not in names.MARK_KEYS}
    if kept != there:
        body = {"name": data["name"], "description": data.get("description"), "attributes": kept}
        steps.do("PUT", f"/roles-by-id/{segment(data['id'])}", body)
