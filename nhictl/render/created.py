"""What a new object is like, in few lines.

Rules enforced here:
- what gives access (permissions, documents, trust, audiences) is wrapped, never shortened; prose and tags are;
- permissions are told as in the access section, `action on resource`, one line for those alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nhictl.model import Permission
from nhictl.render.access import said
from nhictl.render.safe import visible
from nhictl.render.text import Style, columns, cut, fill, wrap
from nhictl.render.values import compact

_WHOLE = frozenset({
    "audiences", "connection", "document", "groups", "identity", "inline", "issuer", "policies", "proof", "role",
    "trust", "url",
})  # fmt: skip
_PERMISSIONS = "permissions: "


def lines(attributes: Mapping[str, object], style: Style, room: int) -> list[str]:
    """Return the attributes that are set, in lines of `room` columns; all of them, one per line, with -v."""
    found = {name: value for name, value in attributes.items() if value not in (None, "", (), {})}
    permissions = list(_permissions(found.get("permissions"), room))
    if permissions:
        del found["permissions"]
    if style.verbose:
        return [*map(_part, found.items()), *permissions]
    if found.get("enabled") is True:
        del found["enabled"]
    whole = sorted((_part(item) for item in found.items() if item[0] in _WHOLE), key=columns)
    rest = [_part(item) for item in found.items() if item[0] not in _WHOLE]
    told = [line.rstrip() for line in wrap("  ".join(whole), room)] if whole else []
    return [*_with_rest(told, rest, style, room), *permissions]


def _part(item: tuple[str, object]) -> str:
    return f"{visible(item[0])}: {compact(item[1])}"


def _with_rest(told: list[str], rest: list[str], style: Style, room: int) -> list[str]:
    """Return `told` with as much of `rest` behind it as the last line holds, and a word about what is left out."""
    if not rest:
        return told
    used = columns(told[-1]) + 2 if told else 0
    more = f"{style.gap} -v shows the rest"
    left = room - used - columns(more) - 1
    parts = rest if told else [cut(part, max(24, left // 2), style) for part in rest]
    first = fill(parts, max(1, left))[0]
    if columns(first) > left:
        first = "" if told else cut(first, max(8, left), style)
    shown = first == "  ".join(rest)
    tail = " ".join(text for text in (first, "" if shown else more) if text)
    if told and used + columns(tail) <= room:
        return [*told[:-1], f"{told[-1]}  {tail}"]
    return [*told, tail]


def _permissions(value: object, room: int) -> Iterator[str]:
    items = value if isinstance(value, tuple | list) else ()
    if not all(isinstance(item, Mapping) and {"action", "resource"} <= item.keys() for item in items):
        return
    found = [Permission("allow", str(i["action"]), str(i["resource"]), str(i.get("condition", ""))) for i in items]
    head = _PERMISSIONS
    for phrase in said(found, "+"):
        for text in wrap(str(phrase), room - len(_PERMISSIONS)):
            yield head + text
            head = " " * len(_PERMISSIONS)
