"""Parts of an inventory, and who is stale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nhictl.inventory.choose import Choice, choose, stale
from nhictl.inventory.times import DAY
from nhictl.model import Address, Coverage, Credential, Inventory, Item, Standing
from tests.inventory.estate import NOW

API = Item(
    Address("aws", "iam-role", "ci-api"), "aws", Standing.MANAGED, subject="nhi/api", owner="team", type="workload",
    tier="high", labels={"app": "web"}, created="2020-01-01T00:00:00Z", last_used="2026-01-01T00:00:00Z",
)  # fmt: skip
GHOST = Item(Address("dir", "identity", "ghost"), "local", Standing.UNMANAGED, created="2020-01-01T00:00:00Z")
WHOLE = Inventory("w", "e", "", (API, GHOST), (Coverage("aws", 1, 0, 0, 0), Coverage("dir", 0, 1, 0, 0)), {})


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (Choice(), ["ci-api", "ghost"]),
        (Choice(targets=("aws",)), ["ci-api"]),
        (Choice(targets=("dir/identity/ghost", "nhi/api")), ["ci-api", "ghost"]),
        (Choice(excludes=("nhi/api",)), ["ghost"]),
        (Choice(owners=("team",)), ["ci-api"]),
        (Choice(types=("workload", "ai-agent")), ["ci-api"]),
        (Choice(standings=("unmanaged",)), ["ghost"]),
        (Choice(providers=("local",)), ["ghost"]),
        (Choice(tiers=("low",)), []),
        (Choice(names=("ci-*",)), ["ci-api"]),
        (Choice(names=("api",)), ["ci-api"]),
        (Choice(names=("[ac]*",)), []),
        (Choice(labels=(("app", "web"),)), ["ci-api"]),
        (Choice(labels=(("app", "web"), ("x", "y"))), []),
        (Choice(standings=("unmanaged",), targets=("aws",)), []),
    ],
)
def test_every_part_of_a_choice_narrows(choice: Choice, names: list[str]) -> None:
    """And the coverage is that of everything."""
    found = choose(WHOLE, choice, NOW)
    assert [item.address.name for item in found.inventory.items] == names
    assert found.inventory.coverage == WHOLE.coverage
    assert found.of == 2


@pytest.mark.parametrize(
    ("fields", "is_stale"),
    [
        ({"last_used": "2026-08-01T00:00:00Z"}, True),
        ({"last_used": "2026-11-01T00:00:00Z"}, False),
        ({"last_used": ""}, True),
        ({"last_used": "", "created": "2026-11-01T00:00:00Z"}, False),
        ({"last_used": "", "created": None}, None),
        ({"last_used": None}, None),
        ({"last_used": None, "created": "2026-11-01T00:00:00Z"}, False),
        ({"last_used": "soon"}, None),
        ({"last_used": "2026-08-01T00:00:00Z", "credentials": (Credential("access-key", "b", last_used=None),)}, None),
        ({"last_used": "2026-11-01T00:00:00Z", "credentials": (Credential("access-key", "b", last_used=None),)}, False),
        ({"last_used": "", "tracked_days": 400}, True),
        ({"last_used": "", "tracked_days": 30}, None),
    ],
)
def test_stale_is_known_or_not(fields: dict[str, object], is_stale: bool | None) -> None:
    """An unknown use is unknown; what is younger than the time asked for cannot be stale."""
    assert stale(replace(API, **fields), NOW, 90 * DAY) is is_stale  # type: ignore[arg-type]


def test_unknown_ones_are_counted_and_not_shown() -> None:
    """Only those that fit the rest of the choice."""
    found = choose(WHOLE, Choice(stale=90 * DAY), NOW)
    assert ([item.address.name for item in found.inventory.items], found.unknown) == (["ci-api"], 1)
    assert choose(WHOLE, Choice(stale=90 * DAY, owners=("team",)), NOW).unknown == 0
