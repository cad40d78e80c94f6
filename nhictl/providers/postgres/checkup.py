"""What this user may not do, as the server says: for `nhictl doctor`. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from nhictl.model import Resource
from nhictl.providers.base import Checkup
from nhictl.providers.postgres import rows

if TYPE_CHECKING:
    from nhictl.providers.postgres.session import PostgresSession

_DATABASES = """
SELECT datname, has_database_privilege(oid, 'CONNECT') FROM pg_database WHERE datallowconn
"""
_ADMIN = """
SELECT r.rolname, coalesce(bool_or(m.admin_option), false) FROM pg_roles r
LEFT JOIN pg_auth_members m ON m.roleid = r.oid AND m.member = %s::oid WHERE r.rolname = ANY(%s::text[]) GROUP BY 1
"""
_SIGNAL = "SELECT pg_has_role(session_user, 'pg_signal_backend', 'USAGE')"


def checkup(session: PostgresSession, declared: Collection[Resource]) -> Checkup:
    """Return who the session is and what it lacks. Raises ProviderError when it is nobody."""
    who, server = session.who(), session.server
    security = "TLS" if server.connection(server.maintenance).pgconn.ssl_in_use else "no TLS: this machine only"
    said = f"{who.user} by libpq's settings, PostgreSQL {who.version // 10000}, {security}"
    wanted = {name for r in declared for name in rows.databases(r.attributes)}
    with server.reading(server.maintenance) as ask:
        found: dict[str, bool] = dict(ask(_DATABASES))
        lacking = [f"CONNECT on database {n}" for n in sorted(found) if not found[n] and _counts(session, n, wanted)]
        lacking += [f"database {name}: it does not exist" for name in sorted(wanted - set(found))]
        names = sorted({r.address.name for r in declared})
        admin = dict(ask(_ADMIN, who.oid, names)) if names else {}
        signals = ask(_SIGNAL)[0][0]
    missing = (
        [] if who.superuser else [*_roles(session, admin), *([] if signals else ["membership in pg_signal_backend"])]
    )
    if who.standby:
        missing.append("a primary: this server is a standby")
    unknown = "" if who.superuser else "whether it may grant on each object: it must own it or have grant option"
    return Checkup(said, tuple(lacking), (*lacking, *missing), unknown_for_apply=unknown)


def _counts(session: PostgresSession, name: str, wanted: set[str]) -> bool:
    return name in wanted or (session.place.counts(name) and bool(session.databases))


def _roles(session: PostgresSession, admin: dict[str, bool]) -> Iterator[str]:
    who = session.who()
    if not who.createrole:
        yield "CREATEROLE"
    if who.version >= 160000:
        yield from (f"ADMIN OPTION on role {name}" for name in sorted(admin) if not admin[name])
