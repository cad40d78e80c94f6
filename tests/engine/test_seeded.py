"""The judges see what they are there for: each seeded defect, put in by hand, is caught by the check the tests use."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from nhictl.engine import execute, prepare, recover
from nhictl.ledger import file as ledger_file
from nhictl.ledger import ledger as ledger_module
from nhictl.model import NhictlError, Outcome, Status
from tests.engine.crash import copied, killed, objects, settled, tear, world

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def lost_reply_means_not_applied(patch):
    patch.setattr(recover, "look", lambda *_: Outcome(Status.NOT_APPLIED))


def lost_reply_means_applied(patch):
    patch.setattr(recover, "look", lambda *_: Outcome(Status.APPLIED, native_id="guessed"))


def no_recovery(patch):
    patch.setattr(prepare, "fold", lambda entries: prepare.replace(_fold(entries), unresolved=()))


_fold = prepare.fold


def act_before_intent(patch):
    plain = execute._State.carry_out

    def act_first(self, change):
        operation = execute.Operation(f"{self.run.name}-{self.numbers[change.address]}", self.run.owner)
        at = self.targets[change.address.target]
        execute._call(change, operation, at, self.run)
        return plain(self, change)

    patch.setattr(execute._State, "carry_out", act_first)


def torn_tail_kept(patch):
    plain = ledger_file._write

    def keep(handle, tail, lines):
        return plain(handle, ledger_file.Tail(tail.head, tail.last, tail.end), lines)

    patch.setattr(ledger_file, "_write", keep)
    patch.setattr(ledger_module, "_recovery", lambda _found: [])


def healthy(_patch):
    return None


def story(root, seed, point, *, torn=0):
    """Kill an apply at `point`, apply again, and judge; `seed` puts a defect in for all of it."""
    shop = world(root / "one" / "shop", "create")
    undisturbed = copied(shop, root / "two" / "shop")
    assert not killed(undisturbed)
    expected = objects(undisturbed)
    with pytest.MonkeyPatch.context() as patch:
        seed(patch)
        if killed(shop, point) and torn:
            tear(shop, torn)
        for _ in range(2):
            killed(shop)
    shop.now = dt.datetime.now(dt.UTC)
    settled(shop, expected)


CASES = [
    (lost_reply_means_not_applied, "after-call:2", 0),
    (lost_reply_means_applied, "after-intent:2", 0),
    (no_recovery, "after-call:2", 0),
    (act_before_intent, "before-intent:2", 0),
    (torn_tail_kept, "before-sync:4", 30),
]


@pytest.mark.parametrize(("seed", "point", "torn"), CASES, ids=lambda v: getattr(v, "__name__", None))
def test_a_seeded_defect_is_caught(tmp_path, seed, point, torn):
    """The same story fails with the defect ..."""
    with pytest.raises((AssertionError, NhictlError, ValueError)):
        story(tmp_path, seed, point, torn=torn)


@pytest.mark.parametrize(("seed", "point", "torn"), CASES, ids=lambda v: getattr(v, "__name__", None))
def test_the_same_story_without_the_defect_is_fine(tmp_path, seed, point, torn):
    """... and passes without it."""
    story(tmp_path, healthy, point, torn=torn)
