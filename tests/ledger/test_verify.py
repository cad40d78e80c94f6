"""Finding every way in which a log was tampered with."""

import dataclasses
import io

import pytest

from nhictl.ledger import Head
from nhictl.ledger.chain import EMPTY, EntryType, compose, encode, split, stamp
from nhictl.ledger.verify import Audit, verify, verify_lines

_LOCK = {"command": "apply", "ttl": 60, "host": "h", "pid": 1, "birth": ""}


def log(*items, start=EMPTY):
    """Return raw lines of (type, data, run, minute) items with defaults, chained."""
    head, lines = start, []
    for kind, data, *rest in items:
        run, minute = (*rest, *("r1", 0)[len(rest) :])
        time = f"2026-11-22T10:{minute:02d}:00.000Z"
        raw = compose(head, EntryType(kind), data=encode(data), time=time, by=stamp(run, {"name": "a"}))
        head = split(raw).head
        lines.append(raw + b"\n")
    return lines


GENESIS = ("genesis", {"workspace": "w", "environment": "e"})
LOCK = ("lock", _LOCK)


def problems(lines, anchor=None):
    return [(problem.level, problem.code, problem.seq) for problem in verify_lines(lines, Audit("w", "e", anchor))]


def test_an_orderly_log_has_no_problem():
    """Runs, operations, a takeover after expiry and a break are all in order."""
    lines = log(
        GENESIS, LOCK, ("intent", {"op": "1"}), ("outcome", {"op": "1", "status": "indeterminate"}),
        ("outcome", {"op": "1", "status": "applied"}), ("unlock", {}),
        ("lock", _LOCK, "r2"), ("lock", {**_LOCK, "host": "other", "supersedes": 6}, "r3", 1),
        ("lock_break", {"reason": "x"}, "r4", 1), ("recovered", {"bytes": 1}, "r4", 1), ("lock", _LOCK, "r5", 2),
    )  # fmt: skip
    assert problems(lines) == []


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([LOCK], ("error", "genesis", 0)),
        ([GENESIS, GENESIS], ("error", "genesis", 1)),
        ([("genesis", {"workspace": "x", "environment": "e"})], ("error", "genesis", 0)),
        ([GENESIS, ("plan", {})], ("error", "lock", 1)),
        ([GENESIS, LOCK, ("plan", {}, "r2")], ("error", "lock", 2)),
        ([GENESIS, LOCK, ("unlock", {}, "r2")], ("error", "lock", 2)),
        ([GENESIS, LOCK, ("unlock", {}), ("plan", {})], ("error", "lock", 3)),
        ([GENESIS, LOCK, ("lock", _LOCK, "r2")], ("error", "lock", 2)),
        ([GENESIS, LOCK, ("lock", {**_LOCK, "host": "x", "supersedes": 1}, "r2")], ("error", "lock", 2)),
        ([GENESIS, LOCK, ("lock_break", {}, "r2"), ("plan", {})], ("error", "lock", 3)),
        ([GENESIS, ("lock", {"ttl": "x"})], ("error", "lock", 1)),
        ([GENESIS, LOCK, ("recovered", {}, "r2")], ("error", "lock", 2)),
        ([GENESIS, LOCK, ("outcome", {"op": "1", "status": "applied"})], ("error", "operation", 2)),
        ([GENESIS, LOCK, ("intent", {})], ("error", "operation", 2)),
        ([GENESIS, LOCK, ("checkpoint", {"size": 2, "root": "0" * 64, "range": []})], ("error", "checkpoint", 2)),
        ([GENESIS, ("lock", _LOCK, "r1", 5), ("plan", {}, "r1", 4)], ("warning", "time", 2)),
        ([GENESIS, LOCK, ("intent", {"op": "1"})], ("info", "unknown", -1)),
    ],
)
def test_what_should_not_be_is_found(items, expected):
    """Each break of an invariant gives exactly its own problem."""
    assert problems(log(*items)) == [expected]


def test_an_operation_ends_once():
    """A second intent and a second end of one operation are errors."""
    end = ("outcome", {"op": "1", "status": "applied"})
    found = problems(log(GENESIS, LOCK, ("intent", {"op": "1"}), ("intent", {"op": "1"}), end, end))
    assert found == [("error", "operation", 3), ("error", "operation", 5)]


@pytest.mark.parametrize(
    "edit",
    [
        lambda raw: raw.replace(b'"data":{}', b'"data": {}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":{"b":1,"a":1}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":{"a":1,"a":1}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":{"a":1.0}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":{"a":"\\u0041"}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":{"a":"\\ud800"}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":{"a":9007199254740993}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":{"a":-0}'),
        lambda raw: raw.replace(b'"data":{}', b'"data":' + b'{"a":' * 5000 + b"1" + b"}" * 5000),
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b" " + raw,
        lambda raw: raw.replace(b"T10:", b"T99:"),
        lambda raw: raw.replace(b'"plan"', b'"wish"'),
        lambda raw: raw.replace(b'"v":1', b'"v":2'),
        lambda raw: b"\n",
        lambda raw: b"\xff\n",
    ],
)
def test_a_line_must_be_canonical(edit):
    """A last line that says the same in another form, or nothing, is found even where no chain covers it."""
    lines = log(GENESIS, LOCK, ("plan", {}))
    lines[-1] = edit(lines[-1])
    assert problems(lines)[0] == ("error", "form", 2)


