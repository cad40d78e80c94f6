"""Work grows with the estate and not with its square: operations are counted, nothing is timed."""

from __future__ import annotations

from collections import Counter

import pytest

from nhictl import access
from nhictl.attribution import attribute
from nhictl.engine import execute
from nhictl.model import Action, Address, Change, Resource, Status
from nhictl.order import order
from nhictl.providers.local.adapter import LocalAdapter, adapter

SMALL, LARGE = 50, 400


class Counting(Address):
    """An address that counts how often any is hashed or compared: what is looked up, put into a set or searched."""

    hashed = 0

    def __hash__(self):
        Counting.hashed += 1
        return super().__hash__()

    def __eq__(self, other):
        Counting.hashed += 1
        return super().__eq__(other)


def estate(count, *, roles=1):
    """NHIs with one grant each; a role for all of them, or several."""
    needed = {n: Counting("t", "role", f"r{n}") for n in range(roles)}
    found = {
        at: Resource(at, {"permissions": ({"action": "read", "resource": "x", "condition": ""},)}, f"role/{at.name}")
        for at in needed.values()
    }
    for n in range(count):
        who, role = Counting("t", "identity", f"n{n}"), needed[n % roles]
        given = Counting("t", "grant", f"n{n}:{role.name}")
        found[who] = Resource(who, {"enabled": True, "type": "workload", "proof": {}}, f"nhi/n{n}")
        parts = {"identity": who.name, "role": role.name, "connection": "", "expires": ""}
        found[given] = Resource(given, parts, f"nhi/n{n}", depends_on=(who, role))
    return found


def changes_of(resources, action=Action.UPDATE):
    return [
        Change(
            a, action, r.subject, "", before=r, after=None if action is Action.DELETE else r, depends_on=r.depends_on
        )
        for a, r in resources.items()
    ]


def hashes(work):
    Counting.hashed = 0
    work()
    return Counting.hashed


def assert_linear(small, large):
    """Eight times as much of everything may cost eight times as much, and a little for what does not grow."""
    assert large <= small * (LARGE / SMALL) * 1.1, (small, large)


@pytest.mark.parametrize("roles", [1, 10])
def test_access_of_a_shared_role_is_computed_once_per_nhi(roles):
    """When everything changes, each NHI's permissions are asked for twice, however many share a role."""
    asked = Counter()

    class Asked(LocalAdapter):
        def permissions(self, resource, known):
            asked[len(known)] += 1
            return super().permissions(resource, known)

    found = {}
    for count in (SMALL, LARGE):
        asked.clear()
        world = estate(count, roles=roles)
        given = changes_of(world)
        found[count] = hashes(lambda w=world, g=given: access.deltas(Asked(), access.Worlds(w, w), g))
        assert asked == {3: 2 * count}
    assert_linear(found[SMALL], found[LARGE])


@pytest.mark.parametrize("action", [Action.UPDATE, Action.CREATE, Action.DELETE])
def test_order_is_linear(action):
    """Putting changes in order looks at each change and each reference a fixed number of times."""

    def work(count):
        world = estate(count)
        return lambda: order(changes_of(world, action), {a: r.depends_on for a, r in world.items()})

    assert_linear(hashes(work(SMALL)), hashes(work(LARGE)))


@pytest.mark.parametrize("action", [Action.UPDATE, Action.CREATE, Action.DELETE])
def test_attribution_of_a_shared_role_is_linear(action):
    """Saying which change gives which access costs the same for each grant, however many share its role."""

    def work(count):
        world = estate(count)
        grants = {a: r for a, r in world.items() if a.kind == "grant"}
        return lambda: attribute(adapter, world, changes_of(grants, action))

    assert_linear(hashes(work(SMALL)), hashes(work(LARGE)))


def test_worlds_are_linear():
    """Before and after are made by one pass each."""

    def work(count):
        world = estate(count)
        return lambda: access.worlds(world, world, {}, changes_of(world, Action.CREATE))

    assert_linear(hashes(work(SMALL)), hashes(work(LARGE)))


def test_handing_out_changes_is_linear():
    """Scheduling touches each change and each dependency a fixed number of times."""

    def work(count):
        plan = _Plan(tuple(order(changes_of(estate(count)), {})))
        return lambda: _schedule(plan)

    assert_linear(hashes(work(SMALL)), hashes(work(LARGE)))


class _Plan:
    def __init__(self, changes):
        self.changes, self.access = changes, ()


def _schedule(plan):
    run = execute.Run("r", "w/e", writer=None, read_at=0.0)
    state = execute._State(plan, {}, run)
    done = 0
    while taken := state.ready((), {"t": 4}):
        for change in taken:
            state.finish(execute.Receipt(change, Status.APPLIED, "", "op"))
            done += 1
    assert done == len(plan.changes)


def test_the_whole_access_of_an_estate_is_linear():
    """Asking for everybody's permissions looks at what each NHI depends on, and at nothing else."""
    found = {n: hashes(lambda n=n: access.all_permissions(adapter, estate(n))) for n in (SMALL, LARGE)}
    assert_linear(found[SMALL], found[LARGE])
