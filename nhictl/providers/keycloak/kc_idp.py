"""Identity providers: create, update, delete.

Rules enforced here:
- an update sends back everything that was just read: configuration is replaced as a whole. A secret comes back as a
  mask, which Keycloak takes as unchanged;
- nobody's secret is declared: a new provider has none until somebody sets it in Keycloak;
- mappers have calls of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhictl.model import Change, Fault, Operation, ProviderError
from nhictl.providers.keycloak import convert, mapping, names
from nhictl.providers.keycloak.steps import Steps, dropped, labels, mark_fields, text_of, wanted
from nhictl.providers.keycloak.wire import segment

_PATH = "/identity-provider/instances"


def create(steps: Steps, change: Change, operation: Operation) -> None:
    """Create the provider with its mark, then its mappers."""
    attributes = wanted(change)
    declared, _ = labels(change, attributes)
    body = {
        "alias": change.address.name,
        "providerId": attributes["provider"],
        "config": {**attributes["config"], **declared, **names.mark(operation, change.subject)},
        **_fields(attributes),
    }
    if steps.calls.found(f"{_PATH}/{segment(change.address.name)}") is not None:
        # The server checks the configuration first, and then says that it is invalid.
        raise ProviderError(Fault.CONFLICT, f"{change.address} exists already", code="Exists")
    steps.do("POST", _PATH, body)
    steps.native_id = steps.calls.get(f"{_PATH}/{segment(change.address.name)}")["internalId"]
    _set_mappers(steps, change, {}, attributes["mappers"])


def _fields(attributes: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: attributes[name] for name, key in convert.IDP_FLAGS.items() if name in attributes}
    return {"enabled": attributes["enabled"], "displayName": attributes["display_name"], **found}


def _check(steps: Steps, change: Change) -> dict[str, Any]:
    data = steps.calls.found(f"{_PATH}/{segment(change.address.name)}")
    if not change.native_id or (data is not None and data["internalId"] != change.native_id):
        raise ProviderError(
            Fault.CONFLICT, f"{change.address} is another object than the planned one", code="OtherObject"
        )
    if data is None:
        raise ProviderError(Fault.NOT_FOUND, f"{change.address} does not exist", code="404")
    return dict(data)


def update(steps: Steps, change: Change, operation: Operation) -> None:
    """Bring the provider to what the change says, from what it is now."""
    data = _check(steps, change)
    steps.native_id = data["internalId"]
    after = wanted(change)
    declared, gone = labels(change, after)
    there = data.get("config") or {}
    gone |= set(dropped(change, "config")) - set(after["config"])
    config = {key: value for key, value in there.items() if key not in gone}
    config |= {**after["config"], **declared, **mark_fields(change, operation)}
    shown = {"displayName": text_of(data, "displayName", {"displayName": after["display_name"]})}
    body = {**data, **_fields(after), **shown, "config": config}
    if body != {"displayName": None, **data}:
        steps.do("PUT", f"{_PATH}/{segment(change.address.name)}", body)
    if "mappers" in after:
        live = steps.calls.get(f"{_PATH}/{segment(change.address.name)}/mappers")
        _set_mappers(steps, change, {m["name"]: m for m in live}, after["mappers"])


def _set_mappers(
    steps: Steps, change: Change, live: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Any]
) -> None:
    path = f"{_PATH}/{segment(change.address.name)}/mappers"
    for name in sorted(set(live) - set(declared)):
        steps.do("DELETE", f"{path}/{segment(live[name]['id'])}", absent_ok=True)
    for name, mapper in declared.items():
        body = {
            "name": name,
            "identityProviderAlias": change.address.name,
            "identityProviderMapper": mapper["type"],
            "config": dict(mapper["config"]),
        }
        found = live.get(name)
        if found is None:
            steps.do("POST", path, body)
        elif (found["identityProviderMapper"], mapping.mapper_config(found.get("config") or {})) != (
            mapper["type"], mapper["config"],
        ):  # fmt: skip
            kept = {k: v for k, v in (found.get("config") or {}).items() if mapping.secretive(k)}
            body["config"] = {**kept, **body["config"]}
            steps.do("PUT", f"{path}/{segment(found['id'])}", {**found, **body})


def delete(steps: Steps, change: Change) -> None:
    """Delete the provider and its mappers."""
    data = _check(steps, change)
    steps.native_id = data["internalId"]
    steps.do("DELETE", f"{_PATH}/{segment(change.address.name)}", absent_ok=True)


def forget(steps: Steps, change: Change) -> None:
    """Take our mark away."""
    data = _check(steps, change)
    steps.native_id = data["internalId"]
    there = data.get("config") or {}
    kept = {key: value for key, value in there.items() if key not in names.MARK_KEYS}
    if kept != there:
        steps.do("PUT", f"{_PATH}/{segment(change.address.name)}", {**data, "config": kept})
