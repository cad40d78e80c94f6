"""One open directory: the only place where this provider reads and writes its objects.

Rules enforced here:
- a read is one moment of the whole directory, few queries; each change is one transaction;
- a missing file is made by the first change, not by opening: a run that changes nothing leaves nothing.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from nhictl.kinds.workspace import Target
from nhictl.model import (
    Action,
    Address,
    Change,
    Fault,
    Identity,
    Operation,
    Outcome,
    ProviderError,
    Resource,
    Status,
)
from nhictl.providers.base import Checkup, Scope
from nhictl.providers.local import convert, store
from nhictl.providers.local.faults import translated
from nhictl.providers.local.file import allowed, check, directory_id, directory_path, is_missing, opened, transaction
from nhictl.providers.local.write import STEPS

_CREDENTIAL = ("kind", "status", "created", "last_used", "expires", "id")


@contextmanager
def connect(target: Target, *, write: bool) -> Iterator[LocalSession]:
    """Open the directory of `target`. Raises ProviderError when the file is unreadable or no directory."""
    path = directory_path(target)
    later = write and is_missing(path)
    with ExitStack() as stack:
        db = _open(stack, path, write=write and not later)
        make = partial(_open, stack, path, write=True) if later else None
        yield LocalSession(target.name, db, directory_id(db, path), path, make)


def _open(stack: ExitStack, path: Path, *, write: bool) -> sqlite3.Connection:
    db = stack.enter_context(opened(path, write=write))
    check(db, path, write=write)
    return db


@dataclass(slots=True)
class LocalSession:
    """One connection to one directory; calls may come from several threads, one at a time."""

    target: str
    db: sqlite3.Connection
    directory: str
    path: Path
    make: Callable[[], sqlite3.Connection] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def identity(self) -> Identity:
        """Return the directory's id and the operating system user."""
        return Identity("local", self.directory, f"uid:{os.getuid()}")

    def read(self, scope: Scope) -> Iterable[Resource]:
        """Return every object of the kinds in scope, as of one moment."""
        kinds = scope.kinds or frozenset(store.TABLES)
        with self.lock, translated("the directory cannot be read"):
            self._open(write=False)
            self.db.execute("BEGIN")
            try:
                return [r for kind in sorted(kinds & set(store.TABLES)) for r in self._select(kind)]
            finally:
                self.db.execute("COMMIT")

    def reread(self, addresses: Collection[Address]) -> Mapping[Address, Resource]:
        """Return the objects that have these names now."""
        found: dict[Address, Resource] = {}
        with self.lock, translated("the directory cannot be read"):
            self._open(write=False)
            for address in addresses:
                if address.target == self.target and address.kind in store.TABLES:
                    where, values = store.by_name(address.kind, address.name)
                    found.update((r.address, r) for r in self._select(address.kind, where, values))
        return found

    def apply(self, change: Change, operation: Operation) -> Outcome:
        """Carry out one change in one transaction. Raises ProviderError: nothing was changed, unless LOST."""
        step = STEPS.get(change.action)
        if step is None or change.address.kind not in store.TABLES:
            raise ProviderError(Fault.INVALID, f"the directory cannot {change.action} a {change.address.kind}")
        with self.lock, translated(f"{change.action} of {change.address} failed"):
            self._open(write=True)
            with transaction(self.db):
                native_id = step(self.db, change, operation)
        return Outcome(Status.APPLIED, native_id=native_id)

    def _open(self, *, write: bool) -> None:
        """Open the file that was missing, to write to it, or because somebody else has made it meanwhile."""
        if self.make is not None and (write or not is_missing(self.path)):
            self.db, self.make = self.make(), None

    def resolve(self, change: Change, operation: Operation, live: Resource | None) -> Status:
        """Say whether the operation took effect: a write leaves its id in the mark, a delete nothing."""
        if change.action is Action.DELETE:
            done = live is None or live.native_id != change.native_id
        elif change.action is Action.FORGET:
            done = live is None or live.native_id != change.native_id or live.mark is None
        else:
            done = live is not None and live.mark is not None and live.mark.operation == operation.id
        return Status.APPLIED if done else Status.NOT_APPLIED

    def checkup(self, declared: Collection[Resource]) -> Checkup:
        """Return what the file system allows. Whoever may write the file may do everything in it."""
        return allowed(self.path)

    def _select(self, kind: str, where: str = "", values: Sequence[str] = ()) -> list[Resource]:
        rows = self.db.execute(store.SELECT[kind] + where, values).fetchall()
        target = self.target
        if kind == "grant":
            return [convert.grant(target, row) for row in rows]
        if kind == "connection":
            return [convert.connection(target, row) for row in rows]
        ids = [row[0] for row in rows] if where else None
        if kind == "role":
            permissions = self._details(store.SELECT_PERMISSIONS, ("action", "resource", "condition"), ids)
            return [convert.role(target, row, permissions) for row in rows]
        facts = self._details(store.SELECT_CREDENTIALS, _CREDENTIAL, ids)
        return [convert.identity(target, row, facts) for row in rows]

    def _details(
        self, statement: str, names: Sequence[str], ids: Sequence[str] | None
    ) -> Mapping[str, list[Mapping[str, str]]]:
        """Return the rows of each object, sorted, by its id; `ids` limits them to a few objects."""
        found: dict[str, list[Mapping[str, str]]] = defaultdict(list)
        key = statement.split()[1].rstrip(",")
        where = "" if ids is None else f" WHERE {key} IN ({', '.join('?' for _ in ids)})"
        for owner, *values in self.db.execute(f"{statement}{where} ORDER BY 1, 2, 3, 4", ids or ()):
            found[owner].append(dict(zip(names, values, strict=True)))
        return found
