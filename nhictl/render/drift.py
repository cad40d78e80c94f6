"""The drift report: what somebody changed behind our back, what is due anyway, and what nobody declared.

Three sections that are never mixed: drift (live against last applied), pending changes (manifests against last applied)
and unmanaged objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from nhictl.codec import VALUE
from nhictl.model import Address, Change, FieldChange
from nhictl.render.plan_text import changes, row_lines
from nhictl.render.safe import json_text, visible
from nhictl.render.text import Style, columns, count
from nhictl.render.values import field_rows

WHAT = {
    "changed": "changed outside nhictl",
    "missing": "is gone",
    "foreign": "was not made by nhictl and gives access",
    "remade": "was made again: another native id",
    "unmarked": "lost our mark",
}


class Drifted(Protocol):
    """One managed object that is no longer as it was left."""

    @property
    def address(self) -> Address: ...
    @property
    def subject(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def fields(self) -> tuple[FieldChange, ...]: ...
    @property
    def since(self) -> str: ...
    @property
    def kept(self) -> tuple[str, ...]: ...


class Drift(Protocol):
    """What a drift check found."""

    @property
    def drifted(self) -> Sequence[Drifted]: ...
    @property
    def pending(self) -> tuple[Change, ...]: ...
    @property
    def unmanaged(self) -> Mapping[str, int]: ...
    @property
    def unreadable(self) -> Mapping[str, str]: ...
    @property
    def checked(self) -> int: ...


def render(found: Drift, style: Style) -> str:
    """Return the report as text without a final line feed."""
    unreadable = [f"  {visible(target)}: {visible(why)}" for target, why in found.unreadable.items()]
    unmanaged = [f"  {visible(t)}: {count(n, 'object')} left alone" for t, n in found.unmanaged.items() if n]
    sections = [
        ("Drift: live differs from what was last applied", list(_drifted(found.drifted, style))),
        ("Pending: manifests differ from what was last applied", list(changes(found.pending, style))),
        ("Unreadable, nothing is known there", unreadable),
        ("Unmanaged", unmanaged),
    ]
    blocks = ["\n".join([style.paint(title, "bold"), *lines]) for title, lines in sections if lines]
    return style.encodable("\n\n".join([*blocks, style.paint(summary(found), "bold")]))


def summary(found: Drift) -> str:
    """Return the closing line."""
    drifted = f"{len(found.drifted):,} of {count(found.checked, 'managed object')} drifted"
    parts = [drifted if found.drifted else f"No drift: {count(found.checked, 'managed object')} checked"]
    parts.append(f"{count(len(found.pending), 'pending change')}")
    parts.append(f"{sum(found.unmanaged.values()):,} unmanaged")
    if found.unreadable:
        parts.append(f"{count(len(found.unreadable), 'target')} unreadable")
    return ", ".join(parts)


def _drifted(found: Sequence[Drifted], style: Style) -> Iterator[str]:
    for one in found:
        what = style.paint(WHAT.get(one.what, visible(one.what)), "bold yellow")
        since = f" (last applied {visible(one.since)})" if one.since else ""
        yield f"  {visible(one.subject)}  {visible(str(one.address))} {what}{style.paint(since, 'dim')}"
        told = [row for field in one.fields for row in field_rows(field)]
        left = min(max((columns(row.path) for row in told), default=0), style.width // 3)
        for row in told:
            yield from row_lines(row, style, left)
        if one.kept:
            yield f"      kept as it is, no plan changes it: {visible(', '.join(one.kept))}"
            yield f"      to record what it is now: nhictl adopt {visible(one.subject)}"


def as_json(found: Drift) -> dict[str, object]:
    """Return the report as JSON data."""
    return {
        "formatVersion": 1,
        "checked": found.checked,
        "drift": [_one(one) for one in found.drifted],
        "pending": [
            {"address": str(c.address), "action": c.action.value, "subject": c.subject, "reason": c.reason}
            for c in found.pending
        ],
        "unmanaged": dict(found.unmanaged),
        "unreadable": dict(found.unreadable),
    }


def render_json(found: Drift) -> str:
    """Return `as_json` as text."""
    return json_text(as_json(found))


def _one(one: Drifted) -> dict[str, object]:
    return {
        "address": str(one.address),
        "subject": one.subject,
        "what": one.what,
        "since": one.since,
        "kept": list(one.kept),
        "fields": [
            {
                "path": f.path,
                "before": VALUE.encode(f.before),
                "after": VALUE.encode(f.after),
                "added": list(f.added),
                "removed": list(f.removed),
            }
            for f in one.fields
        ],
    }
