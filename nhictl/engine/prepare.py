"""From manifests, ledger and live systems to a plan, with everything apply needs to carry it out.

Rules enforced here:
- reads only: no lock is taken, nothing is recorded, unresolved operations are resolved in memory;
- an operation whose end cannot be told blocks its target, and only it;
- a mark that a bulk read cannot tell is read again before anything is removed because of it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nhictl.engine.live import Connected, Progress, read_all, with_marks
from nhictl.engine.recover import Sleep, resolve_all
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Target, Workspace
from nhictl.ledger.fold import Folded, Unresolved, fold, with_outcomes
from nhictl.model import (
    Address,
    Diagnostic,
    Entry,
    InvalidManifests,
    Managed,
    Outcome,
    Plan,
    Resource,
    Severity,
    Snapshot,
)
from nhictl.plan import PlanInput, TargetInput, build, timestamp
from nhictl.plan_file import sealed
from nhictl.providers.base import Adapter, Scope
from nhictl.select import ObjectFacts, Selection

Compile = Callable[[Target, "Names"], Estate]


@dataclass(frozen=True, slots=True)
class Names:
    """Physical names and former references that the ledger knows, for compiling (see `Estate`)."""

    names: Mapping[tuple[str, str], str]
    previous: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan. `compile` turns a target into its estate; `former` maps a reference to its `previously` names;
    `started` is the monotonic time that belongs to `now`; `adopt` are references or addresses to take over,
    `adopt_from` the owner whose mark they may carry;
    `facts` serve the selectors.
    """

    workspace: Workspace
    environment: Environment
    compile: Compile
    former: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, ObjectFacts]
    now: dt.datetime
    commit: str = ""
    selection: Selection = field(default_factory=Selection)
    adopt: frozenset[str] = frozenset()
    adopt_from: str = ""
    sleep: Sleep = time.sleep
    progress: Progress = lambda _target, _state: None
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan and what it was made from. `read_at` is the monotonic time of the reading, in seconds.

    `resolved` are the operations that the ledger leaves open, with what reading says about them.
    """

    plan: Plan
    folded: Folded
    snapshots: Mapping[str, Snapshot]
    desired: Mapping[Address, Resource]
    diagnostics: tuple[Diagnostic, ...]
    read_at: float
    resolved: tuple[tuple[Unresolved, Outcome], ...] = ()


def known_names(folded: Folded, former: Mapping[str, tuple[str, ...]]) -> Names:
    """Return physical names by reference and kind where they are unambiguous, and which former names still count.

    What is not yet managed under a present name has that of the newest former one: a rename broken off half-way
    through the resources of an object goes on.
    """
    names: dict[tuple[str, str], str] = {}
    twice: set[tuple[str, str]] = set()
    for record in folded.managed.values():
        key = (record.subject, record.address.kind)
        if key in names:
            twice.add(key)
        names[key] = record.address.name
    subjects = {subject for subject, _ in names}
    previous = {
        ref: next(old for old in olds if old in subjects)
        for ref, olds in former.items()
        if ref not in subjects and any(old in subjects for old in olds)
    }
    own = {k: v for k, v in names.items() if k not in twice}
    kinds = sorted({kind for _, kind in own})
    begun = {
        (ref, kind): next((own[old, kind] for old in olds if (old, kind) in own), "")
        for ref, olds in former.items()
        for kind in kinds
        if (ref, kind) not in names
    }
    return Names({key: name for key, name in begun.items() if name} | own, previous)


def prepare(request: Request, entries: Iterable[Entry], open_targets: Sequence[Connected]) -> Prepared:
    """Return the plan for `request`. Raises InvalidManifests when the estate cannot be expressed in a target."""
    folded = fold(entries)
    resolved: tuple[tuple[Unresolved, Outcome], ...] = ()
    if folded.unresolved:
        now = request.now + dt.timedelta(seconds=time.monotonic() - request.started)
        outcomes = resolve_all(open_targets, folded.unresolved, now=now, sleep=request.sleep, progress=request.progress)
        resolved = tuple((item, outcomes[item.operation.id]) for item in folded.unresolved)
        folded = with_outcomes(folded, outcomes, time=timestamp(request.now))
    desired, diagnostics = desired_resources(request, folded, open_targets)
    scopes = {at.target.name: _scope(at.target.name, desired, folded.managed) for at in open_targets}
    read_at = time.monotonic()
    snapshots = read_all(open_targets, scopes, request.progress)
    snapshots = _doubts(folded, snapshots, open_targets, desired)
    plan = build(_plan_input(request, folded, open_targets, desired=desired, snapshots=snapshots))
    plan = sealed(plan)
    return Prepared(plan, folded, snapshots, desired, diagnostics, read_at, resolved)


def desired_resources(
    request: Request, folded: Folded, open_targets: Sequence[Connected]
) -> tuple[dict[Address, Resource], tuple[Diagnostic, ...]]:
    """Return what is declared for the open targets, and what the adapters say. Raises InvalidManifests on errors."""
    names = known_names(folded, request.former)
    desired: dict[Address, Resource] = {}
    diagnostics: list[Diagnostic] = []
    for at in open_targets:
        estate = request.compile(at.target, names)
        compiled = at.adapter.desired(estate)
        diagnostics += [*compiled.diagnostics, *_collisions(compiled.resources)]
        keep = estate.keep()
        desired.update({r.address: _marked(r, request.adopt, keep.get(r.subject, ())) for r in compiled.resources})
    if any(d.severity is Severity.ERROR for d in diagnostics):
        raise InvalidManifests(tuple(sorted(diagnostics, key=lambda d: d.sort_key)))
    return desired, tuple(diagnostics)


def _collisions(resources: Iterable[Resource]) -> Iterable[Diagnostic]:
    seen: dict[Address, Resource] = {}
    for resource in resources:
        other = seen.setdefault(resource.address, resource)
        if other is not resource:
            related = ((other.origin, "the other one"),) if other.origin else ()
            yield Diagnostic(
                "E590", f"{other.subject} and {resource.subject} are both {resource.address}", resource.origin,
                hint="give one of them another name or `nativeName`", related=related,
            )  # fmt: skip


def _marked(resource: Resource, adopt: frozenset[str], keep: tuple[str, ...]) -> Resource:
    """Return a desired resource with what the core adds: whether it is asked for now, and the fields that are kept."""
    asked = resource.subject in adopt or str(resource.address) in adopt or resource.address.target in adopt
    return replace(resource, adopt=resource.adopt or asked, keep=keep) if asked or keep else resource


def _scope(target: str, desired: Mapping[Address, Resource], managed: Mapping[Address, Managed]) -> Scope:
    addresses = {a for a in (*desired, *managed) if a.target == target}
    return Scope(frozenset(a.kind for a in addresses), frozenset(addresses))


def _doubts(
    folded: Folded,
    snapshots: Mapping[str, Snapshot],
    open_targets: Iterable[Connected],
    desired: Mapping[Address, Resource],
) -> dict[str, Snapshot]:
    doubtful = {item.address.target: item for item in folded.unresolved}
    result = dict(snapshots)
    for at in open_targets:
        name = at.target.name
        if name in doubtful:
            item = doubtful[name]
            error = f"operation {item.operation.id} on {item.address} has an unknown outcome that reading cannot tell"
            result[name] = Snapshot(name, {}, error=error)
            continue
        unsure = [
            a
            for a in snapshots[name].resources
            if (a in folded.managed) != (a in desired) or (a in desired and desired[a].adopt)
        ]
        result[name] = with_marks(snapshots[name], at, unsure)
    return result


def _plan_input(
    request: Request,
    folded: Folded,
    open_targets: Iterable[Connected],
    *,
    desired: Mapping[Address, Resource],
    snapshots: Mapping[str, Snapshot],
) -> PlanInput:
    by_target: dict[str, dict[Address, Resource]] = {at.target.name: {} for at in open_targets}
    for address, resource in desired.items():
        by_target[address.target][address] = resource
    return PlanInput(
        workspace=request.workspace.name,
        environment=request.environment.name,
        targets=tuple(
            TargetInput(at.target.name, at.adapter, by_target[at.target.name], snapshots[at.target.name])
            for at in open_targets
        ),
        folded=folded,
        limits=request.workspace.limits,
        now=request.now,
        expires=request.now + dt.timedelta(seconds=request.workspace.plan_expiry),
        commit=request.commit,
        selection=request.selection,
        facts=request.facts,
        adopt=request.adopt,
        adopt_from=request.adopt_from,
        ignore=request.workspace.ignore,
    )


def adapters_of(environment: Environment, adapters: Mapping[str, Adapter]) -> list[tuple[Target, Adapter]]:
    """Return each target of the environment with its adapter, by target name."""
    return [(t, adapters[t.provider]) for t in sorted(environment.targets, key=lambda t: t.name)]
