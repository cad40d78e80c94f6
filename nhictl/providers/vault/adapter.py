"""The Vault adapter: what nhictl knows about Vault and OpenBao. Pure; hvac is imported when a session is opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Permission, Resource
from nhictl.providers.base import Capabilities, Compiled, Draft, Kind, Session
from nhictl.providers.vault import access, desired, drafting
from nhictl.providers.vault.names import DATABASE, ENGINE, ENTITY, EXTERNAL, GROUP, LOGIN, MOUNT, POLICY
from nhictl.providers.vault.settings import SETTINGS_SCHEMA

_ALL = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT, Action.FORGET})
_REPLACED = _ALL | {Action.REPLACE}
_METADATA = frozenset({"metadata"})

CAPABILITIES = Capabilities(
    provider="vault",
    version="1",
    kinds={
        ENTITY: Kind("Identity entity", _ALL | {Action.DISABLE}, partial=_METADATA, mark="bulk", identity=True),
        LOGIN: Kind(
            "Auth role", _REPLACED | {Action.DISABLE}, immutable=frozenset({"method", "local_secret_ids"}),
            identity=True,
        ),
        POLICY: Kind("ACL policy", _ALL, mark="bulk"),
        GROUP: Kind("Identity group", _ALL, partial=_METADATA, mark="bulk"),
        EXTERNAL: Kind("Identity group of an identity provider"),
        MOUNT: Kind("Auth mount", _REPLACED, immutable=frozenset({"type"}), mark="bulk"),
        ENGINE: Kind("Database secrets mount", _ALL, mark="bulk"),
        DATABASE: Kind("Database configuration", _ALL),
    },
    workers=4,
    settle=10.0,
    revoke="exact",
    reads="five listings and one for each mount; one call per group, declared policy and entity, and two per AppRole",
    whole=True,
    patterns="path",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VaultAdapter:
    """The provider `vault`. `sleep` waits between tries; None is the clock's."""

    name: str = "vault"
    capabilities: Capabilities = CAPABILITIES
    settings_schema: Mapping[str, Any] = None  # type: ignore[assignment]
    sleep: Callable[[float], None] | None = None

    def desired(self, estate: Estate) -> Compiled:
        """Return what an estate means in the target's Vault."""
        return desired.compile_estate(estate)

    def permissions(self, resource: Resource, known: Mapping[Address, Resource]) -> Iterable[Permission]:
        """Return the whole access of an entity or auth role, through the policies and groups in `known`."""
        return tuple(access.permissions(resource, known))

    def drafts(self, live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterable[Draft]:
        """Return manifests for live objects."""
        return drafting.drafts(live, wanted)

    def connect(self, target: Target, *, write: bool) -> AbstractContextManager[Session]:
        """Open a session to the target's Vault with Vault's own credentials."""
        from nhictl.providers.vault import connect

        return connect.session(target, write=write, sleep=self.sleep)


adapter = replace(VaultAdapter(), settings_schema=SETTINGS_SCHEMA)
