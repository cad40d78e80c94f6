"""Build the tree of a manifest's text, each comment at the node it belongs to.

Rules enforced here:
- a comment on the line of something belongs to that thing; a comment on its own line belongs to what follows it;
- a comment after the last entry of a block, indented deeper than the block around it, is the foot of that block;
- a modeline stays the first line of its document;
- a scalar keeps its spelling: only its place changes, and single quotes become double where nothing needs an escape.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from nhictl.manifest.fmt_comments import Comment, Layout, layout, loader
from nhictl.manifest.fmt_tree import Collection, Entry, Node, Page, Scalar

MODELINE = re.compile(r"#\s*yaml-language-server\s*:")
_ITEM = re.compile(r"#\s*-\s")
_NOTHING = Scalar(("",))


@dataclass(frozen=True, slots=True)
class _Reading:
    text: str
    layout: Layout
    comments: deque[Comment]


def read(text: str) -> tuple[tuple[Page, ...], tuple[str, ...]]:
    """Return the documents of text with `\\n` line ends, and the comment lines of a text without any.

    Raises yaml.YAMLError, and ValueError outside the subset of manifests.
    """
    import yaml

    found = layout(text)
    reading = _Reading(text, found, deque(found.comments))
    result = []
    for root in yaml.compose_all(text, Loader=loader()):
        end = next((mark for mark in found.markers if mark > root.start_mark.index), len(text))
        result.append(_page(reading, root, end))
    rest = tuple(_lines(reading, reading.comments))
    if not result:
        return (), rest
    last = replace(result[-1], foot=(*result[-1].foot, *rest))
    return (*result[:-1], last), ()


def _page(reading: _Reading, root: Any, end: int) -> Page:
    if _is_inline(root):
        entry = _inline(reading, root, end, Entry(_NOTHING))
        foot = _lines(reading, _take(reading, end))
        return Page(_modeline_first(entry.before), entry.value, entry.trailing, tuple(foot))
    block = _block(reading, root, end, -1)
    first, *others = block.entries
    header, before = _split_header(first.before)
    block = replace(block, entries=(replace(first, before=before), *others))
    return Page(header, block, foot=tuple(_lines(reading, _take(reading, end))))


def _split_header(before: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part the lines above the first key: those up to the last gap, or a modeline, are the document's."""
    gap = max((i for i, line in enumerate(before) if not line), default=-1)
    if any(MODELINE.match(line) for line in before[gap + 1 :]):
        gap = len(before) - 1
    return _modeline_first(before[: gap + 1]), before[gap + 1 :]


def _modeline_first(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(lines, key=lambda line: not MODELINE.match(line)))


def _is_inline(node: Any) -> bool:
    return node.id == "scalar" or bool(node.flow_style)


def _take(reading: _Reading, index: int) -> list[Comment]:
    taken = []
    while reading.comments and reading.comments[0].index < index:
        taken.append(reading.comments.popleft())
    return taken


def _lines(reading: _Reading, comments: Iterable[Comment]) -> list[str]:
    result: list[str] = []
    for comment in comments:
        if comment.alone and comment.line in reading.layout.gaps:
            result.append("")
        result.append(comment.text)
    return result


def _block(reading: _Reading, node: Any, limit: int, outer: int) -> Collection:
    """Build a block collection that ends before `limit` in a block at column `outer`."""
    mapping = node.id == "mapping"
    children = node.value if mapping else [(None, item) for item in node.value]
    starts = [_start(reading, key or value, dash=not mapping) for key, value in children]
    stops = [*(index for index, _ in starts[1:]), limit]
    entries = [
        _entry(reading, key, value, start=start, stop=stop, column=node.start_mark.column)
        for (key, value), start, stop in zip(children, starts, stops, strict=True)
    ]
    return Collection(mapping, False, tuple(entries), tuple(_foot(reading, node, limit, outer)))


def _start(reading: _Reading, node: Any, *, dash: bool) -> tuple[int, int]:
    """Return index and line of the dash of an item, or of the key of a pair with its question mark."""
    starts = reading.layout.starts
    index = node.start_mark.index + (0 if dash else 1)
    place = bisect_left(starts, index, key=lambda start: start[0])
    return starts[place - 1]


def _foot(reading: _Reading, node: Any, limit: int, outer: int) -> list[str]:
    """Take the comments below a block: those deeper than the block around it, and items commented out of a list."""
    taken = []
    waiting = reading.comments
    hanging = node.id == "sequence" and node.start_mark.column == outer
    while waiting and waiting[0].index < limit and waiting[0].alone:
        item = hanging and waiting[0].column == outer and _ITEM.match(waiting[0].text)
        if waiting[0].column <= outer and not item:
            break
        taken.append(waiting.popleft())
    return _lines(reading, taken)


