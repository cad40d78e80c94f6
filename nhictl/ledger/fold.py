"""What we manage, folded from the ledger's entries: a projection, never a second truth.

Rules enforced here:
- an object is managed once an outcome says `applied`, or once a failed create left a native id behind;
- an intent without an outcome is unresolved: nobody may act at its address before reading tells how it ended;
- recorded attributes stay as parsed JSON (lists, not tuples) until `recorded` is asked: folding stays cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nhictl.model import (
    Action,
    Address,
    Attributes,
    Entry,
    Handling,
    LedgerError,
    Managed,
    Operation,
    Outcome,
    Status,
    freeze,
)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An intent whose end nobody recorded. `data` is the intent's, `time` when it was written (RFC 3339 UTC)."""

    operation: Operation
    address: Address
    data: Mapping[str, Any]
    time: str
    run: str


@dataclass(frozen=True, slots=True)
class Folded:
    """The state a ledger implies. `forgotten` are addresses given up on purpose: their marks are no orphans.
    `limits` are the safety limits that the last applied plan was made under.
    """

    managed: Mapping[Address, Managed]
    unresolved: tuple[Unresolved, ...] = ()
    forgotten: frozenset[Address] = frozenset()
    sequence: int = -1
    hash: str = ""
    limits: Mapping[str, int] = field(default_factory=dict)


def recorded(managed: Managed) -> Attributes:
    """Return the recorded attributes as comparable values."""
    return {name: freeze(value) for name, value in managed.attributes.items()}


def fold(entries: Iterable[Entry]) -> Folded:
    """Return what `entries`, in order, add up to. Raises LedgerError on an outcome without its intent."""
    managed: dict[Address, Managed] = {}
    open_intents: dict[str, Entry] = {}
    forgotten: set[Address] = set()
    sequence, last = -1, ""
    limits: Mapping[str, int] = {}
    for entry in entries:
        sequence, last = entry.seq, entry.hash
        if entry.type == "plan":
            limits = entry.data.get("limits") or limits
        elif entry.type == "intent":
            open_intents[entry.data["op"]] = entry
        elif entry.type == "outcome" and entry.data["status"] != Status.INDETERMINATE.value:
            intent = open_intents.pop(entry.data["op"], None)
            if intent is None:
                raise LedgerError(
                    f"ledger entry {entry.seq}: outcome of an operation without intent", hint="nhictl audit verify"
                )
            _settle(managed, forgotten, intent, entry)
    unresolved = tuple(_unresolved(entry) for entry in open_intents.values())
    return Folded(managed, unresolved, frozenset(forgotten), sequence, last, limits)


def _unresolved(entry: Entry) -> Unresolved:
    data = entry.data
    operation = Operation(data["op"], data.get("owner", ""))
    return Unresolved(operation, Address.parse(data["address"]), data, entry.time, entry.run)


def _settle(managed: dict[Address, Managed], forgotten: set[Address], intent: Entry, outcome: Entry) -> None:
    data, status = intent.data, outcome.data["status"]
    address = Address.parse(data["address"])
    action = Action(data["action"])
    native_id = outcome.data.get("nativeId") or data.get("nativeId") or ""
    if status == Status.FAILED.value and action in (Action.CREATE, Action.REPLACE) and outcome.data.get("nativeId"):
        managed[address] = _record(address, data, outcome, native_id=native_id, attributes={})
        return
    if status != Status.APPLIED.value:
        return
    if action in (Action.DELETE, Action.FORGET):
        managed.pop(address, None)
        if action is Action.FORGET:
            forgotten.add(address)
        return
    forgotten.discard(address)
    if data.get("renamedFrom"):
        managed.pop(Address.parse(data["renamedFrom"]), None)
    managed[address] = _record(
        address, data, outcome, native_id=native_id, attributes=data.get("after") or {},
        disabled_at=outcome.time if action is Action.DISABLE else "",
    )  # fmt: skip


def _record(
    address: Address,
    data: Mapping[str, Any],
    outcome: Entry,
    *,
    native_id: str,
    attributes: Mapping[str, Any],
    disabled_at: str = "",
) -> Managed:
    return Managed(
        address=address,
        subject=data["subject"],
        native_id=native_id,
        attributes=attributes,
        handling=Handling.from_json(data.get("handling") or {}),
        depends_on=tuple(Address.parse(text) for text in data.get("dependsOn") or ()),
        operation=data["op"],
        sequence=outcome.seq,
        time=outcome.time,
        disabled_at=disabled_at,
    )


def with_outcomes(folded: Folded, outcomes: Mapping[str, Outcome], *, time: str) -> Folded:
    """Return the fold as it will be once `outcomes` (by operation id) are recorded; indeterminate ones stay open."""
    managed, forgotten = dict(folded.managed), set(folded.forgotten)
    left = []
    for item in folded.unresolved:
        outcome = outcomes.get(item.operation.id)
        if outcome is None or outcome.status is Status.INDETERMINATE:
            left.append(item)
            continue
        intent = Entry(0, "", item.time, item.run, "intent", {}, item.data)
        data = {"op": item.operation.id, "status": outcome.status.value, "nativeId": outcome.native_id}
        _settle(managed, forgotten, intent, Entry(folded.sequence, "", time, item.run, "outcome", {}, data))
    return replace(folded, managed=managed, forgotten=frozenset(forgotten), unresolved=tuple(left))
