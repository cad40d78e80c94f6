"""The numbers of a plan in words: the last line people read, the same in every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nhictl.model import Action, Direction, Plan
from nhictl.render.safe import visible
from nhictl.render.text import count

_ORDER = (
    Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DISABLE, Action.DELETE, Action.ADOPT, Action.ROTATE,
    Action.FORGET,
)  # fmt: skip


def action_counts(plan: Plan) -> Mapping[str, int]:
    """Return how many changes there are of each action, zeros included."""
    found = Counter(change.action for change in plan.changes)
    return {action.value: found[action] for action in Action}


def access_counts(plan: Plan) -> Mapping[str, int]:
    """Return how many identities get wider, narrower and changed access."""
    found = Counter(delta.direction for delta in plan.access)
    return {d.value: found[d] for d in (Direction.WIDER, Direction.NARROWER, Direction.CHANGED)}


def summary_parts(plan: Plan) -> list[str]:
    """Return the parts of the summary: changes; access; blocked; unmanaged."""
    parts = [_changes(plan)]
    moved = [f"{number} {word}" for word, number in access_counts(plan).items() if number]
    if moved:
        parts.append(", ".join(moved))
    blocked = sum(finding.level == "error" for finding in plan.findings)
    if blocked:
        parts.append(f"{blocked} blocked")
    if plan.unreadable:
        parts.append(f"{count(len(plan.unreadable), 'target')} unreadable")
    unmanaged = sum(plan.unmanaged.values())
    if unmanaged:
        parts.append(f"{unmanaged:,} unmanaged left alone")
    return parts


def _changes(plan: Plan) -> str:
    if not plan.changes and (plan.unreadable or any(f.level == "error" for f in plan.findings)):
        nothing = "No changes possible" if plan.unchanged or not plan.unreadable else "Nothing could be planned"
        return f"{nothing}: {count(plan.unchanged, 'resource')} as declared" if plan.unchanged else nothing
    if not plan.changes:
        return f"No changes: {count(plan.unchanged, 'resource')} as declared"
    counts = action_counts(plan)
    shown = [action for action in _ORDER if counts[action.value]]
    return "Plan: " + ", ".join(f"{counts[a.value]:,} to {a.value}" for a in shown)


def partial_text(plan: Plan) -> str:
    """Return the selection of a partial plan in words."""
    parts = []
    for key, value in plan.partial.items():
        items = value if isinstance(value, tuple | list) else (value,)
        parts.append(f"{visible(str(key))} {', '.join(visible(str(item)) for item in items)}")
    return "; ".join(parts)
