"""Make a plan out of desired state, live state and the ledger. Pure: the clock and every reading come in as values.

Rules enforced here:
- a target that could not be read is unknown: nothing is planned there;
- what no manifest declares and the ledger does not know is counted and left alone;
- an object is renamed only to a name nobody has, from one that nobody declares any more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from nhictl import __version__
from nhictl.access import Worlds, all_permissions, deltas, merged, permissions_of, worlds
from nhictl.holding import hold_back
from nhictl.keeping import filled, outdated, unfounded
from nhictl.kinds.workspace import Ignore, Limits
from nhictl.leaving import guarded, rule_for
from nhictl.ledger.fold import Folded, recorded
from nhictl.model import (
    AccessDelta,
    Address,
    Change,
    Direction,
    Finding,
    Identity,
    Managed,
    Plan,
    Resource,
    Snapshot,
)
from nhictl.order import order
from nhictl.ownership import Rules, decide_declared, decide_removed, followed, occupied
from nhictl.providers.base import Adapter
from nhictl.safety import TargetPlan, is_admin, judge, loses_admin, stricter
from nhictl.select import ObjectFacts, Selection, check_known, selects, with_dependencies
from nhictl.unmanaged import foreign_access, left_behind, orphans, shared


@dataclass(frozen=True, slots=True)
class TargetInput:
    """One target: its adapter, what is declared for it and what was read from it."""

    name: str
    adapter: Adapter
    desired: Mapping[Address, Resource]
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class PlanInput:
    """Everything a plan is made from. `facts` are by manifest reference; `adopt` was asked for by name, now."""

    workspace: str
    environment: str
    targets: tuple[TargetInput, ...]
    folded: Folded
    limits: Limits
    now: dt.datetime
    expires: dt.datetime
    commit: str = ""
    selection: Selection = field(default_factory=Selection)
    facts: Mapping[str, ObjectFacts] | None = None
    adopt: frozenset[str] = frozenset()
    adopt_from: str = ""
    ignore: tuple[Ignore, ...] = ()

    @property
    def owner(self) -> str:
        """Whose mark is ours: `workspace/environment`."""
        return f"{self.workspace}/{self.environment}"


@dataclass(frozen=True, slots=True)
class _Part:
    changes: tuple[Change, ...] = ()
    access: tuple[AccessDelta, ...] = ()
    findings: tuple[Finding, ...] = ()
    safety: tuple[Finding, ...] = ()
    unchanged: int = 0
    unmanaged: int = 0


def build(given: PlanInput) -> Plan:
    """Return the plan, without its digest (see `nhictl.plan_file.digest_of`)."""
    readable = [t for t in given.targets if t.snapshot.complete]
    if given.selection.partial:
        check_known(given.selection, _everything(given))
    parts = {t.name: _plan_target(given, t) for t in readable}
    return Plan(
        workspace=given.workspace,
        environment=given.environment,
        targets={t.name: t.snapshot.identity for t in readable if t.snapshot.identity is not None},
        changes=tuple(c for part in parts.values() for c in part.changes),
        access=merged(d for part in parts.values() for d in part.access),
        findings=(
            *left_behind(given.folded.managed, {t.name for t in given.targets}),
            *(f for part in parts.values() for f in part.findings),
        ),
        safety=tuple(f for part in parts.values() for f in part.safety),
        unreadable={t.name: t.snapshot.error for t in given.targets if not t.snapshot.complete},
        auth_failed=any(t.snapshot.auth_failed for t in given.targets),
        unchanged=sum(part.unchanged for part in parts.values()),
        unmanaged={name: part.unmanaged for name, part in parts.items()},
        partial=given.selection.as_json(),
        created=timestamp(given.now),
        expires=timestamp(given.expires),
        commit=given.commit,
        tool=__version__,
        adapters={t.adapter.name: t.adapter.capabilities.version for t in given.targets},
    )


def timestamp(moment: dt.datetime) -> str:
    """Return RFC 3339 UTC with seconds."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _everything(given: PlanInput) -> Iterable[tuple[Address, str]]:
    for target in given.targets:
        yield Address(target.name, "", ""), ""
        for resource in target.desired.values():
            yield resource.address, resource.subject
    for record in given.folded.managed.values():
        yield record.address, record.subject


