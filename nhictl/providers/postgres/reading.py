"""Read roles with everything they hold: a fixed number of queries for the cluster and for each database.

Rules enforced here:
- five queries for the cluster, one for each database that has grants to roles, one more where a grant means every
  object of a schema; their number does not depend on how many roles there are;
- a database that may not be connected to is an error, never a gap; `databases` says which ones count;
- all of one database is read as of one moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.providers.postgres import comment, queries
from nhictl.providers.postgres.connect import Server
from nhictl.providers.postgres.convert import Catalog, MemberRow, RoleRow
from nhictl.providers.postgres.names import shown
from nhictl.providers.postgres.rows import Held, Object

Objects = dict[tuple[str, str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read: the server, the databases that count (empty for all), and whether passwords may be asked for."""

    server: Server
    databases: frozenset[str] = frozenset()
    passwords: bool = False

    def counts(self, database: str) -> bool:
        """Say whether a database is looked at."""
        return not self.databases or database in self.databases


def catalog(place: Place, names: Collection[str] | None = None) -> Catalog:
    """Return everything, or what concerns the roles of these names."""
    chosen = None if names is None else sorted(names)
    held: dict[int, list[Held]] = defaultdict(list)
    with place.server.reading(place.server.maintenance) as ask:
        password = queries.ASKED if place.passwords else queries.UNASKED
        roles = tuple(RoleRow(*row) for row in ask(queries.ROLES.format(password=password), chosen, chosen))
        oids = None if chosen is None else [role.oid for role in roles]
        members = tuple(MemberRow(*row) for row in ask(queries.MEMBERS, oids, oids, oids))
        databases = ask(queries.DATABASES, oids, oids)
        owned = _owned(ask(queries.OWNED, oids, oids))
        for row in ask(queries.SHARED, oids, oids, oids):
            _take(held, row, database=row[2] if row[0] == "database" else "")
    stars = _stars(roles)
    objects: Objects = {}
    for _, name, open_, has_grants, _owner in sorted(databases, key=lambda row: row[1]):
        wanted = stars.get(name, set())
        everything = chosen is None and name == place.server.maintenance
        if open_ and place.counts(name) and (has_grants or wanted or everything):
            _local(place.server, name, oids, wanted=wanted, held=held, objects=objects)
    return Catalog(
        roles, members, held, owned, objects, public=chosen is None,
        database_owners={name: owner for _, name, _, _, owner in databases},
        createrole_grants_any=place.server.version < 160000,
    )  # fmt: skip


def _local(
    server: Server, database: str, oids: list[int] | None, *, wanted: Collection[tuple[str, str]],
    held: dict[int, list[Held]], objects: Objects,
) -> None:  # fmt: skip
    with server.reading(database) as ask:
        for row in ask(queries.LOCAL, oids, oids, oids):
            _take(held, row, database=database)
        if wanted:
            schemas = sorted({schema for _, schema in wanted})
            objects |= existing(database, wanted, ask(queries.OBJECTS, schemas, schemas))


def existing(database: str, wanted: Iterable[tuple[str, str]], rows: Iterable[tuple[Any, ...]]) -> Objects:
    """Return the names of the objects of each wanted (on, schema) of a database."""
    found: Objects = {(database, on, schema): [] for on, schema in wanted}
    for on, schema, name in rows:
        if (database, on, schema) in found:
            found[database, on, schema].append(shown(on, name))
    return found


def _stars(roles: Iterable[RoleRow]) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for role in roles:
        for database, on, schema in comment.parse(role.comment).everything:
            found[database].add((on, schema))
    return found


def _owned(rows: Iterable[tuple[Any, ...]]) -> Mapping[int, Mapping[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for oid, database, count in rows:
        found[oid][database] = count
    return found


def _take(held: dict[int, list[Held]], row: tuple[Any, ...], *, database: str) -> None:
    grantee, item = to_held(row, database)
    held[grantee].append(item)


def to_held(row: tuple[Any, ...], database: str) -> tuple[int, Held]:
    """Return one row of SHARED or LOCAL as the grantee's oid and what it holds."""
    on, schema, name, column, owner, grantee, grantor, privilege, grantable = row
    at = Object(on, schema, shown(on, name), column)
    return grantee, Held(database, at, privilege, grantable, grantor, owner)
