"""Diagnostics for people and machines: full, concise, json, github, gitlab, sarif.

Rules enforced here:
- the order is the order given, which is source order;
- carets stand under the characters they mean, also behind tabs, wide and escaped characters, and in long lines;
- everything shown is visible text; a format for machines says the same as the one for people;
- no secret is shown: not in an excerpt (`mask`), not in a message, in no format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from nhictl.model import Diagnostic, Severity, Span
from nhictl.model.secret import without_secrets
from nhictl.render import github, gitlab, mask, sarif
from nhictl.render.safe import json_text, visible
from nhictl.render.text import Style, columns, count, wrap

Format = Literal["full", "concise", "json", "github", "gitlab", "sarif"]
FORMATS: tuple[Format, ...] = ("full", "concise", "json", "github", "gitlab", "sarif")
Sources: TypeAlias = "Callable[[str], Sequence[str] | None]"

_COLOR = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "cyan"}
_TAB = "    "
_CREDENTIAL = "E210"


def render(diagnostics: Sequence[Diagnostic], *, fmt: Format, sources: Sources, style: Style) -> str:
    """Return all diagnostics in one format, without a final line feed; empty text for none where that is valid.

    `sources` gives the lines of a file, or None when it cannot be read.
    """
    diagnostics = [_without_secrets(d) for d in diagnostics]
    match fmt:
        case "full":
            return "\n\n".join(_full(d, sources, style) for d in diagnostics)
        case "concise":
            return "\n".join(_concise(d, style) for d in diagnostics)
        case "json":
            return json_text([as_json(d) for d in diagnostics])
        case "github":
            return github.workflow_commands(diagnostics)
        case "gitlab":
            return json_text(gitlab.code_quality(diagnostics))
        case "sarif":
            return json_text(sarif.log(diagnostics))


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """Return the closing line: `Found 3 errors, 1 warning.`"""
    parts = []
    for severity, noun in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note")):
        number = sum(d.severity is severity for d in diagnostics)
        if number:
            parts.append(count(number, noun))
    return f"Found {', '.join(parts)}." if parts else "Found no problems."


def _without_secrets(d: Diagnostic) -> Diagnostic:
    return replace(
        d, summary=without_secrets(d.summary), detail=without_secrets(d.detail), hint=without_secrets(d.hint)
    )


def as_json(diagnostic: Diagnostic) -> dict[str, object]:
    """Return one diagnostic as JSON data; every key is always there."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
        "span": _span_json(diagnostic.span),
        "related": [{"span": _span_json(span), "label": label} for span, label in diagnostic.related],
    }


def _span_json(span: Span | None) -> dict[str, object] | None:
    if span is None:
        return None
    return {"file": span.file, "line": span.line, "column": span.column, "width": span.width}


def _head(diagnostic: Diagnostic, style: Style) -> str:
    code = style.paint(visible(diagnostic.code), _COLOR[diagnostic.severity])
    word = "" if diagnostic.severity is Severity.ERROR else f" {diagnostic.severity.value}:"
    return f"{code}{word} {style.encodable(visible(diagnostic.summary))}"


def _concise(diagnostic: Diagnostic, style: Style) -> str:
    where = f"{place(diagnostic.span)}: " if diagnostic.span else ""
    return style.encodable(where) + _head(diagnostic, style)


def place(span: Span) -> str:
    """Return `file:line:column` as visible text."""
    return visible(str(span))


_NEAR = 1000  # characters around a place that can matter for an excerpt


@dataclass(frozen=True, slots=True)
class _Page:
    """What every line of one diagnostic needs: the width of the line numbers, the sources, the style.

    `secret` says that what stands at the place of the diagnostic is one.
    """

    gutter: int
    sources: Sources
    style: Style
    secret: bool = False

    @property
    def room(self) -> int:
        return max(20, self.style.width - self.gutter - 3)

    def blank(self, sign: str = "|") -> str:
        return f"{' ' * self.gutter} {self.style.paint(sign, 'dim')}"

    def numbered(self, number: int, text: str) -> str:
        head = self.style.paint(f"{number:>{self.gutter}} |", "dim")
        return f"{head} {text}".rstrip()


