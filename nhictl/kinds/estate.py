"""What an adapter compiles: the objects of one environment that concern one target, variables resolved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from nhictl.kinds.connection import Connection
from nhictl.kinds.nhi import NHI, Grant
from nhictl.kinds.role import Role
from nhictl.kinds.workspace import Environment, Target


@dataclass(frozen=True, slots=True)
class Estate:
    """The desired objects for one target.

    `nhis` are those realised here, `roles` and `connections` those whose provider block fits. `names` maps
    (manifest reference, provider kind) to the physical name an object already has, from the ledger: it keeps its
    name when the manifest object is renamed where the provider cannot rename. `previous` maps a reference to the
    former reference that is still managed.
    """

    owner: str
    environment: Environment
    target: Target
    nhis: tuple[NHI, ...]
    roles: Mapping[str, Role]
    connections: Mapping[str, Connection]
    today: dt.date
    names: Mapping[tuple[str, str], str]
    previous: Mapping[str, str]

    def name(self, ref: str, kind: str, default: str) -> str:
        """Return the physical name of manifest object `ref` as provider kind `kind`."""
        return self.names.get((ref, kind)) or self.names.get((self.previous.get(ref, ""), kind)) or default

    def standing(self, nhi: NHI) -> tuple[Grant, ...]:
        """Return the grants of `nhi` that give access here and now: standing, not expired, of a role known here."""
        if self.expired(nhi):
            return ()
        env = self.environment.name
        return tuple(
            g
            for g in nhi.grants
            if g.mode == "standing"
            and (not g.environments or env in g.environments)
            and (g.expires is None or g.expires > self.today)
            and g.role in self.roles
        )

    def keep(self) -> Mapping[str, tuple[str, ...]]:
        """Return the fields that each manifest object leaves as they are, by reference; those without any left out."""
        own: list[NHI | Role | Connection] = [*self.nhis, *self.roles.values(), *self.connections.values()]
        return {item.ref: item.keep for item in own if item.keep}

    def expired(self, nhi: NHI) -> bool:
        """True when the NHI's lifecycle has ended: it stays, disabled and without grants."""
        return nhi.expires is not None and nhi.expires <= self.today
