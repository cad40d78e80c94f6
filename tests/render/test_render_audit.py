"""The ledger for people."""

import json
from types import SimpleNamespace

from nhictl.model import Entry
from nhictl.render import audit
from nhictl.render.text import Style

GAINED = {"kind": "allow", "action": "ecs:UpdateService", "resource": "*", "source": "x"}
ENTRIES = [
    Entry(
        4,
        "ab",
        "2026-11-22T00:00:03.5Z",
        "r1",
        "outcome",
        {"name": "alice"},
        {
            "op": "r1-1",
            "address": "aws-prod/iam-role/x",
            "action": "create",
            "subject": "nhi/x",
            "status": "indeterminate",
        },
        "cd",
    ),
    Entry(
        3,
        "aa",
        "2026-11-22T00:00:02Z",
        "r1",
        "intent",
        {"name": "alice", "host": "ci\x1b"},
        {
            "op": "r1-1",
            "plan": "sha256:1",
            "address": "aws-prod/iam-role/x",
            "action": "create",
            "subject": "nhi/x",
            "reason": "declared",
            "before": None,
            "after": {"path": "/nhi/"},
            "fields": [],
            "access": [{"subject": "nhi/x", "direction": "wider", "gained": [GAINED], "lost": []}],
        },
        "ab",
    ),
    Entry(
        2,
        "a9",
        "2026-11-22T00:00:01Z",
        "r1",
        "plan",
        {"name": "alice"},
        {"digest": "sha256:" + "1" * 64, "counts": {"create": 1}},
    ),
    Entry(1, "a8", "2026-11-22T00:00:00Z", "r1", "lock", {"name": "alice"}, {"state": "taken", "ttl": 60}),
]


def _happened(**changed: object) -> SimpleNamespace:
    base = {
        "seq": 3,
        "time": "2026-11-22T00:00:02Z",
        "actor": "alice",
        "action": "create",
        "address": "aws-prod/iam-role/x",
        "status": "applied",
        "reason": "declared",
        "plan": "sha256:1",
        "command": "nhictl apply -e prod",
        "trigger": {"kind": "push", "commit": "0123abc", "pullRequest": "7"},
        "request_ids": ("req-1",),
        "detail": "",
        "gained": (json.dumps(GAINED),),
        "lost": ('{"kind":"assume","action":"assume","resource":"arn:x"}', "odd"),
        "direct": True,
    }
    return SimpleNamespace(**{**base, **changed})


def test_the_log_is_a_table(golden):
    """Golden table: number, time, who, type, what, result; an unknown end reads unknown."""
    golden("audit-log.txt", audit.log(ENTRIES, Style()))


def test_one_entry_in_full(golden):
    """Golden entry with the access it moves."""
    golden("audit-show.txt", audit.show(ENTRIES[1], Style()))


def test_the_history_says_who_when_what_why_and_how_it_ended(golden):
    """Golden timeline of an identity."""
    events = [
        _happened(),
        _happened(seq=9, status="indeterminate", direct=False, detail="no reply", gained=(), lost=()),
    ]
    golden("history.txt", audit.history("nhi/x", events, Style()))


def test_an_unknown_identity_is_said():
    """Nothing recorded is no error."""
    assert audit.history("nhi/nobody", [], Style()) == "Nothing is recorded about nhi/nobody."


def test_the_verdict_is_plain():
    """Intact names the head, anything else the entries."""
    problem = SimpleNamespace(level="error", code="chain", message="was edited", seq=2)
    assert audit.verification([], Style(), entries=200, head="abc") == "Intact: 200 entries, head abc"
    assert audit.verification([problem], Style(), entries=200, head="") == (
        "error entry 2: chain: was edited\nNOT intact: 1 error in 200 entries"
    )
    assert json.loads(audit.verification_json([problem], entries=200, head="h"))["intact"] is False


def test_json_is_the_entry():
    """Nothing is left out of the JSON log."""
    data = json.loads(audit.log_json(ENTRIES))
    assert data[1]["data"]["after"] == {"path": "/nhi/"}
    assert data[1]["actor"]["host"] == "ci\x1b"
