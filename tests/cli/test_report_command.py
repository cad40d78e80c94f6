"""`nhictl report`: one page in a file or on stdout; what could not be read is said there and in the exit code."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from unittest import mock

import pytest

from nhictl.cli import context
from tests.cli.conftest import Line
from tests.support import START, Shop


@pytest.fixture(autouse=True)
def clock():
    """The clock of the workspace."""
    with mock.patch.object(context, "now", lambda: START):
        yield


def test_a_page_is_written_and_said(shop: Shop, line: Line):
    """Managed identities and what was done; stdout stays empty."""
    shop.converge()
    said = line("report", "--html", "report.html")
    text = Path("report.html").read_text()
    assert (said.code, said.out) == (0, "")
    assert "wrote report.html: 2 identities, 100% managed" in said.err
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    assert "directory/identity/api" in text
    assert "directory/grant/job:writer" in text


def test_the_page_goes_to_stdout(shop: Shop, line: Line):
    """The same bytes as in a file; no talk about a file."""
    shop.converge()
    line("report", "--html", "report.html", "-q")
    said = line("report", "--html", "-", "-q")
    assert said.out == Path("report.html").read_text()
    assert said.err == ""


def test_only_the_last_thirty_days_are_changes(shop: Shop, line: Line):
    """What is older is in the ledger, and its mark on the identity stays."""
    shop.converge()
    with mock.patch.object(context, "now", lambda: START + dt.timedelta(days=31)):
        line("report", "--html", "report.html")
    text = Path("report.html").read_text()
    assert "No change in the last 30 days." in text
    assert "<time>2026-11-22</time>" in text


def test_nothing_recorded_is_no_error(shop: Shop, line: Line):
    """Before the first apply; and nothing is recorded by looking."""
    before = shop.tree()
    said = line("report", "--html", "report.html")
    assert (said.code, "Nothing is recorded yet." in Path("report.html").read_text()) == (0, True)
    assert {name: data for name, data in shop.tree().items() if name != "report.html"} == before


def test_what_cannot_be_read_is_in_the_page_and_in_the_exit_code(shop: Shop, line: Line):
    """The page is written all the same."""
    shop.converge()
    Path("directory.db").write_text("garbage")
    said = line("report", "--html", "report.html")
    text = Path("report.html").read_text()
    assert said.code == 1
    assert "directory could not be read: " in said.err
    assert "1 target unknown" in said.err
    assert "1 target could not be read" in text
    assert "No unmanaged identities in the targets that could be read." in text


def test_a_report_must_say_which(shop: Shop, line: Line):
    """And how."""
    said = line("report")
    assert (said.code, "--html FILE" in said.err) == (64, True)


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "device"])
def test_what_is_no_regular_file_stays_as_it_is(shop: Shop, line: Line, kind: str):
    """Refused before anything is read."""
    victim = Path("victim")
    victim.write_text("precious")
    there = Path("report.html")
    {
        "link": lambda: there.symlink_to(victim),
        "dangling link": lambda: there.symlink_to("nowhere"),
        "folder": there.mkdir,
        "device": lambda: there.symlink_to("/dev/null"),
    }[kind]()
    said = line("report", "--html", "report.html")
    assert said.code == 64
    assert "is not a regular file" in said.err
    assert victim.read_text() == "precious"
    assert not Path("nowhere").exists()


def test_a_page_is_written_whole_or_not_at_all(shop: Shop, line: Line):
    """The old one stays when the new one cannot take its place; nothing is left beside it."""
    Path("report.html").write_text("old")
    with mock.patch.object(Path, "replace", side_effect=OSError(28, "No space left on device")):
        said = line("report", "--html", "report.html")
    assert (said.code, Path("report.html").read_text()) == (1, "old")
    assert "No space left on device" in said.err
    assert [path.name for path in shop.root.iterdir() if path.name.startswith(".report")] == []


def test_a_page_is_for_its_owner_first(shop: Shop, line: Line):
    """It says who may do what; and it takes the place of the one before."""
    for _ in range(2):
        assert line("report", "--html", "report.html").code == 0
    assert Path("report.html").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_an_error(shop: Shop, line: Line):
    """With the file's name."""
    said = line("report", "--html", "missing/report.html")
    assert said.code == 1
    assert "cannot write missing/report.html" in said.err


def test_names_of_others_are_text_in_the_page_and_visible_in_the_talk(shop: Shop, line: Line):
    """From a provider that holds mark-up."""
    shop.converge()
    shop.sql("UPDATE permissions SET resource = ?", "<img src=x onerror=alert(1)>\u202e")
    assert line("report", "--html", "report.html").code == 0
    text = Path("report.html").read_text()
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;\\u{202e}" in text
