"""The inventory for programs: JSON (`nhictl schema inventory` describes it) and CSV.

Rules enforced here:
- in JSON null is what is not known, and an empty time is what is known not to be: never used, never expiring;
- a CSV cell never starts a formula and holds no control characters; lists are joined with `; `.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from nhictl.inventory.choose import Chosen
from nhictl.kinds.common import duration_text
from nhictl.model import Coverage, Credential, Item, Permission, Span
from nhictl.render import inventory_words as words
from nhictl.render.access import said
from nhictl.render.safe import csv_cell, json_text

CSV_COLUMNS = (
    "target", "kind", "name", "provider", "standing", "subject", "owner", "type", "tier", "service", "environment",
    "enabled", "roles", "permissions", "trust", "credentials", "oldest_credential", "next_expiry", "created",
    "last_used", "changed", "changed_by", "manifest", "reason", "until", "risks", "labels", "native_id", "kept",
)  # fmt: skip


def as_json(chosen: Chosen) -> dict[str, object]:
    """Return an inventory as JSON data."""
    found = chosen.inventory
    data: dict[str, object] = {
        "formatVersion": 1,
        "workspace": found.workspace,
        "environment": found.environment,
        "time": found.time,
        "coverage": {**_coverage(found.total), "targets": {c.target: _coverage(c) for c in found.coverage}},
        "unreadable": dict(found.unreadable),
        "count": {"shown": len(found.items), "all": chosen.of},
        "identities": [_item(item) for item in found.items],
    }
    if chosen.stale:
        data["stale"] = {"for": duration_text(chosen.stale), "unknown": chosen.unknown}
    return data


def render_json(chosen: Chosen) -> str:
    """Return `as_json` as text."""
    return json_text(as_json(chosen))


def _coverage(found: Coverage) -> dict[str, object]:
    return {
        "percent": found.percent, "managed": found.managed, "unmanaged": found.unmanaged, "ignored": found.ignored,
        "builtin": found.builtin,
    }  # fmt: skip


def _item(item: Item) -> dict[str, object]:
    address = item.address
    return {
        "address": str(address), "target": address.target, "kind": address.kind, "name": address.name,
        "provider": item.provider, "environment": item.environment, "standing": item.standing.value,
        "nativeId": item.native_id, "subject": item.subject, "position": _position(item.position),
        "owner": item.owner, "type": item.type, "tier": item.tier, "service": item.service,
        "enabled": item.enabled, "labels": dict(item.labels), "roles": list(item.roles),
        "permissions": [_permission(p) for p in item.permissions], "trust": [_permission(p) for p in item.trust],
        "credentials": None if item.credentials is None else [_credential(c) for c in item.credentials],
        "created": item.created, "lastUsed": item.last_used, "trackedDays": item.tracked_days,
        "changed": {"time": item.changed, "by": item.changed_by} if item.changed else None,
        "reason": item.reason, "until": item.until, "risks": list(item.risks), "kept": list(item.kept),
    }  # fmt: skip


def _position(span: Span | None) -> Mapping[str, object] | None:
    return None if span is None else {"file": span.file, "line": span.line, "column": span.column}


def _permission(p: Permission) -> dict[str, str]:
    return {
        "kind": p.kind, "action": p.action, "resource": p.resource, "condition": p.condition, "effect": p.effect,
        "source": p.source,
    }  # fmt: skip


def _credential(c: Credential) -> dict[str, object]:
    return {
        "kind": c.kind, "id": c.id, "status": c.status, "created": c.created, "expires": c.expires,
        "lastUsed": c.last_used,
    }  # fmt: skip


def render_csv(chosen: Chosen) -> str:
    """Return an inventory as CSV text with a heading, one identity a row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([csv_cell(text) for text in _cells(item)] for item in chosen.inventory.items)
    return buffer.getvalue()


def _cells(item: Item) -> Iterable[str]:
    known = item.credentials
    yield from (*item.address[:2], item.address.name, item.provider, item.standing.value, item.subject, item.owner)
    yield from (item.type, item.tier, item.service, item.environment, _yes_no(item.enabled), "; ".join(item.roles))
    yield from ("; ".join(map(str, said(item.permissions, ""))), "; ".join(map(str, said(item.trust, ""))))
    yield words.UNKNOWN if known is None else str(len(known))
    yield from (_time(words.oldest(known or ()), known), _time(words.soonest(known or ()), known))
    used = words.unused(item.tracked_days) if item.last_used == "" else item.last_used or words.UNKNOWN
    yield from (item.created or words.UNKNOWN, used, item.changed, item.changed_by)
    yield from (words.place(item.position), item.reason, item.until, "; ".join(item.risks))
    yield from ("; ".join(f"{k}={v}" for k, v in sorted(item.labels.items())), item.native_id, "; ".join(item.kept))


def _yes_no(value: bool | None) -> str:
    return words.UNKNOWN if value is None else "yes" if value else "no"


def _time(text: str | None, known: tuple[Credential, ...] | None) -> str:
    """Return a time as a cell: `never`, `unknown`, or nothing where there is nothing (`known` is empty) to have one."""
    if known is not None and not known:
        return ""
    return words.UNKNOWN if text is None else text or words.NEVER
