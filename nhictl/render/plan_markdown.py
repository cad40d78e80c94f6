"""A plan for a pull request: verdict and access table first, details folded.

Rules enforced here:
- nothing from a manifest or a provider is mark-up: values are inline code, prose is escaped, details are fenced;
- the text fits a GitHub comment (65,536) or step summary (1 MiB), counted in bytes; it is cut by whole sections and
  says what was cut; verdict, summary and digest always stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nhictl.model import AccessDelta, Direction, Finding, Plan
from nhictl.render.access import direction_words, phrases
from nhictl.render.plan_text import changes
from nhictl.render.safe import code, fence, html, markdown
from nhictl.render.summary import partial_text, summary_parts
from nhictl.render.text import Style, count, cut

T = TypeVar("T")
COMMENT_LIMIT = 65_536
_STYLE = Style(width=110)
_NOTICE = 600
_ROWS = 50
_CHANGES = 50
_PHRASES = 8
_LONGEST = 1_200


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    text: str


def render(plan: Plan, *, limit: int = COMMENT_LIMIT, apply_command: str = "") -> str:
    """Return the plan as GitHub or GitLab Markdown of at most `limit` bytes, line feed at the end included."""
    head = "\n\n".join(_head(plan))
    foot = "\n\n".join(_foot(plan, apply_command))
    room = limit - _NOTICE - _size(head) - _size(foot)
    kept, cut_out = [], []
    for section in _sections(plan):
        size = _size(section.text) + 2
        if size <= room:
            room -= size
            kept.append(section.text)
        else:
            cut_out.append(section.name)
    return "\n\n".join([head, *kept, *_cut_notice(cut_out), foot]) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _head(plan: Plan) -> Iterator[str]:
    yield f"## Plan for {code(f'{plan.workspace}/{plan.environment}'[:200])}"
    yield f"**{_verdict(plan)}**"
    yield markdown(" · ".join(summary_parts(plan)))
    if plan.partial:
        yield f"Partial plan: only {markdown(partial_text(plan)[:500])}; nothing outside it is removed."


def _verdict(plan: Plan) -> str:
    if plan.safety:
        return f"Refused by {count(len(plan.safety), 'safety limit')}: nothing is applied."
    if plan.unreadable:
        return f"{count(len(plan.unreadable), 'target')} could not be read: nothing is planned there."
    if any(finding.level == "error" for finding in plan.findings):
        return "Some objects are blocked; the others can be applied."
    if not plan.changes:
        return "Nothing to do: everything is as declared."
    wider = sum(delta.direction in (Direction.WIDER, Direction.CHANGED) for delta in plan.access)
    if not wider:
        return "No identity gets more access."
    return f"{count(wider, 'identity')} would get access not there now."


def _foot(plan: Plan, apply_command: str) -> Iterator[str]:
    if plan.changes:
        until = f", valid until {code(plan.expires)}" if plan.expires else ""
        commit = f", commit {code(plan.commit)}" if plan.commit else ""
        yield f"Digest {code(plan.digest)}{until}{commit}"
    if plan.changes and apply_command and not plan.safety:
        yield f"Next: {code(apply_command)}"


def _sections(plan: Plan) -> Iterator[_Section]:
    if plan.safety:
        yield _Section("safety limits", _list("Safety limits", plan.safety))
    yield from _access(plan.access)
    if plan.unreadable:
        lines = [f"- {code(target)}: {markdown(why)}" for target, why in plan.unreadable.items()]
        yield _Section("unreadable targets", "\n".join(["### Unreadable targets", "", *lines]))
    yield from _findings(plan.findings)
    yield from _changes(plan)


def _batches(items: Sequence[T], size: int) -> Iterator[tuple[int, Sequence[T]]]:
    for start in range(0, len(items), size):
        yield start, items[start : start + size]


def _access(deltas: Sequence[AccessDelta]) -> Iterator[_Section]:
    moved = [d for d in deltas if d.gained or d.lost]
    still = [d for d in deltas if not (d.gained or d.lost)]
    for start, batch in _batches(moved, _ROWS):
        title = "### Access" if start == 0 else "### Access, continued"
        table = ["| Identity | Access | Gains | Loses |", "|---|---|---|---|", *map(_row, batch)]
        yield _Section(_named("access of identities", start, batch, moved), "\n".join([title, "", *table]))
    if still:
        names = ", ".join(code(d.subject) for d in still[:_ROWS])
        more = f" and {len(still) - _ROWS:,} more" if len(still) > _ROWS else ""
        yield _Section("identities touched without effect", f"Touched, access stays the same: {names}{more}")


def _named(what: str, start: int, batch: Sequence[object], everything: Sequence[object]) -> str:
    return f"{what} {start + 1:,} to {start + len(batch):,} of {len(everything):,}"


def _row(delta: AccessDelta) -> str:
    found = phrases(delta)
    cells = [_cell([str(p) for p in found if p.sign == sign]) for sign in "+-"]
    return f"| {code(delta.subject)} | {direction_words(delta)} | {cells[0]} | {cells[1]} |"


def _cell(texts: Sequence[str]) -> str:
    shown = [code(cut(text, _LONGEST, _STYLE)) for text in texts[:_PHRASES]]
    if len(texts) > _PHRASES:
        shown.append(f"and {len(texts) - _PHRASES:,} more")
    return "<br>".join(shown)


def _findings(findings: Sequence[Finding]) -> Iterator[_Section]:
    blocked = [f for f in findings if f.level == "error"]
    others = [f for f in findings if f.level != "error"]
    for start, batch in _batches(blocked, _ROWS):
        yield _Section(_named("blocked objects", start, batch, blocked), _list("Blocked", batch))
    for start, batch in _batches(others, _ROWS):
        name = _named("notes", start, batch, others)
        yield _Section(name, _folded(f"{count(len(batch), 'note')}", [_list("", batch)]))


def _list(title: str, findings: Sequence[Finding]) -> str:
    lines = [f"### {title}", ""] if title else []
    for finding in findings:
        hint = f"<br>{markdown(finding.hint)}" if finding.hint else ""
        lines.append(f"- **{markdown(finding.rule)}** {code(finding.subject)}: {markdown(finding.message)}{hint}")
    return "\n".join(lines)


def _changes(plan: Plan) -> Iterator[_Section]:
    for start, batch in _batches(plan.changes, _CHANGES):
        name = _named("changes", start, batch, plan.changes)
        lines = [_flush(line) for line in changes(batch, _STYLE)]
        yield _Section(name, _folded(name.capitalize(), ["\n".join(fence(lines, "diff"))]))


def _flush(line: str) -> str:
    """Return a line of a change with its sign in the first column, where `diff` colours it."""
    return line[2:] if line[:2] == "  " and line[2:3] != " " else line


def _folded(title: str, blocks: Sequence[str]) -> str:
    return "\n\n".join([f"<details><summary>{html(title)}</summary>", *blocks, "</details>"])


def _cut_notice(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    shown = "; ".join(names[:4]) + (f"; and {len(names) - 4:,} more sections" if len(names) > 4 else "")
    return [f"**Left out for size:** {shown}. The whole plan: `nhictl plan` or its saved file."]
