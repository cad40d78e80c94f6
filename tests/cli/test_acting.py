"""A run records who acts and why; the pull request comes from the event file of the CI, whatever is in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nhictl.ledger import checkout
from tests.cli.conftest import Line
from tests.support import Shop

GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "GITHUB_SHA": "a" * 40, "GITHUB_REF": "refs/heads/main",
    "GITHUB_EVENT_NAME": "pull_request",
}  # fmt: skip


@pytest.fixture()
def event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GitHub job, and the path of its event file; nothing is there yet."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    return tmp_path / "event.json"


def triggers(shop: Shop) -> list[dict[str, Any]]:
    """What set the run off, as its lock and its plan say it."""
    return [entry.data["trigger"] for entry in shop.entries("lock", "plan")]


def test_the_pull_request_of_the_event_is_recorded(shop: Shop, line: Line, event: Path):
    """A merge runs on the branch: the reference does not name the pull request then."""
    event.write_text(json.dumps({"pull_request": {"number": 4711}}))
    assert line("apply", "--yes").code == 0
    for trigger in triggers(shop):
        assert (trigger["kind"], trigger["pullRequest"]) == ("pull_request", "4711")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"pull_request": 7}', b'{"pull_request": {"number": "x"}}',
     b'{"pull_request": {"number": 4711}, "more": "' + b"x" * 1024 * 1024 + b'"}'],
    ids=["empty", "torn", "list", "no text", "deep", "no object", "no number", "large"],
)  # fmt: skip
def test_an_event_that_says_nothing_stops_nothing(shop: Shop, line: Line, event: Path, content: bytes):
    """The run is recorded without a number."""
    event.write_bytes(content)
    assert line("apply", "--yes").code == 0
    assert [trigger.get("pullRequest") for trigger in triggers(shop)] == [None, None]


def test_an_event_file_that_is_none_is_not_waited_for(shop: Shop, line: Line, event: Path):
    """A pipe would hang, a missing file is nothing."""
    assert line("plan").code == 0
    os.mkfifo(event)
    assert line("apply", "--yes").code == 0
    assert [trigger.get("pullRequest") for trigger in triggers(shop)] == [None, None]


@pytest.mark.parametrize("words", ["plan", "drift", "apply --yes"])
def test_the_commit_is_looked_up_once(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch, words: str):
    """What is planned, locked and recorded is one commit, whatever is checked out meanwhile."""
    asked: list[Path] = []
    monkeypatch.setattr(checkout, "commit", lambda root: asked.append(root) or f"{len(asked)}" * 40)
    assert line(*words.split()).code == 0
    assert len(asked) == 1
    assert {trigger["commit"] for trigger in triggers(shop)} <= {"1" * 40}
