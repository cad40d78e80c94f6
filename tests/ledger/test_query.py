"""Questions to the ledger, its index, and its exports."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from nhictl.ledger import Actor, Trigger, index
from nhictl.ledger.chain import EMPTY, EntryType, compose, encode, split, stamp
from nhictl.ledger.query import Filters, cell, export, history, log, show
from nhictl.ledger.verify import verify
from nhictl.model import LedgerError

DIGEST = "sha256:" + "ab" * 32


def intent(op, subject, action="update", access=()):
    return {
        "op": op, "plan": DIGEST, "address": f"aws/iam-role/{subject.partition('/')[2]}", "action": action,
        "subject": subject, "nativeId": "AROA1", "reason": "changed", "before": {"a": 1}, "after": {"a": 2},
        "access": list(access),
    }  # fmt: skip


def outcome(op, subject, status="applied", action="update"):
    return {
        "op": op, "address": f"aws/iam-role/{subject.partition('/')[2]}", "action": action, "subject": subject,
        "status": status, "nativeId": "AROA1", "requestIds": [f"req-{op}"], "code": "", "detail": "", "resolved": False,
    }  # fmt: skip


@pytest.fixture
def full(make, clock, tmp_path):
    """Two runs: alice creates pay and ship; bob, in a pull request, widens a role that pay uses; one stays open."""
    delta = {"subject": "nhi/pay", "direction": "wider", "gained": ["s3:GetObject on x"], "lost": [{"action": "b"}]}
    with make().lock("apply") as writer:
        writer.append("plan", {"digest": "sha256:" + "00" * 32})
        for op, name in (("1", "nhi/pay"), ("2", "nhi/ship")):
            writer.append("intent", intent(op, name, "create"))
            writer.append("outcome", outcome(op, name, action="create"))
    clock.move(3600)
    ledger = make("run-2")
    trigger = Trigger("pull_request", "c" * 40, "12", "apply", "https://ci.example/1")
    ledger = type(ledger)(
        ledger.store, workspace="shop", environment="prod", run="run-2", clock=clock,
        actor=Actor("github", "bob", "ci", trigger),
    )  # fmt: skip
    with ledger.lock("apply plan.json") as writer:
        writer.append("plan", {"digest": DIGEST, "trigger": trigger.as_json()})
        writer.append("intent", intent("3", "role/reader", access=[delta]))
        writer.append("outcome", outcome("3", "role/reader", "failed"))
        writer.append("intent", intent("4", "nhi/ship"))
    return ledger


def ops(entries):
    return [(entry.type, entry.data["op"]) for entry in entries]


def test_log_is_newest_first_and_limited(full):
    """The limit keeps the newest entries."""
    assert [entry.seq for entry in log(full, Filters(limit=3))] == [full.head().seq - n for n in range(3)]
    assert len(log(full, Filters())) == full.head().seq + 1
    assert log(full, Filters(limit=0)) == ()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(nhi="pay"), [("outcome", "3"), ("intent", "3"), ("outcome", "1"), ("intent", "1")]),
        (Filters(nhi="nhi/ship", type="intent"), [("intent", "4"), ("intent", "2")]),
        (Filters(nhi="role/reader", type="outcome"), [("outcome", "3")]),
        (Filters(address="aws/iam-role/pay"), [("outcome", "1"), ("intent", "1")]),
        (Filters(status="failed"), [("outcome", "3")]),
        (Filters(action="create", type="outcome", actor="alice"), [("outcome", "2"), ("outcome", "1")]),
        (Filters(plan="abab", action="update"), [("intent", "4"), ("intent", "3")]),
        (Filters(type="intent", since=datetime(2026, 11, 22, 11, tzinfo=UTC)), [("intent", "4"), ("intent", "3")]),
        (Filters(type="intent", until=datetime(2026, 11, 22, 11, tzinfo=UTC)), [("intent", "2"), ("intent", "1")]),
        (Filters(run="run-2", type="outcome"), [("outcome", "3")]),
        (Filters(nhi="' OR 1=1 --"), []),
        (Filters(nhi="%"), []),
    ],
)
def test_log_filters(full, filters, found):
    """Each filter keeps what it names; values are never read as SQL."""
    assert ops(log(full, filters)) == found


def test_history_says_who_when_what_why_and_how_it_ended(full):
    """A change of a role the NHI uses is in its history, indirect, with pull request, plan, result and access."""
    first, second = history(full, "pay")
    assert (first.actor, first.action, first.status, first.direct, first.trigger["kind"]) == (
        "alice",
        "create",
        "applied",
        True,
        "manual",
    )
    assert (second.actor, second.command, second.plan, second.status) == ("bob", "apply plan.json", DIGEST, "failed")
    assert (second.trigger["commit"], second.trigger["pullRequest"]) == ("c" * 40, "12")
    assert (second.request_ids, second.native_id, second.direct) == (("req-3",), "AROA1", False)
    assert (second.gained, second.lost) == (("s3:GetObject on x",), ('{"action":"b"}',))
    assert (second.before, second.after, second.time) == ({"a": 1}, {"a": 2}, "2026-11-22T11:00:00.000Z")


def test_an_operation_without_outcome_is_unknown_in_history(full):
    """What nobody recorded the end of is said to be unknown."""
    assert [event.status for event in history(full, "ship")] == ["applied", "unknown"]


def test_history_of_a_stranger_is_empty(full):
    """An NHI the ledger never saw has no history."""
    assert history(full, "nobody") == ()


def test_show_by_sequence_and_by_hash(full):
    """An entry is found by its number, by its hash, and by the beginning of it."""
    entry = list(full.entries())[3]
    assert show(full, "3") == show(full, entry.hash) == show(full, entry.hash[:12].upper()) == entry
    assert show(full, "sha256:" + entry.hash).hash == entry.hash


@pytest.mark.parametrize("reference", ["999", "abc", "zzzz", "", "f" * 64, "-1", "٣"])
def test_show_refuses_what_is_not_there(full, reference):
    """An unknown reference is an error for people."""
    with pytest.raises(LedgerError):
        show(full, reference)


def test_the_index_can_be_deleted_or_damaged_any_time(full, log_path):
    """Missing, empty, torn, foreign or of another log: the answer is the same."""
    path = log_path.parent / "index.db"
    expected = log(full, Filters())
    assert path.stat().st_mode & 0o777 == 0o600
    good = path.read_bytes()
    for damage in (b"", b"not a database" * 100, good[:5000], good[:4096] + b"\xff" * 8000 + good[12096:]):
        path.write_bytes(damage)
        assert log(full, Filters()) == expected
    path.unlink()
    assert log(full, Filters()) == expected


@pytest.mark.parametrize(
    "poison",
    [
        "DELETE FROM touched",
        "DELETE FROM entries WHERE seq = (SELECT max(seq) - 1 FROM entries)",
        "UPDATE entries SET status = 'applied', address = '', subject = 'nhi/other' WHERE op <> ''",
        "CREATE TRIGGER forget AFTER INSERT ON touched BEGIN DELETE FROM touched; END",
    ],
)
def test_verify_finds_a_poisoned_index(full, log_path, poison):
    """An index that leaves out or changes anything is named by verify, once, and made anew."""
    before = history(full, "pay")
    with sqlite3.connect(log_path.parent / "index.db") as connection:
        connection.execute(poison)
    connection.close()
    assert [p.code for p in verify(full) if p.code == "index-differs"] == ["index-differs"]
    assert history(full, "pay") == before
    assert [p.code for p in verify(full) if p.code == "index-differs"] == []


def test_an_index_without_an_entry_is_made_anew(full, log_path):
    """Each question sees that a row is missing."""
    before = log(full, Filters())
    with sqlite3.connect(log_path.parent / "index.db") as connection:
        connection.execute("DELETE FROM entries WHERE seq = 2")
    connection.close()
    assert log(full, Filters()) == before


def test_the_index_follows_the_log(full, make):
    """New entries are found without starting over; a log that is another one is indexed anew."""
    assert len(log(full, Filters(type="lock"))) == 2
    with make("run-3").lock("apply"):
        pass
    assert len(log(full, Filters(type="lock"))) == 3


def test_a_shorter_or_other_log_is_indexed_anew(full, log_path):
    """An index of what is no longer there is thrown away."""
    log(full, Filters())
    lines = log_path.read_bytes().splitlines(keepends=True)
    log_path.write_bytes(b"".join(lines[:5]))
    assert len(log(full, Filters())) == 5


def test_an_edited_line_is_not_shown(full, log_path):
    """What is shown must be what was indexed."""
    log(full, Filters())
    log_path.write_bytes(log_path.read_bytes().replace(b"req-1", b"req-9"))
    with pytest.raises(LedgerError, match="is broken"):
        log(full, Filters(nhi="pay"))


def test_the_index_lives_in_memory_where_it_cannot_be_written(full, log_path, tmp_path):
    """A symbolic link in its place is not followed, a directory there does no harm; answers come all the same."""
    path = log_path.parent / "index.db"
    (tmp_path / "victim").write_text("precious")
    path.symlink_to(tmp_path / "victim")
    assert len(log(full, Filters(type="lock"))) == 2
    assert (tmp_path / "victim").read_text() == "precious"
    path.unlink()
    path.symlink_to(tmp_path / "absent")
    assert len(log(full, Filters(type="lock"))) == 2
    assert not (tmp_path / "absent").exists()
    path.unlink()
    path.mkdir()
    assert len(log(full, Filters(type="lock"))) == 2


_COUNT = """
import os, sys
from pathlib import Path
from nhictl.ledger import index
from nhictl.ledger.file import FileStore
if "unprivileged" in sys.argv and os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
print(index.ask(FileStore(Path(".")), lambda found: found.execute("SELECT count(*) FROM entries").fetchone()[0]))
"""


def test_an_index_in_a_read_only_directory(full, log_path):
    """Without the right to write beside the log, questions are answered and nothing is created."""
    log_path.chmod(0o644)
    log_path.parent.chmod(0o555)
    command = [sys.executable, "-c", _COUNT, "unprivileged"]
    done = subprocess.run(command, cwd=log_path.parent, capture_output=True, check=True)
    log_path.parent.chmod(0o700)
    assert int(done.stdout) == full.head().seq + 1
    assert not (log_path.parent / "index.db").exists()


def test_export_jsonl_is_the_log(full, log_path):
    """Each line is the recorded one, byte for byte; with filters, the chosen ones."""
    assert "\n".join(export(full, "jsonl")) + "\n" == log_path.read_text()
    assert [json.loads(line)["data"]["op"] for line in export(full, "jsonl", Filters(type="intent"))] == [
        "1",
        "2",
        "3",
        "4",
    ]


def test_export_csv(full):
    """A header, then one record an entry, with what set its run off."""
    rows = list(csv.DictReader(io.StringIO("\n".join(export(full, "csv")))))
    assert len(rows) == full.head().seq + 1
    failed = next(row for row in rows if row["status"] == "failed")
    assert (failed["actor"], failed["commit"], failed["pullRequest"], failed["requestIds"]) == (
        "bob",
        "c" * 40,
        "12",
        "req-3",
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "＝1"])
def test_a_cell_never_starts_a_formula(text):
    """What a spreadsheet would compute gets a quote in front and shows its control characters."""
    assert cell(text).startswith("'")
    assert not set(cell(text)) & set("\t\r\n")


def test_harmless_cells_stay():
    """Ordinary text is exported as it is."""
    assert cell('s3:GetObject, "x"') == 's3:GetObject, "x"'


def test_another_format_is_refused(full):
    """Only jsonl and csv."""
    with pytest.raises(LedgerError):
        export(full, "xml")


def test_another_workspaces_ledger_is_not_shown(full, make):
    """Questions are refused like everything else where the ledger is another's."""
    with pytest.raises(LedgerError, match="belongs to"):
        log(make(workspace="elsewhere"), Filters())


