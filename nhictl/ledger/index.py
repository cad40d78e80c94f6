"""A SQLite index beside the log, so that questions need not read it all. Disposable: the log is the truth.

Rules enforced here:
- it is brought up to date before each question, from where it ended; when the log does not pass through that place,
  or the file is damaged, or lacks a row, it is thrown away and made again;
- it holds locators and hashes, never the record: what is shown comes from the log, and must have the indexed hash;
- what it says an entry is about is not compared with the log on each question: who can write the user's own files can
  hide entries from a question that way, never change them. `differs` compares all of it (`audit verify` does);
- its file is private; where none can be written (or a symbolic link lies there) it is made in memory.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from nhictl.ledger.chain import Head, Line, broken, follow, line_hash, parse
from nhictl.ledger.store import Store
from nhictl.model import Entry

NAME = "index.db"
_FORMAT = 1
_BATCH = 5000
_PATIENCE = 30
_SCHEMA = """
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, hash TEXT NOT NULL, time TEXT NOT NULL, run TEXT NOT NULL,
  type TEXT NOT NULL, actor TEXT NOT NULL, subject TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL,
  status TEXT NOT NULL, plan TEXT NOT NULL, op TEXT NOT NULL
);
CREATE INDEX entries_op ON entries (op) WHERE op <> '';
CREATE INDEX entries_address ON entries (address) WHERE address <> '';
CREATE INDEX entries_run ON entries (run, type);
CREATE TABLE touched (nhi TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (nhi, seq)) WITHOUT ROWID;
CREATE TABLE position (format INTEGER NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL, at INTEGER NOT NULL,
  end INTEGER NOT NULL);
