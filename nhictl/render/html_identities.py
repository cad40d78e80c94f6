"""The identities of the HTML report, all of them in the order of risk; and those that nobody manages, again.

Rules enforced here:
- what an identity may do is told like everywhere else, permissions alike together; never more than `MOST` phrases, and
  how many are left out is said with the command that shows them;
- nothing stands for unknown but the word.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nhictl.model import Span
from nhictl.model.inventory import Item, Standing
from nhictl.render import html_tables as t
from nhictl.render.access import said
from nhictl.render.html_element import Markup, el, facts, items, join, small
from nhictl.render.html_figures import Aged
from nhictl.render.text import count

MOST = 40
UNDECLARED = "not declared"
_TIERS = f"critical|high|{UNDECLARED}|medium|low"
ALL = t.Table(
    "identities",
    (
        t.Column("Identity"), t.Column("Standing"), t.Column("Owner"), t.Column("Tier", _TIERS),
        t.Column("Risks found", "number", wide=True), t.Column("Access", "number", wide=True),
        t.Column("Credential age", "number"), t.Column("Last used"), t.Column("Last change"),
    ),
    "identities",
)  # fmt: skip
UNMANAGED = t.Table(
    "unmanaged",
    (
        t.Column("Identity"), t.Column("Target"), t.Column("Kind"), t.Column("Standing"),
        t.Column("Risks found", "number", wide=True), t.Column("Created"), t.Column("Last used"),
    ),
    "unmanaged identities",
)  # fmt: skip


def called(item: Item) -> str:
    """Return what people call an identity: its manifest's name, or the provider's."""
    return item.subject.removeprefix("nhi/") or item.address.name


def place(number: int) -> str:
    """Return the id of the row of an identity, by its place in the order of risk."""
    return f"i{number}"


def rows(ordered: Sequence[Item], credentials: Sequence[Aged], now: datetime | None) -> list[Markup]:
    """Return a row for each identity."""
    oldest: dict[int, Aged] = {}
    for one in credentials:
        oldest.setdefault(one.place, one)
    return [
        t.row(
            ALL, t.name(called(item), str(item.address)), _standing(item), _owner(item), item.tier or _dim(UNDECLARED),
            risks(item), access(item), _credentials(item, oldest.get(number)), _used(item, now), _change(item),
            place=place(number), s=item.standing.value, t=item.address.target,
        )
        for number, item in enumerate(ordered)
    ]  # fmt: skip


def unmanaged(ordered: Sequence[Item], now: datetime | None) -> list[Markup]:
    """Return a row for each identity that nobody manages, linked to its row among all."""
    return [
        t.row(
            UNMANAGED, t.name(called(item), str(item.address), link=place(number)), _bdi(item.address.target),
            _bdi(item.address.kind), chip(item.standing), risks(item), t.when(item.created, now),
            _used(item, now),
        )
        for number, item in enumerate(ordered)
        if item.standing in (Standing.UNMANAGED, Standing.ORPHAN)
    ]  # fmt: skip


def chip(standing: Standing) -> Markup:
    """Return the word for a standing, in a frame."""
    return el("span", "built-in" if standing is Standing.BUILTIN else standing.value, class_=f"chip {standing.value}")


def risks(item: Item) -> Markup:
    """Return how many risks were found, and which."""
    if not item.risks:
        return _dim("none found")
    return join((el("b", count(len(item.risks), "risk")), items(item.risks)))


def _dim(word: str) -> Markup:
    return el("span", word, class_="dim")


def _bdi(word: str) -> Markup:
    return el("bdi", word)


def _standing(item: Item) -> Markup:
    why = ", ".join(part for part in (item.reason, f"until {item.until}" if item.until else "") if part)
    return join((chip(item.standing), small("disabled" if item.enabled is False else ""), small(why)))


def _owner(item: Item) -> Markup:
    owner = el("bdi", item.owner) if item.owner else _dim("no owner")
    return join((owner, small(item.type)))


def _used(item: Item, now: datetime | None) -> Markup:
    never = f"not in {count(item.tracked_days, 'day')}" if item.tracked_days else "never"
    return t.when(item.last_used, now, never=never)


def _change(item: Item) -> Markup:
    if not item.changed:
        return _dim("not by nhictl")
    return join((t.when(item.changed), small(f"by {item.changed_by}" if item.changed_by else "")))


def _credentials(item: Item, oldest: Aged | None) -> Markup:
    if item.credentials is None:
        return t.UNKNOWN
    if not item.credentials:
        return t.NONE
    whole = len(item.credentials)
    if oldest is None or oldest.age is None:
        return join((_dim("age unknown"), small(f"{whole} in all")))
    return join((count(oldest.age, "day"), small(f"the oldest of {whole}" if whole > 1 else "")))


def access(item: Item) -> Markup:
    """Return what an identity has and who may become it, folded under how much it is."""
    may = [str(phrase) for phrase in said(item.permissions, "")]
    trust = [str(phrase) for phrase in said(item.trust, "")]
    about = _about(item)
    parts = ((len(item.permissions), "permission"), (len(item.roles), "role"))
    head = ", ".join(count(number, word) for number, word in parts if number) or "none"
    shown = facts(
        (
            ("Roles", items(item.roles)), ("May", _most(may, item)), ("Trust", _most(trust, item)), *about,
        )
    )  # fmt: skip
    return el("details", el("summary", head), shown) if shown else t.NONE


def _most(phrases: Sequence[str], item: Item) -> Markup:
    left = len(phrases) - MOST
    more = [f"{left:,} more: nhictl access {item.subject or item.address}"] if left > 0 else []
    return items([*phrases[:MOST], *more])


def _about(item: Item) -> tuple[tuple[str, str], ...]:
    native = item.native_id if item.native_id not in ("", item.address.name) else ""
    return (
        ("Service", item.service), ("Created", (item.created or "")[:10]), ("Id", native),
        ("Manifest", _position(item.position)),
    )  # fmt: skip


def _position(span: Span | None) -> str:
    return f"{span.file}:{span.line}" if span is not None else ""


__all__ = ["ALL", "MOST", "UNMANAGED", "access", "called", "chip", "place", "risks", "rows", "unmanaged"]
