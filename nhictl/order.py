"""Put changes into an order that never breaks a reference and never takes access away before its replacement is there.

Rules enforced here:
- a change waits for the changes of what it depends on;
- a delete waits for the changes of everything that depends on it, by the recorded or the desired references;
- within one manifest object grants come before revokes: deletes and disables wait for its creates and updates;
- a cycle is an error that names its members, never a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from nhictl.model import Action, Address, Change, Exit, NhictlError

REMOVING = frozenset({Action.DELETE, Action.DISABLE, Action.FORGET})


def order(changes: Iterable[Change], references: Mapping[Address, Sequence[Address]]) -> tuple[Change, ...]:
    """Return the changes in a deterministic order that can be executed from first to last, `depends_on` filled in.

    `references` maps an address to what it refers to now, as recorded; desired references come with the changes.
    Raises NhictlError on a cycle.
    """
    by_address = {change.address: change for change in changes}
    needs = _edges(by_address, references)
    sorter = TopologicalSorter({address: sorted(needs[address]) for address in sorted(by_address)})
    try:
        sorter.prepare()
    except CycleError as error:
        names = " -> ".join(str(address) for address in error.args[1])
        raise NhictlError(f"changes depend on each other in a circle: {names}", exit_code=Exit.INVALID) from None
    result: list[Change] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda a: (by_address[a].action in REMOVING, a))
        result += [replace(by_address[a], depends_on=tuple(sorted(needs[a]))) for a in ready]
        sorter.done(*ready)
    return tuple(result)


def _edges(
    changes: Mapping[Address, Change], references: Mapping[Address, Sequence[Address]]
) -> dict[Address, set[Address]]:
    needs: dict[Address, set[Address]] = defaultdict(set)
    granting: dict[str, list[Address]] = defaultdict(list)
    for address, change in changes.items():
        if change.subject.startswith("nhi/") and _keeps(change):
            granting[change.subject].append(address)
    for address, change in changes.items():
        if change.action not in REMOVING and change.after is not None:
            needs[address] |= {a for a in change.after.depends_on if a in changes and _keeps(changes[a])}
        was = change.after.renamed_from if change.after is not None else None
        held = (*references.get(address, ()), *(references.get(was, ()) if was is not None else ()))
        _wait_for(address, _deleted(held, changes), needs)
        if change.action in REMOVING:
            needs[address] |= set(granting[change.subject]) - {address}
    return needs


def _wait_for(address: Address, targets: Iterable[Address], needs: dict[Address, set[Address]]) -> None:
    for target in targets:
        needs[target].add(address)


def _deleted(addresses: Iterable[Address], changes: Mapping[Address, Change]) -> list[Address]:
    return [a for a in addresses if a in changes and changes[a].action is Action.DELETE]


def _keeps(change: Change) -> bool:
    return change.action not in REMOVING
