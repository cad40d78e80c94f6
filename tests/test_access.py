"""What NHIs gain and lose, in permissions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhictl.access import Worlds, all_permissions, covers, deltas, direction, permissions_of, worlds
from nhictl.model import Action, Address, Change, Direction, Handling, Managed, Permission, Resource
from nhictl.providers.local.adapter import adapter


def may(action, resource="*", condition="", effect="allow", kind="allow"):
    return Permission(kind, action, resource, condition, effect)


def role(name, *actions):
    allowed = tuple({"action": a, "resource": "db", "condition": ""} for a in sorted(actions))
    return Resource(Address("t", "role", name), {"description": "", "permissions": allowed}, f"role/{name}")


def identity(name, **over):
    attributes = {"enabled": True, "type": "workload", "proof": {}, **over}
    return Resource(Address("t", "identity", name), attributes, f"nhi/{name}")


def grant(who, what, connection=""):
    parts = {"identity": who, "role": what, "connection": connection, "expires": ""}
    needs = tuple(Address("t", k, n) for k, n in parts.items() if n and k != "expires")
    return Resource(Address("t", "grant", f"{who}:{what}"), parts, f"nhi/{who}", depends_on=needs)


def world(*resources):
    return {r.address: r for r in resources}


def changed(resource, action=Action.UPDATE):
    after = None if action is Action.DELETE else resource
    return Change(resource.address, action, resource.subject, "", after=after)


def delta(before, after, *changes):
    return {d.subject: d for d in deltas(adapter, Worlds(world(*before), world(*after)), changes)}


def test_role_change_touches_its_users_indirectly():
    """An NHI that only holds the changed role gains and loses, and is said to be touched indirectly."""
    old, new = role("r", "read", "list"), role("r", "read", "write")
    rest = identity("a"), grant("a", "r"), identity("b")
    found = delta([old, *rest], [new, *rest], changed(new))
    assert list(found) == ["nhi/a"]
    one = found["nhi/a"]
    assert ([p.action for p in one.gained], [p.action for p in one.lost]) == (["write"], ["list"])
    assert (one.direct, one.direction) == (False, Direction.CHANGED)


def test_role_change_without_effect_still_lists_its_users():
    """A description changes nobody's access; who is behind it is listed."""
    rest = role("r", "read"), identity("a"), grant("a", "r")
    found = delta(rest, rest, changed(rest[0]))
    assert (found["nhi/a"].direct, found["nhi/a"].direction) == (False, Direction.NONE)


def test_new_grant_is_direct_and_wider():
    """The NHI's own resource changes."""
    base, new = [role("r", "read"), identity("a")], grant("a", "r")
    one = delta(base, [*base, new], changed(new, Action.CREATE))["nhi/a"]
    assert (one.direct, one.direction, [p.action for p in one.gained]) == (True, Direction.WIDER, ["read"])


def test_disabling_takes_everything_away():
    """A disabled identity can do nothing and nobody can become it."""
    held = role("r", "read"), grant("a", "r")
    on = identity("a", proof={"local": {}})
    off = identity("a", enabled=False, proof={"local": {}})
    one = delta([on, *held], [off, *held], changed(off, Action.DISABLE))["nhi/a"]
    assert {p.kind for p in one.lost} == {"allow", "assume"}
    assert one.direction is Direction.NARROWER


def test_who_may_assume_it_counts():
    """A changed proof is lost and gained access."""
    old, new = identity("a", proof={"spiffe": {"id": "x"}}), identity("a", proof={"spiffe": {"id": "y"}})
    link = Resource(Address("t", "connection", "c"), {"issuer": {}, "audiences": ()}, "connection/c")
    held = link, role("r", "read"), grant("a", "r", "c")
    one = delta([old, *held], [new, *held], changed(new))["nhi/a"]
    assert [p.kind for p in (*one.gained, *one.lost)] == ["assume", "assume"]


def test_connection_change_reaches_the_nhi_through_its_grant():
    """Trust is access: an issuer's audience changes who may become the NHI."""

    def link(audience):
        at = Address("t", "connection", "c")
        return Resource(at, {"issuer": {}, "audiences": (audience,)}, "connection/c")

    rest = identity("a", proof={"githubActions": {"repository": "x"}}), role("r", "read"), grant("a", "r", "c")
    one = delta([link("u"), *rest], [link("v"), *rest], changed(link("v")))["nhi/a"]
    assert (one.direct, {p.kind for p in one.gained}) == (False, {"assume"})


