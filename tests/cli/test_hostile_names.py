"""What others wrote is shown escaped wherever it comes out: manifests, paths, provider, ledger, arguments."""

from __future__ import annotations

import itertools
import json
import unicodedata
from pathlib import Path

import pytest

from nhictl.cli import context
from tests.cli.conftest import Line, Said
from tests.cli.meddling import Meddling
from tests.cli.terminal import terminal
from tests.hostile import corpus
from tests.support import Shop, nhi

ESC = "\x1b[31m\x1b]0;owned\x07"
BIDI = "\u202egnp.exe\u2066"
COMMAND = "\n::set-output name=x::y\n::error::boo"
WORSE = [ESC, BIDI, COMMAND, "\r\x9b2J", "a\u200bb\ufeff", "\x00", "\udc80"]


def assert_harmless(said: Said) -> None:
    """Nothing that moves the cursor, reorders, hides, or speaks to a CI runner."""
    for text in (said.out, said.err):
        bad = [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
        assert not bad, (bad, text)
        assert not any(part.lstrip().startswith("::") for part in text.splitlines()), text
    assert "defect" not in said.err, said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("text", [t for t in WORSE if "\x00" not in t], ids=repr)
@pytest.mark.parametrize(
    "line_", ["history {}", "audit show {}", "audit log --nhi {}", "plan -e {}", "plan --target {}", "explain {}",
              "schema {}", "plan -C {}", "apply {}", "{}", "plan --{}", "plan -o {}", "ledger forget {} --reason x",
              "audit log --since {}", "plan --report {}", "plan -l {}", "plan --kind {}", "plan --owner {}",
              "validate {}", "fmt {}", "adopt {}", "audit verify --anchor {}", "apply --expect-digest {}",
              "apply --yes --override-safety {}", "completion {}", "init {} --name {}", "drift --target {}"],
)  # fmt: skip
def test_arguments_come_back_escaped(shop: Shop, line: Line, line_: str, text: str):
    """In every error message."""
    assert_harmless(line(*(word.format(text) for word in line_.split())))


@pytest.mark.parametrize("case", corpus.CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("words", ["validate", "plan", "fmt --check", "doctor"])
def test_hostile_manifests_are_refused_without_a_traceback(shop: Shop, line: Line, case, words: str):
    """Each of the corpus, by every command that reads manifests."""
    (shop.root / "manifests" / "hostile.yaml").write_bytes(case.data)
    said = line(*words.split())
    assert_harmless(said)
    assert said.code in (1, 65)


@pytest.mark.parametrize("text", [ESC, BIDI, "a\n::error::boo", "a\rb"], ids=repr)
def test_hostile_file_names_come_out_escaped(shop: Shop, line: Line, text: str):
    """A file is named by whoever opened the pull request."""
    (shop.root / "manifests" / f"{text.replace('/', '')}.yaml").write_text("a: 1\na: 2\n")
    for words in ("validate", "validate -o concise", "validate -o json", "plan", "fmt --check", "fmt --diff", "doctor"):
        said = line(*words.split())
        assert_harmless(said)


def test_annotations_cannot_be_forged_by_a_file_name(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """One command a diagnostic, and it is ours."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (shop.root / "manifests" / "a\n::set-output name=x::y,title=z.yaml").write_text("a: 1\na: 2\n")
    out = line("validate").out
    commands = [text for text in out.splitlines() if text.lstrip().startswith("::")]
    assert commands
    assert all(text.startswith("::error file=") for text in commands)
    assert "::set-output" not in "".join(c.split("::", 2)[1] for c in commands)


@pytest.mark.parametrize("text", [ESC, BIDI, COMMAND], ids=repr)
def test_what_a_provider_holds_comes_out_escaped(shop: Shop, line: Line, text: str):
    """In plan, drift, reports and JSON."""
    shop.converge()
    shop.sql("UPDATE roles SET description = ?", text)
    shop.sql("UPDATE permissions SET resource = ?", f"db/{text}")
    for words in ("plan", "plan -v", "drift", "drift -v", "plan -o json", "drift -o json"):
        assert_harmless(line(*words.split()))
    line("plan", "--report", "markdown=plan.md", "-q")
    report = Path("plan.md").read_text()
    assert "\x1b" not in report
    assert "\u202e" not in report


def test_what_a_provider_says_comes_out_escaped(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """In the result, in the ledger's log, in a history, in an export."""
    from nhictl.model import Fault, ProviderError

    def refuse(_change: object) -> None:
        raise ProviderError(Fault.DENIED, f"no {ESC}{BIDI}{COMMAND}", code=f"X{ESC}", hint=COMMAND)

    monkeypatch.setattr(context, "adapters", lambda _environment: {"local": Meddling(refuse)})
    assert_harmless(line("apply", "--yes"))
    for words in (
        "audit log",
        "audit show 4",
        "history api",
        "audit export -o csv",
        "audit log -o json",
    ):
        assert_harmless(line(*words.split()))


@pytest.mark.parametrize(
    "variable", ["GITHUB_ACTOR", "GITHUB_REF", "GITHUB_SHA", "GITHUB_EVENT_NAME", "GITHUB_REPOSITORY"]
)
def test_what_the_pipeline_says_comes_out_escaped(
    shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch, variable: str
):
    """Some of it is chosen by strangers."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_ACTOR", "ann")
    monkeypatch.setenv(variable, f"refs/pull/1/{ESC}{BIDI}{COMMAND}")
    assert_harmless(line("apply", "--yes"))
    for words in (
        "audit log",
        "history api",
        "audit show 2",
        "audit export -o csv",
        "ledger lock list",
    ):
        assert_harmless(line(*words.split()))


def test_variables_come_out_escaped(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """Those of nhictl too."""
    for name, text in itertools.product(("NHICTL_ENV", "NHICTL_OUTPUT", "NHICTL_TARGET"), (ESC, BIDI, COMMAND)):
        monkeypatch.setenv(name, text)
        assert_harmless(line("plan"))
        assert_harmless(line("doctor"))
        monkeypatch.delenv(name)


def test_a_hostile_ledger_is_shown_escaped(shop: Shop, line: Line):
    """A ledger proves what was recorded, not that it is harmless."""
    shop.converge()
    log = shop.root / ".nhictl/ledger/test/log.jsonl"
    text = log.read_text()
    log.write_text(text.replace('"name":"', '"name":"\\u001b[31m\\u202e', 1))
    for words in ("audit log", "audit show 0", "audit verify", "history api", "audit export -o csv", "doctor", "plan"):
        assert_harmless(line(*words.split()))


def test_reports_of_hostile_values_are_json(shop: Shop, line: Line):
    """Escaped there as JSON does."""
    shop.declare(nhi("api", purpose="Serves [x](javascript:1) <b>@all</b> `$(id)` ::error::"))
    said = line("plan", "-o", "json")
    json.loads(said.out)
    assert_harmless(said)


def test_an_export_is_as_recorded_in_a_file_and_escaped_on_a_terminal(shop: Shop, line: Line):
    """The same JSON."""
    shop.converge()
    log = shop.root / ".nhictl/ledger/test/log.jsonl"
    first, rest = log.read_text().split("\n", 1)
    log.write_text(first.replace('"name":"', '"name":"\u202e', 1) + "\n" + rest)
    with terminal("audit", "export", cwd=shop.root) as shown:
        shown.end()
    assert "\u202e" not in shown.seen
    assert "\\u202e" in shown.seen
