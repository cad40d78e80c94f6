"""Attribute values as short visible text, and field changes as rows. Policy documents are told as statements.

Rules enforced here:
- text is told from other values only where it could be mistaken (`"true"`, `""`); nothing is shown as raw JSON;
- statements are matched by Sid, then by equality: a statement put in front does not change all the others;
- two long values are cut where they agree, so that what differs is seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nhictl.kinds.common import duration_text
from nhictl.model import Change, FieldChange, Value
from nhictl.render.safe import visible
from nhictl.render.text import Style, columns, cut

UNSET = "(unset)"
_MISTAKABLE = re.compile(r"(|-?[0-9]+|true|false|null|\(unset\)|\s.*|.*\s)\Z", re.DOTALL)


_ELEMENTS = (
    ("Action", ""), ("NotAction", "all but "), ("Principal", "to "), ("NotPrincipal", "to all but "),
    ("Resource", "on "), ("NotResource", "on all but "),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One line's worth of a change, as visible text. Sets have `added` and `removed`, others `before` and `after`."""

    path: str
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def compact(value: object) -> str:
    """Return a value in one visible line without quotes and braces where they say nothing."""
    match value:
        case None:
            return UNSET
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return f'"{visible(value)}"' if _MISTAKABLE.match(value) else visible(value)
        case Mapping():
            inner = ", ".join(f"{visible(str(k))}: {compact(v)}" for k, v in value.items())
            return statement(value) or "{" + inner + "}"
        case tuple() | list():
            return "[" + ", ".join(map(compact, value)) + "]"
    return visible(str(value))


def statement(value: Mapping[str, Value]) -> str:
    """Return a policy statement or document as words: `Allow s3:GetObject on arn... if ...`; empty for others."""
    if isinstance(value.get("Statement"), tuple | list):
        return "; ".join(map(compact, _items(value["Statement"])))
    if not isinstance(value.get("Effect"), str):
        return ""
    words = [str(value["Effect"])]
    words += [joint + _plain(value[key]) for key, joint in _ELEMENTS if key in value]
    if value.get("Condition"):
        words.append("if " + condition(value["Condition"], issuer=_only_provider(value.get("Principal"))))
    return visible(" ".join(words))


def _items(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _plain(value: Value) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_plain(v) if len(value) == 1 else f"{k} {_plain(v)}" for k, v in value.items())
    return ", ".join(compact(item) for item in _items(value))


def provider_host(name: str) -> str:
    """Return the issuer of an OIDC provider's ARN as its condition keys begin; empty for anything else."""
    return name.partition(":oidc-provider/")[2] if "," not in name else ""


def _only_provider(principal: Value) -> str:
    federated = _items(principal["Federated"]) if isinstance(principal, Mapping) and "Federated" in principal else ()
    return provider_host(str(federated[0])) if len(federated) == 1 else ""


def condition(value: object, *, issuer: str = "") -> str:
    """Return a condition (a mapping, or its canonical JSON text) as `key operator value` joined by `and`.

    Keys of `issuer`, which is told next to it, are told without it: `sub` for `issuer:sub`.
    """
    begin = f"{issuer}:" if issuer else ""
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, Mapping):
        return compact(value)
    parts = []
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            sign = "=" if key == "StringEquals" else visible(str(key))
            parts += [f"{visible(str(k).removeprefix(begin))} {sign} {_choice(v)}" for k, v in inner.items()]
        else:
            parts.append(f"{visible(str(key))} = {_choice(inner)}")
    return " and ".join(parts)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _choice(value: Value) -> str:
    return " or ".join(compact(item) for item in _items(value)) or "[]"


def rows(change: Change) -> Iterator[Row]:
    """Yield the rows of a change's fields; those inside a list of statements as statements, once."""
    told: set[str] = set()
    for field in change.fields:
        prefix, found, _ = field.path.partition(".Statement.")
        if found and change.before is not None and change.after is not None:
            before = _lookup(change.before.attributes, prefix)
            after = _lookup(change.after.attributes, prefix)
            if before is not None and after is not None:
                if prefix not in told:
                    told.add(prefix)
                    yield from statement_rows(prefix, before, after)
                continue
        yield from field_rows(field)


