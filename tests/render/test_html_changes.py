"""Changes out of ledger entries."""

from __future__ import annotations

from nhictl.model import Entry
from nhictl.render.html_changes import Happened, happened

ACTOR = {"name": "ann"}


def entry(seq: int, kind: str, **data: object) -> Entry:
    return Entry(seq, "", f"2026-11-22T10:00:{seq:02}.000Z", "run", kind, ACTOR, data)


def intent(seq: int, op: str, **data: object) -> Entry:
    return entry(
        seq, "intent", **{"op": op, "address": f"t/k/{op}", "action": "create", "subject": f"nhi/{op}", **data}
    )


def test_an_intent_and_its_outcome_are_one_change():
    """With what set the run off and the way access moved."""
    access = [{"subject": "nhi/a", "direction": "wider"}, {"subject": "nhi/b", "direction": "none"}]
    entries = [
        entry(1, "lock", trigger={"commit": "abc"}), entry(2, "plan", trigger={"pullRequest": "7"}, digest="d"),
        intent(3, "a", reason="declared", access=access), entry(4, "outcome", op="a", status="applied", detail="done"),
    ]  # fmt: skip
    assert happened(entries[::-1]) == (
        Happened(3, "2026-11-22T10:00:03.000Z", "ann", "create", "t/k/a", "nhi/a", "applied", "declared", "done",
                 "abc", "7", ("wider",)),
    )  # fmt: skip


def test_an_intent_without_an_outcome_is_unknown():
    """Never taken for done, nor left out."""
    assert [change.outcome for change in happened([intent(1, "a")])] == ["unknown"]


def test_outcomes_have_the_words_people_know():
    """As in the log; newest first."""
    entries = [intent(1, "a"), intent(2, "b"), entry(3, "outcome", op="a", status="not_applied"),
               entry(4, "outcome", op="b", status="indeterminate")]  # fmt: skip
    assert [(change.seq, change.outcome) for change in happened(entries)] == [(2, "unknown"), (1, "failed")]


def test_an_outcome_of_an_older_intent_is_told_by_itself():
    """What was settled lately is not lost because it began before."""
    found = happened([entry(9, "outcome", op="a", status="applied", address="t/k/a", action="delete", subject="nhi/a")])
    assert [(c.seq, c.action, c.address, c.outcome) for c in found] == [(9, "delete", "t/k/a", "applied")]


def test_other_entries_are_no_changes():
    """Locks, plans and checkpoints change nothing."""
    assert happened([entry(1, "lock"), entry(2, "plan"), entry(3, "checkpoint")]) == ()