def _plan_target(given: PlanInput, target: TargetInput) -> _Part:
    managed = {a: m for a, m in given.folded.managed.items() if a.target == target.name}
    live, moved = followed(target.adapter.capabilities.kinds, target.snapshot.resources, managed)
    renamed = {address: _with_rename(r, target.desired, managed, moved) for address, r in target.desired.items()}
    renamed = {address: filled(r, live.get(r.renamed_from or address)) for address, r in renamed.items()}
    target = replace(target, desired=renamed, snapshot=replace(target.snapshot, resources=live))
    changes, findings, unchanged = _decide(given, target, managed)
    changes, waiting = hold_back(changes, findings, desired=target.desired, managed=managed)
    findings += waiting
    ordered = order(changes.values(), {a: m.depends_on for a, m in managed.items()})
    world = worlds(target.desired, live, managed, ordered) if ordered else Worlds({}, {})
    access = deltas(target.adapter, world, ordered)
    taken = set(managed) | set(target.desired)
    findings += orphans(live, given.owner, taken | given.folded.forgotten)
    findings += shared(ordered, live, given.owner)
    findings += foreign_access(target.adapter.capabilities.kinds, live, managed, target.desired)
    safety = [f for f in findings if f.rule == "protected"]
    safety += _judge(given, target, managed, ordered=ordered, access=access, world=world)
    return _Part(
        changes=_with_risk(ordered, access),
        access=access,
        findings=tuple(f for f in findings if f.rule != "protected"),
        safety=tuple(safety),
        unchanged=unchanged,
        unmanaged=sum(a not in taken and not _left_alone(given, r) for a, r in live.items()),
    )


def _left_alone(given: PlanInput, resource: Resource) -> bool:
    """True for what is the provider's own, or left alone by a rule: nobody has to answer for it here."""
    return bool(resource.facts.get("builtin")) or rule_for(given.ignore, resource, given.now.date()) is not None


def _decide(
    given: PlanInput, target: TargetInput, managed: Mapping[Address, Managed]
) -> tuple[dict[Address, Change], list[Finding], int]:
    rules = Rules(given.owner, target.adapter.capabilities.kinds, given.now, given.adopt, given.adopt_from)
    chosen = _chosen(given, target)
    live = target.snapshot.resources
    changes: dict[Address, Change] = {}
    selected = {a: r for a, r in target.desired.items() if a in chosen}
    findings = list(unfounded(selected, live))
    findings += outdated({a: r for a, r in selected.items() if r.subject not in given.adopt}, live, managed)
    stuck = {f.subject for f in findings if f.level == "error"}
    unchanged = 0
    placed: set[Address] = set()
    for address, desired in target.desired.items():
        was = desired.renamed_from or address
        placed.add(was)
        if address not in chosen or str(address) in stuck:
            continue
        if was != address and address in live:
            findings.append(occupied(desired))
            continue
        decision = decide_declared(rules, desired, live.get(was), managed.get(was))
        decision = guarded(given.ignore, given.now.date(), live.get(was), decision)
        if decision is None:
            unchanged += 1
        elif isinstance(decision, Finding):
            findings.append(decision)
        else:
            changes[address] = decision
    for address, record in managed.items():
        if address in placed or not _removable(given, record):
            continue
        decision = guarded(
            given.ignore, given.now.date(), live.get(address), decide_removed(rules, record, live.get(address))
        )
        if isinstance(decision, Finding):
            findings.append(decision)
        elif decision is not None:
            changes[address] = decision
    return changes, findings, unchanged


