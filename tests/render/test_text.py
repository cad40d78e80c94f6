"""Styles follow the stream and the environment; widths are in columns."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.render import text
from nhictl.render.text import Style

shown = st.text(st.characters(categories=["L", "N", "P"], include_characters=" "), max_size=60)


class _Stream(io.StringIO):
    def __init__(self, *, tty: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._tty, self._encoding = tty, encoding

    @property
    def encoding(self) -> str:
        return self._encoding

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize(
    ("environ", "color", "tty", "expected"),
    [
        ({}, "auto", True, True),
        ({}, "auto", False, False),
        ({"NO_COLOR": "1"}, "auto", True, False),
        ({"NO_COLOR": ""}, "auto", True, True),
        ({"NO_COLOR": "1"}, "always", False, True),
        ({"FORCE_COLOR": "1"}, "auto", False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", True, False),
        ({"TERM": "dumb"}, "auto", True, False),
        ({"FORCE_COLOR": "1"}, "never", True, False),
    ],
)
def test_colour_follows_option_then_environment_then_terminal(environ, color, tty, expected):
    """--color wins, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal."""
    assert text.style_for(_Stream(tty=tty), environ, color=color).color is expected


def test_the_width_is_that_of_columns_within_limits():
    """COLUMNS is obeyed between 40 and 200; without a terminal it is 100."""
    widths = [text.style_for(_Stream(tty=False), {"COLUMNS": c}).width for c in ("120", "3", "9999", "x", "-1")]
    assert widths == [120, 40, 200, 100, 100]


def test_what_the_stream_cannot_encode_is_escaped():
    """A terminal without UTF-8 gets escapes and no box characters."""
    style = text.style_for(_Stream(tty=True, encoding="latin-1"), {})
    assert (style.dot, style.gap) == ("-", "...")
    assert style.encodable("決é") == r"\u6c7a\xe9"


def test_without_colour_nothing_is_added():
    """paint gives the text back."""
    assert Style().paint("x", "red") == "x"
    assert Style(color=True).paint("x", "red") == "\x1b[31mx\x1b[0m"


def test_columns_counts_wide_and_combining_characters():
    """A wide character takes two columns, a combining one none."""
    assert text.columns("a決e\u0301") == 4


@given(shown, st.integers(8, 80))
def test_cutting_keeps_within_the_width_and_both_ends(value: str, width: int):
    """A cut text fits and begins and ends as the whole does."""
    cut = text.cut(value, width, Style())
    assert text.columns(cut) <= width
    assert cut[:1] == value[:1]
    assert cut[-1:] == value[-1:]


@given(shown, st.integers(4, 60))
def test_wrapping_loses_nothing(value: str, width: int):
    """The lines fit and hold all words."""
    lines = text.wrap(value, width)
    assert all(text.columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == value.replace(" ", "")


def test_counting_in_words():
    """One and many differ."""
    assert [text.count(1, "entry"), text.count(1200, "entry"), text.count(2, "error")] == [
        "1 entry",
        "1,200 entries",
        "2 errors",
    ]


def test_no_line_is_a_command_to_a_ci_runner():
    """A line that begins with two colons, even indented, is broken; others are not touched."""
    assert Style().encodable("a ::b\n  ::error::x\n::y") == "a ::b\n  \\u{3a}:error::x\n\\u{3a}:y"
