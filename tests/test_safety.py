"""The limits of one plan, and what lifts them."""

from dataclasses import replace

import pytest

from nhictl.engine.apply import require_safe
from nhictl.kinds.workspace import Limits
from nhictl.model import (
    AccessDelta,
    Action,
    Address,
    Change,
    Direction,
    Exit,
    FieldChange,
    Finding,
    Permission,
    Plan,
    Resource,
    SafetyStop,
)  # fmt: skip
from nhictl.safety import TargetPlan, is_admin, judge, stricter

LIMITS = Limits()
ADMIN = Permission("allow", "*", "*")
SOME = Permission("allow", "read", "db")


def at(name, kind="identity"):
    return Address("t", kind, name)


def change(name, action, *, kind="identity", subject="", fields=()):
    return Change(at(name, kind), action, subject or f"nhi/{name}", "", fields=fields)


def rules(changes=(), deltas=(), *, managed=(), own=(), admins=None, declared=1, limits=LIMITS):
    """Return the rules violated; `managed` are addresses or names of NHIs."""
    subjects = {(at(m) if isinstance(m, str) else m): f"nhi/{m if isinstance(m, str) else m.name}" for m in managed}
    part = TargetPlan("t", tuple(changes), tuple(deltas), subjects, tuple(own), admins)
    return [f.rule for f in judge(part, limits, declared=declared)]


def many(count, prefix="n"):
    return [f"{prefix}{i:03}" for i in range(count)]


@pytest.mark.parametrize(
    ("deleted", "managed", "stopped"),
    [(1, 1, False), (1, 3, False), (2, 3, True), (2, 20, False), (3, 20, True), (5, 1000, False), (6, 1000, True)],
)
def test_deletes_are_limited_by_percentage_and_by_number(deleted, managed, stopped):
    """One is always allowed; then 10 percent; never more than 5."""
    changes = [change(n, Action.DELETE) for n in many(deleted)]
    assert ("delete-limit" in rules(changes, managed=[*many(managed), "rest"])) is stopped


def test_a_replace_counts_as_a_delete():
    """Credentials and ids go with it."""
    changes = [change(n, Action.REPLACE) for n in many(6)]
    assert rules(changes, managed=many(100)) == ["delete-limit"]


def test_grants_of_one_object_do_not_count_as_deletes():
    """Access that goes is counted as access."""
    changes = [change(n, Action.DELETE, kind="grant") for n in many(6)]
    assert rules(changes, managed=many(100)) == []


def test_no_delete_at_all_can_be_demanded():
    """A limit of zero is zero."""
    changes = [change("n000", Action.DELETE)]
    assert rules(changes, managed=many(100), limits=Limits(delete_max=0)) == ["delete-limit"]


@pytest.mark.parametrize(
    ("losing", "managed", "stopped"), [(1, 2, False), (2, 2, True), (20, 100, False), (21, 100, True), (26, 1000, True)]
)
def test_lost_access_is_limited_over_every_kind_of_change(losing, managed, stopped):
    """20 percent of the NHIs, and never more than 25 of them, whatever takes the access away."""
    deltas = [AccessDelta(f"nhi/{n}", lost=(SOME,), direct=False) for n in many(losing)]
    assert rules(deltas=deltas, managed=many(managed)) == (["revoke-limit"] if stopped else [])


@pytest.mark.parametrize("action", [Action.DELETE, Action.DISABLE, Action.FORGET])
def test_everything_to_nothing_is_never_silent(action):
    """Whatever the way: deleted, disabled or forgotten."""
    everything = Limits(100, 1000, 100, 1000)
    changes = [change(n, action) for n in many(3)]
    assert rules(changes, managed=many(3), limits=everything) == ["wipe"]
    assert rules(changes, managed=many(4), limits=everything) == []


def test_an_empty_workspace_is_never_silent():
    """Nothing declared and something to go: probably the wrong directory."""
    changes = [change("n000", Action.DISABLE)]
    assert rules(changes, managed=many(50), declared=0) == ["wipe"]


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
def test_own_principal_is_not_removed(action):
    """Under every name it has."""
    assert rules([change("me", action)], managed=["me", "x"], own=[at("me")]) == ["own-principal"]


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DISABLE, Action.ADOPT])
def test_own_principal_is_not_changed(action):
    """Not even disabled or adopted with a difference."""
    changes = [change("me", action, fields=(FieldChange("enabled", True, False),))]
    assert rules(changes, managed=["x", "y"], own=[at("me")]) == ["own-principal"]


def test_own_principal_does_not_lose_access_through_others():
    """A narrower role that nhictl itself holds is as bad as a delete."""
    deltas = [AccessDelta("nhi/me", lost=(SOME,), direct=False)]
    assert rules(deltas=deltas, managed=["me", *many(9)], own=[at("me")]) == ["own-principal"]


def test_last_administrator_stays():
    """Nobody managed keeps everything: refused; somebody does: fine."""
    deltas = [AccessDelta("nhi/a", lost=(ADMIN,))]
    assert rules(deltas=deltas, managed=many(9), admins=0) == ["last-admin"]
    assert rules(deltas=deltas, managed=many(9), admins=1) == []


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        (ADMIN, True),
        (Permission("allow", "*:*", "*"), True),
        (Permission("allow", "*", "*", '{"mfa":true}'), False),
        (Permission("allow", "*", "db"), False),
        (Permission("allow", "*", "*", effect="deny"), False),
        (Permission("assume", "*", "*"), False),
    ],
)
def test_administrator_is_everything_on_everything(permission, expected):
    """Unconditionally."""
    assert is_admin([SOME, permission]) is expected


