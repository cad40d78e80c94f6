"""SQLite's errors as provider faults, in one table.

Rules enforced here: a message names the constraint or the error code, never a value that was to be stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from nhictl.model import Fault, ProviderError

_FAULTS = {
    sqlite3.SQLITE_READONLY: (Fault.READ_ONLY, "this session only reads"),
    sqlite3.SQLITE_BUSY: (Fault.THROTTLED, "the directory is locked by another process"),
    sqlite3.SQLITE_LOCKED: (Fault.THROTTLED, "the directory is locked by another process"),
    sqlite3.SQLITE_CANTOPEN: (Fault.UNREACHABLE, "the file cannot be opened"),
    sqlite3.SQLITE_PERM: (Fault.DENIED, "the file may not be opened"),
    sqlite3.SQLITE_NOTADB: (Fault.INVALID, "the file is not a SQLite database"),
    sqlite3.SQLITE_CORRUPT: (Fault.UNREACHABLE, "the file is damaged"),
    sqlite3.SQLITE_FULL: (Fault.LIMIT, "no space left"),
    sqlite3.SQLITE_CONSTRAINT: (Fault.INVALID, "the directory refuses it"),
}
_CONSTRAINTS = {
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: (Fault.IN_USE, "it is in use, or what it refers to does not exist"),
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: (Fault.CONFLICT, "the name is taken"),
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: (Fault.CONFLICT, "it exists already"),
    sqlite3.SQLITE_CONSTRAINT_CHECK: (Fault.INVALID, "a check of the directory refuses a field"),
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: (Fault.INVALID, "a field is missing"),
}


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise ProviderError for SQLite's errors; `what` opens the message."""
    try:
        yield
    except sqlite3.Error as error:
        raise refusal(what, error) from None


def refusal(what: str, error: sqlite3.Error) -> ProviderError:
    """Return the fault that an error of SQLite means."""
    code = getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR
    fault, why = _CONSTRAINTS.get(code) or _FAULTS.get(code & 0xFF) or (Fault.UNREACHABLE, "the directory failed")
    return ProviderError(fault, f"{what}: {why}", code=getattr(error, "sqlite_errorname", None) or type(error).__name__)
