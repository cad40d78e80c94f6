"""PostgreSQL passes the conformance suite, 15 and 18, through the fault layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change, Resource
from nhictl.providers.base import Scope
from nhictl.providers.postgres.adapter import PostgresAdapter, adapter
from tests.conformance.suite import Case, Conformance
from tests.servers.pgfaults import Fault, Proxy
from tests.servers.postgres import PgServer

_SEED = """
CREATE SCHEMA books;
CREATE TABLE books.entries (id int, amount int);
CREATE TABLE books.accounts (id int);
CREATE TABLE "Odd ""table" (id int);
CREATE SEQUENCE books.numbers;
CREATE FUNCTION books.total(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE ROLE keeper;
"""
_ROLES = """
kind: Role
metadata: {name: ledger-readonly}
spec:
  postgres:
    database: ledger
    connectionLimit: 5
    grants:
      - {privileges: [CONNECT]}
      - {schema: books, privileges: [USAGE]}
      - {schema: books, tables: [entries, accounts], privileges: [SELECT]}
      - {schema: public, tables: ['Odd "table'], privileges: [SELECT, UPDATE]}
---
kind: Role
metadata: {name: ledger-writer}
spec:
  postgres:
    database: ledger
    memberOf: [ledger-readonly]
    grants:
      - {schema: books, tables: ["*"], privileges: [INSERT, SELECT]}
      - {schema: books, tables: [entries], privileges: [SELECT, DELETE]}
      - {schema: books, privileges: [USAGE]}
      - {schema: books, sequences: [numbers], privileges: [USAGE, SELECT]}
      - {schema: books, functions: ["total(int, text)"], privileges: [EXECUTE]}
      - {database: warehouse, privileges: [CONNECT, TEMPORARY]}
      - {database: warehouse, schema: public, privileges: [USAGE, CREATE]}
    defaultPrivileges:
      - {schema: books, owner: keeper, objects: tables, privileges: [SELECT, INSERT]}
---
kind: NHI
metadata: {name: ledger-exporter}
spec:
  type: service-account
  owner: payments
  purpose: Nightly export
  identity: {postgres: {login: ledger_exporter}}
  grants: [{role: ledger-readonly}]
---
kind: NHI
metadata: {name: ledger-importer}
spec:
  type: service-account
  owner: payments
  purpose: Nightly import
  identity: {postgres: {connectionLimit: 9}}
  grants: [{role: ledger-readonly}, {role: ledger-writer}]
"""
_CHANGED = (
    _ROLES.replace("[entries, accounts], privileges: [SELECT]", "[entries], privileges: [SELECT, INSERT]")
    .replace("connectionLimit: 5", "connectionLimit: 7")
    .replace("objects: tables, privileges: [SELECT, INSERT]", "objects: sequences, privileges: [USAGE]")
    .replace("privileges: [INSERT, SELECT]", "privileges: [UPDATE]")
    .replace("[CONNECT, TEMPORARY]", "[CONNECT]")
    .replace("schema: public, privileges: [USAGE, CREATE]", "schema: public, privileges: [USAGE]")
    .replace("    memberOf: [ledger-readonly]\n", "    memberOf: [pg_monitor]\n")
)
_NARROWED = _CHANGED.replace(", {role: ledger-writer}", "")
_RENAMED = """
kind: Role
metadata: {name: reader}
spec: {postgres: {database: ledger, grants: [{privileges: [CONNECT]}]}}
---
kind: NHI
metadata: {name: exporter}
spec:
  type: service-account
  owner: payments
  purpose: Export
  identity: {postgres: {}}
  grants: [{role: reader}]
"""
_RENAMED_CHANGED = _RENAMED.replace("[CONNECT]", "[CONNECT, TEMPORARY]").replace(
    "{postgres: {}}", "{postgres: {connectionLimit: 1}}"
)
_STATE = """
SELECT oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcanlogin, rolconnlimit, shobj_description(oid, 'pg_authid')
FROM pg_roles WHERE oid >= 16384 ORDER BY 1
"""
_INSIDE = """
SELECT relname, relacl::text FROM pg_class WHERE relacl IS NOT NULL AND oid >= 16384
UNION ALL SELECT nspname, nspacl::text FROM pg_namespace
UNION ALL SELECT proname, proacl::text FROM pg_proc WHERE oid >= 16384
UNION ALL SELECT defaclobjtype::text, defaclacl::text FROM pg_default_acl ORDER BY 1, 2
"""


@dataclass(slots=True)
class PostgresSubject:
    """A cluster with two databases of which PUBLIC has nothing."""

    pg: PgServer
    proxy: Proxy
    target: Target
    adapter: PostgresAdapter

    def mutations(self) -> int:
        """What the fault layer counted."""
        return self.proxy.changed()

    def state(self) -> object:
        """Every role, membership and access control list, asked behind the fault layer."""
        members = "SELECT roleid::regrole::text, member::regrole::text, admin_option FROM pg_auth_members ORDER BY 1, 2"
        databases = "SELECT datname, datacl::text FROM pg_database ORDER BY 1"
        inside = [self.pg.sql(_INSIDE, database=name) for name in ("ledger", "warehouse")]
        return [self.pg.sql(_STATE), self.pg.sql(members), self.pg.sql(databases), inside]

    def make_foreign(self) -> Address:
        """Make a login with grants, a comment and a setting of its own."""
        self.pg.script(
            "CREATE ROLE foreigner LOGIN PASSWORD 'x' VALID UNTIL '2031-01-01 00:00:00+00' CONNECTION LIMIT 3;"
            "COMMENT ON ROLE foreigner IS 'of the warehouse team'; ALTER ROLE foreigner SET work_mem = '8MB';"
            "GRANT pg_monitor TO foreigner; GRANT CONNECT ON DATABASE ledger TO foreigner"
        )
        self.pg.script("GRANT USAGE ON SCHEMA books TO foreigner; GRANT SELECT ON books.entries TO foreigner", "ledger")
        return Address(self.target.name, "login", "foreigner")

    def losing_a_reply(self) -> AbstractContextManager[object]:
        """Carry out the next COMMIT of a change and close the connection."""
        return self.proxy.fault(Fault("lose", changing=True))

    def throttling(self, calls: int) -> AbstractContextManager[object]:
        """Answer changes with `too many connections`."""
        return self.proxy.fault(Fault("error", changing=True, times=calls, sqlstate="53300"))

    def broken_read(self) -> AbstractContextManager[object]:
        """Cut the answer to the query of all roles."""
        return self.proxy.fault(Fault("cut", "FROM pg_roles r WHERE"))

    def settling(self) -> AbstractContextManager[object]:
        """Let another session have changed the same rows twice."""
        raced = Fault("error", changing=True, times=2, sqlstate="XX000", message="tuple concurrently updated")
        return self.proxy.fault(raced)

    def elsewhere(self) -> Target:
        """The same name for another cluster."""
        return replace(self.target, settings={**self.target.settings, "systemIdentifier": "7000000000000000000"})

    @contextmanager
    def leaks(self, secret: str) -> Iterator[Iterable[Change]]:
        """The secret is our own password, somebody's password and comment, and in every refusal's free text."""
        from psycopg import sql

        self.pg.sql(sql.SQL("CREATE ROLE secretive LOGIN PASSWORD {}").format(secret))
        self.pg.sql(sql.SQL("COMMENT ON ROLE secretive IS {}").format(secret))
        self.pg.sql(sql.SQL("CREATE ROLE leaky SUPERUSER LOGIN PASSWORD {}").format(secret))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGUSER", "leaky")
            patch.setenv("PGPASSWORD", secret)
            with self.adapter.connect(self.target, write=False) as opened:
                live = [r for r in opened.read(Scope()) if r.mark is not None and r.address.kind == "login"]
            said = Fault("error", changing=True, times=1000, sqlstate="42501", message=f"denied: {secret}")
            with self.proxy.fault(said):
                yield [_other_limit(found) for found in live]


def _other_limit(live: Resource) -> Change:
    after = replace(live, attributes={**live.attributes, "connection_limit": 77})
    return Change(live.address, Action.UPDATE, "nhi/x", "test", native_id=live.native_id, before=live, after=after)


def settle_in(pg: PgServer) -> None:
    """Make the databases of the cases; PUBLIC has nothing in them."""
    for name in ("ledger", "warehouse"):
        pg.database(name)
        pg.script("REVOKE ALL ON SCHEMA public FROM PUBLIC", name)
    pg.script("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    pg.script("REVOKE ALL ON DATABASE ledger, warehouse, postgres, template1 FROM PUBLIC")
    pg.script(_SEED, "ledger")


@pytest.fixture()
def subject(pg: PgServer, pg_proxy: Proxy, pg_env: Mapping[str, str], tmp_path: Path) -> PostgresSubject:
    """Databases with tables and no role but `keeper`, who owns nothing."""
    settle_in(pg)
    target = Target("pg-test", "postgres", {"host": "127.0.0.1", "port": pg_proxy.port, "plain": True}, tmp_path)
    return PostgresSubject(pg, pg_proxy, target, replace(adapter, sleep=lambda _: None))


class TestPostgres(Conformance):
    """Everything the suite asks, on both versions."""

    cases = (
        Case("grants", (_ROLES, _CHANGED, _NARROWED)),
        Case("renames", (_RENAMED, _RENAMED_CHANGED)),
    )
