"""Applying what was shown, under the lock, within the limits."""

import pytest

from nhictl.engine import apply as applying
from nhictl.engine.prepare import prepare
from nhictl.model import LedgerError, LockHeld, SafetyStop, StalePlan
from tests.support import Shop, nhi, role


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop").declare(role("r"), nhi("a", "r"))


def test_nothing_to_do_writes_nothing(shop):
    """No lock, no entry, no byte."""
    shop.converge()
    before = shop.tree()
    assert shop.apply().receipts == ()
    assert shop.tree() == before


def test_a_violated_limit_stops_before_the_lock(shop):
    """Nothing recorded, nothing changed; the digest of exactly this plan lifts it, and that is recorded."""
    shop.settings = {"deletePercent": 1, "deleteMax": 1}
    roles = [role(f"r{i}") for i in range(4)]
    shop.declare(*roles, nhi("a")).converge()
    shop.declare(nhi("a"))
    before = shop.tree()
    for override in ("", "sha256:0"):
        with pytest.raises(SafetyStop, match="delete-limit"):
            shop.apply(override=override)
    assert shop.tree() == before
    digest = shop.plan().digest
    shop.apply(override=digest)
    assert shop.names("roles") == []
    entry = shop.entries("plan")[-1].data
    assert entry["override"] == digest
    assert entry["overridden"][0].startswith("delete-limit")


def test_a_protection_is_refused_even_when_nothing_else_is_planned(shop):
    """Not a success."""
    shop.declare(role("r"), nhi("a", protect=True)).converge()
    shop.declare(role("r"))
    assert shop.plan().changes == ()
    with pytest.raises(SafetyStop, match="protected"):
        shop.apply(override=shop.plan().digest)


def test_somebody_else_applied_meanwhile(shop):
    """What was shown is not what would be done now: refused under the lock."""
    with shop.opened(write=True) as (request, targets, ledger):
        shown = prepare(request, (), targets)
        shop.apply()
        with pytest.raises(StalePlan):
            applying.carry_out(request, ledger, targets, shown, order=applying.Order("late", shown.plan.digest))
    assert [e.run for e in shop.entries("intent")] == ["run-2"] * 3


def test_a_held_lock_refuses(shop):
    """The other run goes on undisturbed."""
    with shop.opened(write=True) as (request, targets, ledger):
        made = prepare(request, (), targets)
        with shop.opened(write=True) as (_, _, other), other.lock("test"), pytest.raises(LockHeld):
            applying.carry_out(request, ledger, targets, made, order=applying.Order("x", made.plan.digest))
    assert shop.rows() in ({}, {t: {} for t in ("identities", "roles", "connections", "grants")})


def test_a_ledger_that_cannot_be_written_changes_nothing(shop):
    """Not one call."""
    shop.converge()
    rows = shop.rows()
    shop.declare(role("r", "write"), nhi("a", "r"))
    log = shop.root / ".nhictl/ledger/test/log.jsonl"
    log.chmod(0o666)
    with pytest.raises(LedgerError):
        shop.apply()
    log.chmod(0o600)
    assert shop.rows() == rows


def test_a_damaged_ledger_changes_nothing(shop):
    """Who cannot read what was done may not act."""
    shop.converge()
    rows = shop.rows()
    shop.declare(role("r", "write"), nhi("a", "r"))
    log = shop.root / ".nhictl/ledger/test/log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"role/r"', b'"role/q"', 1))
    with pytest.raises(LedgerError):
        shop.apply()
    assert shop.rows() == rows
