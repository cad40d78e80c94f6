"""Questions to the ledger: what happened, to whom, by whom, why, and how it ended.

Rules enforced here:
- answers are the log's own lines, found through the index and checked against it;
- who, when, what, why: an operation is shown with its run's trigger, its plan, its result and its access delta;
- a CSV cell never starts a formula and holds no control characters.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from nhictl.ledger import index
from nhictl.ledger.actor import clean
from nhictl.ledger.chain import EntryType, timestamp
from nhictl.model import Entry, LedgerError, canonical

if TYPE_CHECKING:
    from nhictl.ledger.ledger import Ledger

_BY_NHI = """seq IN (
  SELECT seq FROM touched WHERE nhi = ?1
  UNION SELECT o.seq FROM touched t JOIN entries i ON i.seq = t.seq JOIN entries o ON o.op = i.op
  WHERE t.nhi = ?1 AND i.op <> '' AND o.op <> '')"""
_EXACT = ("address", "type", "actor", "run", "action", "status")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_Rows: TypeAlias = "list[tuple[int, int, str]]"
_STARTS = ("genesis", "lock", "plan")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to show; None means any. `nhi` is `nhi/x` or `x`, `plan` a digest or its beginning.

    `since` is inclusive, `until` exclusive; `limit` keeps the newest.
    """

    nhi: str | None = None
    address: str | None = None
    type: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    run: str | None = None
    plan: str | None = None
    action: str | None = None
    status: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an NHI. `status` is `unknown` while no outcome is recorded.

    `direct` is false when only its access moved. `trigger` has kind, commit, pullRequest, command, url where known.
    `gained` and `lost` are printed permissions.
    """

    seq: int
    time: str
    run: str
    actor: str
    type: str
    action: str
    subject: str
    address: str
    status: str
    reason: str
    plan: str
    command: str
    trigger: Mapping[str, str]
    native_id: str
    request_ids: tuple[str, ...]
    detail: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    direct: bool


def _ask(ledger: Ledger, question: Callable[[sqlite3.Connection], _Rows]) -> _Rows:
    ledger.require_own()
    return index.ask(ledger.store, question)


def log(ledger: Ledger, filters: Filters) -> tuple[Entry, ...]:
    """Return the entries that pass the filters, newest first. Raises LedgerError."""
    rows = _ask(ledger, lambda connection: _select(connection, filters))
    return tuple(index.fetch(ledger.store, rows))


def _select(connection: sqlite3.Connection, filters: Filters) -> _Rows:
    where, values = _conditions(filters)
    if filters.limit is not None:
        values["limit"] = max(filters.limit, 0)
    tail = " LIMIT :limit" if filters.limit is not None else ""
    text = f"SELECT seq, at, hash FROM entries WHERE {where} ORDER BY seq DESC{tail}"  # noqa: S608
    return connection.execute(text, values).fetchall()


def _conditions(filters: Filters) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {name: getattr(filters, name) for name in _EXACT if getattr(filters, name) is not None}
    parts = [f"{name} = :{name}" for name in values]
    if filters.nhi is not None:
        parts.append(_BY_NHI.replace("?1", ":nhi"))
        values["nhi"] = subject(filters.nhi)
    if filters.plan is not None:
        parts.append("substr(plan, 1, length(:plan)) = :plan")
        values["plan"] = "sha256:" + filters.plan.removeprefix("sha256:")
    if filters.since is not None:
        parts.append("time >= :since")
        values["since"] = timestamp(filters.since)
    if filters.until is not None:
        parts.append("time < :until")
        values["until"] = timestamp(filters.until)
    return " AND ".join(parts) or "1", values


def subject(name: str) -> str:
    """Return the reference an NHI is recorded under: `x` and `nhi/x` are the same."""
    return name if "/" in name else f"nhi/{name}"


def show(ledger: Ledger, reference: str) -> Entry:
    """Return the entry with a sequence number, or whose hash begins with `reference` (4 characters or more).

    Raises LedgerError when there is none, or more than one.
    """
    name = reference.strip().lower().removeprefix("sha256:")
    rows = _ask(ledger, lambda connection: _find(connection, name))
    if not rows:
        raise LedgerError(f"the ledger has no entry {reference}", hint="nhictl audit log lists them")
    if len(rows) > 1:
        raise LedgerError(f"more than one entry has a hash that begins with {reference}")
    return next(index.fetch(ledger.store, rows))


def _find(connection: sqlite3.Connection, reference: str) -> _Rows:
    columns = "SELECT seq, at, hash FROM entries"
    if reference.isascii() and reference.isdigit() and len(reference) < 16:
        found = connection.execute(f"{columns} WHERE seq = ?", (int(reference),)).fetchall()
        if found:
            return found
    if len(reference) < 4 or not set(reference) <= set("0123456789abcdef"):
        return []
    return connection.execute(
        f"{columns} WHERE hash >= ? AND hash < ? LIMIT 2", (reference, reference + "g")
    ).fetchall()


def history(ledger: Ledger, nhi: str) -> tuple[Event, ...]:
    """Return everything that happened to an NHI or to its access, oldest first. Raises LedgerError."""
    name = subject(nhi)
    entries = log(ledger, Filters(nhi=name))[::-1]
    starts = _starts(ledger, {entry.run for entry in entries})
    outcomes = {entry.data.get("op"): entry for entry in entries if entry.type == EntryType.OUTCOME}
    return tuple(
        _event(name, entry, outcome=outcomes.get(entry.data.get("op")), start=starts.get(entry.run, {}))
        for entry in entries
        if entry.type != EntryType.OUTCOME
    )


def _starts(ledger: Ledger, runs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what set each run off: its lock entry's data, with its plan's trigger over it."""
    text = "SELECT seq, at, hash FROM entries WHERE run = ? AND type IN ('lock', 'plan') ORDER BY seq"

    def rows(connection: sqlite3.Connection) -> _Rows:
        return [row for run in sorted(runs) for row in connection.execute(text, (run,))]

    found: dict[str, dict[str, Any]] = {}
    for entry in index.fetch(ledger.store, _ask(ledger, rows)):
        known = found.setdefault(entry.run, {"command": "", "trigger": {}})
        known["command"] = entry.data.get("command") or known["command"]
        known["trigger"] = {**known["trigger"], **(entry.data.get("trigger") or {})}
    return found


