"""What nhictl knows about PostgreSQL. Pure; psycopg is imported only when a session is opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Permission, Resource
from nhictl.providers.base import Capabilities, Compiled, Draft, Kind, Session
from nhictl.providers.postgres import access, desired, drafting
from nhictl.providers.postgres.names import GROUP, LOGIN
from nhictl.providers.postgres.settings import SETTINGS_SCHEMA

_ALL = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT, Action.FORGET})

CAPABILITIES = Capabilities(
    provider="postgres",
    version="1",
    kinds=MappingProxyType(
        {
            LOGIN: Kind("Login role", _ALL | {Action.DISABLE}, mark="bulk", identity=True, rename=True),
            GROUP: Kind("Group role", _ALL, mark="bulk", rename=True),
        }
    ),
    settle=2.0,
    fresh_for=30.0,
    whole=True,
    revoke="exact",
    reads="five queries for the cluster, one or two for each database with grants, however many roles there are",
    ignore_case=True,
)


@dataclass(frozen=True, slots=True)
class PostgresAdapter:
    """The provider `postgres`. `sleep` waits, in place of the clock, between tries of a transaction."""

    name: str = "postgres"
    capabilities: Capabilities = CAPABILITIES
    settings_schema: Mapping[str, Any] = field(default_factory=lambda: SETTINGS_SCHEMA)
    sleep: Callable[[float], None] | None = None

    def desired(self, estate: Estate) -> Compiled:
        """Return the roles an estate means in this server."""
        return desired.compile_estate(estate)

    def permissions(self, resource: Resource, known: Mapping[Address, Resource]) -> Iterable[Permission]:
        """Return the whole access of a login, through the groups in `known`; what two of them give, once for each."""
        found = access.permissions(resource, known)
        once = {(permission, permission.source): permission for permission in found}
        return tuple(once[key] for key in sorted(once))

    def drafts(self, live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterable[Draft]:
        """Return manifests for live roles."""
        return drafting.drafts(live, wanted)

    def connect(self, target: Target, *, write: bool) -> AbstractContextManager[Session]:
        """Open a session with libpq's own settings and credentials."""
        from nhictl.providers.postgres.session import session

        return session(target, write=write, sleep=self.sleep)


adapter = PostgresAdapter()
