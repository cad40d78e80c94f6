"""`apply` of a saved plan does exactly that or refuses; digests, overrides, outputs, reports."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from nhictl.cli import context
from nhictl.render.events import EVENTS
from tests.cli.conftest import Line, configure
from tests.cli.meddling import failing
from tests.support import Shop, nhi, role


@pytest.fixture()
def saved(shop: Shop, line: Line) -> Path:
    """A saved plan of everything in the workspace."""
    assert line("plan", "--out", "plan.json").code == 0
    return shop.root / "plan.json"


def refused(shop: Shop, line: Line, *words: str) -> str:
    """Run a line that must be refused as stale, with nothing changed; return what it says."""
    before = (shop.rows(), len(shop.entries()))
    said = line("apply", *words)
    assert said.code == 6, said
    assert (shop.rows(), len(shop.entries())) == before
    return said.err


def test_a_saved_plan_is_applied_without_asking(shop: Shop, line: Line, saved: Path):
    """Saving and passing it is the approval; the ledger names its digest."""
    digest = json.loads(saved.read_text())["digest"]
    assert line("apply", "plan.json").code == 0
    assert shop.pending() == []
    assert {e.data["approved"] for e in shop.entries("plan")} == {digest}


def test_a_saved_plan_is_private(saved: Path):
    """It names everything there is."""
    assert saved.stat().st_mode & 0o777 == 0o600


def test_a_plan_from_a_pipeline_is_applied_from_anywhere(shop: Shop, line: Line, saved: Path, monkeypatch, tmp_path):
    """With -C; the plan's own environment is taken."""
    monkeypatch.chdir(tmp_path)
    assert line("apply", str(saved), "-C", str(shop.root)).code == 0


def test_a_stale_plan_shows_approved_against_current(shop: Shop, line: Line, saved: Path):
    """Each difference by address."""
    shop.declare(role("reader", "read", "delete"), role("writer", "write"), nhi("api", "reader"), nhi("job", "writer"))
    said = refused(shop, line, "plan.json")
    assert "what was approved is not what would be done now" in said
    assert "directory/role/reader: approved create" in said
    assert "current create" in said
    assert "help: make a new plan" in said


def test_a_plan_that_does_more_now_is_refused(shop: Shop, line: Line, saved: Path):
    """Nothing that was not approved is done."""
    shop.declare(
        role("reader"), role("writer", "write"), nhi("api", "reader", "writer", labels={"app": "web"}),
        nhi("job", "writer"),
    )  # fmt: skip
    assert "directory/grant/api:writer: approved nothing, current create" in refused(shop, line, "plan.json")


