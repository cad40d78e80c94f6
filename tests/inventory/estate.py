"""Small inventories for the tests: a provider with two kinds of identities, live objects, and records of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.inventory.build import Given, build
from nhictl.inventory.world import Source
from nhictl.ledger.fold import Folded
from nhictl.model import Action, Address, Identity, Inventory, Item, Managed, Mark, Permission, Resource, Snapshot
from nhictl.model.resource import Handling
from nhictl.providers.base import Capabilities, Kind

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
OURS = Mark("shop/test", "nhi/api")
ALL = frozenset(Action)
CAPABILITIES = Capabilities(
    "parts",
    "1",
    {
        "login": Kind("Login", ALL, mark="bulk", identity=True),
        "entity": Kind("Entity", ALL, mark="bulk", identity=True),
        "group": Kind("Group", ALL),
        "policy": Kind("Policy", ALL),
    },
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A provider whose NHIs are an entity and a login; `gives` of all they have access through is what they may do."""

    name: str = "parts"
    capabilities: Capabilities = CAPABILITIES
    settings_schema: Mapping[str, Any] = None  # type: ignore[assignment]

    def permissions(self, resource: Resource, known: Mapping[Address, Resource]) -> Iterable[Permission]:
        """Return what everything known gives, and the trust of the resource itself."""
        if who := resource.attributes.get("trusts"):
            yield Permission("assume", "assume", str(who), source=str(resource.address))
        for other in known.values():
            if bound := other.attributes.get("bounds"):
                yield Permission("allow", f"not:{bound}", "*", effect="deny", source=str(other.address))
            for action in other.attributes.get("gives") or ():  # type: ignore[union-attr]
                yield Permission("allow", str(action), "*", source=str(other.address))


def at(kind: str, name: str) -> Address:
    """Return an address of target `t`."""
    return Address("t", kind, name)


def live(kind: str, name: str, *needs: Address, mark: Mark | None = None, **more: Any) -> Resource:
    """Return a live object; keywords that start with `fact_` are facts, others attributes."""
    facts = {key.removeprefix("fact_"): value for key, value in more.items() if key.startswith("fact_")}
    attributes = {key: value for key, value in more.items() if not key.startswith("fact_")}
    return Resource(at(kind, name), attributes, depends_on=needs, native_id=f"id-{name}", mark=mark, facts=facts)


def record(kind: str, name: str, subject: str, native_id: str = "") -> Managed:
    """Return what the ledger says of an object."""
    return Managed(at(kind, name), subject, native_id or f"id-{name}", {}, Handling())


def taken(*resources: Resource, managed: Iterable[Managed] = (), **given: Any) -> Inventory:
    """Return the inventory of one target with these live objects."""
    folded = given.pop("folded", Folded({m.address: m for m in managed}))
    identity = Identity("parts", "one", "nhictl", given.pop("own", ()))
    snapshot = Snapshot("t", {r.address: r for r in resources}, identity)
    source = Source("t", Parts(), snapshot)  # type: ignore[arg-type]
    return build(Given("shop", "test", NOW, (source,), folded, **given))


def only(inventory: Inventory) -> Item:
    """Return the one identity of an inventory."""
    (item,) = inventory.items
    return item
