"""A plan for people: what changes by manifest object, what access moves, what stands in the way, and a summary.

Rules enforced here:
- ten changes fit on one screen: long values are cut in the middle, long lists end in `-v shows them`;
- every sign has its word, so that nothing hangs on colour;
- the work is linear in the number of changes; nothing is measured over all lines but the width of one column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nhictl.model import Action, Change, Direction, Finding, Plan
from nhictl.render import access
from nhictl.render.safe import visible
from nhictl.render.summary import partial_text, summary_parts
from nhictl.render.text import Style, columns, cut, fill, pad, wrap
from nhictl.render.values import Row, compact, pair, rows

SGR = {
    Action.CREATE: "green", Action.UPDATE: "yellow", Action.REPLACE: "magenta", Action.DELETE: "red",
    Action.DISABLE: "red", Action.ADOPT: "cyan", Action.ROTATE: "yellow", Action.FORGET: "dim",
}  # fmt: skip
_INDENT = " " * 6
_ROWS = 6
_SAID_BY_THE_WORD = frozenset({"declared", "differs from the manifest"})


def render(plan: Plan, style: Style, *, apply_command: str = "", override_command: str = "") -> str:
    """Return the plan as text without a final line feed.

    `apply_command` is the next step named at the end; `override_command` the one that lifts the safety limits
    that refuse this plan, empty when nothing may lift them.
    """
    sections = [
        list(_header(plan, style)),
        list(changes(plan.changes, style)),
        _titled("Access", access.lines(plan.access, style), style),
        *_findings(plan, style),
        _safety(plan, style, override_command),
        list(_closing(plan, style, apply_command)),
    ]
    text = "\n\n".join("\n".join(lines) for lines in sections if lines)
    return style.encodable(text)


def _titled(title: str, lines: Iterable[str], style: Style) -> list[str]:
    found = list(lines)
    return [style.paint(title, "bold"), *found] if found else []


def _header(plan: Plan, style: Style) -> Iterator[str]:
    name = f"{visible(plan.workspace)}/{visible(plan.environment)}"
    yield f"{style.paint('Plan for ' + name, 'bold')}{' (partial)' if plan.partial else ''}"
    if plan.partial:
        for text in wrap(f"only {partial_text(plan)}; nothing outside it is removed", style.width - 2):
            yield f"  {text}"
    for target, who in plan.targets.items():
        text = f"  {visible(target)}: {visible(who.provider)} {visible(who.scope)} as {visible(who.principal)}"
        yield style.paint(cut(text, style.width, style), "dim")


def changes(found: Iterable[Change], style: Style) -> Iterator[str]:
    """Yield the lines of changes, grouped by manifest object in order of first appearance."""
    groups: dict[str, list[Change]] = {}
    for change in found:
        groups.setdefault(change.subject, []).append(change)
    left = min(max((columns(visible(s)) for s in groups), default=0), max(16, style.width // 4))
    for group in groups.values():
        for number, change in enumerate(group):
            yield from _change(change, style, left, first=number == 0)


def _change(change: Change, style: Style, left: int, *, first: bool) -> Iterator[str]:
    subject = cut(visible(change.subject), left, style) if first else ""
    sign = style.paint(f"{change.action.symbol:>3} {change.action.value:<8}", SGR[change.action])
    address = visible(str(change.address))
    used = 12 + left + 2
    name = style.paint(pad(subject, left), "bold") if subject else " " * left
    if used + columns(address) <= style.width or not subject:
        room = style.width - used
        line = f"{sign}{name}  {address if style.verbose else cut(address, room, style)}"
        used += min(columns(address), room)
    else:
        line = f"{sign}{name.rstrip()}\n{_INDENT}{address if style.verbose else cut(address, style.width - 6, style)}"
        used = style.width
    note = _note(change)
    if note and used + 3 + columns(note) <= style.width:
        yield f"{line} {style.paint(f'({note})', 'dim')}"
    else:
        yield line
        yield from (style.paint(_INDENT + text, "dim") for text in (wrap(note, style.width - 6) if note else ()))
    yield from _details(change, style)


def _note(change: Change) -> str:
    risk = "" if change.risk is Direction.NONE else f"access {change.risk.value}"
    reason = "" if change.reason in _SAID_BY_THE_WORD else visible(change.reason)
    return "; ".join(part for part in (risk, reason) if part)


def _details(change: Change, style: Style) -> Iterator[str]:
    if change.action is Action.CREATE and change.after is not None:
        yield from _attributes(change.after.attributes.items(), style)
        return
    found = list(rows(change))
    shown = found if style.verbose or len(found) <= _ROWS else found[: _ROWS - 1]
    left = min(max((columns(row.path) for row in shown), default=0), style.width // 3)
    for row in shown:
        yield from row_lines(row, style, left)
    if len(shown) < len(found):
        yield _INDENT + style.paint(f"{style.gap} {len(found) - len(shown)} more fields, -v shows them", "dim")


def _attributes(attributes: Iterable[tuple[str, object]], style: Style) -> Iterator[str]:
    parts = [f"{visible(name)}: {compact(value)}" for name, value in attributes if value not in (None, "", (), {})]
    if style.verbose:
        yield from (_INDENT + part for part in parts)
        return
    room = style.width - len(_INDENT)
    lines = fill([cut(part, room, style) for part in parts], room - 20)
    yield from (style.paint(_INDENT + line, "dim") for line in lines[:2])
    if len(lines) > 2:
        yield _INDENT + style.paint(f"{style.gap} more, -v shows it", "dim")


def row_lines(row: Row, style: Style, left: int) -> Iterator[str]:
    """Yield the lines of one field: `path: before -> after`, or `path: + element` and `- element`."""
    path = row.path if columns(row.path) <= left or style.verbose else cut(row.path, left, style)
    head = f"{_INDENT}{pad(path + ':', left + 1)} "
    room = max(20, style.width - columns(head))
    if not row.added and not row.removed:
        before, after = pair(row.before, row.after, room - 4, style)
        yield f"{head}{before} {style.paint('->', 'dim')} {after}"
        return
    lines = [*_elements("+", row.added, room, style), *_elements("-", row.removed, room, style)]
    for number, line in enumerate(lines):
        yield f"{head if number == 0 else ' ' * columns(head)}{line}"


def _elements(sign: str, elements: tuple[str, ...], room: int, style: Style) -> Iterator[str]:
    shown = elements if style.verbose else tuple(cut(e, room - 2, style) for e in elements)
    lines = fill([f"{sign} {element}" for element in shown], room)
    sgr = "green" if sign == "+" else "red"
    keep = lines if style.verbose or len(lines) <= 4 else lines[:3]
    yield from (style.paint(line, sgr) for line in keep)
    if len(keep) < len(lines):
        yield style.paint(f"{style.gap} more, {len(elements)} in all, -v shows them", "dim")


def _findings(plan: Plan, style: Style) -> Iterator[list[str]]:
    yield _titled(
        "Unreadable, nothing is planned there",
        (f"  {visible(target)}: {visible(why)}" for target, why in plan.unreadable.items()),
        style,
    )
    groups: dict[str, list[Finding]] = {}
    for finding in plan.findings:
        groups.setdefault(_heading(finding), []).append(finding)
    for title in ("Blocked", "Orphans", "Waiting", "Notes"):
        lines = [line for finding in groups.get(title, ()) for line in _finding(finding, style)]
        yield _titled(title, lines, style)


def _heading(finding: Finding) -> str:
    if finding.level == "error":
        return "Blocked"
    return {"orphan": "Orphans", "waiting": "Waiting"}.get(finding.rule, "Notes")


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    level = {"error": "red", "warning": "yellow"}.get(finding.level, "dim")
    rule = style.paint(visible(finding.rule), level)
    texts = wrap(f"{visible(finding.subject)} {visible(finding.message)}", style.width - 4 - len(finding.rule))
    yield f"  {rule}  {texts[0]}"
    yield from (f"      {text}" for text in texts[1:])
    if finding.hint:
        for number, text in enumerate(wrap(visible(finding.hint), style.width - 12)):
            yield f"      {'     ' if number else style.paint('help:', 'cyan')} {text}"


def _safety(plan: Plan, style: Style, override_command: str) -> list[str]:
    if not plan.safety:
        return []
    lines = [line for finding in plan.safety for line in _finding(finding, style)]
    way = (
        f"  to apply exactly this plan all the same: {override_command}"
        if override_command
        else "  no option lifts these limits"
    )
    return [style.paint("Refused by safety limits", "bold red"), *lines, way]


def _closing(plan: Plan, style: Style, apply_command: str) -> Iterator[str]:
    parts = summary_parts(plan)
    joint = f" {style.dot} "
    texts = wrap(joint.join(parts), style.width)
    yield from (style.paint(text, "bold") for text in texts)
    if plan.changes:
        until = f"  until {visible(plan.expires)}" if plan.expires else ""
        yield style.paint(f"Digest: {visible(plan.digest)}{until}", "dim")
    if plan.changes and apply_command and not plan.safety:
        yield f"Next: {apply_command}"
