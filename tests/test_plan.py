"""Whole plans, from manifests and a real directory."""

import datetime as dt

import pytest

from nhictl.model import Action, Direction
from nhictl.plan_file import digest_of, dumps, loads
from tests.support import Shop, connection, nhi, role


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


def actions(plan):
    return {(str(c.address).removeprefix("directory/"), c.action.value) for c in plan.changes}


def findings(plan):
    return {(f.subject.removeprefix("directory/"), f.rule) for f in plan.findings}


def test_first_plan_creates_in_order(shop):
    """Roles and connections, identities, then grants; every NHI's access is wider."""
    plan = shop.declare(nhi("a", "r", via="c"), role("r"), connection("c")).plan()
    kinds = [c.address.kind for c in plan.changes]
    assert kinds.index("grant") == 3
    assert [(d.subject, d.direction) for d in plan.access] == [("nhi/a", Direction.WIDER)]
    assert {c.risk for c in plan.changes if c.subject == "nhi/a"} == {Direction.WIDER}


def test_unmanaged_objects_are_counted_and_never_planned(shop):
    """What somebody else put there is none of our business."""
    shop.declare(role("r")).converge()
    shop.sql("INSERT INTO roles (id, name) VALUES ('f1', 'foreign')")
    plan = shop.plan()
    assert (plan.changes, plan.findings, plan.unmanaged) == ((), (), {"directory": 1})


def test_orphans_are_reported_and_not_planned(shop):
    """Our mark without a record."""
    shop.declare(role("r")).converge()
    shop.sql(
        "INSERT INTO roles (id, name, mark_owner, mark_ref, mark_operation) VALUES ('f','o','shop/test','role/o','')"
    )
    plan = shop.plan()
    assert (plan.changes, findings(plan)) == ((), {("role/o", "orphan")})


def test_forgotten_on_purpose_is_no_orphan(shop):
    """`retain` takes the mark away, and who forgets by hand is not nagged."""
    shop.declare(nhi("b"), nhi("a", lifecycle={"onRemove": "retain"})).converge()
    shop.declare(nhi("b")).converge()
    plan = shop.plan()
    assert (plan.findings, plan.unmanaged) == ((), {"directory": 1})


def test_a_role_still_in_use_waits(shop):
    """The role of a protected NHI's live grant is not deleted while the grant stays."""
    shop.declare(role("r"), role("s"), nhi("a", "r")).converge()
    shop.declare(role("r"), role("s"), nhi("a", "r"), nhi("b", "r")).converge()
    plan = shop.declare(role("s"), nhi("b")).plan(selection={"targets": ["role/r", "nhi/b"]})
    assert ("grant/a:r", "delete") not in actions(plan)
    assert ("role/r", "delete") not in actions(plan)
    assert ("role/r", "waiting") in findings(plan)


def test_a_blocked_object_takes_new_grants_to_it_with_it(shop):
    """No access is given to an object that was made again under the name of ours."""
    shop.declare(role("r"), nhi("a")).converge()
    shop.sql("UPDATE identities SET id = 'attacker', mark_owner = NULL, mark_ref = NULL, mark_operation = NULL")
    plan = shop.declare(role("r"), nhi("a", "r")).plan()
    assert plan.changes == ()
    assert findings(plan) == {("identity/a", "conflict"), ("grant/a:r", "blocked")}


def test_a_blocked_object_leaves_the_others_alone(shop):
    """Only what depends on it goes with it."""
    shop.declare(role("x")).converge()
    shop.sql("INSERT INTO roles (id, name) VALUES ('f1', 'r')")
    plan = shop.declare(role("x"), role("r"), nhi("a", "r"), nhi("b", "x")).plan()
    assert actions(plan) == {("identity/a", "create"), ("identity/b", "create"), ("grant/b:x", "create")}
    assert findings(plan) == {("role/r", "exists"), ("grant/a:r", "blocked")}


