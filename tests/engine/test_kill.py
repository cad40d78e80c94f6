"""kill -9 at every failpoint of an apply, at each of its hits: the next apply converges and nothing is lost or doubled.

CI kills at every point of three workspaces, with and without torn ledger lines, some applies twice; NHICTL_LONG=1 adds
a thousand random series of kills.
"""

from __future__ import annotations

import os
import random
import shutil

import pytest

from nhictl.failpoints import NAMES
from tests.engine.crash import SCENARIOS, copied, killed, native_ids, objects, settled, tear, world

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module", params=SCENARIOS)
def case(request, tmp_path_factory):
    """One scenario: its workspace, what an undisturbed apply makes of it, and the native ids that survive that."""
    root = tmp_path_factory.mktemp(request.param)
    shop = world(root / "first" / "shop", request.param)
    before = set(native_ids(shop))
    undisturbed = copied(shop, root / "undisturbed" / "shop")
    assert not killed(undisturbed)
    expected = objects(undisturbed)
    settled(undisturbed, expected)
    return shop, expected, before & set(native_ids(undisturbed))


def kill_at_each_hit(case, root, point, *, lost=None, again=""):
    """Kill a fresh copy at hit 1, 2, ... of `point` until it runs through; judge each. Return the number of kills."""
    shop, expected, survivors = case
    hit = 0
    while True:
        hit += 1
        one = copied(shop, root / "shop")
        done = not killed(one, f"{point}:{hit}")
        if done:
            settled(one, expected, survivors)
        else:
            if lost is not None:
                tear(one, lost(hit))
            if again:
                killed(one, again)
            assert not killed(one)
            settled(one, expected, survivors)
        shutil.rmtree(root / "shop")
        if done:
            return hit - 1


def least_kills(point, changes):
    """Return how often an apply of `changes` changes passes `point` at least; one of them may be recorded only."""
    match point:
        case "before-intent" | "after-intent" | "after-call" | "after-outcome":
            return changes
        case "before-commit" | "after-commit":
            return changes - 1
        case "before-sync":
            return 2 * changes
    return 0 if point.endswith("-recovery") else 1


@pytest.mark.parametrize("point", NAMES)
def test_killed_at_every_hit_of_every_point(case, tmp_path, point):
    """The next apply converges; the ledger verifies; every object is there once, under its recorded native id."""
    kills = kill_at_each_hit(case, tmp_path, point)
    assert kills >= least_kills(point, len(case[0].plan().changes))


def test_a_usual_run_kills_more_than_two_hundred_times(tmp_path):
    """The floors asserted above add up to what a usual run promises."""
    changes = [len(world(tmp_path / name / "shop", name).plan().changes) for name in SCENARIOS]
    assert sum(least_kills(point, count) for point in NAMES for count in changes) >= 200


def only_small(case) -> None:
    """Outside the long run the smallest workspace is enough for variations."""
    if not os.environ.get("NHICTL_LONG") and len(case[0].tree()) > 6:
        pytest.skip("in the long run only")


@pytest.mark.parametrize("lost", [1, 40, 10**6], ids=["newline", "part", "line"])
def test_killed_before_the_ledger_is_synced_and_the_line_is_torn(case, tmp_path, lost):
    """What was written but not synced may be gone or torn after a power cut; nobody acted on it."""
    only_small(case)
    assert kill_at_each_hit(case, tmp_path, "before-sync", lost=lambda _hit: lost) > 5


@pytest.mark.parametrize("again", ["before-recovery", "after-recovery", "after-lock", "before-sync:2"])
@pytest.mark.parametrize("point", ["after-intent", "after-call"])
def test_killed_again_while_recovering(case, tmp_path, point, again):
    """A second death during recovery changes nothing."""
    only_small(case)
    assert kill_at_each_hit(case, tmp_path, point, again=again) > 1


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("NHICTL_LONG"), reason="set NHICTL_LONG=1")
@pytest.mark.parametrize("seed", range(20))
def test_random_series_of_kills(case, tmp_path, seed):
    """Up to five deaths in a row, anywhere."""
    shop, expected, survivors = case
    dice = random.Random(seed)
    for number in range(17):
        one = copied(shop, tmp_path / str(number) / "shop")
        for _ in range(dice.randint(1, 5)):
            point = dice.choice(NAMES)
            if killed(one, f"{point}:{dice.randint(1, 12)}") and point == "before-sync":
                tear(one, dice.randint(0, 200))
        assert not killed(one)
        settled(one, expected, survivors)
        shutil.rmtree(tmp_path / str(number))
