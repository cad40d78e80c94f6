"""The work of an inventory grows with the estate and not with its square: operations are counted, nothing is timed."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import pytest

from nhictl.inventory.build import Given, build
from nhictl.inventory.world import Source
from nhictl.ledger.fold import Folded
from nhictl.model import Managed, Snapshot
from nhictl.providers.local.adapter import LocalAdapter
from tests.inventory.estate import NOW
from tests.test_linear import LARGE, SMALL, assert_linear, estate, hashes


class Asked(LocalAdapter):
    """Counts how many resources each question for permissions comes with."""

    sizes: ClassVar[Counter[int]] = Counter()

    def permissions(self, resource, known):
        Asked.sizes[len(known)] += 1
        return super().permissions(resource, known)


@pytest.mark.parametrize("roles", [1, 10])
@pytest.mark.parametrize("managed", [False, True])
def test_an_inventory_is_linear(roles: int, managed: bool) -> None:
    """Each identity is asked for once, with what it has access through and nothing else; however many share a role."""
    found = {}
    for count in (SMALL, LARGE):
        world = estate(count, roles=roles)
        records = {a: Managed(a, r.subject, "", {}, r.handling) for a, r in world.items()} if managed else {}
        source = Source("t", Asked(), Snapshot("t", world))
        given = Given("w", "e", NOW, (source,), Folded(records))
        Asked.sizes.clear()
        found[count] = hashes(lambda g=given: build(g))
        assert Asked.sizes == {3: count}
    assert_linear(found[SMALL], found[LARGE])
