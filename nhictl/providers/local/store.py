"""The directory as SQL: its schema and every statement that runs on it.

Rules enforced here:
- native ids are random, never reused and the only key a write goes by; names are unique and can change;
- foreign keys are on: what is in use cannot be deleted, and the refusal names the users;
- an identity's name has no colon and a role's name no at sign, so that a grant's name can be taken apart;
- only the rollback journal is used: a reader needs no file beside the directory and makes none.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

APPLICATION_ID = 0x6E686964
VERSION = 1
NAME_LENGTH = 128
SHOWN_USERS = 10

TABLES: Mapping[str, str] = {
    "identity": "identities", "role": "roles", "grant": "grants", "connection": "connections",
}  # fmt: skip

_MARK = """
  mark_owner TEXT,
  mark_ref TEXT,
  mark_operation TEXT,
  CHECK ((mark_owner IS NULL) = (mark_ref IS NULL) AND (mark_owner IS NULL) = (mark_operation IS NULL))"""

_CREATED = "created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))"

SCHEMA = (
    "CREATE TABLE directory (id TEXT NOT NULL)",
    f"""CREATE TABLE identities (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND {NAME_LENGTH} AND instr(name, ':') = 0),
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  type TEXT NOT NULL CHECK (
    type IN ('workload', 'service-account', 'ai-agent', 'third-party', 'break-glass')
  ),
  owner TEXT NOT NULL DEFAULT '',
  purpose TEXT NOT NULL DEFAULT '',
  service TEXT NOT NULL DEFAULT '',
  labels TEXT NOT NULL DEFAULT '{{}}' CHECK (json_valid(labels)),
  proof TEXT NOT NULL DEFAULT '{{}}' CHECK (json_valid(proof)),
  credentials TEXT NOT NULL DEFAULT '{{}}' CHECK (json_valid(credentials)),
  {_CREATED},{_MARK}
) WITHOUT ROWID""",
    f"""CREATE TABLE roles (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND {NAME_LENGTH} AND instr(name, '@') = 0),
  description TEXT NOT NULL DEFAULT '',
  {_CREATED},{_MARK}
) WITHOUT ROWID""",
    """CREATE TABLE permissions (
  role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  action TEXT NOT NULL CHECK (action <> ''),
  resource TEXT NOT NULL CHECK (resource <> ''),
  condition TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (role_id, action, resource, condition)
) WITHOUT ROWID""",
    f"""CREATE TABLE connections (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND {NAME_LENGTH}),
  issuer TEXT NOT NULL CHECK (json_valid(issuer)),
  audiences TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(audiences)),
  {_CREATED},{_MARK}
) WITHOUT ROWID""",
    f"""CREATE TABLE grants (
  id TEXT PRIMARY KEY NOT NULL,
  identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE RESTRICT,
  role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE RESTRICT,
  connection_id TEXT REFERENCES connections (id) ON DELETE RESTRICT,
  expires TEXT NOT NULL DEFAULT '',
  {_CREATED},{_MARK}
) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX one_grant ON grants (identity_id, role_id, coalesce(connection_id, ''))",
    "CREATE INDEX grants_by_role ON grants (role_id)",
    "CREATE INDEX grants_by_connection ON grants (connection_id)",
    """CREATE TABLE credentials (
  id TEXT PRIMARY KEY NOT NULL,
  identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind <> ''),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
  created TEXT NOT NULL,
  last_used TEXT NOT NULL DEFAULT '',
  expires TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID""",
    "CREATE INDEX credentials_by_identity ON credentials (identity_id)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)

# The last four columns of each: whose it is, for what, by which operation, and since when.
SELECT: Mapping[str, str] = {
    "identity": "SELECT x.id, x.name, x.enabled, x.type, x.owner, x.purpose, x.service, x.labels, x.proof,"
    " x.credentials, x.mark_owner, x.mark_ref, x.mark_operation, x.created FROM identities x",
    "role": "SELECT x.id, x.name, x.description, x.mark_owner, x.mark_ref, x.mark_operation, x.created FROM roles x",
    "connection": "SELECT x.id, x.name, x.issuer, x.audiences,"
    " x.mark_owner, x.mark_ref, x.mark_operation, x.created FROM connections x",
    "grant": "SELECT x.id, i.name, r.name, c.name, x.expires,"
    " x.mark_owner, x.mark_ref, x.mark_operation, x.created FROM grants x"
    " JOIN identities i ON i.id = x.identity_id JOIN roles r ON r.id = x.role_id"
    " LEFT JOIN connections c ON c.id = x.connection_id",
}
SELECT_PERMISSIONS = "SELECT role_id, action, resource, condition FROM permissions"
SELECT_CREDENTIALS = "SELECT identity_id, kind, status, created, last_used, expires, id FROM credentials"