@pytest.mark.parametrize("change", ['"workspace"', "access", "reader", '"expires"'])
def test_a_tampered_plan_is_refused(shop: Shop, line: Line, saved: Path, change: str):
    """The digest is over everything the plan says."""
    text = saved.read_text()
    data = json.loads(text)
    match change:
        case '"workspace"':
            data["workspace"] = "other"
        case '"expires"':
            data["expires"] = "2999-01-01T00:00:00Z"
        case "reader":
            data = json.loads(text.replace("May reader", "May rule"))
        case "access":
            data["changes"] = data["changes"][:-1]
    saved.write_text(json.dumps(data))
    assert "the saved plan was changed after it was made" in refused(shop, line, "plan.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"formatVersion": 99}', "\x1b[31m"])
def test_a_file_that_is_no_plan_is_refused_without_a_traceback(shop: Shop, line: Line, text: str):
    """Whatever it is."""
    (shop.root / "plan.json").write_text(text)
    said = line("apply", "plan.json")
    assert said.code in (1, 6, 64)
    assert "defect" not in said.err
    assert "\x1b" not in said.err


def test_an_expired_plan_is_refused(shop: Shop, line: Line, saved: Path, monkeypatch: pytest.MonkeyPatch):
    """After a day, unless the workspace says otherwise."""
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1, minutes=1)
    monkeypatch.setattr(context, "now", lambda: later)
    assert "the approved plan expired" in refused(shop, line, "plan.json")


def test_a_plan_for_another_environment_is_refused(shop: Shop, line: Line, saved: Path):
    """It names the one it is for."""
    targets = {"directory": {"provider": "local", "path": "other.db"}}
    here = {"directory": {"provider": "local", "path": "directory.db"}}
    configure(shop.root, environments={"test": {"targets": here}, "other": {"targets": targets}})
    said = line("apply", "plan.json", "-e", "other")
    assert said.code == 6
    assert "for environment test, not other" in said.err
    assert not (shop.root / "other.db").exists()


def test_a_plan_for_another_directory_is_refused(shop: Shop, line: Line, saved: Path):
    """The same name, another place behind it."""
    configure(shop.root, environments={"test": {"targets": {"directory": {"provider": "local", "path": "other.db"}}}})
    assert "target directory: approved in" in refused(shop, line, "plan.json")


def test_a_saved_plan_takes_no_selection(shop: Shop, line: Line, saved: Path):
    """It has its own."""
    said = line("apply", "plan.json", "--target", "nhi/api")
    assert said.code == 64


def test_expect_digest_applies_that_plan_only(shop: Shop, line: Line):
    """For pipelines that hand on a line of text and no file."""
    digest = json.loads(line("plan", "-o", "json").out)["digest"]
    said = refused(shop, line, "--expect-digest", "sha256:" + "0" * 64)
    assert f"current   {digest}" in said
    assert line("apply", "--expect-digest", digest).code == 0
    assert shop.pending() == []


def test_the_next_command_that_plan_names_works(shop: Shop, line: Line):
    """Copied from the last line of its output."""
    next_ = line("plan").out.split("Next: nhictl ")[1].split("  (")[0]
    assert line(*next_.split()).code == 0
    assert shop.pending() == []


def test_json_says_how_every_change_ended(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """On stdout nothing else."""
    monkeypatch.setattr(context, "adapters", lambda _environment: {"local": failing("api")})
    said = line("apply", "--yes", "-o", "json")
    result = json.loads(said.out)
    assert list(result) == ["formatVersion", "run", "plan", "exit", "stopped", "counts", "changes"]
    assert result["exit"] == said.code == 7
    assert result["counts"] == {"applied": 4, "failed": 1, "skipped": 1, "unknown": 0}
    assert {c["address"]: c["status"] for c in result["changes"]}["directory/identity/api"] == "failed"
    assert all(list(c) == ["address", "action", "subject", "status", "detail", "operation"] for c in result["changes"])


def test_jsonl_is_the_documented_events(shop: Shop, line: Line):
    """A plan, an intent and an outcome for each change, a summary; every key documented."""
    said = line("apply", "--yes", "-o", "jsonl")
    events = [json.loads(text) for text in said.out.splitlines()]
    for event in events:
        assert set(event) == {"event", "time", "run", *EVENTS[event["event"]]}
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("plan", "summary")
    assert kinds.count("intent") == kinds.count("outcome") == 6
    assert events[-1]["exit"] == said.code == 0
    assert len({event["run"] for event in events}) == 1


def test_nothing_to_do_is_said_in_every_format(shop: Shop, line: Line):
    """A program gets its result also then."""
    shop.converge()
    assert json.loads(line("apply", "--yes", "-o", "json").out)["counts"]["applied"] == 0
    assert [json.loads(t)["event"] for t in line("apply", "--yes", "-o", "jsonl").out.splitlines()][-1] == "summary"


def test_plan_json_is_the_saved_plan(shop: Shop, line: Line, saved: Path):
    """One format for both."""
    printed, kept = json.loads(line("plan", "-o", "json").out), json.loads(saved.read_text())
    assert printed.keys() == kept.keys()
    assert printed["changes"] == kept["changes"]


@pytest.mark.parametrize("command", ["plan", "apply --yes"])
def test_writes_reports_beside_the_output(shop: Shop, line: Line, command: str):
    """Several at once."""
    assert line(*command.split(), "--report", "markdown=plan.md", "--report", "json=report.json").code == 0
    assert "nhi/api" in (shop.root / "plan.md").read_text()
    assert json.loads((shop.root / "report.json").read_text())["environment"] == "test"


def test_a_report_that_cannot_be_written_stops_before_anything_is_changed(shop: Shop, line: Line):
    """The reviewers wait for it."""
    said = line("apply", "--yes", "--report", "markdown=no/such/folder.md")
    assert said.code == 1
    assert shop.entries() == []


def test_quiet_says_the_result_only(shop: Shop, line: Line):
    """Nothing on stderr."""
    said = line("apply", "--yes", "-q")
    assert (said.code, said.err) == (0, "")


def test_plan_changes_nothing(shop: Shop, line: Line):
    """No file, no lock, no directory."""
    before = shop.tree()
    line("plan")
    line("drift")
    assert shop.tree() == before


def test_adopt_takes_over_what_exists_as_a_planned_change(shop: Shop, line: Line, tmp_path: Path):
    """Asked for by name; before that, apply refuses it."""
    shop.converge()
    (shop.root / ".nhictl" / "ledger" / "test" / "log.jsonl").unlink()
    said = line("plan")
    assert said.code == 6
    assert "adopt" in said.out
    adopted = line("adopt", "nhi/api", "nhi/job", "role/reader", "role/writer", "--yes")
    assert adopted.code == 0, adopted
    assert {e.data["action"] for e in shop.entries("outcome")} == {"adopt"}
    assert line("plan", "--detailed-exitcode").code == 0


def test_adopt_writes_what_apply_writes(shop: Shop, line: Line):
    """The result as JSON, and a report for the reviewers."""
    shop.converge()
    (shop.root / ".nhictl" / "ledger" / "test" / "log.jsonl").unlink()
    said = line("adopt", "role/reader", "--yes", "-o", "json", "--report", "markdown=plan.md", "--no-cache")
    assert said.code == 0, said
    assert [change["action"] for change in json.loads(said.out)["changes"]] == ["adopt"]
    assert "role/reader" in (shop.root / "plan.md").read_text()
