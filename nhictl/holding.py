"""Take out of a plan what must wait: changes that need something blocked, and deletes of what is still used.

Rules enforced here:
- a blocked object takes what depends on it out of the plan; removals are not held up by it;
- an object is not deleted while a managed object that stays still refers to it, or is itself kept for that reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from nhictl.model import Action, Address, Change, Finding, Managed, Resource


def hold_back(
    changes: Mapping[Address, Change],
    findings: Iterable[Finding],
    *,
    desired: Mapping[Address, Resource],
    managed: Mapping[Address, Managed],
) -> tuple[dict[Address, Change], list[Finding]]:
    """Return the changes that can be made, and a finding for each that cannot. `findings` say what is blocked."""
    left = dict(changes)
    stuck = {f.subject for f in findings if f.level == "error"}
    said = [*_blocked(left, stuck, desired=desired, managed=managed), *_waiting(left, managed)]
    return left, said


def _blocked(
    changes: dict[Address, Change],
    stuck: set[str],
    *,
    desired: Mapping[Address, Resource],
    managed: Mapping[Address, Managed],
) -> Iterable[Finding]:
    def missing(address: Address) -> bool:
        return str(address) in stuck or (address not in changes and address not in managed and address in desired)

    while lacking := [c for c in changes.values() if any(missing(a) for a in _needed(c))]:
        for change in lacking:
            del changes[change.address]
            stuck.add(str(change.address))
            message = f"{change.action} waits for something that is blocked"
            yield Finding("blocked", "error", str(change.address), message, "see the other findings")


def _needed(change: Change) -> tuple[Address, ...]:
    if change.after is None or change.action is Action.DISABLE:
        return ()
    return change.after.depends_on


def _waiting(changes: dict[Address, Change], managed: Mapping[Address, Managed]) -> Iterable[Finding]:
    while True:
        users = _users(changes, managed)
        kept = [a for a, c in changes.items() if c.action is Action.DELETE and a in users]
        if not kept:
            return
        for address in kept:
            del changes[address]
            by = ", ".join(str(a) for a in sorted(users[address])[:5])
            yield Finding("waiting", "info", str(address), f"no longer declared; still used by {by}")


def _users(changes: Mapping[Address, Change], managed: Mapping[Address, Managed]) -> Mapping[Address, list[Address]]:
    """Return who refers to each address once `changes` are made."""
    staying = {address: record.depends_on for address, record in managed.items()}
    for address, change in changes.items():
        if change.action in (Action.DELETE, Action.FORGET):
            staying.pop(address, None)
        elif change.after is not None:
            staying[address] = change.after.depends_on
            if change.after.renamed_from is not None:
                staying.pop(change.after.renamed_from, None)
    users: dict[Address, list[Address]] = defaultdict(list)
    for address, needed in staying.items():
        for target in needed:
            users[target].append(address)
    return users
