"""What was changed, from entries of the ledger: what, who, when, why, and how it ended. Pure.

Rules enforced here:
- a change is an intent with its outcome; an intent without one is unknown, never taken for done;
- an outcome whose intent is older than what was read is told by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nhictl.model import Entry

_STATUS = {"not_applied": "failed", "indeterminate": "unknown"}
_DIRECTIONS = ("wider", "changed", "narrower")


@dataclass(frozen=True, slots=True)
class Happened:
    """One change of a live system. `access` are the ways it moved access: wider, changed, narrower."""

    seq: int
    time: str
    who: str
    action: str
    address: str
    subject: str
    outcome: str
    reason: str = ""
    detail: str = ""
    commit: str = ""
    pull_request: str = ""
    access: tuple[str, ...] = ()


def happened(entries: Sequence[Entry]) -> tuple[Happened, ...]:
    """Return the changes among `entries`, newest first; the entries in any order."""
    ordered = sorted(entries, key=lambda entry: entry.seq)
    triggers = _triggers(ordered)
    intents = {_op(entry): entry for entry in ordered if entry.type == "intent"}
    outcomes = {_op(entry): entry for entry in ordered if entry.type == "outcome"}
    told = {**outcomes, **intents}
    found = [_one(entry, outcomes.get(op), triggers.get(entry.run, {})) for op, entry in told.items()]
    return tuple(sorted(found, key=lambda change: -change.seq))


def _op(entry: Entry) -> str:
    return str(entry.data.get("op", entry.seq))


def _triggers(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        trigger = entry.data.get("trigger")
        if entry.type in ("lock", "plan") and isinstance(trigger, Mapping):
            found.setdefault(entry.run, {}).update(trigger)
    return found


def _one(entry: Entry, outcome: Entry | None, trigger: Mapping[str, Any]) -> Happened:
    data, end = entry.data, outcome.data if outcome is not None else {}
    status = str(end.get("status", "unknown"))
    return Happened(
        seq=entry.seq, time=entry.time, who=str(entry.actor.get("name", "")), action=str(data.get("action", "")),
        address=str(data.get("address", "")), subject=str(data.get("subject", "")),
        outcome=_STATUS.get(status, status), reason=str(data.get("reason", "")), detail=str(end.get("detail", "")),
        commit=str(trigger.get("commit", "")), pull_request=str(trigger.get("pullRequest", "")),
        access=_moved(data.get("access")),
    )  # fmt: skip


def _moved(access: object) -> tuple[str, ...]:
    deltas = access if isinstance(access, list | tuple) else ()
    found = {str(delta.get("direction", "")) for delta in deltas if isinstance(delta, Mapping)}
    return tuple(word for word in _DIRECTIONS if word in found)
