"""What a report counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nhictl.model import Address
from nhictl.model.inventory import Credential, Inventory, Item, Standing
from nhictl.render import html_figures as figures
from tests.browser.estate import NOW, ago


def item(name: str, standing: Standing = Standing.MANAGED, **more: object) -> Item:
    return replace(Item(Address("t", "k", name), "local", standing), **more)


def names(items: list[Item]) -> list[str]:
    return [one.address.name for one in items]


def test_risks_come_before_tiers_and_tiers_before_names():
    """An undeclared tier stands between high and medium; ignored and built-in identities come last."""
    items = [
        item("g", Standing.BUILTIN, risks=("x", "y", "z")), item("f", tier="low"), item("e", tier="medium"),
        item("d", Standing.UNMANAGED), item("c", tier="high"), item("b", tier="critical"), item("a2", risks=("x",)),
        item("a1", tier="low", risks=("x", "y")),
    ]  # fmt: skip
    assert names(figures.by_risk(items)) == ["a1", "a2", "b", "c", "d", "e", "f", "g"]


def test_owners_are_counted_by_tier_those_without_one_last():
    """What does not count is in no group."""
    items = [item("a", owner="x", tier="high"), item("b", Standing.ORPHAN, risks=("r",)), item("c", Standing.UNMANAGED),
             item("d", Standing.IGNORED), item("e", Standing.BUILTIN)]  # fmt: skip
    assert figures.owners(items) == [
        figures.Group("x", 1, (0, 1, 0, 0, 0), 0), figures.Group("", 2, (0, 0, 0, 0, 2), 1),
    ]  # fmt: skip


def test_a_tier_nobody_knows_counts_as_not_declared():
    """And no identity is lost."""
    groups = figures.tiers([item("a", tier="odd"), item("b", tier="low")])
    assert {group.name: group.whole for group in groups} == {"critical": 0, "high": 0, "medium": 0, "low": 1, "": 1}


def test_credentials_are_in_the_order_of_age_and_unknown_ages_last():
    """Those of identities that do not count are left out."""
    made = [
        item("a", credentials=(Credential("k", "new", created=ago(1)), Credential("k", "odd", created="soon"))),
        item("b", credentials=(Credential("k", "old", created=ago(100), expires=ago(1)),)),
        item("c", Standing.BUILTIN, credentials=(Credential("k", "not", created=ago(900)),)),
        item("d", credentials=None),
    ]
    found = figures.aged(Inventory("w", "e", ago(0), tuple(made), (), {}), made)
    assert [(one.credential.id, one.age, one.expired) for one in found] == [
        ("old", 100, True), ("new", 1, False), ("odd", None, False),
    ]  # fmt: skip
    assert figures.untold(made) == 1


@pytest.mark.parametrize(
    ("age", "bucket"),
    [(0, 0), (30, 0), (31, 1), (90, 1), (91, 2), (180, 2), (181, 3), (365, 3), (366, 4), (9_999, 4), (None, 5)],
)
def test_each_age_is_in_one_bucket(age: int | None, bucket: int):
    """Whole days, limits included."""
    one = figures.Aged(0, item("a"), Credential("k"), age, expired=False)
    assert [number for _, number in figures.buckets([one])] == [int(place == bucket) for place in range(6)]


def test_days_are_whole_and_never_below_zero():
    """A clock that is ahead makes nothing younger than new."""
    assert figures.days(ago(1.9), NOW) == 1
    assert figures.days(ago(-3), NOW) == 0
    assert figures.days("2026-11-21", NOW) == 1
    assert (figures.days("", NOW), figures.days("yesterday", NOW), figures.days(ago(1), None)) == (None, None, None)
