"""Plain terminal text: styles, widths, padding and cutting. Linear, no dependency, no state.

Rules enforced here:
- colour only adds: every meaning is also a word or a sign; `--color`, NO_COLOR, FORCE_COLOR and TERM are obeyed;
- only the sixteen named colours, bold and dim, so that the reader's dark or light theme decides the shade;
- widths are in terminal columns: wide characters count two, combining ones none;
- what stdout cannot encode is replaced by an escape, never an exception.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

Color = Literal["auto", "always", "never"]
# GitHub's runner trims a line of output before it looks for a command.
_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)
NARROW, DEFAULT, WIDEST = 40, 100, 200

_SGR = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36",
    "bold red": "1;31", "bold green": "1;32", "bold yellow": "1;33",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """How to write: `width` in columns, `verbose` from -v, `unicode` when the stream can encode it."""

    color: bool = False
    width: int = DEFAULT
    unicode: bool = True
    verbose: int = 0

    @property
    def dot(self) -> str:
        """What separates parts of one line."""
        return "·" if self.unicode else "-"

    @property
    def gap(self) -> str:
        """What stands for something cut out."""
        return "…" if self.unicode else "..."

    def paint(self, text: str, sgr: str) -> str:
        """Return `text` in one of the named styles."""
        return f"\x1b[{_SGR[sgr]}m{text}\x1b[0m" if self.color and text and sgr else text

    def encodable(self, text: str) -> str:
        """Return finished `text` with what the stream cannot encode escaped, and no line a CI runner would obey."""
        if "::" in text:
            text = _COMMAND.sub(r"\1\\u{3a}:", text)
        if self.unicode or text.isascii():
            return text
        return text.encode("ascii", "backslashreplace").decode("ascii")


def style_for(stream: TextIO, environ: Mapping[str, str], *, color: Color = "auto", verbose: int = 0) -> Style:
    """Return the style for a stream: terminal or not, its width and its encoding."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return Style(_colored(stream, environ, color), _width(stream, environ), encoding == "utf8", verbose)


def _colored(stream: TextIO, environ: Mapping[str, str], color: Color) -> bool:
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return environ.get("TERM") != "dumb" and stream.isatty()


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    wanted = environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return max(NARROW, min(WIDEST, int(wanted)))
    if not stream.isatty():
        return DEFAULT
    import os

    try:
        return max(NARROW, min(WIDEST, os.get_terminal_size(stream.fileno()).columns))
    except (OSError, ValueError):
        return DEFAULT


def columns(text: str) -> int:
    """Return how many terminal columns visible `text` takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, width: int) -> str:
    """Return `text` with spaces up to `width` columns."""
    return text + " " * (width - columns(text))


def cut(text: str, width: int, style: Style) -> str:
    """Return `text` in at most `width` columns, cut in the middle: both ends tell objects apart."""
    if columns(text) <= width:
        return text
    room = max(2, width - len(style.gap))
    return _take(text, room - room // 2) + style.gap + _take(text[::-1], room // 2)[::-1]


def cut_start(text: str, width: int, style: Style) -> str:
    """Return `text` in at most `width` columns, cut at its start: the end says who."""
    if columns(text) <= width:
        return text
    return style.gap + _take(text[::-1], max(1, width - len(style.gap)))[::-1]


def _take(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    used = 0
    for index, char in enumerate(text):
        used += _columns_of(char)
        if used > width:
            return text[:index]
    return text


def fill(parts: list[str], width: int, *, joint: str = "  ") -> list[str]:
    """Return `parts` on as few lines as fit into `width` columns, none broken."""
    lines: list[str] = []
    line, used = "", 0
    for part in parts:
        size = columns(part)
        if line and used + len(joint) + size > width:
            lines.append(line)
            line, used = "", 0
        line, used = (line + joint + part, used + len(joint) + size) if line else (part, size)
    return [*lines, line] if line else lines


def wrap(text: str, width: int, *, whole: bool = False) -> list[str]:
    """Return visible prose in lines of at most `width` columns, broken at spaces; longer words stay `whole` or not."""
    words = text.split(" ")
    if not whole:
        words = [piece for word in words for piece in _pieces(word, width)]
    return fill(words, width, joint=" ") or [""]


def _pieces(word: str, width: int) -> list[str]:
    found = []
    while columns(word) > width:
        head = _take(word, width) or word[0]
        found.append(head)
        word = word[len(head) :]
    return [*found, word]


def count(number: int, noun: str) -> str:
    """Return `1 error`, `2 errors`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"
