"""In a pipeline: who, which commit and which pull request are recorded; annotations; never a question; no colour."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Line
from tests.cli.terminal import terminal
from tests.support import Shop

SHA = "0123456789abcdef0123456789abcdef01234567"
GITHUB = {
    "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ann", "GITHUB_SHA": SHA,
    "GITHUB_REPOSITORY": "example/shop", "GITHUB_REF": "refs/pull/42/merge", "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_RUN_ID": "777", "GITHUB_SERVER_URL": "https://github.com",
}  # fmt: skip
GITLAB = {
    "CI": "true", "GITLAB_CI": "true", "GITLAB_USER_LOGIN": "bob", "CI_COMMIT_SHA": SHA, "CI_MERGE_REQUEST_IID": "7",
    "CI_PROJECT_PATH": "example/shop", "CI_PIPELINE_ID": "888", "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_SERVER_URL": "https://gitlab.example.com",
}  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "kind", "who", "pull", "url"),
    [
        (GITHUB, "github", "ann", "42", "https://github.com/example/shop/actions/runs/777"),
        (GITLAB, "gitlab", "bob", "7", "https://gitlab.example.com/example/shop/-/pipelines/888"),
    ],
    ids=["github", "gitlab"],
)  # fmt: skip
def test_actor_commit_and_pull_request_are_recorded(
    shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch, variables, kind, who, pull, url
):
    """And `history` and the CSV show them."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert line("apply", "--yes").code == 0
    assert {(e.actor["kind"], e.actor["name"]) for e in shop.entries()} == {(kind, who)}
    trigger = shop.entries("plan")[0].data["trigger"]
    assert (trigger["commit"], trigger["pullRequest"], trigger["url"]) == (SHA, pull, url)
    shown = line("history", "api").out
    assert f"pull request {pull}" in shown
    assert SHA in shown
    assert who in shown
    assert f",{SHA},{pull}," in line("audit", "export", "-o", "csv").out


def test_validate_annotates_by_itself_in_github_actions(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """Unless another format is asked for."""
    (shop.root / "manifests" / "bad.yaml").write_text("a: 1\na: 2\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = line("validate")
    assert said.code == 65
    assert said.out.startswith("::error file=manifests/bad.yaml,line=2,")
    assert not line("validate", "-o", "concise").out.startswith("::")


def test_apply_refuses_to_ask(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """Whatever stdin is."""
    monkeypatch.setenv("CI", "true")
    said = line("apply")
    assert said.code == 64
    assert "nobody can be asked here" in said.err
    assert shop.entries() == []


def test_progress_is_plain_lines_where_no_terminal_is(shop: Shop, line: Line):
    """No bar, no cursor movement; on stderr."""
    said = line("apply", "--yes")
    assert "applied   directory/identity/api" in said.err
    assert "\r" not in said.err
    assert "\x1b" not in said.all


def test_json_output_in_github_actions_stays_json(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """The format that was asked for wins."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    json.loads(line("validate", "-o", "json").out)


def timeless(text: str) -> str:
    """Return `text` without the time a plan is valid until."""
    return re.sub(r"valid until [^)]*", "", text)


COLOURED = ["plan", "validate", "audit log", "history api", "drift", "doctor", "audit verify", "explain NHI"]


@pytest.mark.parametrize("words", COLOURED)
def test_colour_is_for_terminals_and_never_with_no_color(shop: Shop, line: Line, words: str):
    """`--color always` and `never` win over both; without colour the text is the same."""
    shop.converge()
    shop.sql("UPDATE roles SET description = 'by hand'")
    plain = line(*words.split())
    assert "\x1b" not in plain.all
    with terminal(*words.split(), cwd=shop.root, NO_COLOR="1") as shown:
        shown.end()
        assert "\x1b[3" not in shown.seen
    never = line(*words.split(), "--color", "never")
    assert (never.code, timeless(never.out)) == (plain.code, timeless(plain.out))


@pytest.mark.parametrize("words", COLOURED)
def test_colour_always_only_adds(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch, words: str):
    """Even under NO_COLOR: an option is more than a variable."""
    shop.converge()
    shop.sql("UPDATE roles SET description = 'by hand'")
    monkeypatch.setenv("NO_COLOR", "1")
    plain, bright = line(*words.split()), line(*words.split(), "--color", "always")
    assert timeless(re.sub(r"\x1b\[[0-9;]*m", "", bright.out)) == timeless(plain.out)
