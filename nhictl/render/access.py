"""Access deltas in words: what an identity gains and loses, and who may become it.

Permissions that differ only in action, or only in resource, are told together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from nhictl.model import AccessDelta, Direction, Permission
from nhictl.render.safe import visible
from nhictl.render.text import Style, columns, cut, pad, wrap
from nhictl.render.values import condition

SGR = {
    Direction.WIDER: "bold yellow",
    Direction.NARROWER: "cyan",
    Direction.CHANGED: "bold yellow",
    Direction.NONE: "dim",
}
_LINES = 4
_SIDE_BY_SIDE = 80


def said(permissions: Iterable[Permission]) -> list[str]:
    """Return permissions as visible phrases, in order, grouped."""
    by_resource: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for p in sorted(permissions):
        by_resource[p.kind, p.effect, p.resource, p.condition].append(p.action)
    by_action: dict[tuple[str, str, tuple[str, ...], str], list[str]] = defaultdict(list)
    for (kind, effect, resource, when), actions in by_resource.items():
        by_action[kind, effect, tuple(actions), when].append(resource)
    return [
        _phrase(Permission(kind, ", ".join(actions), ", ".join(resources), when, effect))
        for (kind, effect, actions, when), resources in by_action.items()
    ]


def _phrase(p: Permission) -> str:
    when = f" if {condition(p.condition)}" if p.condition else ""
    refused = "not " if p.effect == "deny" else ""
    if p.kind == "assume":
        how = "" if p.action in ("", "assume") else f" by {p.action}"
        return visible(f"may {refused}be assumed by {p.resource}{how}{when}")
    return visible(f"{'deny ' if refused else ''}{p.action} on {p.resource}{when}")


def signed(delta: AccessDelta) -> list[tuple[str, str]]:
    """Return (`+` or `-`, phrase) for everything gained, then lost."""
    return [("+", text) for text in said(delta.gained)] + [("-", text) for text in said(delta.lost)]


def direction_words(delta: AccessDelta) -> str:
    """Return `wider`, `narrower`, `changed` or `same`, and whether only indirectly."""
    word = "same" if delta.direction is Direction.NONE else delta.direction.value
    return word if delta.direct else f"{word}, indirectly"


def lines(deltas: Iterable[AccessDelta], style: Style) -> Iterator[str]:
    """Yield the access table: one block per identity that gains or loses, then those touched without effect."""
    moved = [d for d in deltas if d.gained or d.lost]
    still = [d for d in deltas if not (d.gained or d.lost)]
    left = max((columns(visible(d.subject)) for d in moved), default=0)
    words = max((len(direction_words(d)) for d in moved), default=0)
    indent = 2 + min(left, 36) + 2 + words + 2
    aside = style.width >= _SIDE_BY_SIDE and style.width - indent >= 40
    for delta in moved:
        subject = pad(cut(visible(delta.subject), min(left, 36), style), min(left, 36))
        word = direction_words(delta)
        head = f"  {subject}  {style.paint(word, SGR[delta.direction])}{' ' * (words - len(word))}"
        body = list(_body(delta, style, style.width - (indent if aside else 4)))
        if aside:
            yield f"{head}  {body[0]}"
            yield from (" " * indent + text for text in body[1:])
        else:
            yield head.rstrip()
            yield from ("    " + text for text in body)
    if still:
        names = ", ".join(visible(d.subject) for d in still)
        told = wrap(f"touched, access stays the same: {names}", style.width - 2)
        yield from (f"  {style.paint(text, 'dim')}" for text in told)


def _body(delta: AccessDelta, style: Style, room: int) -> Iterator[str]:
    items = signed(delta)
    shown = items if style.verbose or len(items) <= _LINES else items[: _LINES - 1]
    for sign, text in shown:
        texts = wrap(text, room - 2) if style.verbose else [cut(text, room - 2, style)]
        sgr = "green" if sign == "+" else "red"
        yield f"{style.paint(sign, sgr)} {texts[0]}"
        yield from (f"  {more}" for more in texts[1:])
    if len(shown) < len(items):
        yield style.paint(f"{style.gap} {len(items) - len(shown)} more, -v shows them", "dim")
