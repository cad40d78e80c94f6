"""Importing a PostgreSQL server that people and scripts filled: everything that is legal there, as odd as it may be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commandline import Shell
from tests.importing.suite import brought_under_management, files, imported, shell_ok, workspace
from tests.servers.pgfaults import Proxy
from tests.servers.postgres import PgServer
from tests.support import THOUSANDS

_MARK = re.compile(r'(\A|\n)\{"nhictl":\{"owner"[^\n]*\Z')
_ODD = '''
CREATE ROLE reader; CREATE ROLE "Reader Group / ü"; CREATE ROLE "quote""d's ${env.name}"; CREATE ROLE hollow;
CREATE ROLE writer NOINHERIT; CREATE ROLE owner_group; CREATE ROLE "no"; CREATE ROLE star;
CREATE ROLE plain LOGIN PASSWORD 'not-a-secret-for-tests-only';
CREATE ROLE "Odd Name: é # 'x' ""y""" LOGIN; CREATE ROLE "UPPER" LOGIN; CREATE ROLE "upper" LOGIN;
CREATE ROLE limited LOGIN CONNECTION LIMIT 4 VALID UNTIL '2031-01-01 00:00:00+00'
  PASSWORD 'not-a-secret-for-tests-only';
CREATE ROLE closed LOGIN CONNECTION LIMIT 0; CREATE ROLE replicator LOGIN REPLICATION; CREATE ROLE boss SUPERUSER LOGIN;
CREATE ROLE maker LOGIN CREATEDB CREATEROLE BYPASSRLS; CREATE ROLE direct LOGIN; CREATE ROLE keeper LOGIN;
CREATE ROLE members LOGIN NOINHERIT; CREATE ROLE former LOGIN; ALTER ROLE former NOLOGIN;
COMMENT ON ROLE reader IS 'Reads. Ask Anna
before: "you" change it';
COMMENT ON ROLE plain IS '{"nhictl": "no mark", "owner": "x"}';
COMMENT ON ROLE direct IS 'two
lines {"nhictl":{}';
ALTER ROLE plain SET statement_timeout = '5s'; ALTER ROLE plain IN DATABASE ledger SET search_path = books, public;
ALTER ROLE reader SET work_mem = '4MB';
GRANT reader TO "Reader Group / ü"; GRANT "Reader Group / ü" TO writer; GRANT reader, writer, hollow TO plain;
GRANT writer TO "Odd Name: é # 'x' ""y""" WITH ADMIN OPTION; GRANT pg_monitor, keeper TO limited;
GRANT owner_group TO keeper; GRANT reader TO members, "UPPER";
GRANT pg_read_all_data TO owner_group; GRANT writer TO former;
CREATE SCHEMA books; CREATE SCHEMA "Odd Schema"; ALTER SCHEMA books OWNER TO owner_group;
CREATE TABLE books.entries (id int, amount int, note text); CREATE TABLE books.accounts (id int);
CREATE TABLE "Odd Schema"."*" (x int); CREATE TABLE "Odd Schema"."""quoted""" (x int);
CREATE VIEW books.sums AS SELECT 1 AS a;
CREATE SEQUENCE books.numbers; CREATE MATERIALIZED VIEW books.cached AS SELECT 1 AS a;
CREATE FUNCTION books.total(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION books.total(numeric(10,2)[], VARIADIC text[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE books.close() LANGUAGE sql AS 'SELECT 1'; CREATE TYPE books.mood AS ENUM ('good');
ALTER TABLE books.accounts OWNER TO keeper; REVOKE EXECUTE ON FUNCTION books.total(integer, text) FROM PUBLIC;
CREATE TABLE keeper_own (x int); ALTER TABLE keeper_own OWNER TO keeper; REVOKE ALL ON keeper_own FROM keeper;
GRANT CONNECT, TEMPORARY ON DATABASE ledger TO reader; GRANT CONNECT ON DATABASE warehouse TO reader, direct;
GRANT CREATE ON DATABASE warehouse TO writer WITH GRANT OPTION;
GRANT USAGE ON SCHEMA books, "Odd Schema" TO reader, "quote""d's ${env.name}"; GRANT CREATE ON SCHEMA books TO writer;
GRANT SELECT ON books.entries, books.accounts, books.sums TO reader; GRANT SELECT ON "Odd Schema"."*" TO reader;
GRANT SELECT, UPDATE ON "Odd Schema"."""quoted""" TO "quote""d's ${env.name}"; GRANT ALL ON books.entries TO writer;
GRANT SELECT ON ALL TABLES IN SCHEMA books TO star; GRANT SELECT ON books.cached TO reader;
GRANT USAGE, SELECT ON SEQUENCE books.numbers TO writer; GRANT EXECUTE ON FUNCTION books.total(integer, text) TO writer;
GRANT EXECUTE ON FUNCTION books.total(numeric[], text[]) TO writer; GRANT EXECUTE ON PROCEDURE books.close() TO writer;
GRANT SELECT ON books.entries TO direct WITH GRANT OPTION;
GRANT UPDATE (amount, note), REFERENCES (id) ON books.entries TO direct, writer;
GRANT USAGE ON TYPE books.mood TO writer; GRANT USAGE ON LANGUAGE plpgsql TO direct;
GRANT SET ON PARAMETER log_min_messages TO writer;
ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA books GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT USAGE ON SEQUENCES TO writer;
ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO direct WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE keeper REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER far FOREIGN DATA WRAPPER fdw;
GRANT USAGE ON FOREIGN SERVER far TO direct;
CREATE USER MAPPING FOR direct SERVER far; SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO direct;
GRANT USAGE ON SCHEMA books TO direct; SET ROLE direct; GRANT SELECT ON books.entries TO limited;
'''
_ELSEWHERE = """
CREATE SCHEMA stock; CREATE TABLE stock.items (id int); GRANT USAGE ON SCHEMA stock TO reader;
GRANT SELECT, INSERT ON stock.items TO reader; GRANT SELECT ON stock.items TO star;
CREATE TABLE old_things (id int); ALTER TABLE old_things OWNER TO plain;
"""
_NEW_OPTIONS = """
GRANT hollow TO members WITH INHERIT FALSE, SET TRUE; GRANT star TO members WITH INHERIT TRUE, SET FALSE;
GRANT owner_group TO members WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; GRANT MAINTAIN ON books.entries TO writer;
"""
_SHARED = ("pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_database", "pg_tablespace", "pg_parameter_acl")
_LOCAL = (
    "pg_namespace", "pg_class", "pg_attribute", "pg_proc", "pg_type", "pg_language", "pg_default_acl",
    "pg_foreign_server", "pg_foreign_data_wrapper", "pg_user_mapping", "pg_largeobject_metadata", "pg_policy",
)  # fmt: skip
# of the server's own, those with privileges that were changed
_MANY = {
    "pg_class": "WHERE oid >= 16384 OR relacl IS NOT NULL", "pg_proc": "WHERE oid >= 16384 OR proacl IS NOT NULL",
    "pg_type": "WHERE oid >= 16384 OR typacl IS NOT NULL", "pg_attribute": "WHERE attrelid >= 16384",
}  # fmt: skip
_BUSY = ("datfrozenxid", "datminmxid", "relfrozenxid", "relminmxid", "relpages", "reltuples", "relallvisible")


class Cluster:
    """A server that somebody else filled."""

    def __init__(self, pg: PgServer, port: int) -> None:
        self.pg = pg
        self.target = {"provider": "postgres", "host": "127.0.0.1", "port": port, "plain": True}

    def seed(self, number: int) -> None:
        """Make `number` logins as a script does it, each in one of a few groups, every tenth with a comment."""
        self.pg.database("ledger")
        groups = max(1, number // 20)
        made = ["CREATE TABLE entries (id int)"]
        for n in range(groups):
            made += [
                f"CREATE ROLE team_{n}",
                f"GRANT SELECT ON entries TO team_{n}",
                f"GRANT CONNECT ON DATABASE ledger TO team_{n}",
            ]
        for n in range(number):
            made += [f"CREATE ROLE job_{n} LOGIN", f"GRANT team_{n % groups} TO job_{n}"]
            made += [f"COMMENT ON ROLE job_{n} IS 'Job {n}'"] if n % 10 == 0 else []
        self.pg.script(";\n".join(made), "ledger")

    def oid(self, role: str) -> int:
        """Return the oid of a role."""
        return int(self.pg.sql("SELECT oid FROM pg_roles WHERE rolname = %s", role)[0][0])

    def live(self) -> dict[str, str]:
        """Return the catalogs about roles and access, whole, without nhictl's marks."""
        found: dict[str, Any] = {}
        for database in (
            "postgres",
            *(n for (n,) in self.pg.sql("SELECT datname FROM pg_database WHERE NOT datistemplate")),
        ):
            with closing(self.pg.connect(database)) as ask:
                for table in (*_SHARED, *_LOCAL):
                    of = "" if table in _SHARED else database
                    rows = ask.execute(f"SELECT to_jsonb(t) FROM {table} t {_MANY.get(table, '')}").fetchall()
                    whole = [(f"{of}/{table}/{_key(row)}/{k}", v) for (row,) in rows for k, v in row.items()]
                    found |= {path: json.dumps(v) for path, v in whole if path.rpartition("/")[2] not in _BUSY}
        comments = self.pg.sql(
            "SELECT objoid, description FROM pg_shdescription WHERE classoid = 'pg_authid'::regclass"
        )
        return found | {f"comment/{oid}": left for oid, text in comments if (left := _MARK.sub("", text))}


class Odd(Cluster):
    """A server with everything that people do there."""

    def seed(self, number: int) -> None:
        """Make all sorts of things; `number` is not looked at."""
        self.pg.database("ledger")
        self.pg.database("warehouse")
        self.pg.script(_ODD, "ledger")
        self.pg.script(_ELSEWHERE, "warehouse")
        if self.pg.version >= 16:
            self.pg.script(_NEW_OPTIONS, "ledger")


def _key(row: Mapping[str, Any]) -> str:
    if "oid" in row:
        return str(row["oid"])
    return "/".join(str(row[k]) for k in row if k in ("attrelid", "attnum", "setdatabase", "setrole"))


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], pg_env: Mapping[str, str]) -> Shell:
    """A command line in an empty workspace."""
    return Shell(tmp_path, capsys, [])


def test_a_server_of_all_sorts_is_brought_under_management(pg: PgServer, shell: Shell):
    """Logins and groups of all sorts: nothing changed but the mark, nothing left."""
    brought = brought_under_management(Odd(pg, pg.port), shell, 10)
    assert {"plain", "direct", "limited"} <= brought.of("NHI").keys()


def changed(shell: Shell, ref: str, **spec: Any) -> None:
    """Change fields of an imported manifest by hand."""
    kind, _, name = ref.partition("/")
    path = shell.root / "manifests" / f"{kind}s" / f"{name}.yaml"
    found = yaml.safe_load(path.read_text())
    found["spec"] |= spec
    path.write_text(yaml.safe_dump(found))


def test_a_later_change_changes_nothing_else(pg: PgServer, shell: Shell):
    """A group more and another limit: what is kept (options, direct grants, comments, settings) stays."""
    estate = Odd(pg, pg.port)
    workspace(shell.root, estate.target)
    estate.seed(10)
    shell_ok(imported(shell))
    shell_ok(shell("adopt", "estate", "--yes"))
    before = estate.live()
    changed(shell, "nhi/direct", grants=[{"role": "hollow"}])
    changed(shell, "nhi/limited", identity={"postgres": {"login": "limited", "connectionLimit": 5}})
    shell_ok(shell("apply", "--yes"))
    after = estate.live()
    differing = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    limit = f"/pg_authid/{estate.oid('limited')}/rolconnlimit"
    assert limit in differing
    assert {path.split("/")[1] for path in differing - {limit}} == {"pg_auth_members"}
    made = "SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE member = %s"
    assert pg.sql(made, estate.oid("direct")) == [("hollow",)]
    members = {path.rpartition("/")[0] for path in differing - {limit}}
    assert len(members) == 1
    assert shell("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("number", [10, 100, pytest.param(1000, marks=THOUSANDS)])
def test_an_import_of_many_logins_asks_ten_questions(pg: PgServer, shell: Shell, pg_proxy: Proxy, number: int):
    """The same number for ten logins and for a thousand; adopted, the plan is empty."""
    estate = Cluster(pg, pg_proxy.port)
    workspace(shell.root, estate.target)
    estate.seed(number)
    pg_proxy.reset()
    shell_ok(imported(shell))
    assert len(pg_proxy.asked()) == 10
    shell_ok(shell("adopt", "estate", "--yes"))
    assert shell("plan", "--detailed-exitcode").code == 0
    written = files(shell.root)
    assert imported(shell).out == ""
    assert files(shell.root) == written
