"""Giving an object up without touching it."""

import pytest

from nhictl.engine.forget import forget
from nhictl.model import NhictlError
from tests.engine.crash import killed
from tests.support import Shop, nhi, role

AT = "directory/role/r"


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop").declare(role("r"), nhi("a")).converge()


def give_up(shop, text=AT):
    with shop.opened(write=True) as (_, _, ledger):
        return forget(ledger, text, "handed over")


def test_recorded_and_nothing_touched(shop):
    """The directory's bytes stay; the reason is in the ledger; no plan removes it, and it is no orphan."""
    before = (shop.root / "directory.db").read_bytes()
    give_up(shop)
    assert (shop.root / "directory.db").read_bytes() == before
    outcome = shop.entries("outcome")[-1].data
    assert (outcome["action"], outcome["status"]) == ("forget", "applied")
    assert shop.entries("intent")[-1].data["reason"] == "handed over"
    plan = shop.declare(nhi("a")).plan()
    assert (plan.changes, plan.findings) == ((), ())


@pytest.mark.parametrize("text", ["nonsense", "directory/role/x", "role/x"])
def test_what_is_not_managed_is_refused(shop, text):
    """And nothing is recorded about it."""
    with pytest.raises(NhictlError, match=text):
        give_up(shop, text)
    assert [e for e in shop.entries("intent") if e.data["action"] == "forget"] == []


def test_an_unknown_outcome_is_settled_first(shop):
    """Nobody may act at an address before reading tells how the last operation ended."""
    shop.declare(role("r", "write"), nhi("a"))
    assert killed(shop, "after-intent", lambda: shop.apply() and 0)
    shop.runs += 1
    with pytest.raises(NhictlError, match="unknown outcome"):
        give_up(shop)
