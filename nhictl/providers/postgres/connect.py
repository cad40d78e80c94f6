"""Open connections to one server: libpq's own chain for host, user and password, TLS unless the server is at hand.

Rules enforced here:
- settings of the target win over libpq's variables and service files; passwords come from libpq's chain alone;
- certificate and host name are verified. `plain: true` turns that off on the loopback and nowhere else; a Unix socket
  needs no TLS; a weaker PGSSLMODE is refused, not obeyed and not overridden in silence;
- a session for reading has nothing but read-only transactions; names resolve in `pg_catalog` only.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhictl.kinds.workspace import Target
from nhictl.model import Fault, ProviderError
from nhictl.providers.postgres.errors import lost_at_commit, no_session, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]
    Rows = list[tuple[Any, ...]]

CONNECT_SECONDS = 15
LOCK_SECONDS = 20
_VERIFYING = ("verify-full", "verify-ca")
_MAINTENANCE = "postgres"
_ASKED_OFTEN = 1000  # queries of the catalogs say that they are to be prepared; nothing else is


def parameters(target: Target) -> dict[str, Any]:
    """Return what to give libpq for a target. Raises ProviderError where that would go in the clear over a network."""
    settings = target.settings
    known = _libpq_defaults()
    given = {
        "host": settings.get("host"), "port": settings.get("port"), "user": settings.get("user"),
        "sslrootcert": settings.get("sslRootCert"), "dbname": settings.get("database"),
    }  # fmt: skip
    found = {key: value for key, value in given.items() if value is not None}
    if "dbname" not in found:
        found["dbname"] = known.get("dbname") or _MAINTENANCE
    if root := found.get("sslrootcert"):
        found["sslrootcert"] = root if root == "system" else str(target.root / root)
    found["sslmode"] = _mode(settings, known, str(found.get("host") or known.get("host") or ""), target.name)
    if found["sslmode"] in _VERIFYING and not (found.get("sslrootcert") or known.get("sslrootcert") or _own_root()):
        found["sslrootcert"] = "system"
    if not known.get("connect_timeout"):
        found["connect_timeout"] = CONNECT_SECONDS
    return found | {"application_name": "nhictl", "client_encoding": "UTF8", "sslcompression": 0}


def _libpq_defaults() -> Mapping[str, str]:
    """Return what libpq takes from its variables, its service file and itself."""
    from psycopg import pq

    with translated("libpq's settings"):
        found = pq.Conninfo.get_defaults()
    return {o.keyword.decode(): o.val.decode() for o in found if o.val}


def _mode(settings: Mapping[str, Any], known: Mapping[str, str], host: str, target: str) -> str:
    near = all(map(_is_loopback, host.split(","))) if host else True
    sockets = all(part.startswith(("/", "@")) for part in host.split(",")) if host else False
    if settings.get("plain"):
        if not near and not sockets:
            raise ProviderError(
                Fault.AUTH, f"{target}: `plain` is for a server on this machine, not for another host",
                code="PlainOverNetwork", hint="leave `plain` out: the connection then uses TLS",
            )  # fmt: skip
        return "disable"
    asked = os.environ.get("PGSSLMODE") or _asked(known)
    if asked and asked not in _VERIFYING and not sockets:
        raise ProviderError(
            Fault.AUTH, f"{target}: sslmode `{_plain(asked)}` does not verify the server",
            code="TlsNotVerified", hint="use PGSSLMODE=verify-full, or `plain: true` for a server on this machine",
        )  # fmt: skip
    return asked if asked in _VERIFYING else "prefer" if sockets else "verify-full"


def _asked(known: Mapping[str, str]) -> str:
    """Return the sslmode of a service; libpq's own default, `prefer`, does not count as asked for."""
    mode = known.get("sslmode", "")
    return "" if mode == "prefer" else mode


def _plain(text: str) -> str:
    return text if text.replace("-", "").isalpha() else "?"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.startswith(("/", "@")):
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _own_root() -> bool:
    return (Path.home() / ".postgresql/root.crt").is_file()