def test_an_anchor_shows_a_cut_tail_and_a_fork():
    """Against a head seen before, a shorter log and one with another history are errors."""
    lines = log(GENESIS, LOCK, ("plan", {}), ("unlock", {}))
    anchor = split(lines[3][:-1]).head
    fork = lines[:2] + log(("plan", {"x": 1}), ("unlock", {}), start=split(lines[1][:-1]).head)
    assert problems(lines, anchor) == []
    assert problems(lines[:2], anchor) == [("error", "cut", -1)]
    assert problems(fork, anchor) == [("error", "fork", 3)]
    assert problems(fork) == []


def written(ledger, count):
    """Write a ledger of `count` entries as runs do."""
    with ledger.lock("apply") as writer:
        for number in range((count - 4) // 2):
            data = {"op": str(number), "address": f"aws/role/r{number}", "subject": f"nhi/ü{number}", "n": number}
            writer.append_many([("intent", data), ("outcome", {"op": str(number), "status": "applied"})])
    return ledger.head()


def resume(states, lines, at):
    """Return what is wrong with `lines` from `at` on, up to the first problem, given the state before them."""
    known = states[at]
    audit = dataclasses.replace(known, operations=dict(known.operations))
    for line in lines:
        found = audit.check(line)
        if found:
            return found
    return audit.finish()


def test_every_flipped_byte_is_found(ledger, log_path):
    """Any byte of a 200-entry ledger changed in its lowest bit, to a newline or, where it was one, away, is found.

    Lines before the changed one are the same, so that verification goes on from there.
    """
    head = written(ledger, 200)
    assert head.seq == 199
    raw = log_path.read_bytes()
    lines = raw.splitlines(keepends=True)
    audit, states, offsets, at = Audit("shop", "prod", head), [], [], 0
    for line in lines:
        states.append(dataclasses.replace(audit, operations=dict(audit.operations)))
        offsets.append(at)
        at += len(line)
        assert audit.check(line) == []
    missed = []
    for number, start in enumerate(offsets):
        rest = raw[start : offsets[number + 3] if number + 3 < len(lines) else len(raw)]
        for place in range(len(lines[number])):
            for other in {rest[place] ^ 1, rest[place] ^ 0x20, 10} - {rest[place]}:
                flipped = rest[:place] + bytes([other]) + rest[place + 1 :]
                if not resume(states, io.BytesIO(flipped).readlines(), number):
                    missed.append((start + place, other))
    assert missed == []


@pytest.mark.parametrize("place", [0, 700, 5000, -2, -1])
def test_a_flip_is_found_by_the_whole_verification_and_stops_reading(ledger, log_path, place):
    """What the command runs finds it too, and, but for the very last line, so does every reader."""
    head = written(ledger, 40)
    raw = bytearray(log_path.read_bytes())
    raw[place] ^= 1
    log_path.write_bytes(raw)
    assert [problem for problem in verify(ledger, head) if problem.level != "info"]


def test_verify_reports_a_torn_tail_as_a_warning(ledger, log_path):
    """A crash while appending is no tampering, but it is said."""
    written(ledger, 10)
    log_path.write_bytes(log_path.read_bytes()[:-5])
    assert [(problem.level, problem.code) for problem in verify(ledger)] == [("warning", "torn")]


def test_lines_removed_inserted_doubled_or_swapped_are_found(ledger, log_path):
    """Every single deletion, duplication and swap of neighbours in a real log is found."""
    head = written(ledger, 30)
    lines = log_path.read_bytes().splitlines(keepends=True)
    for at in range(len(lines)):
        for damaged in (
            lines[:at] + lines[at + 1 :],
            lines[: at + 1] + lines[at:],
            [*lines[:at], *reversed(lines[at : at + 2]), *lines[at + 2 :]] if at + 1 < len(lines) else [],
        ):
            assert [one for one in verify_lines(damaged, Audit("shop", "prod", head)) if one.level != "info"]


def test_the_anchor_of_an_empty_log_is_nothing():
    """Nothing recorded, nothing wrong."""
    assert problems([], Head(-1, "0" * 64)) == []


def test_an_edit_is_found_without_an_anchor():
    """A canonical edit in the middle breaks the chain at the next line."""
    lines = log(GENESIS, LOCK, ("plan", {"n": 1}), ("unlock", {}))
    lines[2] = lines[2].replace(b'"n":1', b'"n":2')
    assert problems(lines) == [("error", "chain", 3)]


def test_a_gap_in_the_sequence_is_found():
    """A chained line with another number than the next is an error."""
    lines = log(GENESIS, LOCK)
    head = split(lines[1][:-1]).head
    lines += log(("plan", {}), start=Head(head.seq + 1, head.hash))
    assert problems(lines) == [("error", "sequence", 2)]


def test_an_entry_with_something_after_it_is_no_torn_tail():
    """An overwritten last newline is damage, not a crash."""
    lines = log(GENESIS, LOCK)
    assert problems([lines[0], lines[1][:-1] + b"x"]) == [("error", "form", 1)]
