"""Patterns of actions and resources: whether two of them meet, and whether one has all of another.

Rules enforced here:
- `*` is any text, `?` one character and `${...}` something that only the request tells; in paths `*` stands at the end,
  `+` is a whole segment and `{{...}}` any text, slashes too, that only the request tells (Vault documentation,
  "Policies", "Parameter constraints" and priority matching; metadata may have slashes, and a star at the end counts);
- `contains` may say no where the answer is yes, `meets` may say yes where it is no; never the other way round, and for
  plain texts both are exact;
- the work for two patterns is linear in their length, but for `?`, where it is at most the product.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

# Noncharacters of Unicode: never assigned, and replaced where a text holds one.
_ONE, _SEGMENT = "\U0010ffff", "\U0010fffe"
_VARIABLE = re.compile(r"\$\{[^{}]*\}")
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{\{.*", re.DOTALL)
_ESCAPES = {"${*}": "*", "${?}": "?", "${$}": "$"}
_PARTS = re.compile(r"(?:[^,\\]|\\.)+", re.DOTALL)


class Glob(NamedTuple):
    """One pattern: literal pieces between its stars. `plain` when it stands for itself alone.

    `loose` when it stands for some of the texts that fit, and only the request tells which.
    """

    pieces: tuple[str, ...]
    plain: bool
    exact: re.Pattern[str] | None = None
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """A set of texts: those of any of `globs`, or all others when `negated`. `certain` without what a request tells."""

    globs: tuple[Glob, ...]
    negated: bool = False
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """How a provider writes patterns: see `providers.base.Capabilities`."""

    style: str = "glob"
    ignore_case: bool = False


@lru_cache(maxsize=65536)
def action(text: str, rules: Rules) -> Texts:
    """Return the actions that a permission's or a query's action stands for."""
    return _texts(text.lower() if rules.ignore_case else text, rules.style)


@lru_cache(maxsize=65536)
def resource(text: str, rules: Rules) -> Texts:
    """Return the resources that a permission's or a query's resource stands for."""
    return _texts(text, rules.style)


def _texts(text: str, style: str) -> Texts:
    negated = text.startswith("not:")
    parts = listed(text) if negated else [text]
    globs = tuple(_glob(part, style) for part in parts)
    certain = style != "glob" or all(found in _ESCAPES for part in parts for found in _VARIABLE.findall(part))
    return Texts(globs, negated, certain and not any(glob.loose for glob in globs))


def listed(text: str) -> list[str]:
    r"""Return what `not:a,b` names; a comma that belongs to a name is `\,`."""
    return [re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in _PARTS.findall(text.removeprefix("not:"))]


def _glob(text: str, style: str) -> Glob:
    text = text.replace(_ONE, "\ufffd").replace(_SEGMENT, "\ufffd")
    if style == "path":
        return _path(text)
    pieces = [""]
    for part in re.split(r"(\$\{[^{}]*\}|[*?])", text):
        if part in _ESCAPES:
            pieces[-1] += _ESCAPES[part]
        elif part == "*" or _VARIABLE.fullmatch(part):
            pieces.append("")
        else:
            pieces[-1] += _ONE if part == "?" else part
    return Glob(tuple(pieces), len(pieces) == 1 and _ONE not in pieces[0])


def _path(text: str) -> Glob:
    head, star = (text[:-1], True) if text.endswith("*") else (text, False)
    marked = "/".join(_SEGMENT if segment == "+" else segment for segment in head.split("/"))
    if _TEMPLATE.search(marked):
        pieces = _TEMPLATE.sub(_SEGMENT, marked).split(_SEGMENT)
        return Glob((*pieces, "") if star else tuple(pieces), plain=False, loose=True)
    pieces = [*marked.split(_SEGMENT), *([""] if star else [])]
    if _SEGMENT not in marked:
        return Glob(tuple(pieces), not star)
    exact = "[^/]+".join(map(re.escape, marked.split(_SEGMENT))) + (".*" if star else "")
    return Glob(tuple(pieces), plain=False, exact=re.compile(exact, re.DOTALL))


def meets(one: Texts, other: Texts) -> bool:
    """Say whether some text may be in both."""
    if one.negated and other.negated:
        return True
    if one.negated or other.negated:
        some, but = (other, one) if one.negated else (one, other)
        return any(not any(_covers(out, glob) for out in but.globs) for glob in some.globs)
    return any(_meet(a, b) for a in one.globs for b in other.globs)


def contains(wide: Texts, narrow: Texts) -> bool:
    """Say whether every text of `narrow` is in `wide`."""
    if narrow.negated:
        if wide.negated:
            return all(any(_covers(out, glob) for out in narrow.globs) for glob in wide.globs)
        return any(glob.pieces == ("", "") for glob in wide.globs)
    if wide.negated:
        return not any(_meet(out, glob) for out in wide.globs for glob in narrow.globs)
    return all(any(_covers(w, glob) for w in wide.globs) for glob in narrow.globs)


def _meet(one: Glob, other: Glob) -> bool:
    if one.plain or other.plain:
        pattern, text = (other, one.pieces[0]) if one.plain else (one, other.pieces[0])
        return pattern.exact.fullmatch(text) is not None if pattern.exact else _stands(pattern.pieces, text)
    a, b = one.pieces, other.pieces
    if len(a) == 1 or len(b) == 1:
        return _stands(b, a[0]) if len(a) == 1 else _stands(a, b[0])
    # Both have a star: whatever is in the middle of one fits into a star of the other.
    return _alike(a[0], b[0]) and _alike(a[-1][::-1], b[-1][::-1])


def _stands(pieces: tuple[str, ...], text: str) -> bool:
    """Say whether `text` matches the pieces, stars between them; the first place for each piece leaves most room."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return len(first) == len(text) and _alike(first, text)
    if len(first) + len(last) > len(text) or not _alike(first, text) or not _alike(last[::-1], text[::-1]):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        found = _find(piece, text, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _find(piece: str, text: str, at: int, end: int) -> int:
    if _ONE not in piece and _ONE not in text:
        return text.find(piece, at, end)
    size = len(piece)
    return next((i for i in range(at, end - size + 1) if _alike(piece, text[i : i + size])), -1)


def _alike(one: str, other: str) -> bool:
    """Say whether both begin alike, as far as the shorter one goes."""
    size = min(len(one), len(other))
    one, other = one[:size], other[:size]
    if one == other:
        return True
    if _ONE not in one and _ONE not in other:
        return False
    return all(a == b or _ONE in (a, b) for a, b in zip(one, other, strict=True))


def _covers(wide: Glob, narrow: Glob) -> bool:
    """Say whether all that `narrow` stands for matches `wide`."""
    if wide.loose:
        return wide == narrow
    if wide.pieces == ("", "") and wide.exact is None:
        return True
    if narrow.plain:
        return _meet(wide, narrow)
    if wide.exact or narrow.exact:
        return wide == narrow
    if len(wide.pieces) == 1:
        return wide.pieces == narrow.pieces
    return _holds(wide.pieces, narrow.pieces)


def _holds(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Say whether each piece of `wide` is found in a piece of `narrow`, in order, and its ends at the ends."""
    head, tail = narrow[0], narrow[-1]
    if not _within(wide[0], head[: len(wide[0])]) or not _within(wide[-1][::-1], tail[::-1][: len(wide[-1])]):
        return False
    if len(narrow) == 1 and len(wide[0]) + len(wide[-1]) > len(head):
        return False
    place, at = 0, len(wide[0])
    for piece in wide[1:-1]:
        place, at = _next(piece, narrow, place, at=at, spare=len(wide[-1]))
        if place < 0:
            return False
    return True


def _next(piece: str, narrow: tuple[str, ...], place: int, *, at: int, spare: int) -> tuple[int, int]:
    """Return where behind (`place`, `at`) a piece is found in one of `narrow`; `spare` stays free at the end."""
    for index in range(place, len(narrow)):
        text = narrow[index]
        end = len(text) - (spare if index == len(narrow) - 1 else 0)
        start, size = (at if index == place else 0), len(piece)
        found = next((i for i in range(start, end - size + 1) if _within(piece, text[i : i + size])), -1)
        if found >= 0:
            return index, found + size
    return -1, 0


def _within(wide: str, text: str) -> bool:
    """Say whether every text that `text` stands for matches `wide`, both without stars."""
    return len(wide) == len(text) and all(a in (_ONE, b) for a, b in zip(wide, text, strict=True))


def rank(text: str) -> tuple[object, ...]:
    """Return how specific a path pattern is: of those that fit a path the greatest one counts.

    Vault documentation, "Policies": a later wildcard, no `*` at the end, fewer `+`, a longer text, a greater one.
    """
    first = next((i for i, c in enumerate(text) if c in "*+" and _is_sign(text, i)), len(text) + 1)
    segments = text.split("/")
    return first, not text.endswith("*"), -segments.count("+"), len(text), text


def _is_sign(text: str, at: int) -> bool:
    if text[at] == "*":
        return at == len(text) - 1
    return text[at - 1 : at] in ("", "/") and text[at + 1 : at + 2] in ("", "/")