_USERS: Mapping[str, tuple[str, str]] = {
    "identity": (
        "holds",
        "SELECT r.name FROM grants g JOIN roles r ON r.id = g.role_id WHERE g.identity_id = ? ORDER BY 1",
    ),
    "role": (
        "is granted to",
        "SELECT DISTINCT i.name FROM grants g JOIN identities i ON i.id = g.identity_id WHERE g.role_id = ? ORDER BY 1",
    ),
    "connection": (
        "is used by",
        "SELECT DISTINCT i.name FROM grants g JOIN identities i ON i.id = g.identity_id"
        " WHERE g.connection_id = ? ORDER BY 1",
    ),
}


class Row(NamedTuple):
    """The key of a stored object and the operation in its mark."""

    id: str
    operation: str | None


def create_schema(db: sqlite3.Connection, directory: str) -> None:
    """Make an empty directory with id `directory`, inside the caller's transaction."""
    for statement in SCHEMA:
        db.execute(statement)
    db.execute("INSERT INTO directory (id) VALUES (?)", (directory,))


def parts(name: str) -> tuple[str, str, str]:
    """Return identity, role and connection (or "") of a grant's name `identity:role@connection`."""
    identity, _, rest = name.partition(":")
    role, _, connection = rest.partition("@")
    return identity, role, connection


def by_name(kind: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the WHERE clause, with its values, that finds the object `name` of a kind in `SELECT[kind]`."""
    if kind == "grant":
        return " WHERE i.name = ? AND r.name = ? AND coalesce(c.name, '') = ?", parts(name)
    return " WHERE x.name = ?", (name,)


def find(db: sqlite3.Connection, kind: str, name: str) -> Row | None:
    """Return the object that has `name` now."""
    where, values = by_name(kind, name)
    found = db.execute(SELECT[kind] + where, values).fetchone()
    return Row(found[0], found[-2]) if found else None


def exists(db: sqlite3.Connection, kind: str, native_id: str) -> bool:
    """Return whether the object with this native id exists."""
    return db.execute(SELECT[kind] + " WHERE x.id = ?", (native_id,)).fetchone() is not None


def insert(db: sqlite3.Connection, kind: str, columns: Mapping[str, Any]) -> str:
    """Store a new object and return its native id."""
    native_id = str(uuid.uuid4())
    names = ", ".join(columns)
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {TABLES[kind]} (id, {names}) VALUES (?, {marks})"  # noqa: S608
    db.execute(statement, (native_id, *columns.values()))
    return native_id


def update(db: sqlite3.Connection, kind: str, native_id: str, columns: Mapping[str, Any]) -> None:
    """Set columns of the object with this native id."""
    names = ", ".join(f"{column} = ?" for column in columns)
    db.execute(f"UPDATE {TABLES[kind]} SET {names} WHERE id = ?", (*columns.values(), native_id))  # noqa: S608


def delete(db: sqlite3.Connection, kind: str, native_id: str) -> None:
    """Delete the object with this native id. Raises sqlite3.IntegrityError while it is in use."""
    db.execute(f"DELETE FROM {TABLES[kind]} WHERE id = ?", (native_id,))  # noqa: S608


def set_permissions(db: sqlite3.Connection, role_id: str, permissions: Iterable[tuple[str, str, str]]) -> None:
    """Make `permissions` (action, resource, condition) the whole set of the role."""
    db.execute("DELETE FROM permissions WHERE role_id = ?", (role_id,))
    rows = [(role_id, *permission) for permission in permissions]
    db.executemany("INSERT INTO permissions VALUES (?, ?, ?, ?)", rows)


def users(db: sqlite3.Connection, kind: str, native_id: str) -> str:
    """Return who uses an object, as the end of a sentence; empty when nobody does."""
    if kind not in _USERS:
        return ""
    verb, statement = _USERS[kind]
    names = [row[0] for row in db.execute(statement, (native_id,))]
    if not names:
        return ""
    more = f" and {len(names) - SHOWN_USERS} more" if len(names) > SHOWN_USERS else ""
    return f"{verb} {', '.join(names[:SHOWN_USERS])}{more}"
