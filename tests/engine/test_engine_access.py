"""Asking about access reads everybody's, whatever a provider's cheapest read leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nhictl import chains
from nhictl.engine.access import live
from nhictl.engine.live import Connected
from nhictl.model import Resource
from nhictl.providers.base import Scope
from nhictl.providers.local.adapter import LocalAdapter
from tests.support import Shop, nhi, role


@dataclass
class Partial:
    """A session that gives the roles of an identity only where its address or details are asked for."""

    inner: Any

    def identity(self) -> Any:
        """Whoever the real session is."""
        return self.inner.identity()

    def read(self, scope: Scope) -> Iterator[Resource]:
        """Leave out the grants of identities that nobody asked about."""
        yield from (
            r for r in self.inner.read(scope)
            if r.address.kind != "grant" or r.address in scope.addresses or scope.details
        )  # fmt: skip


def _partial(at: Connected) -> Connected:
    adapter = LocalAdapter()
    made = SimpleNamespace(
        name=adapter.name, desired=adapter.desired, permissions=adapter.permissions,
        capabilities=replace(adapter.capabilities, whole=False),
    )  # fmt: skip
    return replace(at, adapter=cast("Any", made), session=cast("Any", Partial(at.session)))


@pytest.mark.parametrize("whole", [True, False])
def test_the_access_of_what_nobody_declared_is_read_too(tmp_path: Path, whole: bool) -> None:
    """Also where a provider gives it with details only."""
    shop = Shop(tmp_path / "shop").declare(role("reader"), nhi("api", "reader"))
    shop.converge()
    shop.sql("INSERT INTO identities (id, name, type) VALUES ('g', 'ghost', 'workload')")
    shop.sql("INSERT INTO grants (id, identity_id, role_id) SELECT 'x', 'g', id FROM roles")
    with shop.opened() as (request, targets, ledger):
        seen = live(request, ledger.entries(), targets if whole else [_partial(at) for at in targets])
    held = chains.who_can(seen.world, chains.Question("read", "db/1")).holders
    assert [h.name for h in held] == ["directory/identity/ghost", "nhi/api"]
