"""What is to be said about objects nhictl does not manage: it never touches them, and never hides what they mean.

Rules enforced here:
- our mark on an object the ledger does not know is an orphan;
- an unmanaged object that hangs on a managed identity (a grant made by hand) gives access nobody declared: it is told;
- a change of an object that others hold as well names them;
- managed objects of a target that is configured no more are told, so that access is not left behind in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping

from nhictl.model import Address, Change, Finding, Managed, Resource
from nhictl.providers.base import Kind


def orphans(live: Mapping[Address, Resource], owner: str, known: Container[Address]) -> Iterable[Finding]:
    """Yield a finding for each object with the mark of `owner` that is not among `known`."""
    for address, resource in live.items():
        if resource.mark is not None and resource.mark.owner == owner and address not in known:
            yield Finding(
                "orphan", "warning", str(address),
                f"carries our mark for {resource.mark.ref} but the ledger does not know it",
                f"declare it and run `nhictl adopt {resource.mark.ref}`, or remove the mark",
            )  # fmt: skip


def left_behind(managed: Iterable[Address], configured: Container[str]) -> Iterable[Finding]:
    """Yield a finding for each target that has managed objects and is not configured any more."""
    counts = Counter(a.target for a in managed if a.target not in configured)
    for name, number in sorted(counts.items()):
        what = "1 managed object is" if number == 1 else f"{number} managed objects are"
        yield Finding(
            "gone-target", "warning", name, f"{what} in this target, which nhictl.yaml does not configure any more",
            f"configure it again, or give them up: nhictl ledger forget {name} --reason ...",
        )  # fmt: skip


def attached(
    kinds: Mapping[str, Kind], live: Mapping[Address, Resource], managed: Mapping[Address, Managed]
) -> Iterable[tuple[Address, Managed]]:
    """Yield each unmanaged object that refers to a managed identity, with that identity's record."""
    for address, resource in live.items():
        if address in managed:
            continue
        for target in resource.depends_on:
            if target in managed and kinds[target.kind].identity:
                yield address, managed[target]


def foreign_access(
    kinds: Mapping[str, Kind],
    live: Mapping[Address, Resource],
    managed: Mapping[Address, Managed],
    declared: Container[Address],
) -> Iterable[Finding]:
    """Yield a finding for each unmanaged, undeclared object that gives a managed identity access."""
    for address, record in attached(kinds, live, managed):
        if address not in declared:
            yield Finding(
                "foreign-access", "warning", str(address), f"is not managed and gives {record.subject} access",
                f"remove it in the target, or declare it and run `nhictl adopt {address}`",
            )  # fmt: skip


def shared(changes: Iterable[Change], live: Mapping[Address, Resource], owner: str) -> Iterable[Finding]:
    """Yield a finding for each change of an object that somebody else holds, too: their access changes with it.

    Adapters tell who holds an object in `facts["holders"]`: holder to the owner of its mark, empty when it has none.
    """
    for change in changes:
        resource = live.get(change.address)
        holders = resource.facts.get("holders") if resource is not None else None
        if not isinstance(holders, Mapping) or not any(_moves(f.path) for f in change.fields):
            continue
        others = sorted(name for name, marked in holders.items() if marked != owner)
        if others:
            who = ", ".join(others[:10]) + (f" and {len(others) - 10} more" if len(others) > 10 else "")
            yield Finding(
                "shared", "warning", str(change.address), f"is also held by {who}: their access changes with it",
                "nhictl does not manage them; look at what they need first",
            )  # fmt: skip


def _moves(path: str) -> bool:
    return path != "mark" and not path.startswith("handling.")