def test_what_a_wildcard_covers_is_neither_gained_nor_lost():
    """From `*` to a part of it nothing is gained."""
    old, new = role("r", "s3:*"), role("r", "s3:Get", "s3:Put")
    rest = identity("a"), grant("a", "r")
    one = delta([old, *rest], [new, *rest], changed(new))["nhi/a"]
    assert ([p.action for p in one.gained], [p.action for p in one.lost]) == ([], ["s3:*"])


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        (may("*"), may("s3:Get"), True),
        (may("s3:*"), may("s3:Get"), True),
        (may("s3:*"), may("s3:Get*"), True),
        (may("s3:Get*"), may("s3:*"), False),
        (may("s3:Ge?"), may("s3:Get"), True),
        (may("s3:Ge?"), may("s3:Ge*"), False),
        (may("s3:G*"), may("s3:G?t"), True),
        (may("*", "a/*"), may("x", "b/1"), False),
        (may("*", condition='{"a":1}'), may("x"), False),
        (may("*"), may("x", condition='{"a":1}'), True),
        (may("*", effect="deny"), may("x"), False),
        (may("*", kind="assume"), may("x"), False),
        (may("a.c"), may("abc"), False),
        (may("*a*b"), may("xaxbxb"), True),
        (may("*a*b"), may("xaxbx"), False),
    ],
)
def test_covers(wide, narrow, expected):
    """`*` is any text, `?` one character that is no `*`; the condition is the same or none."""
    assert covers(wide, narrow) is expected


def test_many_stars_take_no_time():
    """A pattern from a manifest cannot hang a plan: 60 stars against 3,000 characters."""
    assert not covers(may("*a" * 60 + "b"), may("a" * 3000))


@settings(deadline=None)
@given(st.text("ab*?", max_size=6), st.text("ab*?", max_size=6), st.text("ab", max_size=6))
def test_covering_means_matching_all_that_the_other_matches(wide, narrow, text):
    """For every concrete text: what the covered pattern gives, the covering one gives."""
    if covers(may(wide), may(narrow)) and covers(may(narrow), may(text)):
        assert covers(may(wide), may(text))


@pytest.mark.parametrize(
    ("gained", "lost", "expected"),
    [
        ([], [], Direction.NONE),
        ([may("a")], [], Direction.WIDER),
        ([], [may("a")], Direction.NARROWER),
        ([may("a")], [may("b")], Direction.CHANGED),
        ([may("a", effect="deny")], [], Direction.NARROWER),
        ([], [may("a", effect="deny")], Direction.WIDER),
        ([may("a")], [may("b", effect="deny")], Direction.WIDER),
    ],
)
def test_direction(gained, lost, expected):
    """A gained deny narrows, a lost deny widens."""
    assert direction(gained, lost) is expected


def test_permissions_of_one_and_of_all_agree():
    """The two views of the same world."""
    here = world(role("r", "read"), identity("a"), grant("a", "r"), identity("b"))
    everyone = all_permissions(adapter, here)
    assert {s: permissions_of(adapter, here, [s])[s] for s in everyone} == everyone
    assert set(everyone) == {"nhi/a", "nhi/b"}


def test_worlds_follow_renames_adoptions_and_deletes():
    """After the plan: the new name is there, the old one and the deleted one are not; what was adopted was there."""
    a, gone, taken = identity("a"), role("gone", "x"), role("taken", "y")
    new = Resource(Address("t", "identity", "b"), a.attributes, "nhi/b", renamed_from=a.address)
    record = {r.address: Managed(r.address, r.subject, "N", r.attributes, Handling()) for r in (a, gone)}
    adopting = Change(taken.address, Action.ADOPT, "role/taken", "", before=taken, after=taken)
    changes = [changed(new), changed(gone, Action.DELETE), adopting]
    found = worlds(world(new, taken), world(a, gone, taken), record, changes)
    assert set(found.before) == {a.address, gone.address, taken.address}
    assert set(found.after) == {new.address, taken.address}
