"""Access deltas in words: what an identity gains and loses, and who may become it.

Permissions that differ only in action, or only in resource, are told together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nhictl.model import AccessDelta, Direction, Permission
from nhictl.render.safe import visible
from nhictl.render.text import Style, columns, cut, cut_start, pad, wrap
from nhictl.render.values import condition, provider_host

SGR = {
    Direction.WIDER: "bold yellow",
    Direction.NARROWER: "cyan",
    Direction.CHANGED: "bold yellow",
    Direction.NONE: "dim",
}
_SIGN = {"+": "green", "-": "red"}
_LINES = 4
_SIDE_BY_SIDE = 80


@dataclass(frozen=True, slots=True)
class Phrase:
    """One permission, or several alike, in visible words. `sign` is `+` for gained and `-` for lost."""

    sign: str
    head: str
    resource: str
    how: str = ""
    when: str = ""

    def __str__(self) -> str:
        return self.head + self.resource + self.how + self.when

    def fitted(self, room: int, style: Style) -> list[str]:
        """Return the phrase in lines of `room` columns: what may be done and when survives, ids are cut."""
        whole = str(self)
        if columns(whole) <= room:
            return [whole]
        left = room - columns(self.head)
        if self.when:
            shorten = cut_start if self.head.endswith("by ") else cut
            first = self.head + shorten(self.resource, max(16, left), style)
            return [cut(first, room, style), *wrap(self.when.lstrip(), room)]
        if left < 30:
            return [cut(self.head.rstrip(), room, style), cut(self.resource, room, style)]
        return [self.head + cut(self.resource, left, style)]


def said(permissions: Iterable[Permission], sign: str) -> list[Phrase]:
    """Return permissions as phrases, boundaries first; those that differ in one part only are told together."""
    ordered = sorted(permissions)
    bounds = [Phrase(sign, f"nothing but what {visible(p.boundary)} allows", "") for p in ordered if p.boundary]
    by_resource: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for p in (p for p in ordered if not p.boundary):
        by_resource[p.kind, p.effect, p.resource, p.condition].append(p.action)
    by_action: dict[tuple[str, str, tuple[str, ...], str], list[str]] = defaultdict(list)
    for (kind, effect, resource, when), actions in by_resource.items():
        by_action[kind, effect, tuple(actions), when].append(resource)
    return bounds + [
        _phrase(sign, Permission(kind, ", ".join(actions), ", ".join(resources), when, effect))
        for (kind, effect, actions, when), resources in by_action.items()
    ]


def _phrase(sign: str, p: Permission) -> Phrase:
    when = f" if {condition(p.condition, issuer=provider_host(p.resource))}" if p.condition else ""
    action, resource = visible(p.action), visible(p.resource)
    if p.kind == "assume":
        how = "" if action in ("", "assume") else f" by {action}"
        refused = "not " if p.effect == "deny" else ""
        return Phrase(sign, f"may {refused}be assumed by ", resource, how, when)
    refused = "deny " if p.effect == "deny" else ""
    joint = " on " if resource else ""
    return Phrase(sign, f"{refused}{action}{joint}", resource, "", when)


def phrases(delta: AccessDelta) -> list[Phrase]:
    """Return everything gained, then everything lost."""
    return said(delta.gained, "+") + said(delta.lost, "-")


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
    items = phrases(delta)
    shown = items if style.verbose or len(items) <= _LINES else items[: _LINES - 1]
    one = "  ".join(f"{item.sign} {item}" for item in items)
    if columns(one) <= room:
        yield "  ".join(f"{style.paint(item.sign, _SIGN[item.sign])} {item}" for item in items)
        return
    for item in shown:
        texts = wrap(str(item), room - 2, whole=True) if style.verbose else item.fitted(room - 2, style)
        yield f"{style.paint(item.sign, _SIGN[item.sign])} {texts[0]}"
        yield from (f"  {more}" for more in texts[1:])
    if len(shown) < len(items):
        yield style.paint(f"{style.gap} {len(items) - len(shown)} more, -v shows them", "dim")
