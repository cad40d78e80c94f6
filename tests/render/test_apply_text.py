"""The end of an apply, by name."""

import json

import pytest

from nhictl.model import Action, Address, Change, Receipt, Status
from nhictl.render import apply_text, events
from nhictl.render.text import Style


def _receipt(name: str, status: Status, detail: str = "") -> Receipt:
    return Receipt(
        Change(Address("aws-prod", "iam-role", name), Action.CREATE, f"nhi/{name}", ""), status, detail, "op-1"
    )


RECEIPTS = [
    _receipt("a", Status.APPLIED),
    _receipt("b", Status.FAILED, "AccessDenied\x1b"),
    _receipt("c", Status.NOT_APPLIED),
    _receipt("d", Status.SKIPPED, "waits for aws-prod/iam-role/b"),
    _receipt("e", Status.INDETERMINATE),
]


def test_one_line_per_finished_change():
    """Word, address, time and why, on one line."""
    assert apply_text.line(RECEIPTS[0], 0.31, Style()) == "applied   aws-prod/iam-role/a (0.3s)"
    assert apply_text.line(RECEIPTS[1], 2, Style()) == r"failed    aws-prod/iam-role/b (2.0s): AccessDenied\u{1b}"


def test_the_result_lists_every_change_by_name(golden):
    """Golden closing list: applied, failed, skipped, unknown, then counts."""
    golden("apply.txt", apply_text.result(RECEIPTS, Style(), stopped="interrupted"))


def test_many_skipped_for_one_reason_are_a_number():
    """An interrupted run is not a list of everything that was left; -v shows it."""
    left = [_receipt(f"s{n}", Status.SKIPPED, "not started: the run was stopped") for n in range(21)]
    text = apply_text.result([*RECEIPTS, *left], Style())
    assert "  21 changes: not started: the run was stopped; -v shows them" in text
    assert "iam-role/d" in text
    assert "iam-role/s3" not in text
    assert "iam-role/s3" in apply_text.result([*RECEIPTS, *left], Style(verbose=1))
    assert "iam-role/s3" in apply_text.result([*RECEIPTS, *left[:20]], Style())


def test_the_json_result_holds_the_same():
    """Counts and statuses agree with the text; unknown is never failed."""
    data = json.loads(apply_text.render_json(RECEIPTS, plan="sha256:1", run="r1", exit_code=7))
    assert data["counts"] == {"applied": 1, "failed": 2, "skipped": 1, "unknown": 1}
    assert [c["status"] for c in data["changes"]] == ["applied", "failed", "failed", "skipped", "unknown"]
    assert data["exit"] == 7


def test_events_have_exactly_the_documented_keys(ten):
    """Each kind of event carries what EVENTS says, and is one line."""
    made = [
        events.plan_event(ten, "t", "r"),
        events.event("lock", "t", "r", state="taken", holder="me"),
        events.intent_event(RECEIPTS[0].change, "t", "r"),
        events.outcome_event(RECEIPTS[1], "t", "r", seconds=0.5),
        events.summary_event(RECEIPTS, "t", "r", exit_code=7),
    ]
    assert {e["event"] for e in made} == set(events.EVENTS)
    for one in made:
        assert list(one) == ["event", "time", "run", *events.EVENTS[one["event"]]]
        line = events.jsonl(one)
        assert json.loads(line) == one
        assert line.isprintable()


def test_an_undocumented_key_is_refused():
    """Keys are a contract."""
    with pytest.raises(ValueError, match="event lock has keys"):
        events.event("lock", "t", "r", state="x", secret="y")
