"""What the bytes of a manifest may be, before YAML is looked at.

Rules enforced here:
- at most 1 MiB, UTF-8 without a byte order mark;
- nothing a reviewer cannot see: no control characters, no bidirectional or zero-width characters, no tabs, no
  carriage return that does not end a line;
- no line that starts with `%` (YAML directives).
Each refused character is replaced so that every other one keeps its place and the rest can still be judged. What
follows a byte that is not UTF-8 is not judged.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from itertools import islice

from nhictl.model import Diagnostic, Span

MAX_BYTES = 1 << 20
MAX_REFUSED = 20

_PLAIN_BYTES = bytes((0x0A, *range(0x20, 0x7F)))
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IN_TEXT = re.compile(f"[\t{_CONTROL}{_INVISIBLE}]|\r(?!\n)")
_IN_VALUE = re.compile(f"[\r{_CONTROL}{_INVISIBLE}]")
_INVISIBLE_ONLY = re.compile(f"[{_INVISIBLE}]")
_DIRECTIVE = re.compile(r"^%.*", re.MULTILINE)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_LETTER_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b", "N": "\x85", "L": "\u2028",
    "P": "\u2029",
}  # fmt: skip
_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Text:
    """The characters of a file, fit for the YAML parser; empty when nothing more can be said about it.

    `problems` are what was refused on the way.
    """

    characters: str
    problems: tuple[Diagnostic, ...] = ()


def decode(data: bytes, file: str) -> Text:
    """Return the characters of `data`."""
    if not data.translate(None, _PLAIN_BYTES) and len(data) <= MAX_BYTES:
        text = data.decode("ascii")
        return Text(text) if "%" not in text else _without_directives(text, file, [])
    return _decode_carefully(data, file)


def hidden(value: str) -> re.Match[str] | None:
    """Find the first character of a string value that a reader cannot see (line feed and tab are fine)."""
    return None if value.isprintable() and value.isascii() else _IN_VALUE.search(value)


def shown(text: str, limit: int = 40) -> str:
    """Return `text` fit for a message: short, on one line, hidden characters by number."""
    visible = _IN_VALUE.sub(lambda m: f"<U+{ord(m[0]):04X}>", text[: limit + 1]).replace("\n", "<U+000A>")
    visible = visible.replace("\t", "<U+0009>")
    return visible if len(text) <= limit else visible[:limit] + "..."


def refused_character(char: str, span: Span, *, escaped: bool = False) -> Diagnostic:
    """Say that `char` may not stand in a manifest, as itself or as what an escape means."""
    name = f"U+{ord(char):04X}"
    how = f"escape for {name}" if escaped else name
    if char == "\t":
        return Diagnostic(
            "E106", "tab character", span, hint='Indent and separate with spaces; write "\\t" inside quotes.'
        )
    if _INVISIBLE_ONLY.match(char):
        detail = "Text that reads differently from what it is can hide a change from its reviewer."
        return Diagnostic(
            "E105", f"invisible or bidirectional character ({how})", span, detail, "Remove the character."
        )
    return Diagnostic("E104", f"control character ({how})", span, hint="Remove the character.")


def escape_of(char: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Return index and length of the escape that means `char` in the quoted `text[start:end]`; of the quote if none."""
    for found in _ESCAPE.finditer(text, start, end):
        number = found[1] or found[2] or found[3]
        if (chr(int(number, 16)) if number else _LETTER_ESCAPES.get(found[4])) == char:
            return found.start(), len(found[0])
    return start, 1


def position(text: str, index: int) -> tuple[int, int]:
    """Return line and column, from 1 in characters, of `index` in `text`."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _decode_carefully(data: bytes, file: str) -> Text:
    start = Span(file)
    if len(data) > MAX_BYTES:
        summary = f"file is too large ({len(data):,} bytes, at most {MAX_BYTES:,})"
        return Text("", (Diagnostic("E101", summary, start, hint="Split it: one object per file."),))
    if data.startswith(_BOMS) or b"\x00" in data[:4]:
        return Text("", (Diagnostic("E102", "file is not UTF-8 text (UTF-16, UTF-32 or binary)", start, hint=_SAVE),))
    problems: list[Diagnostic] = []
    if data.startswith(codecs.BOM_UTF8):
        problems.append(Diagnostic("E103", "byte order mark", start, hint="Save as UTF-8 without a byte order mark."))
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = data[: error.start].decode("utf-8")
        span = Span(file, *position(text, len(text)))
        problems.append(Diagnostic("E102", f"not UTF-8: byte 0x{data[error.start]:02x}", span, hint=_SAVE))
    return _without_directives(_visible(text, file, problems), file, problems)


_SAVE = "Save the file as UTF-8."


def _visible(text: str, file: str, problems: list[Diagnostic]) -> str:
    """Return `text` with a space for each refused character; nothing when there are too many."""
    found = list(islice(_IN_TEXT.finditer(text), MAX_REFUSED + 1))
    problems += [refused_character(f[0], Span(file, *position(text, f.start()))) for f in found]
    if len(found) > MAX_REFUSED:
        problems.append(too_many(problems[-1].span))
        return ""
    return _IN_TEXT.sub(" ", text) if found else text


def _without_directives(text: str, file: str, problems: list[Diagnostic]) -> Text:
    found = list(islice(_DIRECTIVE.finditer(text), MAX_REFUSED + 1))
    for directive in found:
        span = Span(file, *position(text, directive.start()), min(len(directive[0]), 200))
        problems.append(Diagnostic("E111", "YAML directive", span, hint="Remove the line; manifests need none."))
    if len(found) > MAX_REFUSED:
        return Text("", (*problems, too_many(problems[-1].span)))
    if found:
        text = _DIRECTIVE.sub(lambda m: "#" * len(m[0]), text)
    return Text(text, tuple(problems))


def too_many(span: Span | None) -> Diagnostic:
    """Say that a file has so many problems that its rest was not judged."""
    return Diagnostic("E122", "too many problems: the rest of the file was not read", span, hint="Fix these first.")
