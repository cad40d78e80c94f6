"""Client scopes: create, update, delete.

Rules enforced here:
- attributes are merged key by key; mappers have calls of their own;
- a scope that a client still has is not deleted: Keycloak would take it from all of them in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhictl.model import Change, Fault, Operation, ProviderError
from nhictl.providers.keycloak import convert, names
from nhictl.providers.keycloak.steps import (
    Steps,
    labels,
    mark_fields,
    protocol_mapper,
    set_mappers,
    text_of,
    verified,
    wanted,
)
from nhictl.providers.keycloak.wire import segment


def create(steps: Steps, change: Change, operation: Operation) -> None:
    """Create the scope with its mark and its mappers in one call."""
    attributes = wanted(change)
    declared, _ = labels(change, attributes)
    body = {
        "name": change.address.name,
        "protocol": attributes["protocol"],
        "description": attributes["description"],
        "attributes": {**convert.scope_attributes(attributes), **declared, **names.mark(operation, change.subject)},
        "protocolMappers": [protocol_mapper(*item) for item in attributes["mappers"].items()],
    }
    steps.native_id = steps.do("POST", "/client-scopes", body).made


def _check(steps: Steps, change: Change) -> Mapping[str, Any]:
    calls, name = steps.calls, change.address.name
    return verified(
        change,
        lambda: calls.found(f"/client-scopes/{segment(change.native_id)}"),
        lambda: next((s for s in calls.get("/client-scopes") if s["name"] == name), None),
    )


def update(steps: Steps, change: Change, operation: Operation) -> None:
    """Bring the scope to what the change says, from what it is now."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    after = wanted(change)
    declared, gone = labels(change, after)
    kept = {**convert.scope_attributes(after), **declared, **mark_fields(change, operation), **dict.fromkeys(gone, "")}
    there = data.get("attributes") or {}
    changed = {key: value for key, value in kept.items() if there.get(key, "true") != value}
    body = {"name": change.address.name, "description": text_of(data, "description", after), "attributes": changed}
    if changed or data["name"] != body["name"] or data.get("description") != body["description"]:
        steps.do("PUT", f"/client-scopes/{segment(data['id'])}", body)
    path = f"/client-scopes/{segment(data['id'])}/protocol-mappers/models"
    set_mappers(steps, path, data.get("protocolMappers") or (), after["mappers"])


def delete(steps: Steps, change: Change) -> None:
    """Delete the scope when no client has it. Raises ProviderError, fault IN_USE, when one does."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    holders = [
        c["clientId"] for c in steps.calls.pages("/clients", "id")
        if data["name"] in (*(c.get("defaultClientScopes") or ()), *(c.get("optionalClientScopes") or ()))
    ]  # fmt: skip
    if holders:
        raise ProviderError(
            Fault.IN_USE, f"{change.address} is still used by client {', '.join(sorted(holders)[:5])}", code="InUse",
            hint="take it from them first",
        )  # fmt: skip
    steps.do("DELETE", f"/client-scopes/{segment(data['id'])}", absent_ok=True)


def forget(steps: Steps, change: Change) -> None:
    """Take our mark away."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    body: dict[str, Any] = {"name": data["name"], "attributes": dict.fromkeys(sorted(names.MARK_KEYS), "")}
    if names.marked(data.get("attributes") or {}) is not None:
        steps.do("PUT", f"/client-scopes/{segment(data['id'])}", body)
