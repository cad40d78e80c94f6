"""The fast twin of `survey` for plain manifests: values only, no events, several times faster.

It knows block mappings and lists of one-line values: plain words, quotes without escapes, `{...}` and `[...]` on one
line.
Rules enforced here:
- whatever it is not sure about (another YAML feature, a doubtful indentation, any error) it gives back as None, and
  `survey` decides; it never reports a problem itself;
- what it does return is exactly what `survey` returns (a differential test holds it to that).
"""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern
from typing import Any, TypeAlias

from nhictl.manifest import scalars

MAX_LENGTH = 10_000
MAX_EVENTS = 10_000
MAX_LINE = 1_000
MAX_LEVEL = 24
MAX_FLOW_LEVEL = 6

_KEY = r"([A-Za-z_][A-Za-z0-9_./-]{0,127}+):"
_QUOTED = r""" "([^"\\\n]*+)" | '([^'\n]*+)' """
_WORD = r"([\w./$](?:[^ :#\n]|:(?=[A-Za-z0-9/*_$.@-])|\ (?=[^ #:\n]))*+)"
_FLOW_WORD = r"([A-Za-z0-9_./](?:[A-Za-z0-9_./@*=+()~$^;-]|:(?=[A-Za-z0-9/])|\ (?=[A-Za-z0-9]))*+)"
_LINE = re.compile(
    rf"(\ *+)(-\ )?(?:{_KEY}(?:\ ++|$))?(?: {_QUOTED} | ([\[{{].*[\]}}]) | {_WORD} )?\ *+(?:(?<![^ ])\#.*)?$",
    re.VERBOSE,
)
_ENTRY = re.compile(rf"{_KEY}\ (?: {_QUOTED} | {_FLOW_WORD} )$", re.VERBOSE)
_FLOW_KEY = re.compile(rf"{_KEY}\ ++", re.VERBOSE)
_FLOW_VALUE = re.compile(rf"(?: {_QUOTED} | {_FLOW_WORD} )", re.VERBOSE)
_NAME_LINE = re.compile(
    rf"^metadata:\n\ ++name:\ ++(?: {_QUOTED} | {_WORD} )\ *+(?:(?<=\ )\#.*)?$", re.MULTILINE | re.VERBOSE
)
_NAME_FLOW = re.compile(
    rf"^metadata:\ ++{{\ *+name:\ ++(?: {_QUOTED} | {_FLOW_WORD} )\ *+[,}}]", re.MULTILINE | re.VERBOSE
)
_COMMA = re.compile(r" *+, ++")
_CLOSED = re.compile(r" *+[\]}]")
_SPACES = re.compile(r" *+")
_ITEM = re.compile(rf"(?: {_QUOTED} | {_FLOW_WORD} )$", re.VERBOSE)

# Indent; list item or not; key; what follows; the scalar or the text of the flow; whether a variable is in it.
_Line: TypeAlias = "tuple[int, bool, str, int, Any, bool]"
_NOTHING, _SCALAR, _FLOW, _SKIP = range(4)
_BLANK: _Line = (0, False, "", _SKIP, None, False)


class _Unsure(Exception):
    """The text is not plain enough."""


def values(text: str) -> list[tuple[dict[str, Any], bool]] | None:
    """Return the documents of `text` that are not empty, or None when in doubt. Lines end with a line feed.

    Each comes with whether any string in it, keys included, contains `${`.
    """
    if len(text) > MAX_LENGTH and _events(text) > MAX_EVENTS:
        return None
    documents: list[tuple[dict[str, Any], bool]] = []
    chunk: list[_Line] = []
    try:
        for line in text.split("\n"):
            if line == "---":
                _finish(chunk, documents)
                chunk = []
                continue
            known = _line(line)
            if known[3] != _SKIP:
                chunk.append(known)
        _finish(chunk, documents)
    except _Unsure:
        return None
    return documents


def name_span(text: str, name: str) -> tuple[int, int] | None:
    """Return index and width of the value of `metadata.name` in a text with one document, or None when in doubt."""
    if text.count("\nmetadata") + text.startswith("metadata") != 1 or "\n---" in text:
        return None
    found = _NAME_LINE.search(text) or _NAME_FLOW.search(text)
    if found is None or found.lastindex is None or found[found.lastindex] != name:
        return None
    start, end = found.span(found.lastindex)
    quotes = 1 if found.lastindex < 3 else 0
    return start - quotes, end - start + 2 * quotes


def _events(text: str) -> int:
    """Return an upper bound of the parser events in `text`."""
    return 5 * text.count("\n") + 4 * (text.count("[") + text.count("{")) + 2 * text.count(",") + 9


def _finish(chunk: list[_Line], documents: list[tuple[dict[str, Any], bool]]) -> None:
    if chunk:
        documents.append((_mapping(chunk), any(line[5] for line in chunk)))


