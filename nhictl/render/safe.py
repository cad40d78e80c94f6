"""Make untrusted text harmless before it is shown. Everything from a manifest or a provider is untrusted.

Rules enforced here:
- `visible` leaves nothing that moves the cursor, reorders, hides or breaks a line: controls, escapes, bidirectional
  and zero-width characters, blanks other than the space, lone surrogates, private and unassigned characters become
  `\\u{202e}` (tab, line feed and carriage return `\\t`, `\\n`, `\\r`); it is idempotent;
- each other form (Markdown, HTML, CSV, workflow command, JSON) starts from visible text and escapes more;
- Markdown text cannot mention anybody, refer to an issue, link, embed, or close the element it stands in.
"""

from __future__ import annotations

import html as _html
import json
import re

# Printable by Unicode's categories and yet drawn as nothing or as a blank.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MARKDOWN = re.compile(r"(?![.;:)](?: |\Z))(?!(?<=[A-Za-z0-9])[-/](?=[A-Za-z0-9]))[^A-Za-z0-9 ,(\u0080-\U0010ffff]")
_REFERENCE = frozenset("@#!~%$&:")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_PLAIN_CODE = re.compile(r"[^`|\\]*\Z")
_UNSAFE_JSON = re.compile(r"[^\x20-\x7e\n]")


def visible(text: str) -> str:
    """Return `text` with every character that cannot be seen as itself escaped. One line."""
    if text.isprintable() and (text.isascii() or not _INVISIBLE.search(text)):
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char.isprintable() and not _INVISIBLE.match(char):
        return char
    return _SHORT.get(char) or f"\\u{{{ord(char):x}}}"


def html(text: str) -> str:
    """Return `text` for an HTML text node or a quoted attribute."""
    return _html.escape(visible(text))


def markdown(text: str) -> str:
    """Return `text` as Markdown prose that renders as itself, without mark-up, mentions and links."""
    return _MARKDOWN.sub(_entity, visible(text))


def _entity(found: re.Match[str]) -> str:
    char = found[0]
    word_follows = found.string[found.end() : found.end() + 1].isalnum()
    # A renderer decodes entities before it looks for mentions: the zero-width space is what stops those.
    stop = "&#8203;" if char in _REFERENCE and word_follows else ""
    return f"&#{ord(char)};{stop}"


def code(text: str) -> str:
    """Return `text` as inline code in Markdown, also inside a table cell."""
    shown = visible(text)
    if shown and _PLAIN_CODE.match(shown) and shown == shown.strip():
        return f"`{shown}`"
    return "<code>" + "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in shown) + "</code>"


def fence(lines: list[str], language: str = "") -> list[str]:
    """Return `lines` as a fenced code block that no line in it can close."""
    shown = [visible(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [ticks + language, *shown, ticks]


def csv_cell(text: str) -> str:
    """Return `text` as a CSV cell that no spreadsheet takes for a formula."""
    return f"'{visible(text)}" if text.lstrip(" ").startswith(_FORMULA) else visible(text)


def workflow_command(text: str, *, attribute: bool = False) -> str:
    """Return `text` for a `::command::` of GitHub Actions; line feeds stay, attributes escape more."""
    lines = (visible(line).replace("%", "%25") for line in text.split("\n"))
    joined = "%0A".join(lines)
    return joined.replace(":", "%3A").replace(",", "%2C") if attribute else joined


def json_text(data: object, *, indent: int | None = 2) -> str:
    """Return `data` as JSON text, harmless on a terminal. Raises ValueError on NaN."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(data, ensure_ascii=False, indent=indent, separators=separators, allow_nan=False)
    return text if text.isascii() and "\x7f" not in text else _UNSAFE_JSON.sub(_json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    char = found[0]
    if char.isprintable() and not _INVISIBLE.match(char):
        return char
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"
