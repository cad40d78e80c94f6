"""The conformance suite: what every adapter must do, whatever is behind it.

A provider passes by one file, `test_<provider>.py`: a class that derives from `Conformance`, names its `cases`, and a
`subject` fixture that gives a fresh, empty target. What a provider cannot do is told by its capabilities or by a
subject method that returns None; the case is then skipped with that reason, never silently.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import pytest
import yaml

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change, Fault, ProviderError, Resource, Status
from nhictl.providers.base import Adapter, Scope
from tests.conformance.world import AFTER_GRACE, World, deleting, known_not_done, ours, trees

CANARY = "CANARY-7f3c9e51-do-not-print"


@dataclass(frozen=True, slots=True)
class Case:
    """Desired states, one after the other, each a YAML stream of manifests. The last may be empty."""

    name: str
    states: tuple[str, ...]


class Subject(Protocol):
    """A fresh target of one provider and a hand behind its back."""

    adapter: Adapter
    target: Target

    def mutations(self) -> int:
        """Return how many changing calls have reached the provider so far."""
        ...

    def state(self) -> object:
        """Return a comparable picture of everything the provider holds, taken without the adapter."""
        ...

    def make_foreign(self) -> Address:
        """Make an object of an identity kind by other means than the adapter, and return where."""
        ...

    def losing_a_reply(self) -> AbstractContextManager[None] | None:
        """Let the next changing call take effect and its reply be lost."""
        ...

    def throttling(self, calls: int) -> AbstractContextManager[None] | None:
        """Refuse this many calls as too many."""
        ...

    def broken_read(self) -> AbstractContextManager[None] | None:
        """Let reads end half-way."""
        ...

    def settling(self) -> AbstractContextManager[None] | None:
        """Let what was just made be refused as unknown or in use for a while, as after a slow propagation."""
        ...

    def elsewhere(self) -> Target:
        """Return a target of the same name that leads to another account, realm or directory."""
        ...

    def leaks(self, secret: str) -> AbstractContextManager[Iterable[Change]]:
        """Put a secret wherever the adapter could meet one; give changes that fail with it at hand."""
        ...


def needs(aid: AbstractContextManager[None] | None, what: str) -> AbstractContextManager[None]:
    """Return a subject's aid, or skip because this provider has none."""
    if aid is None:
        pytest.skip(f"the provider cannot be made to {what}")
    return aid


