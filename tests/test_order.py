"""Changes in an order that never breaks a reference."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhictl.model import Action, Address, Change, Exit, NhictlError, Resource
from nhictl.order import order

REMOVALS = (Action.DELETE, Action.DISABLE, Action.FORGET)


def at(name):
    return Address("t", "k", name)


def change(name, action=Action.CREATE, *needs, subject=""):
    after = (
        None if action in (Action.DELETE, Action.FORGET) else Resource(at(name), {}, depends_on=tuple(map(at, needs)))
    )
    return Change(at(name), action, subject or f"role/{name}", "", after=after)


def names(changes, references=None):
    return [c.address.name for c in order(changes, {at(k): [*map(at, v)] for k, v in (references or {}).items()})]


def test_what_is_needed_comes_first():
    """A create waits for the create of what it refers to."""
    assert names([change("a", Action.CREATE, "z"), change("z")]) == ["z", "a"]


def test_a_delete_waits_for_the_deletes_of_its_users():
    """By the recorded references."""
    assert names([change("a", Action.DELETE), change("z", Action.DELETE)], {"z": ["a"]}) == ["z", "a"]


def test_a_delete_waits_for_its_users_to_let_go():
    """An update that drops the reference comes first."""
    assert names([change("a", Action.DELETE), change("z", Action.UPDATE)], {"z": ["a"]}) == ["z", "a"]


def test_a_delete_waits_for_a_renamed_user_to_let_go():
    """Its references are recorded under the name it had."""
    renamed = change("z", Action.UPDATE)
    renamed = replace(renamed, after=replace(renamed.after, renamed_from=at("y")))
    assert names([change("a", Action.DELETE), renamed], {"y": ["a"]}) == ["z", "a"]


@pytest.mark.parametrize("action", REMOVALS)
def test_within_one_nhi_grants_come_before_revokes(action):
    """Access is never away before its replacement is there."""
    assert names([change("a", action, subject="nhi/x"), change("z", subject="nhi/x")]) == ["z", "a"]


def test_another_nhi_does_not_wait():
    """The revoke of one NHI needs nothing of another."""
    first, second = order([change("a", Action.DELETE, subject="nhi/x"), change("z", subject="nhi/y")], {})
    assert (first.depends_on, second.depends_on) == ((), ())


def test_a_circle_is_named():
    """Never a guess."""
    with pytest.raises(NhictlError, match=r"in a circle: .*t/k/a") as caught:
        names([change("a", Action.CREATE, "b"), change("b", Action.CREATE, "a")])
    assert caught.value.exit == Exit.INVALID


@st.composite
def changes_and_references(draw):
    """Objects on a line, each referring to earlier ones only: what any provider with references can hold."""
    count = draw(st.integers(0, 10))
    made, references = [], {}
    for number in range(count):
        earlier = st.lists(st.sampled_from(range(number)), unique=True, max_size=3) if number else st.just([])
        action = draw(st.sampled_from([*Action]))
        desired = [f"{n:02}" for n in draw(earlier)]
        references[f"{number:02}"] = [f"{n:02}" for n in draw(earlier)]
        subject = draw(st.sampled_from(["nhi/x", "nhi/y", "role/r"]))
        if draw(st.booleans()):
            made.append((f"{number:02}", action, desired, subject))
    gone = {name for name, action, *_ in made if action in (Action.DELETE, Action.FORGET)}
    return [change(n, a, *(d for d in needs if d not in gone), subject=s) for n, a, needs, s in made], references


@settings(deadline=None)
@given(changes_and_references(), st.randoms())
def test_order_is_complete_safe_and_independent_of_the_input_order(case, random):
    """Every change once; dependencies before users; users before what they leave; always the same order."""
    changes, references = case
    ordered = names(changes, references)
    place = {name: number for number, name in enumerate(ordered)}
    by_name = {c.address.name: c for c in changes}
    assert sorted(ordered) == sorted(by_name)
    for c in changes:
        name = c.address.name
        if c.after is not None and c.action not in REMOVALS:
            needed = [
                d.name for d in c.after.depends_on if d.name in by_name and by_name[d.name].action not in REMOVALS
            ]
            assert all(place[n] < place[name] for n in needed)
        left = [r for r in references.get(name, ()) if r in by_name and by_name[r].action is Action.DELETE]
        assert all(place[name] < place[r] for r in left)
    shuffled = list(changes)
    random.shuffle(shuffled)
    assert names(shuffled, references) == ordered


@settings(deadline=None)
@given(changes_and_references())
def test_depends_on_names_changes_of_this_plan_only(case):
    """What the executor waits for exists and comes before."""
    seen = set()
    for c in order(case[0], {at(k): [*map(at, v)] for k, v in case[1].items()}):
        assert set(c.depends_on) <= seen
        seen.add(c.address)