"""
Answer = TypeVar("Answer")
_FIELDS = ("subject", "address", "action", "status", "plan", "op")


def ask(store: Store, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
    """Return the answer to a question put to the index of a store, brought up to date first.

    Raises LedgerError when the log is broken where it must be read.
    """
    directory = store.cache() if store.exists() else None
    path = None if directory is None else directory / NAME
    for _ in range(2):
        if path is None or not _private(path):
            break
        try:
            return _answer(path, store, question)
        except sqlite3.OperationalError:
            # Busy for too long, read-only or full: not damaged.
            break
        except sqlite3.DatabaseError:
            with suppress(OSError):
                path.unlink()
    return _answer(None, store, question)


def _answer(path: Path | None, store: Store, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
    with closing(sqlite3.connect(path or ":memory:", isolation_level=None, timeout=_PATIENCE)) as connection:
        _update(connection, store)
        return question(connection)


def _private(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600))
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and not found.st_mode & 0o022 and found.st_uid == os.geteuid()


def _update(connection: sqlite3.Connection, store: Store) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        head, end = _position(connection, store)
        last = None
        rows: list[Line] = []
        for line in follow(store.read(end), head):
            if isinstance(line, bytes):
                break
            last = line
            rows.append(line)
            if len(rows) == _BATCH:
                _insert(connection, rows)
                rows.clear()
        _insert(connection, rows)
        if last is not None:
            connection.execute("DELETE FROM position")
            place = (_FORMAT, last.seq, last.hash, last.at, last.at + len(last.raw) + 1)
            connection.execute("INSERT INTO position VALUES (?, ?, ?, ?, ?)", place)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _position(connection: sqlite3.Connection, store: Store) -> tuple[Head, int]:
    """Return where to go on; start over when there is no index, an old one, or one of another log."""
    with suppress(sqlite3.OperationalError):
        found = connection.execute("SELECT format, seq, hash, at, end FROM position").fetchone()
        if found is not None and found[0] == _FORMAT and store.exists():
            known = next(store.pick([found[3]]), b"")
            if line_hash(known) == found[2] and _complete(connection, found[1]):
                return Head(found[1], found[2]), found[4]
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (name,) in connection.execute(tables).fetchall():
        connection.execute(f'DROP TABLE "{name}"')
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    return Head(-1, "0" * 64), 0


def _whole(connection: sqlite3.Connection) -> bool:
    with suppress(sqlite3.OperationalError):
        found = connection.execute("SELECT seq FROM position").fetchone()
        return found is None or _complete(connection, found[0])
    return True


def _complete(connection: sqlite3.Connection, seq: int) -> bool:
    """Say whether there is a row for each entry up to `seq`."""
    found = connection.execute("SELECT count(*), min(seq), max(seq) FROM entries").fetchone()
    return tuple(found) == (seq + 1, 0, seq)


def differs(store: Store) -> bool:
    """Say whether the index held something else than the log says; it is thrown away then, and made again when asked.

    Reads the whole log. Raises LedgerError when it is broken.
    """
    directory = store.cache() if store.exists() else None
    path = None if directory is None else directory / NAME
    if path is None or not os.path.lexists(path) or not _private(path):
        return False
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        try:
            kept = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
            with closing(kept):
                whole = _whole(kept)
                _update(kept, store)
                seq = kept.execute("SELECT max(seq) FROM position").fetchone()[0]
                _update(fresh, store)
                if seq is None or (whole and _rows(kept, seq) == _rows(fresh, seq)):
                    return False
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            pass
        with suppress(OSError):
            path.unlink()
        return True
    return False


def _rows(connection: sqlite3.Connection, seq: int) -> tuple[str, list[Any]]:
    """Return a digest over the rows of all entries up to `seq`, and what the tables are."""
    total = hashlib.sha256()
    for query in (
        "SELECT * FROM entries WHERE seq <= ? ORDER BY seq",
        "SELECT * FROM touched WHERE seq <= ? ORDER BY 1, 2",
    ):
        for row in connection.execute(query, (seq,)):
            total.update(repr(row).encode("utf-8", "surrogatepass") + b"\n")
    shape = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2")
    return total.hexdigest(), shape.fetchall()


def _insert(connection: sqlite3.Connection, lines: list[Line]) -> None:
    entries, touched = [], []
    for line in lines:
        entry = parse(line)
        entries.append(_row(line, entry))
        touched += [(nhi, line.seq) for nhi in subjects(entry)]
    connection.executemany(f"INSERT INTO entries VALUES ({', '.join('?' * 13)})", entries)  # noqa: S608
    connection.executemany("INSERT INTO touched VALUES (?, ?)", touched)


def _row(line: Line, entry: Entry) -> tuple[Any, ...]:
    fields = [_text(entry.data.get(name)) for name in _FIELDS]
    if entry.type == "plan" and not fields[4]:
        fields[4] = _text(entry.data.get("digest"))
    actor = _text(entry.actor.get("name"))
    return (line.seq, line.at, line.hash, line.time, line.run, line.type, actor, *fields)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def subjects(entry: Entry) -> frozenset[str]:
    """Return the manifest objects an entry touches: its own subject, and every NHI whose access it moves."""
    access = entry.data.get("access")
    moved = [item.get("subject") for item in access if isinstance(item, dict)] if isinstance(access, list) else []
    return frozenset(_text(name) for name in [entry.data.get("subject"), *moved] if _text(name))


def fetch(store: Store, rows: Iterable[tuple[int, int, str]]) -> Iterator[Entry]:
    """Yield the entries of (seq, locator, hash) rows from the log. Raises LedgerError when a line has changed."""
    wanted = list(rows)
    if not wanted:
        return
    for (seq, _, expected), raw in zip(wanted, store.pick(at for _, at, _ in wanted), strict=True):
        if line_hash(raw) != expected:
            broken(seq, "it is not what it was when it was indexed")
        line = next(iter(follow([(0, raw + b"\n")], Head(seq - 1, _previous(raw)))))
        if isinstance(line, Line):
            yield parse(line)


def _previous(raw: bytes) -> str:
    at = raw.rfind(b',"prev":"') + 9
    return raw[at : at + 64].decode("ascii", "replace")
