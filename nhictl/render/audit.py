"""The ledger for people: the log as a table, one entry in full, an identity's history, a verification's verdict.

Everything recorded is untrusted text when it is shown: the ledger proves that it was recorded, not that it is harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from nhictl.codec import VALUE
from nhictl.model import Entry, Permission
from nhictl.render import tables
from nhictl.render.access import said
from nhictl.render.safe import json_text, visible
from nhictl.render.text import Style, count, wrap
from nhictl.render.values import compact

COLUMNS = ("SEQ", "TIME", "WHO", "TYPE", "WHAT", "RESULT")
_TRIGGER = (("kind", ""), ("pullRequest", "pull request "), ("commit", "commit "), ("url", ""))
_STATUS = {"not_applied": "failed", "indeterminate": "unknown"}
_SGR = {"applied": "green", "failed": "bold red", "unknown": "bold yellow"}


class Happening(Protocol):
    """One thing that happened to an identity, as `ledger.query.history` gives it."""

    @property
    def seq(self) -> int: ...
    @property
    def time(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def trigger(self) -> Mapping[str, str]: ...
    @property
    def request_ids(self) -> tuple[str, ...]: ...
    @property
    def detail(self) -> str: ...
    @property
    def gained(self) -> tuple[str, ...]: ...
    @property
    def lost(self) -> tuple[str, ...]: ...
    @property
    def direct(self) -> bool: ...


class Problem(Protocol):
    """One thing a verification found."""

    @property
    def level(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def seq(self) -> int: ...


def log(entries: Sequence[Entry], style: Style) -> str:
    """Return entries as a table, in the order given."""
    rows = [
        (str(e.seq), _moment(e.time), str(e.actor.get("name", "")), e.type, _what(e), _status(e.data)) for e in entries
    ]
    return tables.render(COLUMNS, rows, style.width, style=style)


def _moment(time: str) -> str:
    return time[:19].replace("T", " ")


def _status(data: Mapping[str, Any]) -> str:
    status = str(data.get("status", ""))
    return _STATUS.get(status, status)


def _what(entry: Entry) -> str:
    data = entry.data
    if "address" in data:
        return f"{data.get('action', '')} {data['address']}".strip()
    if isinstance(data.get("counts"), Mapping):
        counts = ", ".join(f"{number} {action}" for action, number in data["counts"].items())
        return f"{counts or 'nothing'} {str(data.get('digest', ''))[:19]}".strip()
    return ", ".join(f"{key} {compact(value)}" for key, value in data.items() if isinstance(value, str | int))


def as_json(entry: Entry) -> dict[str, object]:
    """Return an entry as JSON data."""
    return {
        "seq": entry.seq, "time": entry.time, "run": entry.run, "type": entry.type, "actor": dict(entry.actor),
        "data": VALUE.encode(entry.data), "prev": entry.prev, "hash": entry.hash,
    }  # fmt: skip


def log_json(entries: Sequence[Entry]) -> str:
    """Return entries as a JSON array."""
    return json_text([as_json(entry) for entry in entries])


def show(entry: Entry, style: Style) -> str:
    """Return one entry in full, a field a line."""
    actor = ", ".join(f"{key} {compact(value)}" for key, value in entry.actor.items())
    facts = [("time", entry.time), ("run", entry.run), ("who", actor), ("hash", entry.hash), ("previous", entry.prev)]
    lines = [style.paint(f"Entry {entry.seq}: {visible(entry.type)}", "bold")]
    lines += [f"  {name:<10} {visible(value)}" for name, value in facts]
    for key, value in entry.data.items():
        lines += _data(key, value, style)
    return style.encodable("\n".join(lines))


def _data(key: str, value: object, style: Style) -> Iterator[str]:
    name = visible(key)
    if key == "access" and isinstance(value, list | tuple) and value:
        yield f"  {name}"
        for delta in (item for item in value if isinstance(item, Mapping)):
            yield f"    {visible(str(delta.get('subject', '')))} {visible(str(delta.get('direction', '')))}"
            yield from _moved(delta.get("gained") or (), delta.get("lost") or (), style, indent=6)
    elif isinstance(value, Mapping) and value:
        yield f"  {name}"
        yield from (f"    {visible(str(k))}: {compact(v)}" for k, v in value.items())
    elif isinstance(value, list | tuple) and value:
        yield f"  {name}"
        yield from (f"    {compact(item)}" for item in value)
    elif value not in (None, "", (), [], {}):
        yield f"  {name:<10} {compact(value)}"


def history(subject: str, events: Sequence[Happening], style: Style) -> str:
    """Return what happened to an identity, oldest first: who, when, what, why, which plan, result, access moved."""
    if not events:
        return style.encodable(f"Nothing is recorded about {visible(subject)}.")
    blocks = ["\n".join(_event(event, style)) for event in events]
    return style.encodable("\n\n".join([style.paint(visible(subject), "bold"), *blocks]))


def _event(event: Happening, style: Style) -> Iterator[str]:
    word = _STATUS.get(event.status, visible(event.status))
    who = style.paint(f"{_moment(event.time)}  {visible(event.actor)}", "cyan")
    indirect = "" if event.direct else " (indirectly)"
    ended = style.paint(word, _SGR.get(word, "dim"))
    yield f"{who}  {visible(event.action)} {visible(event.address)}{indirect}  {ended}"
    trigger = [f"{word}{visible(event.trigger[key])}" for key, word in _TRIGGER if event.trigger.get(key)]
    facts = (
        ("why", ", ".join(part for part in (visible(event.reason), *trigger) if part)),
        ("command", visible(event.trigger.get("command") or event.command)),
        ("plan", visible(event.plan)),
        ("result", visible(event.detail)),
        ("requests", ", ".join(map(visible, event.request_ids))),
        ("entry", str(event.seq)),
    )
    for name, text in facts:
        for number, part in enumerate(wrap(text, style.width - 12, whole=True) if text else ()):
            yield f"  {style.paint(f'{name if number == 0 else str():<8}', 'dim')} {part}"
    yield from _moved(event.gained, event.lost, style, indent=2)


def _moved(gained: Sequence[object], lost: Sequence[object], style: Style, *, indent: int) -> Iterator[str]:
    for sign, items, sgr in (("+", gained, "green"), ("-", lost, "red")):
        for phrase in said((_permission(item) for item in items), sign):
            texts = wrap(str(phrase), style.width - indent - 2, whole=True)
            yield f"{' ' * indent}{style.paint(sign, sgr)} {texts[0]}"
            yield from (f"{' ' * indent}  {text}" for text in texts[1:])


def _permission(item: object) -> Permission:
    if isinstance(item, str):
        item = _parsed(item)
    if not isinstance(item, Mapping):
        return Permission("allow", visible(str(item)), "")
    part = {name: str(item.get(name, "")) for name in ("kind", "action", "resource", "condition")}
    return Permission(**part, effect=str(item.get("effect", "allow")))


def _parsed(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def verification(problems: Sequence[Problem], style: Style, *, entries: int, head: str) -> str:
    """Return the verdict of a verification: every problem with its entry, then one closing line."""
    lines = []
    for problem in problems:
        where = f"entry {problem.seq}: " if problem.seq >= 0 else ""
        level = style.paint(visible(problem.level), "bold red" if problem.level == "error" else "bold yellow")
        lines.append(f"{level} {where}{visible(problem.code)}: {visible(problem.message)}")
    errors = sum(problem.level == "error" for problem in problems)
    verdict = (
        f"NOT intact: {count(errors, 'error')} in {count(entries, 'entry')}"
        if errors
        else f"Intact: {count(entries, 'entry')}, head {visible(head)}"
    )
    return style.encodable("\n".join([*lines, style.paint(verdict, "bold red" if errors else "bold green")]))


def verification_json(problems: Sequence[Problem], *, entries: int, head: str) -> str:
    """Return the verdict as JSON text."""
    found = [{"level": p.level, "code": p.code, "message": p.message, "seq": p.seq} for p in problems]
    intact = not any(p.level == "error" for p in problems)
    return json_text({"formatVersion": 1, "intact": intact, "entries": entries, "head": head, "problems": found})
