"""One live session with one server: read, read again, apply, resolve.

Rules enforced here:
- the server is the one the target's `systemIdentifier` names, when it names one, and PostgreSQL 15 or later;
- changes are made one at a time in the whole cluster (advisory lock), and tried again when another came between;
- a login that is switched off has its sessions ended; deleting refuses what owns objects or is still a group of others;
- an outcome carries the oid and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

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
from nhictl.providers.postgres import checkup, queries, reading, removing, rows, statements, writing
from nhictl.providers.postgres.connect import Server, Transaction, opened
from nhictl.providers.postgres.convert import resources
from nhictl.providers.postgres.errors import explained, worth_repeating
from nhictl.providers.postgres.names import KINDS, LOGIN
from nhictl.providers.postgres.reading import Place
from nhictl.providers.postgres.writing import Work

TRIES = 8
FIRST_WAIT = 0.02
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Who:
    """Who a session is, as the server says."""

    user: str
    version: int
    oid: int
    superuser: bool
    createrole: bool
    passwords: bool
    standby: bool
    system: str


@contextmanager
def session(target: Target, *, write: bool, sleep: Sleep | None) -> Iterator[PostgresSession]:
    """Open a session to a target. Raises ProviderError when the server is not the one that is meant."""
    with opened(target, write=write) as server:
        databases = frozenset(str(name) for name in target.settings.get("databases") or ())
        expected = str(target.settings.get("systemIdentifier", ""))
        made = PostgresSession(server, expected, databases, sleep or time.sleep)
        made.who()
        yield made


@dataclass(slots=True)
class PostgresSession:
    """A session of the `postgres` adapter; calls may come from several threads, one at a time."""

    server: Server
    expected: str
    databases: frozenset[str]
    sleep: Sleep
    _who: Who | None = None
    _own: tuple[Address, ...] = ()
    lock: threading.RLock = field(default_factory=threading.RLock)

    def who(self) -> Who:
        """Return who the session is; asked once."""
        with self.lock:
            if self._who is None:
                self._who = self._asked()
            return self._who

    def identity(self) -> Identity:
        """Return the cluster's system identifier and the session's user."""
        who = self.who()
        return Identity("postgres", who.system, who.user, self._own)

    @property
    def place(self) -> Place:
        """Where to read."""
        return Place(self.server, self.databases, self.who().passwords)

    def read(self, scope: Scope) -> Iterable[Resource]:
        """Return every role with all it has; PUBLIC as a group of its own."""
        with self.lock:
            found = resources(self.server.target, reading.catalog(self.place))
            return [r for r in found if not scope.kinds or r.address.kind in scope.kinds]

    def reread(self, addresses: Collection[Address]) -> Mapping[Address, Resource]:
        """Return the roles at `addresses` as they are now; absent ones are left out."""
        mine = {a for a in addresses if a.target == self.server.target and a.kind in KINDS}
        if not mine:
            return {}
        with self.lock:
            found = resources(self.server.target, reading.catalog(self.place, {a.name for a in mine}))
            return {r.address: r for r in found if r.address in mine}

    def apply(self, change: Change, operation: Operation) -> Outcome:
        """Carry out one change. Raises ProviderError, fault PARTIAL when some of its transactions took effect."""
        if not self.server.write:
            raise ProviderError(Fault.READ_ONLY, f"{change.address}: this session only reads", code="ReadOnlySession")
        with self.lock:
            work = Work(change, operation, self.who().version, self.who().user)
            writing.check_kind(work)
            try:
                with self.server.locked(queries.LOCK, work.doing):
                    self._carry_out(work)
            except ProviderError as error:
                if work.done and error.fault not in (Fault.PARTIAL, Fault.LOST):
                    raise partly(error, work) from None
                raise
        return Outcome(Status.APPLIED, str(work.oid or change.native_id))

    def resolve(self, change: Change, operation: Operation, live: Resource | None) -> Status:
        """Say how an operation ended: what we write leaves its id in the mark, a delete nothing."""
        same = live is not None and live.native_id == change.native_id
        if change.action is Action.DELETE:
            done = not same
        elif change.action is Action.FORGET:
            done = not same or live is None or live.mark is None
        else:
            done = live is not None and live.mark is not None and live.mark.operation == operation.id
        return Status.APPLIED if done else Status.NOT_APPLIED

    def checkup(self, declared: Collection[Resource]) -> Checkup:
        """Return what the server says this user may not do."""
        return checkup.checkup(self, declared)

    # One change

    def _carry_out(self, work: Work) -> None:
        match work.change.action:
            case Action.CREATE:
                self._create(work)
            case Action.UPDATE | Action.ADOPT:
                self._update(work)
            case Action.DISABLE:
                self._disable(work)
            case Action.DELETE:
                removing.delete(self, work)
            case Action.FORGET:
                self._forget(work)
            case _:
                raise work.refused(Fault.INVALID, "postgres cannot do this", "UnknownAction")

    def _create(self, work: Work) -> None:
        first, *others = self._databases(work) or [self.server.maintenance]

        def make(tx: Transaction) -> None:
            role = writing.create(tx, work)
            writing.bring(tx, work, role)
            writing.bring_grants(tx, work, first, shared=True)

        self.transact(work, first, make)
        self._elsewhere(work, others)

    def _update(self, work: Work) -> None:
        """Bring the role to what the plan says, the database with the mark last."""
        self._found(work)
        *others, last = self._databases(work) or [self.server.maintenance]
        self._elsewhere(work, others)

        def change(tx: Transaction) -> None:
            role = writing.verified(tx.rows, work)
            writing.bring(tx, work, role)
            writing.bring_grants(tx, work, last, shared=True)

        self.transact(work, last, change)
        if work.change.address.kind == LOGIN and work.wanted.get("enabled") is not True:
            removing.end_sessions(self, work)

    def _disable(self, work: Work) -> None:
        def off(tx: Transaction) -> None:
            role = writing.verified(tx.rows, work)
            if role.can_login:
                tx.run(statements.text("ALTER ROLE {} NOLOGIN", role.name))
            writing.mark(tx, replace_name(work, role.name), role)

        self.transact(work, self.server.maintenance, off)
        removing.end_sessions(self, work)

    def _forget(self, work: Work) -> None:
        def forget(tx: Transaction) -> None:
            role = writing.role_by(tx.rows, name=work.name)
            if role is not None:
                writing.unmark(tx, work, writing.verified(tx.rows, work))

        self.transact(work, self.server.maintenance, forget)

    def _found(self, work: Work) -> None:
        with self.server.reading(self.server.maintenance) as ask:
            writing.verified(ask, work)

    def _elsewhere(self, work: Work, databases: Iterable[str]) -> None:
        for database in databases:

            def change(tx: Transaction, database: str = database) -> None:
                work.oid = work.oid or writing.verified(tx.rows, work).oid
                writing.bring_grants(tx, called_now(tx, work), database)

            self.transact(work, database, change)

    def _databases(self, work: Work) -> list[str]:
        """Return the databases a change touches: where rows say something, and where the role has grants now."""
        wanted = rows.databases(work.wanted)
        outside = sorted(name for name in wanted if self.databases and name not in self.databases)
        if outside:
            raise work.refused(
                Fault.INVALID, f"database {outside[0]} is not among the target's `databases`", "OutsideDatabases"
            )
        return sorted(wanted | self.granted_in(work))

    def granted_in(self, work: Work) -> set[str]:
        """Return the databases in which the role of a change holds something now."""
        if not work.oid:
            return set()
        with self.server.reading(self.server.maintenance) as ask:
            found = ask(queries.DATABASES, [work.oid], [work.oid])
        return {name for _, name, open_, has, _owner in found if open_ and has and self.place.counts(name)}

    def transact(self, work: Work, database: str, steps: Callable[[Transaction], None]) -> None:
        """Run steps in one transaction, again when another session came between. Raises ProviderError."""
        import psycopg

        for number in range(1, TRIES + 1):
            before = work.oid
            try:
                with self.server.writing(database, work.doing) as tx:
                    steps(tx)
            except psycopg.Error as error:
                if number == TRIES or not worth_repeating(error):
                    raise explained(error, work.doing) from None
                work.oid = before
                self.sleep(FIRST_WAIT * 2 ** (number - 1))
            else:
                work.done += tx.changes
                return

    # Who we are

    def _asked(self) -> Who:
        server = self.server
        with server.reading(server.maintenance) as ask:
            row = ask(queries.WHO)[0]
            user, version, oid, superuser, createrole, passwords, standby, may_ask, _, cluster = row
            system = ask(queries.SYSTEM)[0][0] if may_ask else f"{cluster or server.given.get('host', 'local')}"
            own = [name for (name,) in ask(queries.OWN, oid)]
        if version < 150000:
            raise ProviderError(
                Fault.INVALID, f"{server.target}: PostgreSQL {version // 10000} is older than 15", code="TooOld"
            )
        if self.expected and self.expected != system:
            raise ProviderError(
                Fault.AUTH, f"{server.target}: this is cluster {system}, not {self.expected}", code="OtherCluster",
                hint="see `host` and `port`, or correct `systemIdentifier`",
            )  # fmt: skip
        self._own = tuple(sorted(Address(server.target, kind, name) for kind in KINDS for name in (user, *own)))
        return Who(user, version, oid, superuser, createrole, passwords, standby, system)


def called_now(tx: Transaction, work: Work) -> Work:
    """Return the work under the name the role has in this transaction: it may be renamed by a later one."""
    role = writing.role_by(tx.rows, oid=work.oid)
    if role is None:
        raise work.refused(Fault.NOT_FOUND, "the role is gone", "NoSuchRole")
    return replace_name(work, role.name)


def replace_name(work: Work, name: str) -> Work:
    """Return the same work on a role of another name."""
    if name == work.name:
        return work
    change = replace(work.change, address=work.change.address._replace(name=name))
    return Work(change, work.operation, work.version, work.user, oid=work.oid)


def partly(error: ProviderError, work: Work) -> ProviderError:
    """Return an error as one that came after something had been done."""
    return ProviderError(
        Fault.PARTIAL, f"{error.message}; some of it was done before", code=error.code, native_id=str(work.oid),
        hint=error.hint or "plan again: what is left will be in the plan",
    )  # fmt: skip
