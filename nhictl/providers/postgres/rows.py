"""Grants as rows, and what has to be granted and revoked to get from what is held to what rows say. Pure.

Terms: a *row* is a flat mapping in a resource's attributes, one per object; an *object* is its key within a database;
what is *held* comes from access control lists, one item per privilege and grantor.
Rules enforced here:
- rows are sorted, one per object, their privileges in PostgreSQL's order;
- a row for `*` stands for every object of its class in its schema; `except` names those that lack a privilege of it;
  what an object has beyond it has a row of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from nhictl.model import Value
from nhictl.providers.postgres.names import PRIVILEGES, STAR, meant, ordered, quoted


class Object(NamedTuple):
    """What can be granted on. `name` of a function has its types; `column` is empty but for a privilege on one.

    Default privileges are objects, too: `on` is `default tables`, `name` the owner, `schema` empty for all.
    """

    on: str
    schema: str
    name: str
    column: str = ""


class Held(NamedTuple):
    """One privilege somebody holds in `database`, by whom it was granted. `owner` is the object's owner."""

    database: str
    object: Object
    privilege: str
    grantable: bool
    grantor: str
    owner: str


Wanted = Mapping[Object, Mapping[str, bool]]
"""Privileges by object; the value says whether with grant option."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The grants of one role as its attributes have them."""

    grants: tuple[Value, ...] = ()
    default_privileges: tuple[Value, ...] = ()
    other_grants: tuple[Value, ...] = ()

    def attributes(self) -> dict[str, Value]:
        """Return the three attributes."""
        return {
            "grants": self.grants,
            "default_privileges": self.default_privileges,
            "other_grants": self.other_grants,
        }


DEFAULT = "default "


def grant_row(database: str, at: Object, privileges: Iterable[str], *, besides: Iterable[str] = ()) -> dict[str, Value]:
    """Return a row of `grants`."""
    row: dict[str, Value] = {
        "database": database, "on": at.on, "schema": at.schema, "name": at.name,
        "privileges": ordered(at.on, privileges), "except": ", ".join(sorted(map(quoted, besides))),
    }  # fmt: skip
    return row


def default_row(database: str, at: Object, privileges: Iterable[str]) -> dict[str, Value]:
    """Return a row of `default_privileges`."""
    on = at.on.removeprefix(DEFAULT)
    return {
        "database": database, "owner": at.name, "schema": at.schema, "on": on, "privileges": ordered(on, privileges),
    }  # fmt: skip


def other_row(database: str, at: Object, privileges: Iterable[str], *, grantable: bool) -> dict[str, Value]:
    """Return a row of `other_grants`."""
    return {
        "database": database, "on": at.on, "schema": at.schema, "name": at.name, "column": at.column,
        "privileges": ordered(at.on, privileges), "option": "grant" if grantable else "",
    }  # fmt: skip


def sorted_rows(rows: Iterable[Mapping[str, Value]]) -> tuple[Value, ...]:
    """Return rows in the order attributes have them."""
    return tuple(sorted(rows, key=lambda row: tuple(map(str, row.values()))))


def to_rows(
    held: Iterable[Held], everything: Mapping[tuple[str, str, str], str], objects: Mapping[tuple[str, str, str], Any]
) -> Rows:
    """Return what is held as rows.

    `everything` maps (database, on, schema) to the privileges that are meant for every object there, `objects` to the
    names of those objects; a class that is not among them is no longer there.
    """
    plain: dict[tuple[str, Object], set[str]] = defaultdict(set)
    future: dict[tuple[str, Object], set[str]] = defaultdict(set)
    other: dict[tuple[str, Object, bool], set[str]] = defaultdict(set)
    for item in held:
        kind, key = item.object.on, (item.database, item.object)
        if kind.startswith(DEFAULT):
            future[key].add(item.privilege)
        elif kind in PRIVILEGES and not item.object.column:
            plain[key].add(item.privilege)
        else:
            other[item.database, item.object, False].add(item.privilege)
        if item.grantable:
            other[item.database, item.object, True].add(item.privilege)
    return Rows(
        sorted_rows(_compressed(plain, everything, objects)),
        sorted_rows(default_row(database, at, found) for (database, at), found in future.items()),
        sorted_rows(
            other_row(database, at, found, grantable=grantable) for (database, at, grantable), found in other.items()
        ),
    )


def _compressed(
    plain: dict[tuple[str, Object], set[str]],
    everything: Mapping[tuple[str, str, str], str],
    objects: Mapping[tuple[str, str, str], Any],
) -> Iterator[dict[str, Value]]:
    for (database, on, schema), text in sorted(everything.items()):
        if (database, on, schema) not in objects:
            continue
        wanted, names = set(text.split()), sorted(objects[database, on, schema])
        has = {name: plain.get((database, Object(on, schema, name)), set()) for name in names}
        lacking = [name for name in names if not wanted <= has[name]]
        if names and len(lacking) == len(names):
            continue
        yield grant_row(database, Object(on, schema, STAR), wanted, besides=lacking)
        for name in names:
            if name not in lacking:
                plain[database, Object(on, schema, name)] = has[name] - wanted
    for (database, at), privileges in plain.items():
        if privileges:
            yield grant_row(database, at, privileges)


