"""A saved plan is applied exactly, or refused with what differs."""

from dataclasses import replace

import pytest

from nhictl.engine.approved import require_digest
from nhictl.model import Exit, Identity, StalePlan
from tests.engine.crash import killed
from tests.engine.shaky import by_name
from tests.support import Shop, nhi, role


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop").declare(role("r"), nhi("a", "r"))


def refused(shop, plan, *parts):
    rows, entries = shop.rows(), len(shop.entries())
    with pytest.raises(StalePlan) as caught:
        shop.apply(approved=plan)
    assert caught.value.exit == Exit.STALE
    for part in parts:
        assert part in caught.value.message
    assert (shop.rows(), len(shop.entries())) == (rows, entries)


def test_applied_exactly_and_recorded_with_its_digest(shop):
    """The digest that was approved is in the ledger."""
    plan = shop.plan()
    assert set(dict(by_name(shop.apply(approved=plan))).values()) == {"applied"}
    assert shop.entries("plan")[0].data["approved"] == plan.digest


def test_applied_twice_is_harmless(shop):
    """What is in effect already is not done again."""
    plan = shop.plan()
    shop.apply(approved=plan)
    assert shop.apply(approved=plan).receipts == ()


@pytest.mark.parametrize("point", ["after-intent:2", "after-call:2", "after-outcome:2"])
def test_goes_on_after_a_crash(shop, point):
    """The rest of an approved plan may be applied."""
    plan = shop.plan()
    assert killed(shop, point, lambda: shop.apply(approved=plan) and 0)
    shop.runs += 1
    shop.apply(approved=plan)
    assert shop.pending() == []


def test_another_change_in_the_manifests_is_refused(shop):
    """Approved and current are shown, both ways."""
    plan = shop.plan()
    shop.declare(role("r", "write"), nhi("a", "r"), nhi("b"))
    refused(shop, plan, "directory/identity/b: approved nothing, current create", "directory/role/r: approved create")


def test_a_change_that_is_gone_is_refused(shop):
    """What was approved is not dropped in silence."""
    plan = shop.plan()
    refused(shop.declare(role("r")), plan, "directory/identity/a: approved create, current nothing")


def test_a_change_behind_the_back_is_refused(shop):
    """The object is not as it was when approved, although the same update would do."""
    shop.converge()
    plan = shop.declare(role("r", "write"), nhi("a", "r")).plan()
    shop.sql("UPDATE roles SET description = 'theirs'")
    refused(shop, plan, "directory/role/r: approved update")


def test_made_true_by_somebody_else_is_in_effect(shop):
    """A no-op may stand in for an update, and a delete that happened for a delete."""
    shop.converge()
    plan = shop.declare(role("r"), nhi("a")).plan()
    shop.apply()
    assert shop.apply(approved=plan).receipts == ()


def test_a_change_that_something_stands_in_the_way_of_is_refused(shop):
    """One that is blocked now is not in effect: the others are not made without it."""
    shop.declare(role("r"), nhi("a", "r"), nhi("b")).converge()
    plan = shop.declare(role("r", "write"), nhi("a", "r"), nhi("b", purpose="Another")).plan()
    shop.sql("UPDATE identities SET id = 'made-again' WHERE name = 'b'")
    refused(shop, plan, "directory/identity/b: approved update, current nothing")


def test_protection_that_was_taken_back_is_not_in_effect(shop):
    """Attributes alone are not the change: an approved handling counts."""
    shop.converge()
    plan = shop.declare(role("r"), nhi("a", "r", protect=True)).plan()
    refused(shop.declare(role("r"), nhi("a", "r")), plan, "directory/identity/a: approved update, current nothing")


def test_expired_is_refused(shop):
    """By the plan's own date."""
    plan = shop.plan()
    refused(shop.later(days=365), plan, "expired at")


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"workspace": "other"}, "approved for other/test"),
        ({"environment": "prod"}, "approved for shop/prod"),
        ({"targets": {"directory": Identity("local", "another-account", "x")}}, "approved in another-account"),
        ({"targets": {"gone": Identity("local", "s", "x")}}, "cannot be read now"),
        ({"tool": "0.0.0"}, "approved with nhictl 0.0.0"),
    ],
)
def test_another_frame_is_refused(shop, over, said):
    """Workspace, environment, account and tool are part of what was approved."""
    refused(shop, replace(shop.plan(), **over), said)


def test_the_digest_alone_can_be_demanded(shop):
    """Both digests are shown."""
    plan = shop.plan()
    require_digest(plan.digest, plan)
    with pytest.raises(StalePlan, match="sha256:x") as caught:
        require_digest("sha256:x", plan)
    assert plan.digest in caught.value.message
