"""Asking the ledger: log, show, verify, export, history, lock list and break, forget."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path
from unittest import mock

import pytest

from tests.cli.conftest import Line
from tests.support import Shop, nhi, role


@pytest.fixture()
def told(shop: Shop, line: Line) -> Shop:
    """A workspace in which something happened: an apply, and a change of one role."""
    assert line("apply", "--yes").code == 0
    shop.declare(
        role("reader", "read", "list"), role("writer", "write"), nhi("api", "reader", labels={"app": "web"}),
        nhi("job", "writer"),
    )  # fmt: skip
    assert line("apply", "--yes").code == 0
    return shop


QUERIES = ["audit log", "audit show 2", "audit verify", "audit export", "history api", "ledger lock list"]


@pytest.mark.parametrize("words", QUERIES)
def test_asking_writes_nothing_but_a_disposable_index(told: Shop, line: Line, words: str):
    """And takes no lock."""
    before = {n: b for n, b in told.tree().items() if "index" not in n}
    assert line(*words.split()).code == 0
    assert {n: b for n, b in told.tree().items() if "index" not in n} == before


@pytest.mark.parametrize("words", QUERIES)
def test_before_the_first_apply_it_says_so(shop: Shop, line: Line, words: str):
    """No traceback, no file."""
    said = line(*words.split())
    assert said.code == (0 if words == "ledger lock list" else 1)
    assert "nothing was recorded yet" in said.err or said.out == "not locked\n"
    assert not (shop.root / ".nhictl").exists()


def test_log_is_newest_first_and_limited(told: Shop, line: Line):
    """Fifty unless asked otherwise; 0 is all."""
    everything = json.loads(line("audit", "log", "-o", "json", "-n", "0").out)
    assert [e["seq"] for e in everything] == list(range(len(told.entries())))[::-1]
    assert [e["seq"] for e in json.loads(line("audit", "log", "-o", "json", "-n", "3").out)] == [
        e["seq"] for e in everything[:3]
    ]
    assert list(everything[0]) == ["seq", "time", "run", "type", "actor", "data", "prev", "hash"]


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        ("--type plan", lambda e: e["type"] == "plan"),
        ("--nhi api", lambda e: "api" in json.dumps(e["data"]) or "reader" in json.dumps(e["data"])),
        ("--address directory/role/reader", lambda e: e["data"]["address"] == "directory/role/reader"),
        ("--action update", lambda e: e["data"]["action"] == "update"),
        ("--status applied", lambda e: e["data"]["status"] == "applied"),
        ("--since 2020-01-01 --until 2999-01-01 --type lock", lambda e: e["type"] == "lock"),
    ],
)
def test_log_filters(told: Shop, line: Line, words: str, matches):
    """Each filter alone; something is left, and only what matches."""
    found = json.loads(line("audit", "log", "-o", "json", "-n", "0", *words.split()).out)
    assert found
    assert all(matches(entry) for entry in found)
    assert len(found) < len(told.entries())


def test_show_takes_a_sequence_or_the_start_of_a_hash(told: Shop, line: Line):
    """The same entry."""
    by_number = json.loads(line("audit", "show", "2", "-o", "json").out)
    assert json.loads(line("audit", "show", by_number["hash"][:12], "-o", "json").out) == by_number
    assert "Entry 2: plan" in line("audit", "show", "2").out


@pytest.mark.parametrize("entry", ["9999", "zz", "ffffffffffff", "-1"])
def test_show_refuses_what_is_not_there(told: Shop, line: Line, entry: str):
    """With an error, not with nothing."""
    said = line("audit", "show", "--", entry)
    assert said.code != 0
    assert (said.out, said.err[:7]) == ("", "error: ")


def test_verify_says_intact_and_where_the_head_is(told: Shop, line: Line):
    """The head is what to note elsewhere."""
    said = json.loads(line("audit", "verify", "-o", "json").out)
    assert (said["intact"], said["entries"], said["problems"]) == (True, len(told.entries()), [])
    assert line("audit", "verify", "--anchor", said["head"]).code == 0
    assert line("audit", "verify").out.startswith("Intact: ")


def test_verify_finds_a_cut_tail_against_an_anchor(told: Shop, line: Line):
    """Without the anchor nobody could."""
    head = json.loads(line("audit", "verify", "-o", "json").out)["head"]
    log = told.root / ".nhictl/ledger/test/log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-4]))
    assert line("audit", "verify", "--anchor", head).code == 1


@pytest.fixture()
def signing_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configured signing key, its public half beside it."""
    form = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    key, path = ed25519.Ed25519PrivateKey.generate(), tmp_path / "key"
    path.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()))
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    path.with_suffix(".pub").write_bytes(public)
    monkeypatch.setenv("NHICTL_LEDGER_KEY", str(path))
    return path


def test_verify_wants_the_signatures_of_the_configured_key(shop: Shop, line: Line, signing_key: Path):
    """And says what they do not cover."""
    assert line("apply", "--yes").code == 0
    said = line("audit", "verify")
    assert (said.code, "1 entry is not covered by a signature yet" in said.out) == (0, True)


def test_verify_and_doctor_find_missing_signatures(told: Shop, line: Line, signing_key: Path):
    """A ledger nobody signed is not that of the key, named as a variable or an option."""
    public = str(signing_key.with_suffix(".pub"))
    by_variable = line("audit", "verify"), line("doctor")
    with mock.patch.dict("os.environ"):
        del os.environ["NHICTL_LEDGER_KEY"]
        by_option = line("audit", "verify", "--key", public, "--key", public)
        unasked = line("audit", "verify")
    assert [said.code for said in (*by_variable, by_option, unasked)] == [1, 1, 1, 0]
    assert "unsigned: no checkpoint is signed by a trusted key" in by_option.out