class Conformance:
    """Derive from this, name `cases`, give a `subject` fixture."""

    cases: ClassVar[tuple[Case, ...]] = ()

    @pytest.fixture()
    def world(self, subject: Subject) -> World:
        """The subject's target with an empty memory."""
        return World(subject.adapter, subject.target)

    # Reading

    def test_an_empty_target_reads_as_empty(self, world: World) -> None:
        """Before the first write nothing of ours is there, and reading does not fail."""
        assert [r for r in world.snapshot().values() if ours(r.mark)] == []

    def test_planning_sends_no_changing_call(self, subject: Subject, world: World, case: Case) -> None:
        """Identity, read, reread and plan leave calls and provider untouched."""
        world.converge(case.states[0])
        calls, state = subject.mutations(), subject.state()
        for text in case.states:
            with world.session() as session:
                session.identity()
                plan = world.plan(session, world.desired(text))
                session.reread([c.address for c in plan.changes])
        assert (subject.mutations(), subject.state()) == (calls, state)

    def test_a_reading_session_refuses_every_change(self, subject: Subject, world: World, case: Case) -> None:
        """A changing call through a session opened for reading fails before it leaves."""
        for text in (*case.states, ""):
            calls, state = subject.mutations(), subject.state()
            with world.session() as session:
                for change in world.plan(session, world.desired(text)).changes:
                    with pytest.raises(ProviderError) as refused:
                        session.apply(change, world.operation())
                    assert refused.value.fault is Fault.READ_ONLY
            assert (subject.mutations(), subject.state()) == (calls, state)
            world.converge(text)

    def test_reading_twice_gives_the_same(self, world: World, case: Case) -> None:
        """Bulk read and single reads of an unchanged target agree."""
        world.converge(case.states[0])
        with world.session() as session:
            scope = Scope(addresses=frozenset(world.managed))
            first = {r.address: r for r in session.read(scope)}
            second = {r.address: r for r in session.read(scope)}
            single = session.reread(list(world.managed))
        assert first == second
        assert {a: r.attributes for a, r in single.items()} == {a: first[a].attributes for a in world.managed}
        assert {a: r.native_id for a, r in single.items()} == {a: first[a].native_id for a in world.managed}

    def test_a_broken_read_is_an_error(self, subject: Subject, world: World, case: Case) -> None:
        """A read that ends half-way raises; it never returns a part."""
        world.converge(case.states[0])
        with needs(subject.broken_read(), "break off a read"), pytest.raises(ProviderError) as broken:
            world.snapshot()
        assert broken.value.fault in (Fault.UNREACHABLE, Fault.INVALID, Fault.THROTTLED)

    # Normalising

    def test_the_order_of_manifests_does_not_matter(self, world: World, case: Case) -> None:
        """Documents and lists turned round compile to the same resources."""
        for text in case.states:
            there, back = world.desired(text), world.desired(text, backwards=True)
            assert {a: (r.attributes, r.depends_on) for a, r in there.items()} == {
                a: (r.attributes, r.depends_on) for a, r in back.items()
            }

    def test_a_state_turned_round_is_no_change(self, world: World, case: Case) -> None:
        """What was applied in one order is unchanged when it is declared in the other."""
        world.converge(case.states[0])
        with world.session() as session:
            plan = world.plan(session, world.desired(case.states[0], backwards=True))
        assert plan.changes == ()

    # Changes

    def test_each_state_is_followed_by_an_empty_plan(self, world: World, case: Case) -> None:
        """Creates, updates and removals of a whole case, each read back as declared."""
        for text in case.states:
            world.converge(text)
            assert world.pending(text) == []

    def test_what_was_removed_is_gone_after_its_grace(self, world: World, case: Case) -> None:
        """Disabled first where the kind can be, deleted after the grace period; nothing of ours is left."""
        world.converge(case.states[0])
        world.converge("")
        world.converge("", now=AFTER_GRACE)
        assert world.managed == {}
        assert [r.address for r in world.snapshot().values() if ours(r.mark)] == []

    def test_every_change_says_which_object_it_was(self, world: World, case: Case) -> None:
        """Native ids of outcomes are those that are read back."""
        world.converge(case.states[0])
        live = world.snapshot()
        assert {a: m.native_id for a, m in world.managed.items()} == {a: live[a].native_id for a in world.managed}
        assert all(m.native_id for m in world.managed.values())

    def test_what_is_made_carries_our_mark(self, world: World, case: Case) -> None:
        """Owner and manifest reference stand in the mark where the kind has one."""
        world.converge(case.states[0])
        for address, managed in world.managed.items():
            if self.kind(world, address).mark != "none":
                found = world.one(address)
                assert found is not None
                assert found.mark is not None
                assert (ours(found.mark), found.mark.ref) == (True, managed.subject)

    def test_a_disabled_identity_gives_nothing_and_comes_back(self, world: World, case: Case) -> None:
        """Disabling takes the access, is harmless twice, and the next apply of the manifest undoes it."""
        self.requires(world, Action.DISABLE)
        world.converge(case.states[0])
        for live in self.identities(world, Action.DISABLE):
            change = Change(
                live.address, Action.DISABLE, world.managed[live.address].subject, "test", native_id=live.native_id,
                before=live, after=replace(live, attributes={**live.attributes, "enabled": False}),
            )  # fmt: skip
            with world.session(write=True) as session:
                operation = world.operation()
                session.apply(change, operation)
                session.apply(change, operation)
            now = world.snapshot()
            assert [p for p in world.adapter.permissions(now[live.address], now) if p.effect == "allow"] == []
        assert world.pending(case.states[0]) != []
        world.converge(case.states[0])
        assert world.pending(case.states[0]) == []

    def test_a_forgotten_object_stays_and_can_be_adopted(self, world: World, case: Case) -> None:
        """Forgetting takes only our mark; adopting puts it back and keeps the native id."""
        self.requires(world, Action.FORGET)
        self.requires(world, Action.ADOPT)
        world.converge(case.states[0])
        before = {a: m.native_id for a, m in world.managed.items()}
        with world.session(write=True) as session:
            for address, managed in sorted(world.managed.items()):
                live = session.reread([address])[address]
                session.apply(
                    Change(address, Action.FORGET, managed.subject, "test", native_id=live.native_id, before=live),
                    world.operation(),
                )
        for address in before:
            found = world.one(address)
            assert found is not None
            assert found.mark is None
        world.managed.clear()
        world.converge(case.states[0], adopt=True)
        assert {a: m.native_id for a, m in world.managed.items()} == before
        assert world.pending(case.states[0]) == []

    def test_adopting_brings_an_object_to_its_declared_state(self, world: World, case: Case) -> None:
        """What exists differently is taken over and made as declared, in one apply."""
        self.requires(world, Action.ADOPT)
        if len(case.states) < 2:
            pytest.skip("the case has one state")
        world.converge(case.states[1])
        before = {a: m.native_id for a, m in world.managed.items()}
        world.managed.clear()
        world.converge(case.states[0], adopt=True)
        after = {a: m.native_id for a, m in world.managed.items()}
        assert {a: after[a] for a in before if a in after} == {a: before[a] for a in before if a in after}
        assert world.pending(case.states[0]) == []

    def test_a_renamed_identity_keeps_its_native_id(self, world: World, case: Case) -> None:
        """`previously` renames in place where the provider can, and re-creates nothing anywhere."""
        world.converge(case.states[0])
        before = sorted(m.native_id for m in world.managed.values())
        renamed = _renamed(case.states[0])
        world.converge(renamed)
        assert sorted(m.native_id for m in world.managed.values()) == before
        assert world.pending(renamed) == []

    def test_a_rename_broken_off_goes_on(self, world: World, case: Case) -> None:
        """After a crash behind the first step of a rename the next apply finishes it and re-creates nothing."""
        world.converge(case.states[0])
        before = sorted(m.native_id for m in world.managed.values())
        renamed = _renamed(case.states[0])
        with world.session(write=True) as session:
            first = world.plan(session, world.desired(renamed)).changes[0]
            world.carry_out(session, first)
        world.converge(renamed)
        assert sorted(m.native_id for m in world.managed.values()) == before
        assert world.pending(renamed) == []

    # Ownership

    def test_a_foreign_object_is_never_touched(self, subject: Subject, world: World, case: Case) -> None:
        """An object made by others is listed without a mark and survives every change of ours as it is."""
        address = subject.make_foreign()
        before = world.snapshot()[address]
        for text in (*case.states, ""):
            world.converge(text)
        world.converge("", now=AFTER_GRACE)
        after = world.snapshot()[address]
        assert (after.attributes, after.native_id) == (before.attributes, before.native_id)
        found = world.one(address)
        assert found is not None
        assert found.mark is None

    def test_an_existing_name_is_not_taken_over(self, subject: Subject, world: World, case: Case) -> None:
        """A create where something is already is refused and changes nothing."""
        world.converge(case.states[0])
        state = subject.state()
        creates = [_create_of(world, address) for address in sorted(world.managed)]
        with world.session(write=True) as session:
            for change in creates:
                with pytest.raises(ProviderError) as refused:
                    session.apply(change, world.operation())
                assert refused.value.fault is Fault.CONFLICT
        assert subject.state() == state

    def test_delete_and_update_need_the_native_id(self, subject: Subject, world: World, case: Case) -> None:
        """A change planned for another object of the same name is refused and changes nothing."""
        world.converge(case.states[0])
        state = subject.state()
        live = world.snapshot()
        with world.session(write=True) as session:
            for address in sorted(world.managed):
                found = live[address]
                for wrong in ("", f"{found.native_id}-other"):
                    update = Change(
                        address, Action.UPDATE, "test/none", "test", native_id=wrong, before=found, after=found
                    )
                    for change in (deleting(found, wrong), update):
                        with pytest.raises(ProviderError) as refused:
                            session.apply(change, world.operation())
                        assert known_not_done(refused.value)
        assert subject.state() == state

    def test_another_account_behind_the_name_is_noticed(self, subject: Subject, world: World) -> None:
        """A target that leads elsewhere is refused when opened, or says another scope."""
        with world.session(write=True) as session:
            here = session.identity()
        try:
            with subject.adapter.connect(subject.elsewhere(), write=False) as other:
                there = other.identity()
        except ProviderError as refused:
            assert refused.fault in (Fault.AUTH, Fault.DENIED, Fault.INVALID, Fault.CONFLICT)
        else:
            assert there.scope != here.scope

    # Crashes, repeats, throttles

    def test_a_crash_before_the_call_is_found_as_not_applied(self, world: World, case: Case) -> None:
        """An intent whose call never left resolves to not applied, and the change can then be made."""
        for text in case.states:
            with world.session(write=True) as session:
                for change in world.plan(session, world.desired(text)).changes:
                    operation = world.operation()
                    assert session.resolve(change, operation, _reread(session, change)) is Status.NOT_APPLIED
                    world.carry_out(session, change)
            assert world.pending(text) == []

    def test_a_crash_after_the_call_is_found_again(self, world: World, case: Case) -> None:
        """A call whose outcome nobody recorded resolves to applied, with the native id of what is there."""
        for text in case.states:
            with world.session(write=True) as session:
                plan = world.plan(session, world.desired(text))
            for change in plan.changes:
                operation = world.operation()
                with world.session(write=True) as session:
                    outcome = session.apply(change, operation)
                with world.session(write=True) as session:
                    live = _reread(session, change)
                    assert session.resolve(change, operation, live) is Status.APPLIED
                if change.action in (Action.CREATE, Action.REPLACE):
                    assert live is not None
                    assert live.native_id == outcome.native_id
                world.remember(change, outcome.native_id)
            assert world.pending(text) == []

    def test_a_lost_reply_is_lost_and_found_again(self, subject: Subject, world: World, case: Case) -> None:
        """A reply that never comes is no failure: the object is found by reading, and made once."""
        desired = world.desired(case.states[0])
        with world.session(write=True) as session:
            changes = world.plan(session, desired).changes
        for change in changes:
            operation = world.operation()
            with world.session(write=True) as session:
                with needs(subject.losing_a_reply(), "lose a reply"):
                    try:
                        session.apply(change, operation)
                    except ProviderError as error:
                        assert error.fault in (Fault.LOST, Fault.PARTIAL)
                live = _reread(session, change)
                assert session.resolve(change, operation, live) is Status.APPLIED
                assert live is not None
                world.remember(change, live.native_id)
        world.converge(case.states[0])
        assert world.pending(case.states[0]) == []
        assert {r.address for r in world.snapshot().values() if r.address in desired} == set(desired)

    def test_the_same_change_twice_is_harmless(self, subject: Subject, world: World, case: Case) -> None:
        """Repeating an operation neither fails in doubt nor makes, changes or deletes anything more."""
        for text in (*case.states, ""):
            with world.session(write=True) as session:
                for change in world.plan(session, world.desired(text)).changes:
                    operation = world.operation()
                    outcome = session.apply(change, operation)
                    state = subject.state()
                    try:
                        again = session.apply(change, operation)
                        assert again.native_id in ("", outcome.native_id)
                    except ProviderError as error:
                        assert known_not_done(error)
                    assert subject.state() == state, f"{change.action} {change.address}"
                    world.remember(change, outcome.native_id)
            assert world.pending(text) == []

    def test_a_throttled_change_is_made_or_known_not_to_be(self, subject: Subject, world: World, case: Case) -> None:
        """Too many calls is a fault of its own, never an unknown end."""
        desired = world.desired(case.states[0])
        with world.session(write=True) as session:
            for change in world.plan(session, desired).changes:
                with needs(subject.throttling(2), "throttle"):
                    try:
                        world.carry_out(session, change)
                    except ProviderError as error:
                        assert error.fault is Fault.THROTTLED
        world.converge(case.states[0])
        assert world.pending(case.states[0]) == []

    def test_slow_propagation_is_waited_for(self, subject: Subject, world: World, case: Case) -> None:
        """What is refused only because a change has not spread yet succeeds in the same apply."""
        with needs(subject.settling(), "be slow to settle"):
            world.converge(case.states[0])
        assert world.pending(case.states[0]) == []

    # Secrets

    def test_a_secret_shows_nowhere(
        self, subject: Subject, world: World, case: Case, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A canary in the provider, its errors and the environment is in no value, log or traceback of ours."""
        world.converge(case.states[0])
        said: list[str] = []
        with subject.leaks(CANARY) as failing, caplog.at_level(logging.DEBUG):
            said.append(repr(world.snapshot()))
            with world.session(write=True) as session:
                said.append(repr(session.identity()))
                said.append(repr(session.reread(list(world.managed))))
                for change in failing:
                    with pytest.raises(ProviderError) as refused:
                        session.apply(change, world.operation())
                    error = refused.value
                    said += [str(error), repr(error), error.code, error.hint, *error.request_ids]
                    said += traceback.format_exception(error)
        assert CANARY not in "\n".join((*said, caplog.text))

    # Capabilities

    def test_permissions_come_from_what_is_declared(self, world: World, case: Case) -> None:
        """An identity's access is the same from the declared and from the live resources: deltas can be trusted."""
        desired = world.desired(case.states[0])
        world.converge(case.states[0])
        live = world.snapshot()
        for address, resource in desired.items():
            if self.kind(world, address).identity:
                planned = set(world.adapter.permissions(resource, desired))
                assert planned == set(world.adapter.permissions(live[address], {a: live[a] for a in desired}))
                assert [p for p in planned if p.kind == "allow"]

    def kind(self, world: World, address: Address):
        """Return what the adapter says about the kind of an address."""
        return world.adapter.capabilities.kinds[address.kind]

    def requires(self, world: World, action: Action) -> None:
        """Skip when no kind of the provider has an action."""
        if not any(action in kind.actions for kind in world.adapter.capabilities.kinds.values()):
            pytest.skip(f"no kind of {world.adapter.name} can be changed by {action}")

    def identities(self, world: World, action: Action) -> list[Resource]:
        """Return our live identities whose kind has an action."""
        live = world.snapshot()
        kinds = world.adapter.capabilities.kinds
        return [live[a] for a in sorted(world.managed) if kinds[a.kind].identity and action in kinds[a.kind].actions]


def _reread(session, change: Change) -> Resource | None:
    old = change.after.renamed_from if change.after else None
    found = session.reread([change.address, *([old] if old else [])])
    return found.get(change.address) or (found.get(old) if old else None)


def _create_of(world: World, address: Address) -> Change:
    managed = world.managed[address]
    after = Resource(address, managed.attributes, managed.subject, depends_on=managed.depends_on)
    return Change(address, Action.CREATE, managed.subject, "test", after=after)


def _renamed(text: str) -> str:
    """Give the first NHI of a state another name and say what it was called."""
    found = trees(text)
    nhi = next(d for d in found if d["kind"] == "NHI")
    nhi["metadata"] = {
        **nhi["metadata"],
        "name": nhi["metadata"]["name"] + "-two",
        "previously": [nhi["metadata"]["name"]],
    }
    return yaml.safe_dump_all(found)
