"""`apply` on a terminal asks, and only yes is yes; without one it refuses."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Line
from tests.cli.terminal import terminal
from tests.support import Shop

QUESTION = "Only yes is accepted: "


def test_applies_after_yes_what_it_showed(shop: Shop):
    """The plan stands above the question."""
    with terminal("apply", cwd=shop.root) as shown:
        above = shown.wait_for(QUESTION)
        assert "directory/identity/api" in above
        assert "Apply these 6 changes to test?" in above
        shown.type("yes\n")
        assert shown.end() == 0
    assert shop.names("identities") == ["api", "job"]


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_shows_what_it_asks_about_in_every_format(shop: Shop, form: str):
    """On stderr: stdout keeps to the result."""
    with terminal("apply", "-o", form, cwd=shop.root) as shown:
        above = shown.wait_for(QUESTION)
        assert "directory/identity/api" in above
        shown.type("no\n")
        assert shown.end() == 1
    assert shop.entries() == []


@pytest.mark.parametrize("answer", ["y", "Y", "YES", "no", "", "yes please", "ja"])
def test_takes_nothing_else_for_yes(shop: Shop, answer: str):
    """Nothing was changed, nothing recorded, and it says so."""
    with terminal("apply", cwd=shop.root) as shown:
        shown.wait_for(QUESTION)
        shown.type(answer + "\n")
        assert shown.end() == 1
        assert "not confirmed: nothing was changed" in shown.seen
    assert not shop.rows().get("identities")
    assert shop.entries() == []


def test_the_end_of_input_is_no_answer(shop: Shop):
    """Ctrl-D."""
    with terminal("apply", cwd=shop.root) as shown:
        shown.wait_for(QUESTION)
        shown.type("\x04")
        assert shown.end() == 1
    assert shop.entries() == []


def test_ctrl_c_at_the_question_is_exit_code_130(shop: Shop):
    """Nothing was changed."""
    with terminal("apply", cwd=shop.root) as shown:
        shown.wait_for(QUESTION)
        shown.process.send_signal(2)
        assert shown.end() == 130
        assert re.search(r"accepted: \s*\n\S*error:\S* not confirmed: nothing was changed", shown.seen)
        assert "Traceback" not in shown.seen
    assert shop.entries() == []


@pytest.mark.parametrize(
    ("words", "variables"), [(["--no-input"], {}), ([], {"CI": "true"}), ([], {"NHICTL_NO_INPUT": "1"})]
)
def test_never_asks_where_nobody_answers(shop: Shop, words: list[str], variables: dict[str, str]):
    """Even on a terminal: `--no-input`, its variable, CI."""
    with terminal("apply", *words, cwd=shop.root, **variables) as shown:
        assert shown.end() == 64
        assert "nobody can be asked here" in shown.seen
        assert "--expect-digest DIGEST" in shown.seen
    assert shop.entries() == []


@pytest.mark.parametrize("command", ["apply", "adopt nhi/api"])
def test_refuses_without_a_terminal(shop: Shop, line: Line, command: str):
    """A pipe is nobody."""
    said = line(*command.split())
    assert said.code == 64
    assert shop.entries() == []


def test_with_yes_it_does_not_ask(shop: Shop, line: Line):
    """The plan is shown all the same."""
    said = line("apply", "--yes")
    assert said.code == 0
    assert QUESTION not in said.all
    assert said.out.startswith("Plan for shop/test")
