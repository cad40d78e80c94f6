"""A plan for people: what changes by manifest object, what access moves, what stands in the way, and a summary.

Rules enforced here:
- ten changes fit on one screen: long values are cut in the middle, long lists end in `-v shows them`;
- what a new object gives access by is never cut, see `created`;
- every sign has its word, so that nothing hangs on colour;
- the work is linear in the number of changes; nothing is measured over all lines but the width of one column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from nhictl.model import Action, Change, Direction, Finding, Plan, Resource
from nhictl.render import access, created
from nhictl.render.safe import visible
from nhictl.render.summary import partial_text, summary_parts
from nhictl.render.text import Style, columns, cut, fill, pad, wrap
from nhictl.render.values import Row, pair, rows

SGR = {
    Action.CREATE: "green", Action.UPDATE: "yellow", Action.REPLACE: "magenta", Action.DELETE: "red",
    Action.DISABLE: "red", Action.ADOPT: "cyan", Action.ROTATE: "yellow", Action.FORGET: "dim",
}  # fmt: skip
_INDENT = " " * 6
_ROWS = 6
_ELEMENTS = 6
_NARROW = 80
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
    title = f"Plan for {visible(plan.workspace)}/{visible(plan.environment)}{' (partial)' if plan.partial else ''}"
    targets = [cut(text, style.width - 2, style) for text in _targets(plan, style)]
    joint = f" {style.dot} "
    one = joint.join([title, *targets])
    if columns(one) <= style.width and not style.verbose:
        yield style.paint(title, "bold") + style.paint(one[len(title) :], "dim")
    else:
        yield style.paint(title, "bold")
        yield from (style.paint(f"  {line}", "dim") for line in fill(targets, style.width - 2, joint=joint))
    if plan.partial:
        for text in wrap(f"only {partial_text(plan)}; nothing outside it is removed", style.width - 2):
            yield f"  {text}"


def _targets(plan: Plan, style: Style) -> Iterator[str]:
    for target, who in plan.targets.items():
        principal = f" as {visible(who.principal)}" if style.verbose else ""
        yield f"{visible(target)}: {visible(who.provider)} {visible(who.scope)}{principal}"


def changes(found: Iterable[Change], style: Style) -> Iterator[str]:
    """Yield the lines of changes, grouped by manifest object in order of first appearance."""
    groups: dict[str, list[Change]] = {}
    for change in found:
        groups.setdefault(change.subject, []).append(change)
    narrow = style.width < _NARROW
    left = 0 if narrow else min(max((columns(visible(s)) for s in groups), default=0), style.width // 4)
    for group in groups.values():
        for number, change in enumerate(group):
            yield from _change(change, style, left, first=number == 0)


def _change(change: Change, style: Style, left: int, *, first: bool) -> Iterator[str]:
    shown = visible(change.subject) if first else ""
    subject = pad(cut(shown, left, style) if left else shown, left)
    sign = style.paint(f"{change.action.symbol:>3} {change.action.value:<8}", SGR[change.action])
    address = visible(str(change.address))
    head = f"{subject}  " if subject else ""
    used = 12 + columns(head)
    head = style.paint(head, "bold") if head.strip() else head
    if used + columns(address) <= style.width or not subject.strip():
        address = address if style.verbose else cut(address, style.width - used, style)
        used += columns(address)
        line = f"{sign}{head}{address}"
    else:
        yield f"{sign}{head.rstrip()}"
        address = address if style.verbose else cut(address, style.width - 6, style)
        used = 6 + columns(address)
        line = f"{_INDENT}{address}"
    note, details = _note(change), list(_details(change, style))
    painted = change.action is Action.CREATE and not style.verbose
    if painted and not note and len(details) == 1 and used + 2 + columns(details[0]) <= style.width:
        yield f"{line}  {style.paint(details[0], 'dim')}"
        return
    if note and used + 3 + columns(note) <= style.width:
        yield f"{line} {style.paint(f'({note})', 'dim')}"
    else:
        yield line
        yield from (style.paint(_INDENT + text, "dim") for text in (wrap(note, style.width - 6) if note else ()))
    yield from (_INDENT + (style.paint(text, "dim") if painted else text) for text in details)


def _note(change: Change) -> str:
    risk = "" if change.risk is Direction.NONE else f"access {change.risk.value}"
    reason = "" if change.reason in _SAID_BY_THE_WORD else visible(change.reason)
    keep = [name for name in change.after.keep if _about(change.after, name)] if change.after is not None else []
    kept = f"kept as it is: {visible(', '.join(keep))}" if keep else ""
    return "; ".join(part for part in (risk, reason, kept) if part)


def _about(resource: Resource, kept: str) -> bool:
    """True when an entry of `keep` (`trust`, `inline.legacy`, `iam-role/trust`) is about this resource."""
    head = kept.partition(".")[0]
    kind, _, field = head.rpartition("/")
    return kind in ("", resource.address.kind) and field in resource.attributes


def _details(change: Change, style: Style) -> Iterator[str]:
    """Yield what is inside a change, without the indent."""
    if change.action is Action.CREATE and change.after is not None:
        yield from created.lines(change.after.attributes, style, style.width - len(_INDENT))
        return
    found = [row for row in rows(change) if style.verbose or not _said_by_action(change.action, row)]
    shown = found if style.verbose or len(found) <= _ROWS else found[: _ROWS - 1]
    packed = [] if style.verbose else _packed(shown, style)
    left = min(max((columns(row.path) for row in shown), default=0), style.width // 3)
    yield from packed or (line[len(_INDENT) :] for row in shown for line in row_lines(row, style, left))
    if len(shown) < len(found):
        yield style.paint(f"{style.gap} {len(found) - len(shown)} more fields, -v shows them", "dim")


def _packed(shown: list[Row], style: Style) -> list[str]:
    """Return several short rows on fewer lines than rows; nothing when one is too long for that."""
    room, plain = style.width - len(_INDENT), replace(style, color=False)
    texts = {_short(row, plain): _short(row, style) for row in shown}
    if any(columns(text) > room for text in texts):
        return []
    packed = fill(list(texts), room, joint="\n\n")
    if len(packed) >= len(shown):
        return []
    return ["; ".join(texts[text] for text in line.split("\n\n")) for line in packed]


def _short(row: Row, style: Style) -> str:
    if row.added or row.removed:
        signed = [f"+ {e}" for e in row.added] + [f"- {e}" for e in row.removed]
        return f"{row.path}: " + "  ".join(_signed(text, style) for text in signed)
    return f"{row.path}: {row.before} {style.paint('->', 'dim')} {row.after}"


def _said_by_action(action: Action, row: Row) -> bool:
    if action is Action.DISABLE:
        return (row.path, row.after) == ("enabled", "false")
    return action is Action.ADOPT and row.path == "mark"


def row_lines(row: Row, style: Style, left: int) -> Iterator[str]:
    """Yield the lines of one field: `path: before -> after`, or `path: + element` and `- element`."""
    path = row.path if columns(row.path) <= left or style.verbose else cut(row.path, left, style)
    head = f"{_INDENT}{pad(path + ':', left + 1)} "
    room = max(20, style.width - columns(head))
    if not row.added and not row.removed:
        before, after = pair(row.before, row.after, room - 4, style)
        yield f"{head}{before} {style.paint('->', 'dim')} {after}"
        return
    for number, line in enumerate(_elements(row, room, style)):
        yield f"{head if number == 0 else ' ' * columns(head)}{line}"


def _elements(row: Row, room: int, style: Style) -> Iterator[str]:
    signed = [("+", e) for e in row.added] + [("-", e) for e in row.removed]
    texts = [f"{sign} {e if style.verbose else cut(e, room - 2, style)}" for sign, e in signed]
    one = "  ".join(texts)
    if columns(one) <= room:
        yield "  ".join(_signed(text, style) for text in texts)
        return
    keep = texts if style.verbose or len(texts) <= _ELEMENTS else texts[: _ELEMENTS - 1]
    yield from (_signed(text, style) for text in keep)
    if len(keep) < len(texts):
        yield style.paint(f"{style.gap} {len(texts) - len(keep)} more, -v shows them", "dim")


def _signed(text: str, style: Style) -> str:
    return style.paint(text, "green" if text[0] == "+" else "red")


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
    for line in fill(summary_parts(plan), style.width, joint=f" {style.dot} "):
        yield from (style.paint(text, "bold") for text in wrap(line, style.width))
    if not plan.changes:
        return
    yield style.paint(f"Digest: {visible(plan.digest)}", "dim")
    until = style.paint(f"  (valid until {visible(plan.expires)})", "dim") if plan.expires else ""
    if apply_command and not plan.safety:
        yield f"Next: {apply_command}{until}"
