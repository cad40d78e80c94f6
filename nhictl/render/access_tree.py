"""Effective access in words: what an identity can do and who can do something, each with the chain that gives it.

Rules enforced here:
- every permission has one of four signs: `+` can, `?` might, `x` denied again, `-` takes away; a word says it, too;
- permissions alike in chain and limits are told together; a chain is never shortened: it is what is acted on;
- conditions are told as `if`, never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nhictl.model import Permission
from nhictl.render.access import said
from nhictl.render.safe import visible
from nhictl.render.text import Style, count, fill, wrap
from nhictl.render.values import condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nhictl.chains import Access, Answer, Given, Held, Holder, Link, Reached, Step

_SIGNS = {"can": "+", "might": "?", "denied": "x"}
_PAINT = {"+": "green", "?": "yellow", "x": "red", "-": "red"}
_OPAQUE = ("policy:", "group:")
_CHAINS = 3
_ARROW = " -> "


@dataclass(frozen=True, slots=True)
class View:
    """What was looked at: an environment, live or as declared, without the targets that could not be read."""

    environment: str
    declared: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """As the heading says it."""
        return f"{visible(self.environment)}, {'as declared' if self.declared else 'live'}"


def access(found: Access, view: View, style: Style) -> str:
    """Return everything one NHI can do, without a final line feed."""
    doors = [
        *(line for given in found.trust for line in _trusted(given, style)),
        *(line for reached in found.entering for line in _entering(reached, style)),
    ]
    sections = [
        ("Can do", [line for reached in found.own for line in _reached(reached, style)]),
        ("Can do by becoming another", [line for reached in found.others for line in _other(reached, style)]),
        ("Who can become it", doors),
        ("Not known: could not be read", _unreadable(view)),
    ]
    title = f"{visible(found.name)} ({view.words})"
    if not found.own and not view.unreadable:
        sections[0] = ("Can do", ["  nothing"])
    end = _counted(found) + (", more beyond the longest chain looked at" if found.deeper else "")
    return _page(title, sections, end, style)


def answer(found: Answer, view: View, style: Style) -> str:
    """Return everybody who can do what was asked, without a final line feed."""
    by = {sign: [h for h in found.holders if h.verdict.value == sign] for sign in _SIGNS}
    sections = [
        ("Can", [line for h in by["can"] for line in _holder(h, style)]),
        ("Might: nhictl does not know what these give", list(_mights(by["might"], style))),
        ("Allowed, but denied again", [line for h in by["denied"] for line in _holder(h, style)]),
        ("Not known: could not be read", _unreadable(view)),
    ]
    title = f"Who can {visible(found.question.action)} on {visible(found.question.resource)} ({view.words})"
    end = f"{count(len(by['can']), 'identity')} can, {len(by['might']):,} might, {len(by['denied']):,} denied"
    end += f", {count(len(view.unreadable), 'target')} not known" if view.unreadable else ""
    end += ", more beyond the longest chain looked at" if found.deeper else ""
    return _page(title, sections, end, style)


def chain(links: Iterable[Link]) -> list[str]:
    """Return the links of a chain as visible text, each with its manifest object and where that is written."""
    parts: list[str] = []
    before = ""
    for link in links:
        at = link.place.span() if link.place is not None else None
        where = [link.subject] if link.subject and link.subject not in (link.name, before) else []
        where += [f"{at.file}:{at.line}"] if at is not None and where else []
        told = visible(link.name) + (f" ({', '.join(map(visible, where))})" if where else "")
        parts.append(_becoming(link.step) + told)
        before = link.subject or link.name
    return parts


def _becoming(step: Step | None) -> str:
    if step is None:
        return ""
    when = " and ".join(condition(c) for c in step.conditions)
    return ("may become" if step.sure else "might become") + (f", if {when}," if when else "") + " "


def _page(title: str, sections: Sequence[tuple[str, list[str]]], end: str, style: Style) -> str:
    blocks = ["\n".join([style.paint(name, "bold"), *lines]) for name, lines in sections if lines]
    return style.encodable("\n\n".join([style.paint(title, "bold"), *blocks, style.paint(end, "bold")]))


def _unreadable(view: View) -> list[str]:
    return [f"  {visible(target)}: {visible(why)}" for target, why in view.unreadable.items()]


def _counted(found: Access) -> str:
    mine = [g for r in found.own for g in r.given if g.held.permission.effect != "deny"]
    by = [sum(1 for g in mine if g.held.verdict.value == verdict) for verdict in _SIGNS]
    parts = [count(by[0], "permission")]
    parts += [f"{by[1]:,} not known"] if by[1] else []
    parts += [f"{by[2]:,} denied again"] if by[2] else []
    parts.append(f"can become {len(found.others):,} other{'s' * (len(found.others) != 1)}")
    return ", ".join(parts)


def _reached(reached: Reached, style: Style) -> Iterator[str]:
    if not reached.given:
        yield f"  nothing as {visible(reached.identity.name)}"
    yield from _givens(reached.given, style, indent=2)


def _other(reached: Reached, style: Style) -> Iterator[str]:
    name = reached.identity.name + (f" ({reached.identity.subject})" if reached.identity.subject else "")
    yield f"  {visible(name)}{'' if reached.sure else ', maybe'}"
    yield from _linked(reached.chain, style, 4)
    yield from _givens(reached.given, style, indent=4)


def _entering(reached: Reached, style: Style) -> Iterator[str]:
    sign = "+" if reached.sure else "?"
    yield from _signed(sign, visible(reached.chain[0].name) + ("" if reached.sure else ", maybe"), style, 2)
    yield from _linked(reached.chain, style, 6)


def _trusted(given: Given, style: Style) -> Iterator[str]:
    sign = "-" if given.held.permission.effect == "deny" else "+"
    for phrase in said([given.held.permission], sign):
        yield from _signed(sign, str(phrase).removeprefix("may be assumed "), style, 2)
    yield from _linked(given.chain, style, 6)


def _givens(given: Iterable[Given], style: Style, *, indent: int) -> Iterator[str]:
    """Yield permissions, those with the same way and the same limits together."""
    groups: dict[tuple[str, str, str, str], list[Given]] = {}
    for one in given:
        key = (_sign(one.held), _word(one.held), _limits(one.held), _ARROW.join(chain(one.chain)))
        groups.setdefault(key, []).append(one)
    for (sign, word, limits, _), members in groups.items():
        for phrase in said((m.held.permission for m in members), sign):
            yield from _signed(sign, f"{phrase}{word}", style, indent)
        if limits:
            yield from _wrapped(limits, style, indent + 4)
        yield from _linked(members[0].chain, style, indent + 4)


def _sign(held: Held) -> str:
    return "-" if held.permission.effect == "deny" else _SIGNS[held.verdict.value]


def _word(held: Held) -> str:
    if held.permission.effect == "deny":
        return ""
    if held.permission.action.startswith(_OPAQUE) and held.verdict.value == "might":
        return ": unknown what it gives"
    return {"can": "", "might": ": not known whether", "denied": ": denied again"}[held.verdict.value]


def _limits(held: Held) -> str:
    if held.denied_by:
        return "denied by " + "; ".join(map(_told, held.denied_by))
    bounds = [f"as far as {_told(p)} lets it" for p in held.limited_by if p.boundary]
    return "; ".join([*bounds, *(f"except {_told(p)}" for p in held.limited_by if not p.boundary)])


def _told(permission: Permission) -> str:
    at = f" ({visible(permission.source)})" if permission.source else ""
    if permission.boundary:
        return f"the boundary {visible(permission.boundary)}{at}"
    return "; ".join(map(str, said([permission], "-"))) + at


def _holder(holder: Holder, style: Style) -> Iterator[str]:
    yield f"  {style.paint(visible(holder.name), 'bold')}"
    same = [g for g in holder.given if g.held.verdict == holder.verdict]
    shown = same if style.verbose else same[:_CHAINS]
    yield from _givens(shown, style, indent=4)
    if len(shown) < len(same):
        yield f"    {style.gap} {len(same) - len(shown)} more ways, -v shows them"


def _mights(holders: Sequence[Holder], style: Style) -> Iterator[str]:
    """Yield who might, by what it is that nobody knows; with -v each with its chains."""
    if style.verbose:
        yield from (line for h in holders for line in _holder(h, style))
        return
    by: dict[str, list[str]] = {}
    for holder in holders:
        for given in holder.given:
            if given.held.verdict.value == "might":
                by.setdefault(_why(given), []).append(holder.name)
    for why, names in by.items():
        unique = list(dict.fromkeys(names))
        yield from _signed("?", f"{why}: {', '.join(map(visible, unique))}", style, 2)


def _why(given: Given) -> str:
    unsure = next((link.name for link in given.chain if link.step is not None and not link.step.sure), "")
    return f"becoming {visible(unsure)}" if unsure else visible(given.held.permission.action)


def _signed(sign: str, text: str, style: Style, indent: int) -> Iterator[str]:
    first, *rest = wrap(text, style.width - indent - 2, whole=True)
    yield " " * indent + f"{style.paint(sign, _PAINT[sign])} {first}"
    yield from (" " * (indent + 2) + line for line in rest)


def _wrapped(text: str, style: Style, indent: int) -> Iterator[str]:
    lines = wrap(text, style.width - indent, whole=True)
    yield from (" " * (indent + (2 if at else 0)) + line for at, line in enumerate(lines))


def _linked(links: Sequence[Link], style: Style, indent: int) -> Iterator[str]:
    """Yield a chain in as few lines as fit, broken between its links only."""
    lines = fill(chain(links), style.width - indent - len(_ARROW), joint=_ARROW)
    for at, line in enumerate(lines):
        yield " " * indent + ("   " if at else "") + style.paint(_ARROW.lstrip() * bool(at) + line, "dim")
