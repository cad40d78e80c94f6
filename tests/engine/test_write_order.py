"""The order in which intent, change and outcome reach the disk, seen from the kernel."""

from __future__ import annotations

import pytest

from tests.engine.trace import Call, calls, judge, needs_strace, recorded
from tests.support import Shop, nhi, role

_RUN = "; from nhictl.cli.app import run; sys.exit(run(sys.argv[1:]))"
NO_SYNC = f"import os, sys; os.fsync = lambda _handle: None{_RUN}"
ACT_FIRST = f"""
import sys
import nhictl.engine.execute as execute
class Late:
    def __init__(self, writer): self.writer, self.held = writer, {{}}
    def append(self, kind, data):
        if kind == "intent":
            self.held[data["op"]] = data
            return None
        if kind == "outcome":
            self.writer.append("intent", self.held.pop(data["op"]))
        return self.writer.append(kind, data)
plain = execute.execute
def late(plan, targets, run):
    from dataclasses import replace
    return plain(plan, targets, replace(run, writer=Late(run.writer)))
import nhictl.engine.apply as apply
apply.execute = late
{_RUN.removeprefix("; ")}
"""


@pytest.fixture
def shop(tmp_path):
    """A workspace with creates, updates, deletes and a disable to do, its directory made already."""
    needs_strace()
    made = Shop(tmp_path / "shop").declare(role("r"), role("old"), nhi("a", "r"), nhi("b", "r"))
    return made.converge().declare(role("r", "write"), role("new"), nhi("a", "r", "new"))


def test_intent_is_on_disk_before_the_change_and_the_outcome_is_written_after_it(shop):
    """For every change of a real apply."""
    expected = len(shop.plan().changes)
    trace = recorded(shop.root)
    assert judge(trace) == expected == 6
    assert any(c.file == "directory" for c in trace)


@pytest.mark.parametrize(
    ("program", "message"), [(NO_SYNC, "before the intent is on disk"), (ACT_FIRST, "without an open intent")]
)
def test_the_judge_sees_a_missing_sync_and_an_act_before_its_intent(shop, program, message):
    """Seeded defects, through the same trace."""
    with pytest.raises(AssertionError, match=message):
        judge(recorded(shop.root, program))


INTENT, OUTCOME = Call("write", "log", ("intent",)), Call("write", "log", ("outcome",))
LOG_SYNC, WRITE, SYNC = Call("sync", "log"), Call("write", "directory"), Call("sync", "directory")


@pytest.mark.parametrize(
    "trace",
    [
        [INTENT, WRITE, LOG_SYNC, SYNC, OUTCOME, LOG_SYNC],
        [WRITE, SYNC, INTENT, LOG_SYNC, OUTCOME, LOG_SYNC],
        [INTENT, LOG_SYNC, WRITE, OUTCOME, LOG_SYNC, SYNC],
        [INTENT, LOG_SYNC, OUTCOME, LOG_SYNC, WRITE, SYNC],
        [INTENT, LOG_SYNC, WRITE, SYNC],
    ],
    ids=["late sync", "late intent", "early outcome", "act after outcome", "no outcome"],
)
def test_the_judge_refuses_every_wrong_order(trace):
    """Without strace."""
    with pytest.raises(AssertionError):
        judge(trace)


def test_the_judge_accepts_the_right_order():
    """Twice in a row."""
    assert judge([INTENT, LOG_SYNC, WRITE, WRITE, SYNC, OUTCOME, LOG_SYNC] * 2) == 2


def test_lines_of_strace_are_understood():
    """The shapes that occur: with data, without, and on other files."""
    lines = [
        r'12 write(5</w/log.jsonl>, "{\"type\":\"intent\"}\n", 18) = 18',
        "12 fsync(5</w/log.jsonl>) = 0",
        r'12 pwrite64(4</w/directory.db-journal>, "\0\0", 2, 0) = 2',
        "12 fdatasync(4</w/directory.db>) = 0",
        r'12 write(1</dev/null>, "x", 1) = 1',
        "12 +++ exited with 0 +++",
    ]
    assert [*calls(lines)] == [INTENT, LOG_SYNC, WRITE, SYNC]
