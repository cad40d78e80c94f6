"""The directory's file: where it lies, how it is opened, and what a transaction is.

Rules enforced here:
- the file lies inside the workspace root; it is made only for writing, readable by its owner only;
- a reader opens it read-only, makes no file near it, and SQLite itself refuses a reader's writes;
- a missing file reads as an empty directory; its id follows from its place, so plan and apply agree;
- a write killed half-way is rolled back by the next writer; a reader does so in a private copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final

from nhictl.failpoints import failpoint
from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError
from nhictl.providers.base import Checkup
from nhictl.providers.local import store
from nhictl.providers.local.faults import translated

BUSY_SECONDS: Final = 5.0
_DIRECTORIES: Final = uuid.UUID("6d3d4b0e-7f52-5a0c-9b5e-2f7f1d0c9a11")


def directory_path(target: Target) -> Path:
    """Return the absolute path of the file. Raises ProviderError when it leaves the workspace root."""
    root = target.root.resolve()
    path = (root / str(target.settings["path"])).resolve()
    if not path.is_relative_to(root) or path == root:
        raise ProviderError(
            Fault.INVALID,
            f"target {target.name}: its path leaves the workspace",
            hint="keep the file under the root",
        )
    return path


@contextmanager
def opened(path: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    if not write and is_missing(path):
        with _database(":memory:") as db:
            store.create_schema(db, _id_of(path))
            db.execute("PRAGMA query_only = ON")
            yield db
        return
    if write:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with _database(f"{path.as_uri()}?mode=rw") as db:
            yield db
        return
    with tempfile.TemporaryDirectory(prefix="nhictl-") if _interrupted(path) else nullcontext("") as copies:
        source = _copied(path, Path(copies)) if copies else f"{path.as_uri()}?mode=ro"
        with _database(source) as db:
            db.execute("PRAGMA query_only = ON")
            yield db


@contextmanager
def _database(source: str) -> Iterator[sqlite3.Connection]:
    with translated("the directory cannot be opened"):
        db = sqlite3.connect(
            source,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=source != ":memory:",
        )
    try:
        with translated("the directory cannot be opened"):
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA synchronous = FULL")
        yield db
    finally:
        db.close()


def is_missing(path: Path) -> bool:
    """True when there is no file yet, or an empty one. Raises ProviderError when that cannot be told."""
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError as error:
        raise ProviderError(Fault.UNREACHABLE, f"the directory cannot be read: {error.strerror}") from None


def _interrupted(path: Path) -> bool:
    """True when a killed writer left a journal that a read-only connection may not roll back."""
    if not _journal(path).exists():
        return False
    probe = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    try:
        probe.execute("PRAGMA application_id").fetchone()
    except sqlite3.OperationalError:
        return True
    finally:
        probe.close()
    return False


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-journal")


def _copied(path: Path, into: Path) -> str:
    """Copy a directory with its journal, so that the unfinished write is rolled back in the copy."""
    copy = into / path.name
    shutil.copyfile(path, copy)
    with suppress(FileNotFoundError):
        shutil.copyfile(_journal(path), _journal(copy))
    return f"{copy.as_uri()}?mode=rw"


def check(db: sqlite3.Connection, path: Path, *, write: bool) -> None:
    """Make the schema of an empty file; refuse a database that is not a directory of this version."""
    with translated("the directory cannot be read"):
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables == 0 and write:
            with transaction(db):
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                    store.create_schema(db, _id_of(path))
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
    if application != store.APPLICATION_ID:
        raise ProviderError(Fault.INVALID, f"{path.name} is a SQLite file, but not a directory of nhictl")
    if version != store.VERSION:
        raise ProviderError(Fault.INVALID, f"{path.name} has version {version}, this nhictl reads {store.VERSION}")


def allowed(path: Path) -> Checkup:
    """Return what may be done with the file, asked of the file system; a missing one is made by the first apply."""
    folder = next(p for p in path.parents if p.exists())
    try:
        facts = path.stat()
    except FileNotFoundError:
        missing = () if os.access(folder, os.W_OK | os.X_OK) else (f"write to {folder}",)
        return Checkup(f"file {path}, not made yet", (), missing)
    said = f"file {path}, mode {stat.S_IMODE(facts.st_mode):04o}"
    reading = () if os.access(path, os.R_OK) else (f"read {path}",)
    writing = [f"write to {p}" for p in (path, folder) if not os.access(p, os.W_OK)]
    return Checkup(said, reading, tuple(writing))


def _id_of(path: Path) -> str:
    return str(uuid.uuid5(_DIRECTORIES, str(path)))


def directory_id(db: sqlite3.Connection, path: Path) -> str:
    with translated("the directory cannot be read"):
        found = db.execute("SELECT id FROM directory").fetchone()
    return str(found[0]) if found else _id_of(path)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    failpoint("before-commit")
    try:
        db.execute("COMMIT")
    except sqlite3.OperationalError:
        # The file is as it was or as it should be; only reading again tells which.
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise ProviderError(Fault.LOST, "the directory did not confirm the write", code="COMMIT") from None
    failpoint("after-commit")
