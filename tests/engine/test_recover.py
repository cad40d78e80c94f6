"""How operations ended whose outcome nobody recorded."""

import pytest

from nhictl.engine.record import intent_data
from nhictl.engine.recover import intent_change
from nhictl.model import Operation
from tests.engine.crash import killed
from tests.support import Shop, nhi, role

POINTS = ["after-intent", "before-commit", "after-commit", "after-call"]


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path / "shop").declare(role("r"), role("s"), nhi("a", "r"), nhi("b", "r"))
    return made.converge()


def crashed(shop, point):
    assert killed(shop, point, lambda: shop.apply() and 0)
    shop.runs += 1
    return shop


def test_an_intent_says_the_whole_change(shop):
    """What recovery needs comes back from the ledger's data."""
    shop.declare(role("t", previously=["r"]), nhi("a", "t"), nhi("b", lifecycle={"onRemove": "delete"}))
    for change in shop.plan().changes:
        again = intent_change(intent_data(change, Operation("o", "w"), plan="", access=()))
        bare = change.after
        assert (again.address, again.action, again.native_id, again.fingerprint) == (
            change.address, change.action, change.native_id, change.fingerprint,
        )  # fmt: skip
        assert [(f.path, f.added, f.removed) for f in again.fields] == [
            (f.path, f.added, f.removed) for f in change.fields
        ]
        if bare is not None:
            assert again.after.attributes == bare.attributes
            assert (again.after.handling, again.after.depends_on) == (bare.handling, bare.depends_on)
            assert again.after.renamed_from == bare.renamed_from


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    "after",
    [
        (role("r"), role("s"), role("t"), nhi("a", "r"), nhi("b", "r")),
        (role("r", "write"), role("s"), nhi("a", "r"), nhi("b", "r")),
        (role("r"), nhi("a", "r"), nhi("b", "r")),
        (role("r"), role("s"), nhi("a", "r"), nhi("c", "r", previously=["b"])),
        (role("r"), role("s"), nhi("a", "r")),
    ],
    ids=["create", "update", "delete", "rename", "disable"],
)
def test_found_by_reading_and_recorded_as_such(shop, after, point):
    """The read-only plan resolves in memory and writes nothing; apply records what reading told, once."""
    crashed(shop.declare(*after), point)
    entries = len(shop.entries())
    before = shop.tree()
    shop.plan()
    assert (shop.tree(), len(shop.entries())) == (before, entries)
    shop.converge()
    resolved = [e.data for e in shop.entries("outcome") if e.data["resolved"]]
    assert [d["status"] for d in resolved] == ["applied" if point in POINTS[2:] else "not_applied"]


def test_a_delete_is_not_taken_for_done_because_the_object_got_another_name(shop):
    """A grant is named after its NHI: renamed in the same run, it is found by its native id and revoked."""
    shop.declare(role("r"), role("s"), nhi("a", "r"), nhi("c", previously=["b"]))
    plan = [f"{c.action} {c.address.kind}/{c.address.name}" for c in shop.plan().changes]
    assert plan == ["update identity/c", "delete grant/b:r"]
    crashed(shop, "after-intent:2").converge()
    assert len(shop.rows()["grants"]) == 1


def test_settled_although_nothing_else_is_to_do(shop):
    """An apply without changes still records how the last one ended; then nothing is written any more."""
    crashed(shop.declare(role("r"), role("s"), role("t"), nhi("a", "r"), nhi("b", "r")), "after-call")
    assert len(shop.folded().unresolved) == 1
    assert shop.apply().receipts == ()
    assert shop.folded().unresolved == ()
    before = shop.tree()
    shop.apply()
    assert shop.tree() == before


def test_a_target_that_cannot_be_read_keeps_its_unknown(shop):
    """Never a guess."""
    crashed(shop.declare(role("r"), role("s"), role("t"), nhi("a", "r"), nhi("b", "r")), "after-call")
    whole = (shop.root / "directory.db").read_bytes()
    (shop.root / "directory.db").write_bytes(b"x" * 5000)
    assert shop.apply().receipts == ()
    assert len(shop.folded().unresolved) == 1
    (shop.root / "directory.db").write_bytes(whole)
    shop.converge()


def test_a_rename_by_hand_on_top_of_a_killed_rename_converges_at_once(shop):
    """The identity was being renamed, its role is renamed by hand: one apply settles both, the grant is there once."""
    shop.declare(role("r"), role("s"), nhi("c", "r", previously=["a"]), nhi("b", "r"))
    crashed(shop, "before-sync:4")
    shop.sql("UPDATE roles SET name = 'by-hand' WHERE name = 'r'")
    shop.converge()
    assert len(shop.rows()["grants"]) == 2
