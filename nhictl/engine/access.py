"""What there is to ask about access: everything that is live in the targets, or everything the manifests mean.

Rules enforced here:
- reads only; nothing is recorded; a target that cannot be read is unknown and said to be;
- whose access nobody declared is asked for as well: where a read gives that for what it names only, details are read;
- a live object has the manifest object that the ledger knows it as, by native id, and the place where that is declared;
- what the manifests mean is found without ledger and network: names are those of the manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nhictl.chains import At, World
from nhictl.engine.live import Connected, read_all
from nhictl.engine.prepare import Names, Request, known_names
from nhictl.kinds.workspace import Target
from nhictl.ledger.fold import Folded, fold
from nhictl.model import Address, Entry, Resource, Snapshot
from nhictl.ownership import followed
from nhictl.providers.base import Adapter, Scope


@dataclass(frozen=True, slots=True)
class Seen:
    """A world, and what of it is not known: targets with the reason."""

    world: World
    unreadable: Mapping[str, str] = field(default_factory=dict)
    auth_failed: bool = False


def live(request: Request, entries: Iterable[Entry], open_targets: Sequence[Connected]) -> Seen:
    """Return everything that is live in the open targets."""
    folded = fold(entries)
    names = known_names(folded, request.former)
    scopes = {at.target.name: _scope(at, folded) for at in open_targets}
    snapshots = read_all(open_targets, scopes, request.progress)
    found: list[Resource] = []
    for at in open_targets:
        desired = {r.address: r for r in at.adapter.desired(request.compile(at.target, names)).resources}
        found += _named(at, snapshots[at.target.name], folded, desired)
    readable = [At(c.target, c.adapter) for c in open_targets if snapshots[c.target.name].complete]
    unreadable = {name: s.error for name, s in sorted(snapshots.items()) if not s.complete}
    return Seen(World.of(readable, found), unreadable, any(s.auth_failed for s in snapshots.values()))


def declared(request: Request, targets: Iterable[tuple[Target, Adapter]]) -> Seen:
    """Return everything the manifests mean."""
    at = [At(target, adapter) for target, adapter in targets]
    estates = [(one.adapter, request.compile(one.target, Names({}, {}))) for one in at]
    return Seen(World.of(at, (r for adapter, estate in estates for r in adapter.desired(estate).resources)))


def _scope(at: Connected, folded: Folded) -> Scope:
    mine = frozenset(a for a in folded.managed if a.target == at.target.name)
    return Scope(addresses=mine, details=not at.adapter.capabilities.whole)


def _named(
    at: Connected, snapshot: Snapshot, folded: Folded, desired: Mapping[Address, Resource]
) -> Iterable[Resource]:
    """Yield the live objects, those that we manage with their manifest object and its place."""
    managed = {a: m for a, m in folded.managed.items() if a.target == at.target.name}
    moved = followed(at.adapter.capabilities.kinds, snapshot.resources, managed)[1]
    for address, resource in snapshot.resources.items():
        record = managed.get(moved.get(address, address))
        if record is None or (record.native_id and record.native_id != resource.native_id):
            yield resource
            continue
        said = desired.get(record.address)
        yield replace(resource, subject=record.subject, place=said.place if said is not None else None)