def test_asking_an_empty_ledger_creates_nothing(ledger, tmp_path):
    """No ledger, no index."""
    assert log(ledger, Filters()) == ()
    assert list(export(ledger, "jsonl")) == []
    assert list(tmp_path.iterdir()) == []


def large(path, count):
    """Write a log of `count` entries fast, without the writer."""
    by, head = stamp("run-1", {"name": "alice"}), EMPTY
    first = [(EntryType.GENESIS, {"workspace": "shop", "environment": "prod"}), (EntryType.LOCK, {})]
    pairs = [
        item
        for n in range(count // 2 - 1)
        for item in (
            (EntryType.INTENT, intent(str(n), f"nhi/app-{n % 997}")),
            (EntryType.OUTCOME, outcome(str(n), f"nhi/app-{n % 997}")),
        )
    ]
    with path.open("wb") as file:
        for kind, data in first + pairs:
            raw = compose(head, kind, data=encode(data), time="2026-11-22T10:00:00.000Z", by=by)
            file.write(raw + b"\n")
            head = split(raw).head


def test_a_question_on_a_large_ledger_is_fast(make, log_path):
    """On 100,000 entries, index in place, each question takes at most 200 ms of CPU."""
    log_path.parent.mkdir(parents=True, mode=0o700)
    large(log_path, 100_000)
    ledger = make()
    log(ledger, Filters(limit=1))
    questions = [
        lambda: history(ledger, "app-5"),
        lambda: log(ledger, Filters(nhi="app-5", limit=50)),
        lambda: log(ledger, Filters(status="failed")),
        lambda: log(ledger, Filters(actor="nobody", action="delete")),
        lambda: log(ledger, Filters(plan="abab", limit=50)),
        lambda: show(ledger, "99999"),
    ]
    taken = [min(_cpu(question) for _ in range(3)) for question in questions]
    assert max(taken) < 0.2


def _cpu(act):
    start = time.process_time()
    act()
    return time.process_time() - start


def test_two_processes_may_index_at_once(full, log_path):
    """Index updates exclude each other."""
    (log_path.parent / "index.db").unlink(missing_ok=True)
    command = [sys.executable, "-c", _COUNT]
    children = [subprocess.Popen(command, cwd=log_path.parent, stdout=subprocess.PIPE) for _ in range(4)]
    assert {int(child.communicate(timeout=60)[0]) for child in children} == {full.head().seq + 1}
    with sqlite3.connect(log_path.parent / "index.db") as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (full.head().seq + 1,)
    assert index.NAME in os.listdir(log_path.parent)  # noqa: PTH208
