"""Read targets for an import: everything that exists, what is declared, and what the ledger knows.

Rules enforced here:
- reads only, and each target once; where a read does not give every object whole, once more where anything may be
  imported;
- a target that cannot be read stops the import: half an estate would look like a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nhictl.engine.live import Connected, read_all
from nhictl.engine.prepare import Request, desired_resources, known_names
from nhictl.importing import Given, Imported, LiveTarget, imported
from nhictl.importing.values import importable
from nhictl.ledger.fold import fold
from nhictl.manifest.validate import Checked
from nhictl.model import Entry, Exit, NhictlError, Snapshot
from nhictl.providers.base import Scope


@dataclass(frozen=True, slots=True)
class Wish:
    """What to import: patterns (none for everything), the owner of what names none, and how files are grouped."""

    match: tuple[str, ...] = ()
    owner: str = ""
    group_by: str = ""


def take(
    request: Request, checked: Checked, entries: Iterable[Entry], open_targets: Sequence[Connected], *, wish: Wish
) -> Imported:
    """Return manifests for what is live in the open targets and not managed. Raises NhictlError, ProviderError."""
    folded = fold(entries)
    desired, _ = desired_resources(request, folded, open_targets)
    scopes = {at.target.name: Scope() for at in open_targets}
    snapshots = read_all(open_targets, scopes, request.progress)
    _require_complete(snapshots.values())
    declared = {address: resource.subject for address, resource in desired.items()}
    names = known_names(folded, request.former)
    given = Given(
        checked=checked,
        environment=request.environment,
        live=tuple(_live(at, snapshots[at.target.name]) for at in open_targets),
        declared=declared,
        managed=folded.managed,
        today=request.now.date(),
        mark=f"{request.workspace.name}/{request.environment.name}",
        match=wish.match,
        owner=wish.owner,
        group_by=wish.group_by,
        names=names.names,
        previous=names.previous,
    )
    return imported(replace(given, live=tuple(map(_whole, [given] * len(given.live), given.live, open_targets))))


def _live(at: Connected, snapshot: Snapshot) -> LiveTarget:
    own = snapshot.identity.own if snapshot.identity is not None else ()
    return LiveTarget(at.target, at.adapter, snapshot.resources, own)


def _require_complete(snapshots: Iterable[Snapshot]) -> None:
    for snapshot in snapshots:
        if not snapshot.complete:
            code = Exit.AUTH if snapshot.auth_failed else Exit.ERROR
            raise NhictlError(f"{snapshot.target} cannot be read: {snapshot.error}", exit_code=code)


def _whole(given: Given, live: LiveTarget, at: Connected) -> LiveTarget:
    """Return the target read whole where anything may be imported: what others hold tells what that is a part of."""
    free = any(importable(given, live, a) for a in live.resources)
    if at.adapter.capabilities.whole or not free or at.session is None:
        return live
    return replace(live, resources={r.address: r for r in at.session.read(Scope(addresses=frozenset(live.resources)))})


__all__ = ["Wish", "take"]
