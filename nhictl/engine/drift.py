"""Compare what is live with what we last applied.

Rules enforced here:
- drift is a difference between live and recorded; a difference between manifests and record is a pending change;
- unmanaged objects are neither: they are only counted;
- what a selection leaves out is neither compared nor counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nhictl.diff import diff_resource
from nhictl.engine.live import Connected
from nhictl.engine.prepare import Prepared
from nhictl.keeping import is_kept
from nhictl.ledger.fold import recorded
from nhictl.model import Address, Change, FieldChange, Managed, Resource, Snapshot
from nhictl.ownership import followed
from nhictl.providers.base import Kind
from nhictl.select import Selection, selects
from nhictl.unmanaged import attached

EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Drifted:
    """One managed object that is no longer as we left it. `what` is changed, missing, remade, unmarked, or foreign:
    an object that is not ours and gives the identity access. `kept` are those of its fields that its manifest leaves
    as they are: a plan changes nothing there."""

    address: Address
    subject: str
    what: str
    fields: tuple[FieldChange, ...] = ()
    since: str = ""
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """Drift, pending changes and the number of unmanaged objects per target; `unreadable` are unknown."""

    drifted: tuple[Drifted, ...]
    pending: tuple[Change, ...]
    unmanaged: Mapping[str, int]
    unreadable: Mapping[str, str]
    checked: int


def drift(prepared: Prepared, open_targets: tuple[Connected, ...], selection: Selection = EVERYTHING) -> Drift:
    """Return what happened to the selected managed objects since we last applied them."""
    kinds = {at.target.name: at.adapter.capabilities.kinds for at in open_targets}
    owner = f"{prepared.plan.workspace}/{prepared.plan.environment}"
    found, checked = [], 0
    views = {name: _view(kinds, snapshot, prepared) for name, snapshot in prepared.snapshots.items()}
    for address, record in sorted(prepared.folded.managed.items()):
        snapshot = prepared.snapshots.get(address.target)
        if snapshot is None or not snapshot.complete or not _selected(selection, record, prepared):
            continue
        checked += 1
        one = _compare(kinds[address.target][address.kind], record, views[address.target].get(address), owner)
        if one is not None:
            found.append(replace(one, kept=_kept(one, prepared)))
    found += _attached(selection, prepared, kinds, views)
    drifted = {d.address for d in found}
    pending = tuple(c for c in prepared.plan.changes if c.address not in drifted or _pending(c, prepared))
    return Drift(tuple(found), pending, prepared.plan.unmanaged, prepared.plan.unreadable, checked)


def _attached(
    selection: Selection,
    prepared: Prepared,
    kinds: Mapping[str, Mapping[str, Kind]],
    views: Mapping[str, Mapping[Address, Resource]],
) -> Iterable[Drifted]:
    """Yield what somebody gave to managed identities behind our back."""
    for name, view in views.items():
        for address, record in attached(kinds[name], view, prepared.folded.managed):
            if address not in prepared.desired and _selected(selection, record, prepared):
                yield Drifted(address, record.subject, "foreign", since=record.time)


def _selected(selection: Selection, record: Managed, prepared: Prepared) -> bool:
    """True when the selection picks what is recorded, by the name it had or has now, and excludes neither."""
    now = prepared.desired.get(record.address)
    names = {record.subject, now.subject if now is not None else record.subject}
    excluded = any(selection.leaves_out(record.address, name) for name in names)
    return not excluded and any(selects(selection, record.address, name, None) for name in names)


def _kept(one: Drifted, prepared: Prepared) -> tuple[str, ...]:
    desired = prepared.desired.get(one.address)
    return tuple(f.path for f in one.fields if is_kept(desired, f.path))


def _view(
    kinds: Mapping[str, Mapping[str, Kind]], snapshot: Snapshot, prepared: Prepared
) -> Mapping[Address, Resource]:
    managed = {a: m for a, m in prepared.folded.managed.items() if a.target == snapshot.target}
    return followed(kinds[snapshot.target], snapshot.resources, managed)[0]


def _compare(kind: Kind, record: Managed, live: Resource | None, owner: str) -> Drifted | None:
    if live is None:
        return Drifted(record.address, record.subject, "missing", since=record.time)
    if live.native_id != record.native_id:
        return Drifted(record.address, record.subject, "remade", since=record.time)
    last = recorded(record)
    fields = diff_resource(kind, Resource(record.address, last), live, last)
    # The recorded state is the "before" of a drift; the diff was made the other way round.
    turned = tuple(replace(f, before=f.after, after=f.before, added=f.removed, removed=f.added) for f in fields)
    if live.address != record.address:
        turned += (FieldChange("name", record.address.name, live.address.name),)
    if kind.mark != "none" and live.mark_known and (live.mark is None or live.mark.owner != owner):
        return Drifted(record.address, record.subject, "unmarked", turned, record.time)
    return Drifted(record.address, record.subject, "changed", turned, record.time) if turned else None


def _pending(change: Change, prepared: Prepared) -> bool:
    """True when the change would be due even without the drift: the manifest differs from the record."""
    record = prepared.folded.managed.get(change.address)
    if record is None or change.after is None:
        return True
    return dict(change.after.attributes) != recorded(record) or record.handling != change.after.handling
