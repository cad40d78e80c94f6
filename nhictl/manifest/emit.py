"""Write values as manifest text: the layout of `nhictl fmt`, in the YAML subset that the reader takes. Pure.

Rules enforced here:
- a string stands without quotes only where no reader of YAML, old or new, could take it for something else;
- a text of several lines stands as one (`|`), unless it holds what a line or an editor could lose;
- `${` in a value is written `$${`: what comes from elsewhere is never a variable;
- a comment holds no character a reader cannot see, no secret, and nothing an editor takes for an instruction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from textwrap import wrap
from typing import Any

from nhictl.manifest.fmt import published
from nhictl.manifest.fmt_order import ordered
from nhictl.manifest.fmt_tree import Collection, Entry, Node, Page, Scalar
from nhictl.manifest.fmt_write import write
from nhictl.manifest.scalars import resolve
from nhictl.manifest.text import shown
from nhictl.model.secret import without_secrets

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@+=-]*(?:[/:][A-Za-z0-9_.@+=-]+)*(?: [A-Za-z0-9_.@+=()-]+)*\Z")
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_FLOW = 96
_COMMENT = 110
_LINES = 40


def page(value: Mapping[str, Any], *, comments: Iterable[str] = (), kept: Iterable[str] = ()) -> str:
    """Return the text of one document; `comments` stand at its top, `kept` above `spec.keep`, one sentence each."""
    root = _node(value, 0)
    assert isinstance(root, Collection)
    first, *others = [_with_kept(e, comment_lines(kept)) if e.name == "spec" else e for e in root.entries]
    entries = (replace(first, before=tuple(comment_lines(comments))), *others)
    return write([ordered(Page((), replace(root, entries=entries)), _schemas())], ())


def literal(value: Any) -> Any:
    """Return `value` with every string in it, keys excepted, written so that it means itself: `${` becomes `$${`."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [literal(item) for item in value]
    return value


def comment_lines(texts: Iterable[str]) -> list[str]:
    """Return comment lines for sentences, each broken into lines and made harmless."""
    lines: list[str] = []
    for text in texts:
        safe = shown(without_secrets(text), 20_000)
        parts = wrap(safe, _COMMENT, break_on_hyphens=False) or [""]
        more = [*parts[:_LINES], "..."] if len(parts) > _LINES else parts
        lines += [f"# {'  ' if number else '- '}{_harmless(part)}" for number, part in enumerate(more)]
    return lines


def said(value: Any) -> str:
    """Return a value as one line of JSON, for a comment."""
    return json.dumps(value, ensure_ascii=False, default=list)


def _harmless(part: str) -> str:
    return f"| {part}" if part.lstrip().startswith("yaml-language-server") else part


@lru_cache(maxsize=1)
def _schemas() -> Mapping[str, Mapping[str, Any]]:
    return published()


def _with_kept(spec: Entry, lines: Sequence[str]) -> Entry:
    if not isinstance(spec.value, Collection) or not lines:
        return spec
    entries = tuple(replace(e, before=tuple(lines)) if e.name == "keep" else e for e in spec.value.entries)
    return replace(spec, value=replace(spec.value, entries=entries))


def _node(value: Any, depth: int) -> Node:
    if isinstance(value, Mapping):
        entries = tuple(Entry(_node(item, depth + 1), _scalar(key), key) for key, item in value.items())
        return _flowing(Collection(True, False, entries), depth > 1 or set(value) == {"name"})
    if isinstance(value, (list, tuple)):
        return _flowing(Collection(False, False, tuple(Entry(_node(item, depth + 1)) for item in value)), depth > 0)
    return _block(value) if isinstance(value, str) and _may_be_lines(value) else Scalar((_scalar(value),))


def _flowing(node: Collection, may: bool) -> Collection:
    """Return a collection in flow style when it may be, all in it is, and it is short."""
    inner = [e.value for e in node.entries]
    short = sum(len(e.key or "") + _width(e.value) + 2 for e in node.entries) <= _FLOW
    if may and short and all(isinstance(i, Scalar) or i.flow for i in inner):
        return replace(node, flow=True)
    return node


def _width(node: Node) -> int:
    if isinstance(node, Scalar):
        return len(node.lines[0])
    return sum(len(e.key or "") + _width(e.value) + 2 for e in node.entries)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _may_stand_alone(value) else _quoted(value)
    if value is None:
        return "null"
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _may_stand_alone(text: str) -> bool:
    return bool(_PLAIN.match(text)) and text.lower() not in _OLD_WORDS and resolve(text) == text


def _may_be_lines(text: str) -> bool:
    """True for several lines of visible characters, no tabs; none ends in a space, the first has no indent."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 2 or lines[0][:1].isspace() or not (lines[0] and lines[-1]):
        return False
    return all(line == line.rstrip() and line.isprintable() for line in lines)


def _block(text: str) -> Scalar:
    ended = text.endswith("\n")
    return Scalar(("|" if ended else "|-", *text.removesuffix("\n").split("\n")), block=True)


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    import yaml

    dumped: str = yaml.dump(text, Dumper=yaml.SafeDumper, default_style='"', allow_unicode=True, width=1 << 30)
    return dumped.rstrip("\n")