def test_export_is_every_line_as_recorded(told: Shop, line: Line):
    """Byte for byte."""
    assert line("audit", "export").out.encode() == (told.root / ".nhictl/ledger/test/log.jsonl").read_bytes()


def test_export_as_csv_is_one_row_an_entry(told: Shop, line: Line):
    """With a heading."""
    rows = list(csv.DictReader(io.StringIO(line("audit", "export", "-o", "csv").out)))
    assert [row["seq"] for row in rows] == [str(e.seq) for e in told.entries()]
    assert {"time", "actor", "type", "address", "status", "commit", "pullRequest", "command"} <= rows[0].keys()


def test_history_says_who_when_what_why_and_what_was_typed(told: Shop, line: Line):
    """A change of a role is in the history of the NHI that has it."""
    said = line("history", "api")
    assert said.code == 0
    assert "create directory/identity/api  applied" in said.out
    assert "update directory/role/reader (indirectly)  applied" in said.out
    assert "command  nhictl apply --yes" in said.out
    events = json.loads(line("history", "nhi/api", "-o", "json").out)
    assert {"time", "actor", "action", "address", "status", "plan", "gained", "lost", "command"} <= events[0].keys()
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)


def test_history_of_nobody_is_an_error(told: Shop, line: Line):
    """Not an empty page."""
    said = line("history", "nobody")
    assert (said.code, said.out) == (1, "")
    assert "nothing is recorded about nhi/nobody" in said.err


def test_values_of_options_are_not_recorded(shop: Shop, line: Line):
    """Only what was typed as a word of its own, and names of options."""
    assert line("apply", "--yes", "--report=markdown=secret-name.md").code == 0
    assert "secret-name" not in (shop.root / ".nhictl/ledger/test/log.jsonl").read_text()


def test_a_lock_is_shown_and_broken_with_a_reason(told: Shop, line: Line):
    """The run that lost it can record nothing more."""
    with pytest.raises(Exception, match="lock"):  # noqa: SIM117
        with told.opened(write=True) as (_, _, ledger), ledger.lock("a run that hangs") as writer:
            held = json.loads(line("ledger", "lock", "list", "-o", "json").out)
            assert [lock["command"] for lock in held] == ["a run that hangs"]
            assert line("ledger", "lock", "break", "--reason", "  ").code == 64
            said = line("ledger", "lock", "break", "--reason", "the runner was deleted")
            assert (said.code, "the lock is broken" in said.err) == (0, True)
            writer.append("plan", {})
    assert line("ledger", "lock", "list").out == "not locked\n"
    assert told.entries("lock_break")[0].data["reason"] == "the runner was deleted"


def test_breaking_no_lock_is_an_error(told: Shop, line: Line):
    """Somebody looked at another environment."""
    said = line("ledger", "lock", "break", "--reason", "x")
    assert said.code == 1
    assert "is not locked" in said.err


def test_forget_gives_an_object_up_and_leaves_it(told: Shop, line: Line):
    """It is recorded, with the reason."""
    said = line("ledger", "forget", "directory/role/reader", "--reason", "moved elsewhere")
    assert said.code == 0, said
    assert "reader" in told.names("roles")
    assert line("ledger", "forget", "directory/role/reader", "--reason", "again").code == 1
    assert "moved elsewhere" in line("audit", "log").out + json.dumps(
        [e.data.get("reason", "") for e in told.entries("intent")]
    )


@pytest.mark.parametrize("words", ["audit log -o json", "history api -o json", "ledger lock list -o json",
                                   "audit verify -o json", "audit show 1 -o json", "plan -o json", "drift -o json",
                                   "doctor -o json", "version -o json", "validate -o json", "validate -o sarif",
                                   "validate -o gitlab", "schema NHI"])  # fmt: skip
def test_every_json_is_one_json_document_on_stdout(told: Shop, line: Line, words: str):
    """Ready for jq."""
    said = line(*words.split())
    assert said.code == 0
    json.loads(said.out)
    assert "\x1b" not in said.out


def test_the_command_that_is_recorded_is_cut(shop: Shop, line: Line):
    """However long the line was."""
    with mock.patch.object(sys, "argv", []):
        assert line("apply", "--yes", *["--target", "directory"] * 100).code == 0
    assert all(len(e.data.get("command", "")) <= 200 for e in shop.entries("lock"))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("--type intnt", "did you mean intent"),
        ("--status aplied", "did you mean applied"),
        ("--action craete", "did you mean create"),
        ("--action zzz", "one of: create, update, "),
    ],
)
def test_a_word_that_no_entry_can_have_is_a_usage_error(shop: Shop, line: Line, words: str, hint: str):
    """An empty table would read as "nothing happened"."""
    shop.converge()
    said = line("audit", "log", *words.split())
    assert (said.code, said.out) == (64, "")
    assert f"help: {hint}" in said.err


@pytest.mark.parametrize(
    ("words", "some"),
    [("--type outcome", True), ("--status applied", True), ("--action create", True), ("--status failed", False),
     ("--status unknown", False), ("--action rotate", False)],
)  # fmt: skip
def test_a_word_that_entries_can_have_is_asked_for(shop: Shop, line: Line, words: str, some: bool):
    """Also when none has it."""
    shop.converge()
    said = line("audit", "log", "-o", "json", *words.split())
    assert said.code == 0
    assert bool(json.loads(said.out)) == some
