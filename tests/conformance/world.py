"""What the conformance suite stands on: states written as YAML, the real planner, and a memory in place of a ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import yaml

from nhictl.cli.context import former_names
from nhictl.engine.prepare import known_names
from nhictl.kinds import connection, nhi, role
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Limits, Target
from nhictl.ledger.fold import Folded
from nhictl.model import (
    Action,
    Address,
    Change,
    Document,
    Fault,
    FieldChange,
    Managed,
    Mark,
    Operation,
    Outcome,
    Plan,
    ProviderError,
    Resource,
    Snapshot,
)
from nhictl.plan import PlanInput, TargetInput, build
from nhictl.providers.base import Adapter, Scope, Session

WORKSPACE, ENVIRONMENT = "conformance", "test"
OWNER = f"{WORKSPACE}/{ENVIRONMENT}"
NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
AFTER_GRACE = NOW + dt.timedelta(days=400)


class _Loader(yaml.SafeLoader):
    """YAML in which dates stay text, as in manifests."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in rules if not tag.endswith(":timestamp")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def trees(text: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML stream."""
    return [tree for tree in yaml.load_all(text, _Loader) if tree]


def documents(text: str, *, backwards: bool = False) -> list[Document]:
    """Return the manifests of a state; `backwards` turns the order of documents and of every list round."""
    found = trees(text)
    if backwards:
        found = [_reversed(d) for d in reversed(found)]
    return [Document(d["kind"], d["metadata"]["name"], d, f"{d['metadata']['name']}.yaml") for d in found]


def _reversed(value: object) -> object:
    if isinstance(value, list):
        return [_reversed(item) for item in reversed(value)]
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return value


@dataclass(slots=True)
class World:
    """One target and what we remember of what we did there."""

    adapter: Adapter
    target: Target
    managed: dict[Address, Managed] = field(default_factory=dict)
    operations: int = 0

    def desired(self, text: str, *, backwards: bool = False, adopt: bool = False) -> dict[Address, Resource]:
        """Return the resources that a state means here; diagnostics fail the test."""
        found = documents(text, backwards=backwards)
        known = known_names(Folded(self.managed), former_names(found))
        parsed = [nhi.parse(d) for d in found if d.kind == "NHI"]
        estate = Estate(
            owner=OWNER,
            environment=Environment(ENVIRONMENT, False, {}, (self.target,)),
            target=self.target,
            nhis=tuple(parsed),
            roles={d.name: role.parse(d) for d in found if d.kind == "Role"},
            connections={d.name: connection.parse(d) for d in found if d.kind == "Connection"},
            today=NOW.date(),
            names=known.names,
            previous=known.previous,
        )
        compiled = self.adapter.desired(estate)
        assert not [d for d in compiled.diagnostics if d.severity == "error"]
        return {r.address: replace(r, adopt=adopt or r.adopt) for r in compiled.resources}

    @contextmanager
    def session(self, *, write: bool = False) -> Iterator[Session]:
        """Open the target."""
        with self.adapter.connect(self.target, write=write) as session:
            yield session

    def live(self, session: Session, desired: Mapping[Address, Resource]) -> dict[Address, Resource]:
        """Return everything live, with marks known for what is declared or managed."""
        ours = frozenset(desired) | frozenset(self.managed)
        found = {r.address: r for r in session.read(Scope(addresses=ours))}
        found.update(session.reread([a for a in ours if a in found and not found[a].mark_known]))
        return found

    def plan(self, session: Session, desired: Mapping[Address, Resource], *, now: dt.datetime = NOW) -> Plan:
        """Return the real plan from what is live now; an object that blocks fails the test."""
        snapshot = Snapshot(self.target.name, self.live(session, desired), session.identity())
        target = TargetInput(self.target.name, self.adapter, desired, snapshot)
        everything = Limits(delete_percent=100, delete_max=1000, revoke_percent=100)
        folded = Folded(dict(self.managed))
        given = PlanInput(WORKSPACE, ENVIRONMENT, (target,), folded, everything, now, now)
        plan = build(given)
        assert not [f for f in plan.findings if f.level == "error"]
        return plan

    def operation(self) -> Operation:
        """Return a fresh operation."""
        self.operations += 1
        return Operation(f"run-{self.operations}", OWNER)

    def carry_out(self, session: Session, change: Change) -> Outcome:
        """Apply one change and remember it. What a plan only records needs no call."""
        if change.action is Action.UPDATE and all(f.path.startswith("handling.") for f in change.fields):
            outcome = Outcome(status="applied", native_id=change.native_id)  # type: ignore[arg-type]
        else:
            outcome = session.apply(change, self.operation())
        self.remember(change, outcome.native_id)
        return outcome

    def remember(self, change: Change, native_id: str) -> None:
        """Fold one applied change into what is managed."""
        known = self.managed.get(change.address)
        if change.action in (Action.DELETE, Action.FORGET):
            self.managed.pop(change.address, None)
        elif change.action is Action.DISABLE and known is not None:
            self.managed[change.address] = replace(known, disabled_at=NOW.isoformat())
        elif change.after is not None:
            if change.after.renamed_from is not None:
                self.managed.pop(change.after.renamed_from, None)
            self.managed[change.address] = Managed(
                change.address,
                change.subject,
                native_id or change.native_id,
                change.after.attributes,
                change.after.handling,
                change.after.depends_on,
            )

    def converge(self, text: str, *, now: dt.datetime = NOW, adopt: bool = False) -> Plan:
        """Bring the target to a state in one run; returns the plan that was carried out."""
        desired = self.desired(text, adopt=adopt)
        with self.session(write=True) as session:
            plan = self.plan(session, desired, now=now)
            for change in plan.changes:
                self.carry_out(session, change)
        return plan

    def pending(self, text: str, *, now: dt.datetime = NOW) -> list[tuple[str, str, tuple[FieldChange, ...]]]:
        """Return what a fresh read-only session would still change: empty when the target is as the state says."""
        with self.session() as session:
            plan = self.plan(session, self.desired(text), now=now)
        return [(str(c.action), str(c.address), c.fields) for c in plan.changes]

    def snapshot(self) -> dict[Address, Resource]:
        """Return everything live, read by a fresh read-only session."""
        with self.session() as session:
            return self.live(session, {})

    def one(self, address: Address) -> Resource | None:
        """Return one object, read by itself, in a fresh read-only session."""
        with self.session() as session:
            return session.reread([address]).get(address)


def known_not_done(error: ProviderError) -> bool:
    """True when the fault says that nothing took effect."""
    return error.fault not in (Fault.LOST, Fault.PARTIAL)


def deleting(live: Resource, native_id: str) -> Change:
    """Return the delete of a live object, by the given native id."""
    return Change(live.address, Action.DELETE, "test/none", "test", native_id=native_id, before=live)


def ours(mark: Mark | None) -> bool:
    """True when a mark names this suite's workspace."""
    return mark is not None and mark.owner == OWNER