_FIELDS = ("grants", "default_privileges", "other_grants")


def databases(attributes: Mapping[str, Any]) -> set[str]:
    """Return the databases inside of which rows grant something; grants on a database itself need no visit there."""
    return {str(row["database"]) for name in _FIELDS for row in attributes.get(name) or () if not _is_shared(row)}


def _is_shared(row: Mapping[str, Any]) -> bool:
    return str(row["on"]) == "database" or str(row["database"]) == ""


def stars(attributes: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    """Return the privileges meant for every object, by (database, on, schema)."""
    return {
        (str(row["database"]), str(row["on"]), str(row["schema"])): str(row["privileges"])
        for row in attributes.get("grants") or ()
        if row["name"] == STAR
    }


def wanted(attributes: Mapping[str, Any], database: str, objects: Mapping[tuple[str, str, str], Any]) -> Wanted:
    """Return what rows say for the inside of one database, `*` spelled out by `objects`."""
    return _wanted(attributes, objects, lambda row: row["database"] == database and not _is_shared(row))


def wanted_shared(attributes: Mapping[str, Any]) -> Wanted:
    """Return what rows say for databases themselves, and for what else the whole cluster knows."""
    return _wanted(attributes, {}, _is_shared)


def _wanted(
    attributes: Mapping[str, Any],
    objects: Mapping[tuple[str, str, str], Any],
    here: Callable[[Mapping[str, Any]], bool],
) -> Wanted:
    found: dict[Object, dict[str, bool]] = defaultdict(dict)

    def add(at: Object, privileges: str, *, grantable: bool = False) -> None:
        for privilege in privileges.split():
            found[at][privilege] = grantable or found[at].get(privilege, False)

    for row in attributes.get("grants") or ():
        if here(row):
            database, on, schema, name = str(row["database"]), str(row["on"]), str(row["schema"]), str(row["name"])
            skipped = _unquoted(str(row["except"]))
            names = [name] if name != STAR else [n for n in objects.get((database, on, schema), ()) if n not in skipped]
            for one in names:
                add(Object(on, schema, one), str(row["privileges"]))
    for row in attributes.get("default_privileges") or ():
        if here(row):
            add(Object(f"{DEFAULT}{row['on']}", str(row["schema"]), str(row["owner"])), str(row["privileges"]))
    for row in attributes.get("other_grants") or ():
        if here(row):
            at = Object(str(row["on"]), str(row["schema"]), str(row["name"]), str(row["column"]))
            add(at, str(row["privileges"]), grantable=row["option"] == "grant")
    return {at: dict(privileges) for at, privileges in found.items() if privileges}


_WORD = re.compile(r'"((?:[^"]|"")*)"|([^", ]+)')


def _unquoted(text: str) -> set[str]:
    return {plain or inside.replace('""', '"') for inside, plain in _WORD.findall(text)}


class Move(NamedTuple):
    """One statement's worth: `privileges` of several objects of one class, granted, or revoked as `grantor`."""

    grant: bool
    on: str
    privileges: tuple[str, ...]
    objects: tuple[Object, ...]
    grantor: str = ""
    option: bool = False


def moves(held: Iterable[Held], want: Wanted) -> list[Move]:
    """Return the revokes and grants that bring one role in one database to what it is to have; revokes last."""
    missing = {at: dict(privileges) for at, privileges in want.items()}
    revoked: dict[tuple[Object, str, bool], set[str]] = defaultdict(set)
    for item in held:
        asked = want.get(item.object, {}).get(item.privilege)
        by = "" if item.grantor == item.owner else item.grantor
        if asked is None:
            revoked[item.object, by, False].add(item.privilege)
            continue
        if item.grantable and not asked:
            revoked[item.object, by, True].add(item.privilege)
        if item.grantable or not asked:
            missing[item.object].pop(item.privilege, None)
    granted: dict[tuple[Object, str, bool], set[str]] = defaultdict(set)
    for at, privileges in missing.items():
        for privilege, grantable in privileges.items():
            granted[at, "", grantable].add(privilege)
    return [*_grouped(granted, grant=True), *_grouped(revoked, grant=False)]


_BATCH = 200


def _grouped(found: Mapping[tuple[Object, str, bool], set[str]], *, grant: bool) -> Iterator[Move]:
    groups: dict[tuple[str, str, bool, tuple[str, ...], str], list[Object]] = defaultdict(list)
    for (at, grantor, option), some in found.items():
        alone = f"{at.schema}\0{at.name}" if at.on.startswith(DEFAULT) or at.column else ""
        groups[at.on, grantor, option, tuple(sorted(some)), alone].append(at)
    for (on, grantor, option, privileges, _), objects in sorted(groups.items()):
        objects.sort()
        for start in range(0, len(objects), _BATCH):
            yield Move(grant, on, privileges, tuple(objects[start : start + _BATCH]), grantor, option)


def real(at: Object) -> str:
    """Return the name of an object as the catalogs have it; functions keep their types."""
    return meant(at.on, at.name)


__all__ = [
    "DEFAULT", "Held", "Move", "Object", "Rows", "Wanted", "databases", "default_row", "grant_row", "moves",
    "other_row", "real", "sorted_rows", "stars", "to_rows", "wanted", "wanted_shared",
]  # fmt: skip
