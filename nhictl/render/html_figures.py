"""What a report counts, from an inventory and a time. Pure.

Rules enforced here:
- what is not known is counted as unknown, never as zero, new or unused;
- built-in and ignored identities count nowhere but among all;
- an age is in whole days between two times that are given; a time that cannot be read is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from nhictl.inventory.times import moment
from nhictl.model.inventory import Credential, Inventory, Item, Standing

TIERS = ("critical", "high", "medium", "low", "")
OLD = 90
_UNDECLARED = 1.5
_NOT_COUNTED = frozenset({Standing.IGNORED, Standing.BUILTIN})
_SHADOW = frozenset({Standing.UNMANAGED, Standing.ORPHAN})
BUCKETS = (
    ("up to 30 days", 0, 30), ("31 to 90 days", 31, 90), ("91 to 180 days", 91, 180),
    ("181 days to one year", 181, 365), ("more than one year", 366, None),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """Some identities under one heading: how many, how many of each tier (as `TIERS`), how many with a risk."""

    name: str
    whole: int
    tiers: tuple[int, ...]
    risky: int


@dataclass(frozen=True, slots=True)
class Aged:
    """A credential, whose it is, and its age in days; None when it is not known. `place` is its item's."""

    place: int
    item: Item
    credential: Credential
    age: int | None
    expired: bool


def counted(items: Iterable[Item]) -> list[Item]:
    """Return the identities that count: neither built in nor ignored."""
    return [item for item in items if item.standing not in _NOT_COUNTED]


def shadows(items: Iterable[Item]) -> list[Item]:
    """Return the identities nobody manages, orphans included."""
    return [item for item in items if item.standing in _SHADOW]


def by_risk(items: Iterable[Item]) -> list[Item]:
    """Return all identities, those to look at first first.

    Those that count, then by the number of risks found, then by tier (an undeclared one between high and medium:
    nobody judged it), then by address.
    """
    return sorted(items, key=lambda i: (i.standing in _NOT_COUNTED, -len(i.risks), _weight(i.tier), i.address))


def _weight(tier: str) -> float:
    return TIERS.index(tier) if tier and tier in TIERS else _UNDECLARED


def owners(items: Iterable[Item]) -> list[Group]:
    """Return the identities that count by owner, the largest group first, those without an owner last."""
    found: dict[str, list[Item]] = {}
    for item in counted(items):
        found.setdefault(item.owner, []).append(item)
    groups = [_group(name, inside) for name, inside in found.items()]
    return sorted(groups, key=lambda group: (not group.name, -group.whole, group.name))


def tiers(items: Iterable[Item]) -> list[Group]:
    """Return the identities that count by tier, each tier once."""
    every = counted(items)
    return [_group(tier, [item for item in every if _tier(item) == tier]) for tier in TIERS]


def _tier(item: Item) -> str:
    return item.tier if item.tier in TIERS else ""


def _group(name: str, inside: Sequence[Item]) -> Group:
    each = tuple(sum(_tier(item) == tier for item in inside) for tier in TIERS)
    return Group(name, len(inside), each, sum(bool(item.risks) for item in inside))


def aged(inventory: Inventory, ordered: Sequence[Item]) -> list[Aged]:
    """Return every known credential of the identities that count, the oldest first, those of unknown age last."""
    now = moment(inventory.time)
    found = [
        Aged(place, item, credential, days(credential.created, now), _over(credential.expires, now))
        for place, item in enumerate(ordered)
        if item.standing not in _NOT_COUNTED
        for credential in item.credentials or ()
    ]
    return sorted(
        found, key=lambda a: (a.age is None, -(a.age or 0), a.item.address, a.credential.kind, a.credential.id)
    )


def buckets(credentials: Iterable[Aged]) -> list[tuple[str, int]]:
    """Return how many credentials have which age, unknown ages last."""
    ages = [one.age for one in credentials]
    known = [age for age in ages if age is not None]
    rows = [
        (name, sum(least <= age and (most is None or age <= most) for age in known)) for name, least, most in BUCKETS
    ]
    return [*rows, ("unknown", len(ages) - len(known))]


def untold(items: Iterable[Item]) -> int:
    """Return of how many identities the provider does not tell the credentials."""
    return sum(item.credentials is None for item in counted(items))


def days(since: str | None, now: datetime | None) -> int | None:
    """Return the whole days from `since` to `now`, none below zero; None when one of them is not known."""
    begin = moment(since)
    return None if begin is None or now is None else max((now - begin).days, 0)


def _over(expires: str | None, now: datetime | None) -> bool:
    end = moment(expires)
    return end is not None and now is not None and end <= now