def _lookup(attributes: Mapping[str, Value], path: str) -> Mapping[str, Value] | None:
    if not path:
        return attributes if "Statement" in attributes else None
    for key, value in attributes.items():
        if isinstance(value, Mapping) and (path == key or path.startswith(key + ".")):
            found = _lookup(value, path[len(key) + 1 :])
            if found is not None:
                return found
    return None


def field_rows(field: FieldChange) -> Iterator[Row]:
    """Yield the rows of one field change."""
    path = visible(field.path)
    if field.added or field.removed:
        yield Row(path, added=tuple(map(visible, field.added)), removed=tuple(map(visible, field.removed)))
    elif _is_document(field.before) and _is_document(field.after):
        yield from statement_rows(field.path, field.before, field.after)  # type: ignore[arg-type]
    elif field.path == "handling.deleteAfter":
        yield Row(path, _seconds(field.before), _seconds(field.after))
    elif isinstance(field.before, tuple) and isinstance(field.after, tuple):
        yield _list_row(path, field.before, field.after)
    else:
        yield Row(path, compact(field.before), compact(field.after))


def _is_document(value: Value) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("Statement"), tuple)


def _seconds(value: Value) -> str:
    return duration_text(int(value)) if isinstance(value, str) and value.isdecimal() else compact(value)


def _list_row(path: str, before: tuple[Value, ...], after: tuple[Value, ...]) -> Row:
    old, new = [compact(item) for item in before], [compact(item) for item in after]
    gone, come = _without(old, new), _without(new, old)
    if not gone and not come:
        return Row(path, compact(before), compact(after))
    return Row(path, added=come, removed=gone)


def _without(items: list[str], others: list[str]) -> tuple[str, ...]:
    known = set(others)
    return tuple(item for item in items if item not in known)


def statement_rows(path: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[Row]:
    """Yield what differs between two policy documents, statement by statement."""
    old, new = _by_sid(before), _by_sid(after)
    gone = tuple(compact(old[key]) for key in old if key not in new)
    come = tuple(compact(new[key]) for key in new if key not in old)
    if gone or come:
        yield Row(visible(path), added=come, removed=gone)
    for key in old:
        if key in new and old[key] != new[key]:
            yield from _statement_fields(f"{path}[{key}]", old[key], new[key])


def _by_sid(document: Mapping[str, Value]) -> dict[str, Mapping[str, Value]]:
    found: dict[str, Mapping[str, Value]] = {}
    for item in _items(document["Statement"]):
        if isinstance(item, Mapping):
            sid = item.get("Sid")
            key = sid if isinstance(sid, str) and sid and sid not in found else compact(item)
            found[key] = item
    return found


def _statement_fields(path: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[Row]:
    for key in [*before, *(k for k in after if k not in before)]:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        where = f"{path}.{key}"
        if isinstance(old, Mapping) or isinstance(new, Mapping):
            told = [condition(v) if key == "Condition" and v else compact(v) for v in (old, new)]
            yield Row(visible(where), told[0], told[1])
        elif old is not None and new is not None and key != "Effect":
            yield _list_row(visible(where), _items(old), _items(new))
        else:
            yield Row(visible(where), compact(old), compact(new))


def pair(before: str, after: str, room: int, style: Style) -> tuple[str, str]:
    """Return both texts in `room` columns together, cut where they agree."""
    if style.verbose or columns(before) + columns(after) <= room:
        return before, after
    head = _agree(before, after)
    tail = min(_agree(before[::-1], after[::-1]), min(len(before), len(after)) - head)
    if head + tail > 24:
        before, after = (_focus(text, head, tail, style) for text in (before, after))
    if columns(before) + columns(after) <= room:
        return before, after
    half = room // 2
    left = max(half, room - columns(after)) if columns(after) < half else min(half, columns(before))
    return cut(before, left, style), cut(after, room - left, style)


def _agree(one: str, other: str) -> int:
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


def _focus(text: str, head: int, tail: int, style: Style) -> str:
    stop = len(text) - tail
    start = text[:head] if head <= 20 else text[:6] + style.gap + text[head - 8 : head]
    end = text[stop:] if tail <= 12 else text[stop : stop + 8] + style.gap
    return start + text[head:stop] + end
