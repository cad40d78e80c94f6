"""Choose a part of an inventory: by target, owner, type, standing, provider, tier, name, label, or want of use. Pure.

Rules enforced here:
- an unknown last use is unknown and not stale; so is a longer time than the provider looks back;
- a choice leaves out identities, never the coverage: that is of whole targets.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace

from nhictl.inventory.times import DAY, age
from nhictl.leaving import like
from nhictl.model import Inventory, Item


@dataclass(frozen=True, slots=True)
class Choice:
    """What to show; empty parts choose everything. `targets` and `excludes` are references: a target, an address or a
    manifest object. `names` are patterns of `*` and `?` for the physical or the manifest name. `stale` is in seconds, 0
    for any.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    standings: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A part of an inventory, and of how many identities. Asked for what was not used for `stale` seconds, `unknown` is
    the number of fitting identities of which nobody knows.
    """

    inventory: Inventory
    of: int
    stale: int = 0
    unknown: int = 0


def stale(item: Item, now: dt.datetime, seconds: int) -> bool | None:
    """Say whether an identity was not used for `seconds`, or never and is older than that; None when not known."""
    old = age(item.created, now)
    if old is not None and old <= seconds:
        return False
    if item.last_used:
        unused = age(item.last_used, now)
        if unused is None or (unused > seconds and any(c.last_used is None for c in item.credentials or ())):
            return None
        return unused > seconds
    if item.last_used is None or old is None or (item.tracked_days and seconds > item.tracked_days * DAY):
        return None
    return True


def choose(inventory: Inventory, choice: Choice, now: dt.datetime) -> Chosen:
    """Return the inventory with the chosen identities only."""
    fitting = [item for item in inventory.items if _fits(item, choice)]
    found = [(item, stale(item, now, choice.stale) if choice.stale else True) for item in fitting]
    kept = replace(inventory, items=tuple(item for item, is_stale in found if is_stale))
    return Chosen(kept, len(inventory.items), choice.stale, sum(is_stale is None for _, is_stale in found))


def _fits(item: Item, choice: Choice) -> bool:
    exact = (
        (choice.owners, item.owner), (choice.types, item.type), (choice.standings, item.standing.value),
        (choice.providers, item.provider), (choice.tiers, item.tier),
    )  # fmt: skip
    if any(wanted and value not in wanted for wanted, value in exact):
        return False
    if _named(item, choice.excludes) or (choice.targets and not _named(item, choice.targets)):
        return False
    if choice.names and not _matches(item, choice.names):
        return False
    return all(item.labels.get(key) == value for key, value in choice.labels)


def _named(item: Item, references: Collection[str]) -> bool:
    return bool(references) and not {item.address.target, str(item.address), item.subject}.isdisjoint(references)


def _matches(item: Item, globs: Collection[str]) -> bool:
    names = {item.address.name, item.subject.partition("/")[2]} - {""}
    return any(like(name, glob) for name in names for glob in globs)