def test_removal_is_disable_then_delete_in_time(shop):
    """Grants go at once, the identity is disabled, and deleted when its grace period is over."""
    shop.declare(role("r"), nhi("a", "r", lifecycle={"deleteAfter": "10d"}), nhi("b", "r")).converge()
    plan = shop.declare(role("r"), nhi("b", "r")).plan()
    assert actions(plan) == {("grant/a:r", "delete"), ("identity/a", "disable")}
    shop.converge()
    assert findings(shop.later(days=9).plan()) == {("identity/a", "waiting")}
    assert actions(shop.later(days=1).plan()) == {("identity/a", "delete")}
    shop.converge()
    assert shop.names("identities") == ["b"]


def test_declared_again_comes_back_as_the_same_object(shop):
    """Enabled again with the same native id, its grace period forgotten."""
    shop.declare(role("r"), nhi("a", "r"), nhi("b")).converge()
    before = shop.sql("SELECT id FROM identities WHERE name = 'a'")
    shop.declare(role("r"), nhi("b")).converge()
    shop.declare(role("r"), nhi("a", "r"), nhi("b")).later(days=5).converge()
    assert shop.sql("SELECT id, enabled FROM identities WHERE name = 'a'") == [(before[0][0], 1)]
    shop.declare(role("r"), nhi("b")).later(days=60)
    assert ("identity/a", "disable") in actions(shop.plan())


def test_protection_survives_the_manifest(shop):
    """The object and its grants stay, and the plan is refused; `protect: false` first is the way."""
    shop.declare(role("r"), nhi("a", "r", protect=True), nhi("b")).converge()
    plan = shop.declare(role("r"), nhi("b")).plan()
    assert {f.rule for f in plan.safety} == {"protected"}
    assert ("identity/a", "disable") not in actions(plan)
    shop.declare(role("r"), nhi("a", "r", protect=False), nhi("b")).converge()
    assert actions(shop.declare(role("r"), nhi("b")).plan()) == {("grant/a:r", "delete"), ("identity/a", "disable")}


def test_rename_keeps_the_object(shop):
    """`previously`: the same native ids, no create, no delete, no access lost."""
    shop.declare(role("r"), nhi("a", "r")).converge()
    before = shop.rows()
    plan = shop.declare(role("r"), nhi("b", "r", previously=["a"])).plan()
    assert actions(plan) == {("identity/b", "update"), ("grant/b:r", "update")}
    shop.converge()
    assert {t: set(rows) for t, rows in shop.rows().items()} == {t: set(rows) for t, rows in before.items()}
    assert shop.names("identities") == ["b"]


def test_rename_of_a_role_carries_its_grants(shop):
    """The grants are the same objects under a new name."""
    shop.declare(role("r"), nhi("a", "r"), nhi("b", "r")).converge()
    before = set(shop.rows()["grants"])
    shop.declare(role("s", previously=["r"]), nhi("a", "s"), nhi("b", "s")).converge()
    assert set(shop.rows()["grants"]) == before


def test_rename_onto_a_foreign_object_is_blocked(shop):
    """Nobody is pushed aside, and nothing is made anew."""
    shop.declare(role("r"), role("x")).converge()
    shop.sql("INSERT INTO roles (id, name) VALUES ('f1', 's')")
    plan = shop.declare(role("s", previously=["r"]), role("x")).plan()
    assert (plan.changes, findings(plan)) == ((), {("role/s", "exists")})


def test_renamed_by_hand_is_renamed_back(shop):
    """With what is named after it, by native id."""
    shop.declare(role("r"), nhi("a", "r")).converge()
    before = shop.rows()
    shop.sql("UPDATE identities SET name = 'zzz'")
    plan = shop.plan()
    assert (actions(plan), plan.findings) == ({("identity/a", "update"), ("grant/a:r", "update")}, ())
    shop.converge()
    assert {t: set(rows) for t, rows in shop.rows().items()} == {t: set(rows) for t, rows in before.items()}