def _full(diagnostic: Diagnostic, sources: Sources, style: Style) -> str:
    lines = [_head(diagnostic, style)]
    spans = [span for span in (diagnostic.span, *(span for span, _ in diagnostic.related)) if span]
    page = _Page(
        max((len(str(span.line + 1)) for span in spans), default=1), sources, style, diagnostic.code == _CREDENTIAL
    )
    if diagnostic.span:
        lines += _snippet(diagnostic.span, page)
    for span, label in diagnostic.related:
        lines += _snippet(span, page, related=True, label=label)
    lines += _prose(diagnostic, page)
    return style.encodable("\n".join(lines))


def _prose(diagnostic: Diagnostic, page: _Page) -> Iterator[str]:
    for piece in diagnostic.detail.split("\n") if diagnostic.detail else ():
        for number, text in enumerate(wrap(visible(piece), page.room)):
            yield f"{page.blank(' ' if number else '=')} {text}"
    for number, piece in enumerate(diagnostic.hint.split("\n") if diagnostic.hint else ()):
        head = "     " if number else page.style.paint("help:", "cyan")
        yield f"{head} {visible(piece)}"


def _snippet(span: Span, page: _Page, *, related: bool = False, label: str = "") -> Iterator[str]:
    sign, sgr = ("-", "cyan") if related else ("^", "bold red")
    head = f"{' ' * page.gutter}{page.style.paint('-->', 'cyan')} {place(span)}"
    lines = page.sources(span.file)
    if lines is None or not 0 < span.line <= len(lines):
        yield f"{head}: {visible(label)}" if label else head
        return
    yield head
    yield page.blank()
    yield from _context(span.line - 1, lines, page)
    text, start, width = _window(*_masked(lines, span, page), page.room)
    yield page.numbered(span.line, text)
    carets = page.style.paint(sign * width, sgr)
    yield f"{page.blank()} {' ' * start}{carets}{' ' + visible(label) if label else ''}"
    yield from _context(span.line + 1, lines, page)
    yield page.blank()


def _masked(lines: Sequence[str], span: Span, page: _Page) -> tuple[str, Span]:
    """Return the line of a span without its secrets, and where the span is in what is left."""
    line = lines[span.line - 1].rstrip("\r\n")
    start, end = span.column - 1, span.column - 1 + span.width
    ranges = mask.hidden(lines, span.line)
    if page.secret:
        ranges = mask.merged([*ranges, (min(start, len(line)), len(line))])
    at = mask.moved(start, ranges)
    return mask.cut(line, ranges), replace(span, column=at + 1, width=max(1, mask.moved(end, ranges) - at))


def _context(number: int, lines: Sequence[str], page: _Page) -> Iterator[str]:
    if 0 < number <= len(lines) and lines[number - 1].strip() and not page.secret:
        line = mask.cut(lines[number - 1].rstrip("\r\n"), mask.hidden(lines, number))
        yield page.numbered(number, _cut(_shown(line[:_NEAR]), 0, page.room))


def _shown(text: str) -> str:
    return visible(text.rstrip("\r\n").replace("\t", _TAB))


def _window(line: str, span: Span, room: int) -> tuple[str, int, int]:
    """Return the part of the line that shows the span, and where the carets start and how many they are."""
    raw = line.rstrip("\r\n")
    first = max(0, span.column - 1 - _NEAR)
    if first or len(raw) > 2 * _NEAR:  # a line of a megabyte is not made visible to show a hundred columns of it
        raw = raw[first : first + 3 * _NEAR]
        span = replace(span, column=span.column - first, width=min(span.width, _NEAR))
    before, meant = _shown(raw[: span.column - 1]), _shown(raw[span.column - 1 : span.column - 1 + span.width])
    start, width = columns(before), max(1, columns(meant))
    text = _shown(raw)
    skip = 0
    if start + min(width, room // 2) > room - 3:
        skip = start - room // 3
    shown = _cut(text, skip, room)
    at = start - skip
    return shown, at, max(1, min(width, room - at))


def _cut(text: str, skip: int, room: int) -> str:
    """Return `room` columns of `text` from column `skip`, with dots where something is left out."""
    part = text[skip : skip + room] if text.isascii() else _cut_wide(text, skip, room)
    if skip:
        part = "..." + part[3:]
    if columns(text) > skip + room:
        part = part[:-3] + "..."
    return part


def _cut_wide(text: str, skip: int, room: int) -> str:
    found, at = [], 0
    for char in text:
        width = columns(char)
        if at + width > skip + room:
            break
        if at >= skip:
            found.append(char)
        elif at + width > skip:
            found.append(" ")
        at += width
    return "".join(found)
