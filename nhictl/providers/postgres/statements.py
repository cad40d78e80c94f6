"""Statements of role DDL, every name and every text quoted by psycopg; nothing else ever composes SQL from values.

Rules enforced here:
- privileges come from fixed lists or from the server's own catalogs, and must look like words;
- a function is named as the server printed it, never as a manifest wrote it;
- no statement carries a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nhictl.model import Fault, ProviderError
from nhictl.providers.postgres.names import meant
from nhictl.providers.postgres.rows import DEFAULT, Move, Object

if TYPE_CHECKING:
    from psycopg import sql

_WORDS = re.compile(r"[A-Z][A-Z ]*\Z")
_CLASS = {
    "database": "DATABASE", "schema": "SCHEMA", "table": "TABLE", "column": "TABLE", "sequence": "SEQUENCE",
    "function": "ROUTINE", "type": "TYPE", "language": "LANGUAGE", "foreign data wrapper": "FOREIGN DATA WRAPPER",
    "foreign server": "FOREIGN SERVER", "large object": "LARGE OBJECT", "tablespace": "TABLESPACE",
    "parameter": "PARAMETER", "default tables": "TABLES", "default sequences": "SEQUENCES",
    "default functions": "FUNCTIONS", "default types": "TYPES", "default schemas": "SCHEMAS",
    "default large objects": "LARGE OBJECTS",
}  # fmt: skip


def text(template: str, *names: str) -> sql.Composed:
    """Return a statement with identifiers put in for `{}`."""
    from psycopg import sql

    return sql.SQL(template).format(*(sql.Identifier(name) for name in names))


def comment(role: str, said: str) -> sql.Composed:
    """Return the statement that sets a role's comment; an empty one takes it away."""
    from psycopg import sql

    return sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), sql.Literal(said or None))


def create(role: str, *, login: bool, limit: int) -> sql.Composed:
    """Return the statement that makes a role without any attribute but these."""
    from psycopg import sql

    word = "LOGIN" if login else "NOLOGIN"
    return sql.SQL("CREATE ROLE {} " + word + " CONNECTION LIMIT {}").format(sql.Identifier(role), sql.Literal(limit))


def limited(role: str, limit: int) -> sql.Composed:
    """Return the statement that sets a connection limit."""
    from psycopg import sql

    return sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}").format(sql.Identifier(role), sql.Literal(limit))


def member(group: str, role: str, options: str, *, version: int) -> sql.Composed:
    """Return the statement that puts a role into a group with the options of a membership's text."""
    words = set(options.split())
    if version < 160000:
        return text("GRANT {} TO {}" + (" WITH ADMIN OPTION" if "admin" in words else ""), group, role)
    said = ", ".join(f"{word.upper()} {'TRUE' if word in words else 'FALSE'}" for word in ("admin", "inherit", "set"))
    return text("GRANT {} TO {} WITH " + said, group, role)


def no_member(group: str, role: str, grantor: str, *, version: int) -> sql.Composed:
    """Return the statement that takes a role out of a group, as far as one grantor put it there."""
    if version < 160000 or not grantor:
        return text("REVOKE {} FROM {}", group, role)
    return text("REVOKE {} FROM {} GRANTED BY {}", group, role, grantor)


def moved(move: Move, role: str) -> sql.Composed:
    """Return the GRANT or REVOKE of a move for a role."""
    from psycopg import sql

    verb, way = ("GRANT", "TO") if move.grant else ("REVOKE", "FROM")
    only = "GRANT OPTION FOR " if move.option and not move.grant else ""
    tail = " WITH GRANT OPTION" if move.option and move.grant else ""
    parts: dict[str, Any] = {"what": _privileges(move), "role": sql.Identifier(role)}
    if move.on.startswith(DEFAULT):
        at = move.objects[0]
        inside = " IN SCHEMA {schema}" if at.schema else ""
        parts |= {"owner": sql.Identifier(at.name), "schema": sql.Identifier(at.schema)}
        template = (
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {{owner}}{inside} {verb} {only}{{what}} "
            f"ON {_class(move.on)} {way} {{role}}{tail}"
        )
        return sql.SQL(template).format(**parts)
    parts["objects"] = sql.SQL(", ").join(_named(move.on, at) for at in move.objects)
    template = f"{verb} {only}{{what}} ON {_class(move.on)} {{objects}} {way} {{role}}{tail}"
    return sql.SQL(template).format(**parts)


def _class(on: str) -> str:
    if on not in _CLASS:
        raise ProviderError(Fault.INVALID, f"nothing is known of grants on a {on}", code="UnknownClass")
    return _CLASS[on]


def _privileges(move: Move) -> sql.Composed:
    from psycopg import sql

    words: Iterable[str] = move.privileges
    if not all(map(_WORDS.match, words)):
        raise ProviderError(Fault.INVALID, "a privilege is not a word", code="UnknownPrivilege")
    column = move.objects[0].column
    some = [sql.SQL(word) for word in words]
    if not column:
        return sql.SQL(", ").join(some)
    return sql.SQL(", ").join(sql.SQL("{} ({})").format(word, sql.Identifier(column)) for word in some)


def _named(on: str, at: Object) -> sql.Composable:
    from psycopg import sql

    if on == "function":
        # The server's own text: quote_ident and oidvectortypes with nothing but pg_catalog in the search path.
        return sql.SQL("{}.{}").format(sql.Identifier(at.schema), sql.SQL(at.name))
    name = meant(on, at.name)
    if on == "large object":
        return sql.Literal(int(name))
    if on == "parameter":
        return sql.SQL(".").join(sql.Identifier(part) for part in name.split("."))
    return sql.Identifier(at.schema, name) if at.schema else sql.Identifier(name)
