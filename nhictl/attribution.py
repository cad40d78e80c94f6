"""Say which change of a plan gives or takes which access, so that the record of each change is true by itself.

Rules enforced here:
- changes are looked at in plan order: each delta is between the world before the change and the world after it;
- a change that is not carried out takes its delta with it; nothing is credited to another change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nhictl.access import Index, World, moved, reach
from nhictl.model import AccessDelta, Action, Address, Change, Permission
from nhictl.providers.base import Adapter


def attribute(adapter: Adapter, before: World, changes: Sequence[Change]) -> dict[Address, tuple[AccessDelta, ...]]:
    """Return the access deltas that each change of one target causes, by its address; none are left out.

    `before` is what is managed now (see `access.worlds`). NHIs whose access a change does not move are left out.
    """
    index = Index.of(before)
    known: dict[str, frozenset[Permission]] = {}
    causes: dict[Address, tuple[AccessDelta, ...]] = {}
    for change in changes:
        direct = {change.subject} if change.subject.startswith("nhi/") else set()
        touched = direct | index.users([change.address])
        for subject in touched:
            if subject not in known:
                known[subject] = reach(adapter, index, subject)
        _take(index, change)
        touched |= index.users([change.address])
        found = []
        for subject in sorted(touched):
            now = reach(adapter, index, subject)
            found.append(moved(subject, known.get(subject, frozenset()), now, direct=subject in direct))
            known[subject] = now
        causes[change.address] = tuple(d for d in found if d.gained or d.lost)
    return causes


def _take(index: Index, change: Change) -> None:
    """Let the index be as it is once the change is made."""
    if change.after is None:
        if change.action is Action.DELETE:
            index.drop(change.address)
        return
    if change.after.renamed_from is not None:
        index.drop(change.after.renamed_from)
    index.put(replace(change.after, subject=change.subject))