def _with_rename(
    desired: Resource,
    declared: Mapping[Address, Resource],
    managed: Mapping[Address, Managed],
    moved: Mapping[Address, Address],
) -> Resource:
    """Return `desired` with the address its object is recorded at, if that is another one and free to leave."""
    former = desired.renamed_from
    for old in (former, moved.get(former or desired.address), moved.get(desired.address)):
        if old in managed and old not in declared and desired.address not in managed:
            return replace(desired, renamed_from=old)
    return desired if desired.renamed_from is None else replace(desired, renamed_from=None)


def _chosen(given: PlanInput, target: TargetInput) -> frozenset[Address]:
    if not given.selection.partial:
        return frozenset(target.desired)
    facts = given.facts or {}
    picked = [
        address
        for address, resource in target.desired.items()
        if selects(given.selection, address, resource.subject, facts.get(resource.subject))
    ]
    allowed = {a: r for a, r in target.desired.items() if not given.selection.leaves_out(a, r.subject)}
    if given.selection.existing:
        managed, live = given.folded.managed, target.snapshot.resources
        allowed = {a: r for a, r in allowed.items() if (r.renamed_from or a) not in managed}
        picked = [a for a in picked if a in allowed and a in live]
    return with_dependencies(picked, allowed)


def _removable(given: PlanInput, record: Managed) -> bool:
    if not given.selection.partial or given.selection.existing:
        return not given.selection.existing
    facts = (given.facts or {}).get(record.subject)
    return selects(given.selection, record.address, record.subject, facts)


def _judge(
    given: PlanInput,
    target: TargetInput,
    managed: Mapping[Address, Managed],
    *,
    ordered: tuple[Change, ...],
    access: tuple[AccessDelta, ...],
    world: Worlds,
) -> tuple[Finding, ...]:
    if not ordered:
        return ()
    admins: int | None = None
    if _was_made_admin(target.adapter, managed, [d.subject for d in access if loses_admin(d)]):
        everyone = all_permissions(target.adapter, world.after)
        admins = sum(1 for permissions in everyone.values() if is_admin(permissions))
    identity = target.snapshot.identity
    part = TargetPlan(
        target.name,
        ordered,
        access,
        {address: record.subject for address, record in managed.items()},
        _own(identity, target.snapshot) if identity else (),
        admins,
        frozenset(a for a, record in managed.items() if record.handling.protect),
    )
    return judge(part, stricter(given.limits, given.folded.limits), declared=len(target.desired))


def _own(identity: Identity, snapshot: Snapshot) -> tuple[Address, ...]:
    """Return the addresses of nhictl's own principal and of what gives it its access."""
    held = (a for own in identity.own if own in snapshot.resources for a in snapshot.resources[own].depends_on)
    return (*identity.own, *held)


def _was_made_admin(adapter: Adapter, managed: Mapping[Address, Managed], subjects: Iterable[str]) -> bool:
    """True when we gave one of the NHIs full administration; taking back what somebody else gave it is no loss."""
    losing = list(subjects)
    left = {a: Resource(a, recorded(m), m.subject, m.depends_on) for a, m in managed.items()} if losing else {}
    return any(is_admin(found) for found in permissions_of(adapter, left, losing).values())


def _with_risk(changes: Iterable[Change], access: tuple[AccessDelta, ...]) -> tuple[Change, ...]:
    mine = {delta.subject: delta.direction for delta in access}
    indirect = _worst({delta.direction for delta in access if not delta.direct})
    return tuple(
        replace(c, risk=mine.get(c.subject, Direction.NONE) if c.subject.startswith("nhi/") else indirect)
        for c in changes
    )


def _worst(directions: set[Direction]) -> Direction:
    if Direction.CHANGED in directions or {Direction.WIDER, Direction.NARROWER} <= directions:
        return Direction.CHANGED
    for candidate in (Direction.WIDER, Direction.NARROWER):
        if candidate in directions:
            return candidate
    return Direction.NONE
