"""Find the comments and the empty lines of YAML text, from the gaps between the scanner's tokens.

Rules enforced here: the scanner decides what is a scalar, so a `#` inside one is never a comment; text outside the
subset of manifests (anchors, aliases, tags, directives) is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_HEADER = re.compile(r"[|>][^\s#]*[ \t]+(#[^\n]*)")
_COMMENT = re.compile(r"#[^\n]*")
_REFUSED = {"AnchorToken", "AliasToken", "TagToken", "DirectiveToken"}
_MARKERS = {"DocumentStartToken", "DocumentEndToken"}
_STARTS = {"BlockEntryToken", "KeyToken"}


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment: its place in the text (index, line and column count from 0) and whether it has its own line."""

    index: int
    line: int
    column: int
    text: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """What the tokens say beside the values. `gaps` are lines that follow an empty line which is not content,
    `starts` the index and line of dashes and keys, `markers` the index of `---` and `...`.
    """

    comments: tuple[Comment, ...]
    gaps: frozenset[int]
    starts: tuple[tuple[int, int], ...]
    markers: tuple[int, ...]


def loader() -> Any:
    """Return the loader whose scanner and composer are used: libyaml's where it is built in."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def layout(text: str) -> Layout:
    """Return the layout of text with `\\n` line ends. Raises yaml.YAMLError, and ValueError outside the subset."""
    import yaml

    tokens = list(yaml.scan(text, Loader=loader()))
    for token in tokens:
        if type(token).__name__ in _REFUSED:
            raise ValueError(f"line {token.start_mark.line + 1}: anchors, aliases, tags and directives are refused")
    return Layout(
        tuple(_comments(text, tokens)),
        _gaps(text.split("\n"), tokens),
        _places(tokens, _STARTS),
        tuple(index for index, _ in _places(tokens, _MARKERS)),
    )


def _places(tokens: Iterable[Any], names: set[str]) -> tuple[tuple[int, int], ...]:
    marks = (token.start_mark for token in tokens if type(token).__name__ in names)
    return tuple((mark.index, mark.line) for mark in marks)


def _comments(text: str, tokens: Iterable[Any]) -> Iterable[Comment]:
    begins = [0, *(found.end() for found in re.finditer("\n", text))]
    at = 0
    for token in tokens:
        start, end = token.start_mark.index, token.end_mark.index
        for match in _COMMENT.finditer(text, at, max(at, start)):
            yield _comment(text, begins, match.start(), match[0])
        if _is_block(token) and (header := _HEADER.match(text, start, end)):
            yield _comment(text, begins, header.start(1), header[1])
        at = max(at, end)
    for match in _COMMENT.finditer(text, at):
        yield _comment(text, begins, match.start(), match[0])


def _comment(text: str, begins: Sequence[int], index: int, content: str) -> Comment:
    line = bisect_right(begins, index) - 1
    alone = not text[begins[line] : index].strip()
    return Comment(index, line, index - begins[line], content.rstrip(), alone)


def _is_block(token: Any) -> bool:
    return getattr(token, "style", None) in {"|", ">"}


def _gaps(lines: Sequence[str], tokens: Iterable[Any]) -> frozenset[int]:
    content: set[int] = set()
    for token in filter(_is_block, tokens):
        header = lines[token.start_mark.line][token.start_mark.column :].split("#")[0]
        if "+" in header:
            content.update(range(token.start_mark.line, token.end_mark.line + 1))
    return frozenset(n + 1 for n, line in enumerate(lines) if not line.strip() and n not in content)
