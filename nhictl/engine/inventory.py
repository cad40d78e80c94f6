"""Read every target for an inventory and fold the ledger for it.

Rules enforced here:
- reads only, everything that exists, with the credentials of every identity; nothing is recorded;
- what the manifests cannot say in a target is no hindrance: the inventory tells what is live;
- a target that cannot be read is unknown, the others are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nhictl.engine.live import Connected, read_all
from nhictl.engine.prepare import Request, known_names
from nhictl.inventory.build import Given, build
from nhictl.inventory.world import Source
from nhictl.kinds import owner as owners
from nhictl.ledger.fold import Folded, fold
from nhictl.ledger.touched import Touched
from nhictl.model import Document, Entry, Inventory, Snapshot
from nhictl.providers.base import Scope


@dataclass(frozen=True, slots=True)
class Taken:
    """An inventory, and what it was made from: for what else is asked of the same reading."""

    inventory: Inventory
    given: Given
    auth_failed: bool


def take(
    request: Request,
    entries: Iterable[Entry],
    open_targets: Sequence[Connected],
    *,
    documents: Iterable[Document] = (),
) -> Taken:
    """Return the inventory of the open targets at `request.now`. `documents` are all manifests, for their owners."""
    touched = Touched()
    folded = fold(touched.watch(entries))
    scopes = {at.target.name: _scope(at, folded) for at in open_targets}
    snapshots = read_all(open_targets, scopes, request.progress)
    given = Given(
        request.workspace.name,
        request.environment.name,
        request.now,
        tuple(_source(request, folded, at, snapshots[at.target.name]) for at in open_targets),
        folded,
        touched,
        _owners(documents),
        request.workspace.ignore,
    )
    return Taken(build(given), given, any(s.auth_failed for s in snapshots.values()))


def _scope(at: Connected, folded: Folded) -> Scope:
    """Return the scope of everything; what is managed is named, for what is owed for that only."""
    return Scope(addresses=frozenset(a for a in folded.managed if a.target == at.target.name), details=True)


def _source(request: Request, folded: Folded, at: Connected, snapshot: Snapshot) -> Source:
    estate = request.compile(at.target, known_names(folded, request.former))
    desired = {r.address: r for r in at.adapter.desired(estate).resources}
    return Source(at.target.name, at.adapter, snapshot, desired, estate)


def _owners(documents: Iterable[Document]) -> Mapping[str, owners.Owner]:
    return {d.name: owners.parse(d) for d in documents if d.kind == "Owner"}
