"""Rows of the directory to resources and back. Pure.

Rules enforced here:
- columns, and facts about credentials, are read by name from allow-lists;
- JSON columns hold canonical text; a role's permissions are sorted and without duplicates;
- a removed label is one the change names, so labels that others put there stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from nhictl.model import (
    Address,
    Attributes,
    Change,
    Fault,
    Mark,
    ProviderError,
    Resource,
    Value,
    canonical,
    freeze,
)

JSON_COLUMNS = frozenset({"labels", "proof", "credentials", "issuer", "audiences"})

Facts = Mapping[str, Sequence[Mapping[str, str]]]
Permissions = Mapping[str, Sequence[Mapping[str, str]]]


def grant_name(identity: str, role: str, connection: str = "") -> str:
    """Return the name of a grant: `identity:role`, with `@connection` when it goes through one."""
    return f"{identity}:{role}@{connection}" if connection else f"{identity}:{role}"


def permission_set(items: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Value], ...]:
    """Return the permissions of a role's block, each action on each resource: sorted, without duplicates.

    A condition becomes canonical JSON text in which a list is a set and a list of one is its element.
    """
    found = {
        (action, resource, _condition(item.get("condition") or {}))
        for item in items
        for action in item["actions"]
        for resource in item["resources"]
    }
    return tuple({"action": a, "resource": r, "condition": c} for a, r, c in sorted(found))


def _condition(facts: Mapping[str, Any]) -> str:
    return canonical({name: _one_or_set(value) for name, value in facts.items()}).decode() if facts else ""


def _one_or_set(value: Any) -> Value:
    if not isinstance(value, (list, tuple)):
        return freeze(value)
    by_text = {canonical(item): freeze(item) for item in value}
    items = tuple(by_text[text] for text in sorted(by_text))
    return items[0] if len(items) == 1 else items


def _whole(digits: str) -> int:
    value = int(digits)
    freeze(value)
    return value


def _refuse(text: str) -> Value:
    raise TypeError(f"not an attribute value: {text}")


_DECODER = json.JSONDecoder(parse_float=_refuse, parse_int=_whole, parse_constant=_refuse)


@lru_cache(maxsize=4096)
def parsed(text: str) -> Value:
    """Return the value of a JSON column. Raises ProviderError on numbers that are not whole."""
    try:
        value: Value = _DECODER.decode(text)
    except (TypeError, ValueError):
        raise ProviderError(Fault.INVALID, "the directory holds a value that nhictl cannot read") from None
    # Only lists differ from their frozen form.
    return freeze(value) if "[" in text else value


def _mark(owner: str | None, ref: str | None, operation: str | None) -> Mark | None:
    return None if owner is None else Mark(owner, ref or "", operation or "")


def identity(target: str, row: Sequence[Any], facts: Facts) -> Resource:
    """Return the identity of a row of `store.SELECT["identity"]`; `facts` are credentials by identity id."""
    native_id, name, enabled, type_, owner, purpose, service, labels, proof, credentials, *mark, created = row
    attributes: dict[str, Value] = {
        "enabled": bool(enabled),
        "type": type_,
        "owner": owner,
        "purpose": purpose,
        "service": service,
        "labels": parsed(labels),
        "proof": parsed(proof),
        "credentials": _credentials(parsed(credentials)),
    }
    seen: dict[str, Value] = {"created": created, "credentials": tuple(facts.get(native_id, ()))}
    return Resource(Address(target, "identity", name), attributes, native_id=native_id, mark=_mark(*mark), facts=seen)


def _credentials(found: Value) -> Value:
    """Return what a credentials column may say: facts, never material that somebody else left there."""
    known = found if isinstance(found, Mapping) else {}
    return {key: known[key] for key in ("kind", "max_ttl") if key in known}


def role(target: str, row: Sequence[Any], permissions: Permissions) -> Resource:
    """Return the role of a row of `store.SELECT["role"]`; `permissions` are by role id, sorted."""
    native_id, name, description, *mark, created = row
    attributes: dict[str, Value] = {
        "description": description,
        "permissions": tuple(permissions.get(native_id, ())),
    }
    return Resource(
        Address(target, "role", name),
        attributes,
        native_id=native_id,
        mark=_mark(*mark),
        facts={"created": created},
    )


def connection(target: str, row: Sequence[Any]) -> Resource:
    """Return the connection of a row of `store.SELECT["connection"]`."""
    native_id, name, issuer, audiences, *mark, created = row
    attributes: dict[str, Value] = {"issuer": parsed(issuer), "audiences": parsed(audiences)}
    return Resource(
        Address(target, "connection", name),
        attributes,
        native_id=native_id,
        mark=_mark(*mark),
        facts={"created": created},
    )


def grant(target: str, row: Sequence[Any]) -> Resource:
    """Return the grant of a row of `store.SELECT["grant"]`."""
    native_id, holder, granted, via, expires, owner, ref, operation, created = row
    attributes: dict[str, Value] = {
        "identity": holder,
        "role": granted,
        "connection": via or "",
        "expires": expires,
    }
    through = (Address(target, "connection", via),) if via else ()
    return Resource(
        Address(target, "grant", grant_name(holder, granted, via or "")),
        attributes,
        depends_on=(*through, Address(target, "identity", holder), Address(target, "role", granted)),
        native_id=native_id,
        mark=_mark(owner, ref, operation),
        facts={"created": created},
    )


def columns(kind: str, name: str, attributes: Attributes) -> dict[str, Any]:
    """Return the plain columns of an object: without a role's permissions and a grant's references."""
    if kind == "grant":
        return {"expires": attributes["expires"]}
    values = {key: stored(key, value) for key, value in attributes.items() if key != "permissions"}
    return {"name": name, **values}


def stored(key: str, value: Value) -> Any:
    """Return an attribute as its column holds it."""
    if key in JSON_COLUMNS:
        return canonical(value).decode()
    return int(value) if isinstance(value, bool) else value


def permission_rows(attributes: Attributes) -> list[tuple[str, str, str]]:
    """Return a role's permissions as (action, resource, condition)."""
    items = cast("Sequence[Mapping[str, str]]", attributes.get("permissions") or ())
    return [(i["action"], i["resource"], i["condition"]) for i in items]


def merged_labels(live: Value, change: Change) -> Mapping[str, Value]:
    """Return the labels to store: those there now, with the declared ones set and the dropped ones gone."""
    after = change.after.attributes.get("labels") if change.after else None
    declared = after if isinstance(after, Mapping) else {}
    dropped = _dropped_labels(change) - set(declared)
    there = live if isinstance(live, Mapping) else {}
    return {**{key: value for key, value in there.items() if key not in dropped}, **declared}


def _dropped_labels(change: Change) -> set[str]:
    dropped: set[str] = set()
    for field in change.fields:
        if field.path == "labels" and isinstance(field.before, Mapping):
            dropped |= set(field.before) - set(field.after if isinstance(field.after, Mapping) else ())
        elif field.path.startswith("labels.") and field.after is None:
            dropped.add(field.path.removeprefix("labels."))
    return dropped