def _event(name: str, entry: Entry, *, outcome: Entry | None, start: Mapping[str, Any]) -> Event:
    data = entry.data
    end: Mapping[str, Any] = outcome.data if outcome is not None else {}
    access = [item for item in data.get("access") or () if item.get("subject") == name]
    resolved = entry.type == EntryType.INTENT
    return Event(
        seq=entry.seq, time=entry.time, run=entry.run, actor=str(entry.actor.get("name", "")), type=entry.type,
        action=str(data.get("action", entry.type)), subject=str(data.get("subject", "")),
        address=str(data.get("address", "")), status=str(end.get("status", "unknown" if resolved else "")),
        reason=str(data.get("reason", "")), plan=str(data.get("plan", "")), command=str(start.get("command", "")),
        trigger=start.get("trigger", {}), native_id=str(end.get("nativeId") or data.get("nativeId") or ""),
        request_ids=tuple(end.get("requestIds", ())), detail=str(end.get("detail", "")),
        gained=_printed(access, "gained"), lost=_printed(access, "lost"), before=data.get("before"),
        after=data.get("after"), direct=data.get("subject") == name,
    )  # fmt: skip


def _printed(access: list[Any], side: str) -> tuple[str, ...]:
    found = [item for delta in access for item in delta.get(side, ())]
    return tuple(item if isinstance(item, str) else canonical(item).decode() for item in found)


_COLUMNS = (
    "seq", "time", "run", "type", "actor", "actorKind", "host", "subject", "address", "action", "status", "nativeId",
    "requestIds", "plan", "reason", "code", "detail", "op", "commit", "pullRequest", "command", "hash",
)  # fmt: skip


def export(ledger: Ledger, form: str, filters: Filters | None = None) -> Iterator[str]:
    """Yield the ledger as lines of text without newlines, oldest first: `jsonl` (each line as recorded) or `csv`.

    Raises LedgerError.
    """
    entries = ledger.entries() if filters is None else iter(log(ledger, filters)[::-1])
    if form == "jsonl":
        return (line_of(entry) for entry in entries)
    if form == "csv":
        return _csv(entries)
    raise LedgerError(f"the ledger is exported as jsonl or csv, not as {form}")


def line_of(entry: Entry) -> str:
    """Return the recorded line of an entry."""
    return canonical(
        {"v": 1, "seq": entry.seq, "prev": entry.prev, "time": entry.time, "run": entry.run}
        | {"type": entry.type, "actor": entry.actor, "data": entry.data}
    ).decode()


def _csv(entries: Iterable[Entry]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="")
    yield _csv_line(writer, buffer, _COLUMNS)
    runs: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        trigger = entry.data.get("trigger")
        if entry.type in _STARTS and isinstance(trigger, Mapping):
            runs[entry.run] = {**runs.get(entry.run, {}), **trigger}
        yield _csv_line(writer, buffer, _cells(entry, runs.get(entry.run, {})))


def _csv_line(writer: Any, buffer: io.StringIO, row: Iterable[str]) -> str:
    buffer.seek(0)
    buffer.truncate()
    writer.writerow(row)
    return buffer.getvalue()


def _cells(entry: Entry, trigger: Mapping[str, Any]) -> list[str]:
    data, actor = entry.data, entry.actor
    plan = data.get("plan") or (data.get("digest") if entry.type == EntryType.PLAN else "")
    cells = [
        entry.seq, entry.time, entry.run, entry.type, actor.get("name"), actor.get("kind"), actor.get("host"),
        data.get("subject"), data.get("address"), data.get("action"), data.get("status"), data.get("nativeId"),
        " ".join(map(str, data.get("requestIds") or ())), plan, data.get("reason"), data.get("code"),
        data.get("detail"), data.get("op"), trigger.get("commit"), trigger.get("pullRequest"),
        trigger.get("command"), entry.hash,
    ]  # fmt: skip
    return [cell("" if value is None else str(value)) for value in cells]


def cell(text: str) -> str:
    """Return text as a CSV cell that no spreadsheet takes for a formula, control characters escaped."""
    safe = clean(text, limit=32_000)
    return f"'{safe}" if text.lstrip(" ").startswith(_FORMULA) else safe
