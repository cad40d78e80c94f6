"""What our token lets us do, by the roles of realm-management in it. Pure.

Rules enforced here: what a token does not say (an opaque one, fine-grained permissions) is unknown, never missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from nhictl.providers.base import Checkup
from nhictl.providers.keycloak.names import (
    ADMIN_ROLES,
    APPLICATION,
    CLIENT,
    CLIENT_ROLE,
    IDP,
    MANAGEMENT,
    REALM_ROLE,
    SCOPE,
)

PLAN: Mapping[str, tuple[str, ...]] = {
    CLIENT: ("view-realm", "view-clients", "view-users"),
    CLIENT_ROLE: ("view-realm", "view-clients"),
    REALM_ROLE: ("view-realm", "view-clients"),
    SCOPE: ("view-realm", "view-clients"),
    IDP: ("view-realm", "view-clients", "view-identity-providers"),
}
"""Roles of realm-management by kind, for planning."""

APPLY: Mapping[str, tuple[str, ...]] = {
    CLIENT: ("manage-clients", "manage-users"),
    CLIENT_ROLE: ("manage-clients", "view-users"),
    REALM_ROLE: ("manage-realm", "view-users"),
    SCOPE: ("manage-clients",),
    IDP: ("manage-identity-providers",),
}
"""Roles of realm-management by kind, for applying, besides those for planning."""


def checkup(claims: Mapping[str, Any], realm: str, kinds: Collection[str], said: str) -> Checkup:
    """Return what the claims of our token lack for `kinds`; no kinds means all."""
    roles = held(claims, realm)
    if roles is None:
        return Checkup(said, unknown="the token does not say which roles it has")
    wanted = [kind for kind in (*PLAN,) if kind in kinds or not set(kinds) - {APPLICATION}]
    plan = {role for kind in wanted for role in PLAN[kind]} | {"view-realm"}
    apply = {role for kind in wanted for role in APPLY[kind]}
    return Checkup(said, _lacking(plan, roles), _lacking(plan | apply, roles))


def held(claims: Mapping[str, Any], realm: str) -> frozenset[str] | None:
    """Return the administering roles in a token for a realm; None when it says none at all."""
    access = claims.get("resource_access")
    if not isinstance(access, Mapping):
        return None
    found: set[str] = set()
    for client in (MANAGEMENT, f"{realm}-realm"):
        entry = access.get(client)
        found |= set(entry.get("roles") or ()) if isinstance(entry, Mapping) else set()
    said = claims.get("realm_access")
    if isinstance(said, Mapping) and "admin" in (said.get("roles") or ()):
        found |= ADMIN_ROLES
    return frozenset(found)


def _lacking(needed: Collection[str], roles: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(f"{MANAGEMENT}: {role}" for role in needed if not _satisfied(role, roles)))


def _satisfied(role: str, roles: Collection[str]) -> bool:
    return role in roles or role.replace("view-", "manage-", 1) in roles