def plan_with(*rules_):
    return Plan("w", "e", {}, (), safety=tuple(Finding(r, "error", "t", "too much") for r in rules_), digest="sha256:1")


def test_a_plan_without_violation_needs_no_override():
    """Nothing is raised."""
    require_safe(plan_with(), "")


@pytest.mark.parametrize("override", ["", "sha256:2", "true", "sha256:1 "])
def test_a_limit_is_lifted_for_exactly_one_plan(override):
    """Only the digest of this plan lifts it; the refusal says what to type."""
    with pytest.raises(SafetyStop, match="delete-limit") as caught:
        require_safe(plan_with("delete-limit"), override)
    assert caught.value.exit == Exit.SAFETY
    assert caught.value.hint.endswith("--override-safety sha256:1")


@pytest.mark.parametrize("rule", ["delete-limit", "revoke-limit", "wipe", "last-admin"])
def test_limits_can_be_lifted_by_the_digest(rule):
    """Each of them."""
    require_safe(plan_with(rule), "sha256:1")


@pytest.mark.parametrize("rule", ["own-principal", "protected"])
def test_protections_cannot_be_lifted(rule):
    """Not by the right digest either, and not beside a limit."""
    with pytest.raises(SafetyStop, match="a protection refuses"):
        require_safe(plan_with("wipe", rule), "sha256:1")


def test_fields_of_a_resource_do_not_matter_to_the_limits():
    """An ordinary update violates nothing."""
    resource = Resource(at("a"), {})
    assert rules([Change(at("a"), Action.UPDATE, "nhi/a", "", after=resource)], managed=many(3)) == []


def denied(subject, *, first=False):
    """A delta in which everything is denied."""
    deny = Permission("allow", "*", "*", effect="deny")
    return AccessDelta(subject, gained=(deny,), direction=Direction.WIDER if first else Direction.NARROWER)


def test_a_deny_takes_access_too():
    """What denies counts as lost, for the limit and for the last administrator; a first access is none."""
    losing = [denied(f"nhi/{name}") for name in many(5)]
    assert "revoke-limit" in rules(deltas=losing, managed=many(5))
    assert "last-admin" in rules(deltas=losing[:1], managed=many(5), admins=0)
    assert rules(deltas=[denied("nhi/n000", first=True)], managed=many(5)) == []


def test_an_administrator_who_is_denied_everything_is_none():
    """Full administration is what is left after denies."""
    everything = Permission("allow", "*", "*")
    assert is_admin([everything])
    assert not is_admin([everything, Permission("allow", "*", "*", effect="deny")])


@pytest.mark.parametrize(
    ("action", "fields", "stopped"),
    [
        (Action.DISABLE, (), True),
        (Action.REPLACE, (), True),
        (Action.UPDATE, (FieldChange("handling.protect", "True", "False"),), False),
        (Action.UPDATE, (FieldChange("handling.protect", "True", "False"), FieldChange("owner", "a", "b")), True),
        (Action.UPDATE, (FieldChange("owner", "a", "b"),), False),
    ],
)
def test_protection_is_lowered_by_a_plan_of_its_own(action, fields, stopped):
    """A protected object is not ended, and nothing rides along when its protection goes."""
    part = TargetPlan(
        "t", (change("a", action, fields=fields),), (), {at("a"): "nhi/a", at("b"): "nhi/b"}, (), None,
        frozenset({at("a")}),
    )  # fmt: skip
    assert ("protected" in [f.rule for f in judge(part, LIMITS, declared=1)]) is stopped


def test_a_protected_identity_is_not_switched_off():
    """`enabled: false` on it is a refusal, whatever the action is called."""
    off = Resource(at("a"), {"enabled": False})
    switched = replace(change("a", Action.UPDATE, fields=(FieldChange("enabled", True, False),)), after=off)
    part = TargetPlan("t", (switched,), (), {at("a"): "nhi/a", at("b"): "nhi/b"}, (), None, frozenset({at("a")}))
    assert [f.rule for f in judge(part, LIMITS, declared=1)] == ["protected"]


def test_raised_limits_do_not_judge_the_plan_that_raises_them():
    """The stricter of now and then counts, field by field."""
    assert stricter(Limits(100, 1000, 100, 1000), {"deletePercent": 10, "deleteMax": 5}) == Limits(10, 5, 100, 1000)
    assert stricter(Limits(1, 2, 3, 4), {}) == Limits(1, 2, 3, 4)


def test_the_last_nhi_of_a_target_is_not_dropped_in_silence():
    """One to nothing asks like many to nothing, even while roles stay."""
    role = Address("t", "role", "r")
    assert rules([change("a", Action.FORGET)], managed=["a"]) == ["wipe"]
    part = TargetPlan("t", (change("a", Action.DELETE),), (), {at("a"): "nhi/a", role: "role/r"}, (), None)
    assert [f.rule for f in judge(part, LIMITS, declared=1)] == ["wipe"]