@lru_cache(maxsize=20_000)
def _line(line: str) -> _Line:
    found = _LINE.match(line) if len(line) <= MAX_LINE else None
    if found is None:
        raise _Unsure
    indent, dash, key, double, single, flow, word = found.groups()
    if key is None:
        if found.lastindex == 1:
            return _BLANK
        if dash is None or found.lastindex == 2:
            raise _Unsure
        key = ""
    elif key in scalars.CONSTANTS:
        raise _Unsure
    variable = "${" in line and "${" in (double or single or flow or word or "")
    if word is not None:
        return len(indent), dash is not None, intern(key), _SCALAR, _word(word), variable
    if flow is not None:
        return len(indent), dash is not None, intern(key), _FLOW, flow, variable
    quoted = single if double is None else double
    return len(indent), dash is not None, intern(key), _NOTHING if quoted is None else _SCALAR, quoted, variable


def _word(text: str) -> scalars.Scalar:
    try:
        return scalars.resolve(text)
    except scalars.BadNumber:
        raise _Unsure from None


def _mapping(lines: list[_Line]) -> dict[str, Any]:  # noqa: C901 (a call per line would cost a third)
    """Return the block mapping of `lines`. `level` is the indent of `node`, the innermost open container."""
    root: dict[str, Any] = {}
    node: Any = root
    level = 0
    outer: list[tuple[int, Any]] = []
    waiting: str | None = None
    for indent, dash, key, kind, value, _ in lines:
        if waiting is not None and (indent > level or (dash and indent == level)):
            child: Any = [] if dash else {}
            node[waiting] = child
            outer.append((level, node))
            node, level = child, indent
            if len(outer) > MAX_LEVEL:
                raise _Unsure
        else:
            while level > indent and outer:
                level, node = outer.pop()
            if not dash and type(node) is list and outer and outer[-1][0] == level:
                level, node = outer.pop()
        if level != indent or (type(node) is list) is not dash:
            raise _Unsure
        waiting = None
        if dash:
            if not key:
                node.append(_flow(value) if kind == _FLOW else value)
                continue
            outer.append((level, node))
            child = {}
            node.append(child)
            node, level = child, indent + 2
        if key in node:
            raise _Unsure
        if kind == _NOTHING:
            waiting = key
        node[key] = _flow(value) if kind == _FLOW else value
    return root


def _flow(text: str) -> dict[str, Any] | list[Any]:
    inner = text[1:-1].strip(" ")
    if "[" in inner or "{" in inner:
        value, end = _nested(text, 0, MAX_FLOW_LEVEL)
        if end != len(text):
            raise _Unsure
        return value  # type: ignore[no-any-return]
    opened, closed = text[0], text[-1]
    if opened == "[" and closed == "]":
        return [_item(part) for part in inner.split(", ")] if inner else []
    if opened != "{" or closed != "}":
        raise _Unsure
    if not inner:
        return {}
    entries = [_entry(part) for part in inner.split(", ")]
    mapping = dict(entries)
    if len(mapping) != len(entries):
        raise _Unsure
    return mapping


@lru_cache(maxsize=20_000)
def _entry(part: str) -> tuple[str, scalars.Scalar]:
    found = _ENTRY.match(part)
    if found is None or found[1] in scalars.CONSTANTS:
        raise _Unsure
    return intern(found[1]), _scalar(*found.group(2, 3, 4))


@lru_cache(maxsize=20_000)
def _item(part: str) -> scalars.Scalar:
    found = _ITEM.match(part)
    if found is None:
        raise _Unsure
    return _scalar(*found.groups())


def _scalar(double: str | None, single: str | None, word: str | None) -> scalars.Scalar:
    if word is not None:
        return _word(word)
    return single if double is None else double


def _nested(text: str, at: int, levels: int) -> tuple[Any, int]:
    """Return the flow value that starts at `at` and the index after it."""
    opened = text[at : at + 1]
    if opened not in ("{", "["):
        found = _FLOW_VALUE.match(text, at)
        if found is None:
            raise _Unsure
        return _scalar(*found.groups()), found.end()
    if not levels:
        raise _Unsure
    value: Any = {} if opened == "{" else []
    at = _end(_SPACES, text, at + 1)
    if not _CLOSED.match(text, at):
        at = _entries(value, text, at, levels - 1)
    at = _end(_CLOSED, text, at)
    if text[at - 1] != ("}" if opened == "{" else "]"):
        raise _Unsure
    return value, at


def _entries(value: Any, text: str, at: int, levels: int) -> int:
    while True:
        key = None
        if type(value) is dict:
            found = _FLOW_KEY.match(text, at)
            if found is None or found[1] in scalars.CONSTANTS or found[1] in value:
                raise _Unsure
            key, at = intern(found[1]), found.end()
        item, at = _nested(text, at, levels)
        if key is None:
            value.append(item)
        else:
            value[key] = item
        following = _COMMA.match(text, at)
        if following is None:
            return at
        at = following.end()


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    if found is None:
        raise _Unsure
    return found.end()