def test_native_names_that_change_hands(shop):
    """A name that another object gives up in the same plan: nothing is renamed on top of it, and it converges."""
    shop.declare(role("a", nativeName="x"), role("b", nativeName="y"), nhi("n", "a", "b")).converge()
    shop.declare(role("a", nativeName="y"), role("b", nativeName="z"), nhi("n", "a", "b")).converge()
    assert shop.names("roles") == ["y", "z"]


def test_partial_plan_says_so_and_removes_nothing_outside(shop):
    """`--target` of one NHI: its role comes along, other removals do not."""
    shop.declare(role("r"), role("old"), nhi("a")).converge()
    plan = shop.declare(role("r"), role("s"), nhi("a", "s"), nhi("b")).plan(selection={"targets": ["nhi/a"]})
    assert actions(plan) == {("role/s", "create"), ("grant/a:s", "create")}
    assert plan.partial == {"targets": ["nhi/a"]}
    assert plan.digest != shop.plan().digest


def test_excluded_is_not_brought_along(shop):
    """What depends on it is blocked rather than carried out without it."""
    plan = shop.declare(role("r"), role("s"), nhi("a", "r", "s")).plan(selection={"excludes": ["role/r"]})
    assert "role/r" not in {a for a, _ in actions(plan)}
    assert findings(plan) == {("grant/a:r", "blocked")}


def test_partial_plan_by_label_removes_nothing(shop):
    """Nobody knows the labels of what is not declared."""
    shop.declare(role("r"), nhi("a", labels={"zone": "eu"}), nhi("b", labels={"zone": "eu"})).converge()
    plan = shop.declare(role("r"), nhi("a", "r", labels={"zone": "eu"})).plan(selection={"selectors": ["zone=eu"]})
    assert actions(plan) == {("grant/a:r", "create")}


def test_unreadable_target_plans_nothing(shop):
    """Unknown is not empty."""
    shop.declare(role("r")).converge()
    (shop.root / "directory.db").write_bytes(b"not a database, " * 100)
    plan = shop.declare().plan()
    assert (plan.changes, plan.findings) == ((), ())
    assert set(plan.unreadable) == {"directory"}


def test_a_role_that_loses_everything_shows_what_each_user_loses(shop):
    """Indirect access deltas, and the risk of the role's change is theirs."""
    shop.declare(role("r", "read", "write"), nhi("a", "r"), nhi("b", "r")).converge()
    plan = shop.declare(role("r", "read"), nhi("a", "r"), nhi("b", "r")).plan()
    assert [(d.subject, d.direct, [p.action for p in d.lost]) for d in plan.access] == [
        ("nhi/a", False, ["write"]),
        ("nhi/b", False, ["write"]),
    ]
    assert [c.risk for c in plan.changes] == [Direction.NARROWER]


def test_handling_alone_changes_no_object(shop):
    """Recorded, and the directory's bytes stay the same."""
    shop.declare(role("r"), nhi("a", "r")).converge()
    before = shop.rows()
    plan = shop.declare(role("r"), nhi("a", "r", lifecycle={"onRemove": "delete"})).plan()
    assert [(c.action, [f.path for f in c.fields]) for c in plan.changes if c.address.kind == "identity"] == [
        (Action.UPDATE, ["handling.onRemove"])
    ]
    shop.converge()
    assert shop.rows() == before


def test_expired_grant_goes_and_expired_nhi_is_off(shop):
    """By the date alone."""
    manifests = role("r"), nhi("a", "r", lifecycle={"expires": "2026-12-01"}), nhi("b")
    shop.declare(*manifests).converge()
    plan = shop.later(days=30).plan()
    assert actions(plan) == {("grant/a:r", "delete"), ("identity/a", "update")}
    shop.converge()


def test_saved_plan_round_trip(shop):
    """JSON and back is the same plan, with the same digest."""
    plan = shop.declare(role("r"), nhi("a", "r")).plan()
    again = loads(dumps(plan))
    assert (again, again.digest) == (plan, digest_of(again))
    assert dt.datetime.fromisoformat(plan.expires) > shop.now