@dataclass(slots=True)
class Server:
    """The connections of one session, one for each database that was needed. `given` goes to libpq."""

    target: str
    given: Mapping[str, Any]
    write: bool
    open: dict[str, Connection] = field(default_factory=dict)

    @property
    def maintenance(self) -> str:
        """The database for everything that belongs to the whole cluster."""
        return str(self.given["dbname"])

    @property
    def version(self) -> int:
        """The server's version as libpq numbers it: 160004 for 16.4. Connects when nothing did yet."""
        return self.connection(self.maintenance).info.server_version

    def connection(self, database: str, purpose: str = "") -> Connection:
        """Return the connection to a database, made anew when the last one broke. Raises ProviderError."""
        key = f"{database}\0{purpose}"
        found = self.open.get(key)
        if found is None or found.closed or found.broken:
            found = self.open[key] = self._connected(database)
        return found

    def _connected(self, database: str) -> Connection:
        import psycopg

        at = f"{self.target}: connecting to database {database}"
        try:
            made = psycopg.connect(
                **{**self.given, "dbname": database}, autocommit=True, prepare_threshold=_ASKED_OFTEN
            )
        except psycopg.Error as error:
            raise no_session(error, at, place=_place(self.given, database)) from None
        with translated(at):
            read_only = "off" if self.write else "on"
            made.execute(
                "SET search_path TO pg_catalog; SET quote_all_identifiers TO off; SET default_transaction_read_only TO "
                f"{read_only}; SET lock_timeout TO '{LOCK_SECONDS}s'"
            )
        return made

    def close(self) -> None:
        """Close every connection."""
        for connection in self.open.values():
            connection.close()
        self.open.clear()

    @contextmanager
    def reading(self, database: str) -> Iterator[Callable[..., Rows]]:
        """Open a read-only transaction that sees one moment; gives what runs a query and returns its rows."""
        connection = self.connection(database)
        with translated(f"{self.target}: reading database {database}"):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            try:
                yield lambda query, *values: connection.execute(query, values or None, prepare=True).fetchall()
            finally:
                _ended(connection)

    @contextmanager
    def locked(self, lock: str, doing: str) -> Iterator[None]:
        """Hold a lock for as long as a transaction of its own in the maintenance database lasts."""
        connection = self.connection(self.maintenance, "lock")
        try:
            with translated(doing):
                connection.execute("BEGIN")
                connection.execute(lock)
            yield
        finally:
            _ended(connection)

    @contextmanager
    def writing(self, database: str, doing: str) -> Iterator[Transaction]:
        """Open a transaction that is committed at the end. Raises ProviderError, fault LOST when nobody knows."""
        if not self.write:
            raise ProviderError(Fault.READ_ONLY, f"{doing}: this session only reads", code="ReadOnlySession")
        import psycopg

        connection = self.connection(database)
        with translated(doing):
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE")
        try:
            yield Transaction(connection)
        except BaseException:
            _rolled_back(connection)
            raise
        try:
            connection.execute("COMMIT")
        except psycopg.Error as error:
            if lost_at_commit(error):
                connection.close()
                raise ProviderError(Fault.LOST, f"{doing}: the reply to COMMIT was lost", code="CommitLost") from None
            raise


@dataclass(slots=True)
class Transaction:
    """One transaction that changes something. `changes` counts the statements that did."""

    connection: Connection
    changes: int = 0

    def rows(self, query: Any, *values: Any) -> Rows:
        """Run a query and return its rows."""
        return self.connection.execute(query, values or None, prepare=True).fetchall()

    def run(self, statement: Any) -> None:
        """Run a statement that changes something."""
        self.changes += 1
        self.connection.execute(statement, prepare=False)


def _ended(connection: Connection) -> None:
    """End a transaction that changed nothing. Not by ROLLBACK: psycopg then forgets what it has prepared."""
    _tried(connection, "COMMIT")


def _rolled_back(connection: Connection) -> None:
    _tried(connection, "ROLLBACK")


def _tried(connection: Connection, statement: str) -> None:
    import psycopg

    try:
        connection.execute(statement)
    except psycopg.Error:
        connection.close()


def _place(given: Mapping[str, Any], database: str) -> str:
    """Return where a connection goes, by what was given and libpq's defaults: never the user, never a password."""
    known = _libpq_defaults()
    host = given.get("host") or known.get("host") or known.get("hostaddr") or "the local socket"
    return f"host {host}, port {given.get('port') or known.get('port') or 5432}, database {database}"


@contextmanager
def opened(target: Target, *, write: bool) -> Iterator[Server]:
    """Give the server of a target, and close what was opened. The first connection is made when it is needed."""
    server = Server(target.name, parameters(target), write)
    try:
        yield server
    finally:
        server.close()
