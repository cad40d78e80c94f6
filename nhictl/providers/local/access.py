"""What an identity of the directory may do, and what lets somebody become it. Pure.

Rules enforced here:
- a disabled identity may do nothing and cannot be assumed; conditions count;
- what proves an identity elsewhere lets nobody in without a granted connection that carries it: nobody verifies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nhictl.model import Address, Permission, Resource, canonical


def access(resource: Resource, known: Mapping[Address, Resource]) -> list[Permission]:
    """Return the permissions of an identity by the grants, roles and connections in `known`, sorted, each source once.

    Of a role they are what it holds; nothing else gives anything by itself.
    """
    if resource.address.kind == "role":
        return sorted(_permissions_in(resource))
    if not resource.attributes.get("enabled"):
        return []
    held = [r for r in known.values() if _held_by(resource, r)]
    roles = {Address(g.address.target, "role", str(g.attributes["role"])) for g in held}
    found = [p for address in sorted(roles) if address in known for p in _permissions_in(known[address])]
    return sorted([*found, *_ways_in(resource, held, known)])


def _held_by(identity: Resource, other: Resource) -> bool:
    at, owner = other.address, identity.address
    return at.kind == "grant" and at.target == owner.target and other.attributes.get("identity") == owner.name


def _permissions_in(role: Resource) -> Iterable[Permission]:
    items: Any = role.attributes.get("permissions", ())
    for item in items:
        yield Permission("allow", item["action"], item["resource"], item["condition"], source=str(role.address))


def _ways_in(identity: Resource, grants: Iterable[Resource], known: Mapping[Address, Resource]) -> set[Permission]:
    proof = identity.attributes.get("proof") or {}
    if not proof:
        return set()
    target, name = identity.address.target, identity.address.name
    through = {str(g.attributes["connection"]) for g in grants if g.attributes["connection"]}
    if not through and isinstance(proof, Mapping) and "local" in proof:
        return {Permission("assume", "assume", name, source=str(identity.address))}
    found = set()
    for connection in through:
        address = Address(target, "connection", connection)
        trusted = known.get(address)
        says = {"proof": proof, **(trusted.attributes if trusted else {"connection": connection})}
        found.add(Permission("assume", "assume", name, canonical(says).decode(), source=str(address)))
    return found