def _entry(reading: _Reading, key: Any, value: Any, *, start: tuple[int, int], stop: int, column: int) -> Entry:
    index, line = start
    before = _lines(reading, _take(reading, index))
    if line in reading.layout.gaps:
        before.append("")
    entry = Entry(_NOTHING, *_key(reading, key), tuple(before))
    if _is_inline(value):
        return _inline(reading, value, stop, entry)
    waiting = reading.comments
    beside = bool(waiting) and waiting[0].index < value.start_mark.index and not waiting[0].alone
    opening = waiting.popleft().text if beside else ""
    return replace(entry, value=_block(reading, value, stop, column), opening=opening)


def _key(reading: _Reading, key: Any) -> tuple[str | None, str]:
    if key is None:
        return None, ""
    raw = reading.text[key.start_mark.index : key.end_mark.index]
    if key.id != "scalar" or not raw:
        raise ValueError(f"line {key.start_mark.line + 1}: a key is not a string")
    if "\n" in raw:
        return json.dumps(key.value, ensure_ascii=False), key.value
    return _requoted(raw), key.value


def _inline(reading: _Reading, node: Any, stop: int, entry: Entry) -> Entry:
    """Fill `entry` with a scalar or flow collection, and the comments between its key, itself and `stop`."""
    between = _take(reading, node.start_mark.index)
    value, inside = _flow(reading, node) if node.id != "scalar" else (_scalar(reading, node), [])
    line = node.start_mark.line if node.id == "scalar" and node.style in {"|", ">"} else node.end_mark.line
    trailing = ""
    waiting = reading.comments
    if waiting and waiting[0].index < stop and waiting[0].line == line and not waiting[0].alone:
        trailing = waiting.popleft().text
    elif len(between) == 1 and not between[0].alone:
        trailing = between.pop().text
    before = (*entry.before, *_lines(reading, between), *inside)
    return replace(entry, value=value, before=before, trailing=trailing)


def _flow(reading: _Reading, node: Any) -> tuple[Node, list[str]]:
    mapping = node.id == "mapping"
    children = node.value if mapping else [(None, item) for item in node.value]
    starts = [(key or value).start_mark.index for key, value in children]
    entries = []
    for (key, value), start, stop in zip(children, starts, [*starts[1:], node.end_mark.index], strict=False):
        before = _lines(reading, _take(reading, start))
        entries.append(_inline(reading, value, stop, Entry(_NOTHING, *_key(reading, key), tuple(before))))
    rest = _lines(reading, _take(reading, node.end_mark.index))
    if not entries:
        return Collection(mapping, True, ()), rest
    return Collection(mapping, True, tuple(entries), tuple(rest)), []


def _scalar(reading: _Reading, node: Any) -> Scalar:
    raw = reading.text[node.start_mark.index : node.end_mark.index]
    if node.style in {"|", ">"}:
        return _block_scalar(raw, node.value)
    if "\n" not in raw:
        return Scalar((_requoted(raw),))
    return Scalar(tuple(_stripped(line, escapes=node.style == '"') for line in raw.split("\n")))


def _requoted(raw: str) -> str:
    """Return `raw` in double quotes where it has single ones and its text needs no escape in either."""
    inner = raw[1:-1].replace("''", "'")
    safe = raw.startswith("'") and '"' not in inner and "\\" not in inner
    return f'"{inner}"' if safe else raw


def _stripped(line: str, *, escapes: bool) -> str:
    text = line.strip(" \t")
    escaped = escapes and (len(text) - len(text.rstrip("\\"))) % 2 == 1 and line.rstrip("\n") != line.rstrip(" \t")
    return text + " " if escaped else text


def _block_scalar(raw: str, value: str) -> Scalar:
    """Return a literal or folded scalar without its indent; the chomping indicator says what the value says."""
    header, *body = raw.removesuffix("\n").split("\n")
    written = next((line for line in body if line.strip(" ")), "")
    meant = next((line for line in value.split("\n") if line.strip(" ")), "")
    if not meant:
        return Scalar((json.dumps(value, ensure_ascii=False),))
    indent = _leading(written) - _leading(meant)
    lines = [line[indent:] for line in body]
    while lines and not lines[-1]:
        lines.pop()
    newlines = len(value) - len(value.rstrip("\n"))
    lines.extend([""] * (newlines - 1))
    first = next(line for line in lines if line)
    chomp = {0: "-", 1: ""}.get(newlines, "+")
    explicit = "2" if first[0] in " \t" else ""
    return Scalar((header[0] + explicit + chomp, *lines), block=True, keep=newlines > 1)


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
