"""What each action does to the stored objects, inside the caller's transaction.

Rules enforced here:
- a write goes by the native id the plan saw; another object under the same name is a conflict;
- the same change twice changes nothing the second time;
- every write leaves owner, manifest reference and operation in the object's mark.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from nhictl.model import Action, Attributes, Change, Fault, Operation, ProviderError
from nhictl.providers.local import convert, store

Step = Callable[[sqlite3.Connection, Change, Operation], str]


def _create(db: sqlite3.Connection, change: Change, operation: Operation) -> str:
    kind, name = change.address.kind, change.address.name
    found = store.find(db, kind, name)
    if found is not None:
        if found.operation == operation.id:
            return found.id
        raise ProviderError(Fault.CONFLICT, f"{kind} {name} exists already", code="EXISTS")
    native_id = store.insert(db, kind, _columns(db, change, operation))
    _write_permissions(db, kind, native_id, change)
    return native_id


def _update(db: sqlite3.Connection, change: Change, operation: Operation) -> str:
    kind, native_id = change.address.kind, _checked(db, change)
    columns = _columns(db, change, operation)
    if kind == "identity":
        live = db.execute("SELECT labels FROM identities WHERE id = ?", (native_id,)).fetchone()[0]
        columns["labels"] = convert.stored("labels", convert.merged_labels(convert.parsed(live), change))
    store.update(db, kind, native_id, columns)
    _write_permissions(db, kind, native_id, change)
    return native_id


def _disable(db: sqlite3.Connection, change: Change, operation: Operation) -> str:
    if change.address.kind != "identity":
        raise ProviderError(Fault.INVALID, f"the directory cannot disable a {change.address.kind}")
    native_id = _checked(db, change)
    store.update(db, "identity", native_id, {"enabled": 0, **_mark(change, operation)})
    return native_id


def _forget(db: sqlite3.Connection, change: Change, operation: Operation) -> str:
    unmarked = {"mark_owner": None, "mark_ref": None, "mark_operation": None}
    if store.exists(db, change.address.kind, change.native_id):
        store.update(db, change.address.kind, change.native_id, unmarked)
    return change.native_id


def _delete(db: sqlite3.Connection, change: Change, operation: Operation) -> str:
    kind, native_id = change.address.kind, change.native_id
    if native_id and not store.exists(db, kind, native_id) and store.find(db, kind, change.address.name) is None:
        return native_id
    _checked(db, change)
    used = store.users(db, kind, native_id)
    if used:
        raise ProviderError(Fault.IN_USE, f"{kind} {change.address.name} {used}", code="IN_USE")
    store.delete(db, kind, native_id)
    return native_id


STEPS: Mapping[Action, Step] = {
    Action.CREATE: _create, Action.UPDATE: _update, Action.ADOPT: _update,
    Action.DISABLE: _disable, Action.DELETE: _delete, Action.FORGET: _forget,
}  # fmt: skip


def _checked(db: sqlite3.Connection, change: Change) -> str:
    """Return the native id of the change once the object with it is known to exist."""
    kind, name = change.address.kind, change.address.name
    if change.native_id and store.exists(db, kind, change.native_id):
        return change.native_id
    if store.find(db, kind, name) is None:
        raise ProviderError(Fault.NOT_FOUND, f"{kind} {name} does not exist", code="NOT_FOUND")
    raise ProviderError(
        Fault.CONFLICT,
        f"{kind} {name} is not the object that was planned for: its native id differs",
        code="NATIVE_ID",
    )


def _desired(change: Change) -> Attributes:
    if change.after is None:
        raise ProviderError(Fault.INVALID, f"{change.action} of {change.address} says nothing to write")
    return change.after.attributes


def _mark(change: Change, operation: Operation) -> dict[str, Any]:
    return {"mark_owner": operation.owner, "mark_ref": change.subject, "mark_operation": operation.id}


def _columns(db: sqlite3.Connection, change: Change, operation: Operation) -> dict[str, Any]:
    kind, attributes = change.address.kind, _desired(change)
    columns = convert.columns(kind, change.address.name, attributes) | _mark(change, operation)
    if kind != "grant":
        return columns
    via = str(attributes["connection"])
    return columns | {
        "identity_id": _referred(db, "identity", str(attributes["identity"])),
        "role_id": _referred(db, "role", str(attributes["role"])),
        "connection_id": _referred(db, "connection", via) if via else None,
    }


def _referred(db: sqlite3.Connection, kind: str, name: str) -> str:
    found = store.find(db, kind, name)
    if found is None:
        raise ProviderError(Fault.NOT_FOUND, f"{kind} {name} does not exist", code="REFERENCE")
    return found.id


def _write_permissions(db: sqlite3.Connection, kind: str, native_id: str, change: Change) -> None:
    if kind == "role":
        store.set_permissions(db, native_id, convert.permission_rows(_desired(change)))
