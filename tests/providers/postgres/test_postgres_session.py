"""What a session does to a real server, and what it leaves alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from psycopg import sql

from nhictl.model import Action, Change, Fault, ProviderError, Status
from nhictl.providers.base import Scope
from nhictl.providers.postgres import connect, queries
from tests.conformance.world import AFTER_GRACE, deleting
from tests.providers.postgres.conftest import PASSWORD, address, changed, nhi, role, state
from tests.servers.pgfaults import Fault as Broken

READER = role(
    "reader",
    grants=[
        {"schema": "books", "privileges": ["USAGE"]},
        {"schema": "books", "tables": ["entries"], "privileges": ["SELECT"]},
    ],
)
BOTH = role(
    "two-places",
    grants=[
        {"schema": "public", "privileges": ["CREATE"]},
        {"database": "warehouse", "schema": "public", "privileges": ["CREATE"]},
    ],
)
APP = nhi("app", "reader")


def privileges(pg, who, table="books.entries"):
    """Return what a role may do with a table, as the server says."""
    words = ("SELECT", "INSERT", "UPDATE", "DELETE")
    asked = ", ".join(f"has_table_privilege('{who}', '{table}', '{word}')" for word in words)
    return [word for word, has in zip(words, pg.sql(f"SELECT {asked}", database="ledger")[0], strict=True) if has]


def attributes(pg, name):
    """Return everything a role is, besides its name and comment."""
    of_role = pg.sql("SELECT to_jsonb(a) - 'rolname' FROM pg_authid a WHERE rolname = %s", name)
    return of_role, pg.sql("SELECT setconfig FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole")


def test_a_login_has_its_access_by_its_group(estate, world):
    """What is declared is what the server then allows."""
    world.converge(state(READER, APP))

    assert privileges(estate, "app") == ["SELECT"]
    assert estate.sql("SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = 'app'") == [(True, None)]


def test_nothing_that_nhictl_does_not_manage_changes(estate, world):
    """Password, expiry, attributes, settings and comment of an adopted login survive every change."""
    estate.script(
        f"CREATE ROLE app LOGIN CREATEDB BYPASSRLS PASSWORD '{PASSWORD}' VALID UNTIL '2031-02-03' CONNECTION LIMIT -1;"
        "ALTER ROLE app SET work_mem = '8MB'; COMMENT ON ROLE app IS 'Ask ''Kim''\nbefore touching'"
    )
    before = attributes(estate, "app")

    world.converge(state(READER, APP), adopt=True)
    world.converge(state(READER, nhi("app")))

    assert attributes(estate, "app") == before
    comment = estate.sql("SELECT shobj_description('app'::regrole, 'pg_authid')")[0][0]
    assert comment.startswith("Ask 'Kim'\nbefore touching\n{")


def test_forgetting_gives_back_the_comment_that_was_there(estate, world):
    """Byte by byte, also where it looks like ours."""
    text = 'Kim\'s\n{"nhictl": "not ours"}'
    estate.script("CREATE ROLE app LOGIN")
    estate.sql(sql.SQL("COMMENT ON ROLE app IS {}").format(text))
    world.converge(state(READER, APP), adopt=True)
    live = world.one(address("login", "app"))

    with world.session(write=True) as session:
        session.apply(
            Change(live.address, Action.FORGET, "nhi/app", "test", native_id=live.native_id, before=live),
            world.operation(),
        )

    assert estate.sql("SELECT shobj_description('app'::regrole, 'pg_authid')") == [(text,)]


NASTY = ['a"b', "a'; DROP TABLE books.entries; --", "%s {} \\", "größe 表", "a b.c/d", '"*"x', "x" * 63]


@pytest.mark.parametrize("name", NASTY)
def test_every_identifier_is_only_a_name(estate, world, name):
    """Quotes, SQL, format signs and other scripts in names of logins, groups, schemas, tables and databases."""
    one = sql.Identifier(name)
    estate.database(name)
    make = sql.SQL("CREATE SCHEMA {0}; CREATE TABLE {0}.{0} (x int); CREATE SEQUENCE {0}.{1}")
    estate.sql(make.format(one, sql.Identifier(f"{name[:60]} s")), database=name)
    grants = [
        {"privileges": ["CONNECT"]},
        {"schema": name, "privileges": ["USAGE"]},
        {"schema": name, "tables": [name], "privileges": ["SELECT"]},
        {"schema": name, "sequences": ["*"], "privileges": ["USAGE"]},
    ]
    wanted = state(role("group", database=name, role=name, grants=grants), nhi("app", "group", login=f"{name[:60]} l"))

    world.converge(wanted)

    assert world.pending(wanted) == []
    asked = "SELECT has_table_privilege(%s::name, format('%%I.%%I', %s::text, %s::text), 'SELECT')"
    assert estate.sql(asked, f"{name[:60]} l", name, name, database=name) == [(True,)]
    assert estate.sql("SELECT count(*) FROM books.entries", database="ledger") == [(0,)]


def test_a_table_called_star_is_one_table(estate, world):
    """In quotes it is a name, without it is all of them."""
    estate.script('CREATE TABLE books."*" (x int)', "ledger")
    named = role("reader", grants=[
        {"schema": "books", "privileges": ["USAGE"]},
        {"schema": "books", "tables": ['"*"'], "privileges": ["SELECT"]},
    ])  # fmt: skip

    world.converge(state(named))

    assert world.pending(state(named)) == []
    assert (privileges(estate, "reader"), privileges(estate, "reader", 'books."*"')) == ([], ["SELECT"])


LONG = "close_the_books_of_a_quarter(timestamp without time zone, character varying, numeric)"


@pytest.mark.parametrize("functions", [["*"], [LONG]])
def test_a_function_may_have_a_signature_longer_than_a_name(estate, world, functions):
    """What is cut after 63 bytes is another function, or none."""
    estate.script(f"CREATE FUNCTION books.{LONG} RETURNS int LANGUAGE sql AS 'SELECT 1'", "ledger")
    granted = role("reader", grants=[
        {"schema": "books", "privileges": ["USAGE"]},
        {"schema": "books", "functions": functions, "privileges": ["EXECUTE"]},
    ])  # fmt: skip

    world.converge(state(granted))

    assert world.pending(state(granted)) == []
    asked = "SELECT count(*) FROM pg_proc, aclexplode(proacl) WHERE proname = 'close_the_books_of_a_quarter'"
    assert estate.sql(f"{asked} AND grantee = 'reader'::regrole", database="ledger") == [(1,)]


def test_a_table_made_later_is_drift_of_a_star(estate, world):
    """The plan names the table, the next apply grants it, and nothing else is taken or given."""
    every = role("reader", grants=[
        {"schema": "books", "privileges": ["USAGE"]},
        {"schema": "books", "tables": ["*"], "privileges": ["SELECT"]},
    ])  # fmt: skip
    world.converge(state(every))
    estate.script("CREATE TABLE books.later (x int)", "ledger")

    ((_, _, fields),) = world.pending(state(every))
    world.converge(state(every))

    assert any("except=later" in text for field in fields for text in field.removed)
    assert world.pending(state(every)) == []
    assert privileges(estate, "reader", "books.later") == ["SELECT"]


def test_a_rename_keeps_oid_and_grants(estate, world):
    """The group's members are still in it, and the plan is empty."""
    world.converge(state(READER, APP))
    before = {m.native_id for m in world.managed.values()}
    renamed = {**READER, "metadata": {"name": "ledger-reader", "previously": ["reader"]}}

    wanted = state(renamed, nhi("app", "ledger-reader"))
    world.converge(wanted)

    assert {m.native_id for m in world.managed.values()} == before
    assert world.pending(wanted) == []
    assert privileges(estate, "app") == ["SELECT"]


def test_drift_by_hand_is_found_and_taken_back(estate, world):
    """Direct grants, grant options, columns, types, memberships, LOGIN of a group: each is in the plan, then gone."""
    world.converge(state(READER, APP))
    estate.script(
        "CREATE ROLE other; GRANT other TO app; ALTER ROLE reader LOGIN; GRANT SELECT ON books.entries TO app;"
        "GRANT SELECT ON books.entries TO reader WITH GRANT OPTION; GRANT UPDATE (amount) ON books.entries TO reader;"
        "CREATE TYPE books.colour AS ENUM ('red'); GRANT USAGE ON TYPE books.colour TO reader;"
        "ALTER DEFAULT PRIVILEGES FOR ROLE ledger_owner GRANT SELECT ON TABLES TO app;"
        "GRANT USAGE ON LANGUAGE sql TO reader; GRANT TEMPORARY ON DATABASE warehouse TO reader",
        "ledger",
    )

    paths = {f.path.split(".")[0] for _, _, fields in world.pending(state(READER, APP)) for f in fields}
    world.converge(state(READER, APP))

    assert paths == {"memberships", "can_login", "grants", "other_grants", "default_privileges"}
    assert world.pending(state(READER, APP)) == []


def test_a_group_that_may_log_in_can_be_kept_so(estate, world):
    """The live value of a kept field is what is wanted: nothing takes it away."""
    world.converge(state(READER))
    estate.script("ALTER ROLE reader LOGIN")
    live = world.one(address("group", "reader"))

    with world.session(write=True) as session:
        session.apply(changed(live, grants=()), world.operation())

    assert world.one(address("group", "reader")).attributes["can_login"] is True
    assert privileges(estate, "reader") == []


def test_the_options_of_a_membership_are_drift(estate, world):
    """ADMIN given by hand is taken back; so is a membership that does not inherit."""
    world.converge(state(READER, APP))
    estate.script("GRANT reader TO app WITH ADMIN OPTION")
    estate.script("ALTER ROLE app NOINHERIT" if estate.version < 16 else "GRANT reader TO app WITH INHERIT FALSE")
    odd = world.one(address("login", "app")).attributes["memberships"]

    world.converge(state(READER, APP))

    assert odd == {"reader": "admin set"}
    assert world.pending(state(READER, APP)) == []
    assert privileges(estate, "app") == ["SELECT"]


def test_grants_of_another_grantor_are_revoked_in_their_name(estate, world):
    """PostgreSQL revokes nothing, with a warning only, when the wrong one asks."""
    estate.script(
        "CREATE ROLE middle; GRANT USAGE ON SCHEMA books TO middle;"
        "GRANT SELECT, INSERT ON books.entries TO middle WITH GRANT OPTION", "ledger",
    )  # fmt: skip
    world.converge(state(READER, APP))
    estate.script("SET ROLE middle; GRANT INSERT ON books.entries TO reader", "ledger")

    world.converge(state(READER, APP))

    assert privileges(estate, "app") == ["SELECT"]


def test_a_disabled_login_loses_its_sessions(estate, world):
    """NOLOGIN alone leaves them; the group and other logins keep theirs."""
    world.converge(state(READER, APP, nhi("other", "reader")))
    estate.script(f"ALTER ROLE app PASSWORD '{PASSWORD}'; ALTER ROLE other PASSWORD '{PASSWORD}'")
    with (
        closing(estate.connect("ledger", user="app", password=PASSWORD)) as gone,
        closing(estate.connect("ledger", user="other", password=PASSWORD)) as stays,
    ):
        world.converge(state(READER, nhi("app", "reader", enabled=False), nhi("other", "reader")))

        with pytest.raises(Exception, match=r"terminat|closed"):
            gone.execute("SELECT 1")
        assert stays.execute("SELECT count(*) FROM books.entries").fetchall() == [(0,)]
    with pytest.raises(Exception, match="not permitted to log in"):
        estate.connect("ledger", user="app", password=PASSWORD)


def test_a_login_that_is_deleted_at_once_loses_its_sessions(estate, world):
    """DROP ROLE leaves them: a session of a role that is gone would go on."""
    world.converge(state(READER, APP))
    estate.script(f"ALTER ROLE app PASSWORD '{PASSWORD}'")
    live = world.one(address("login", "app"))
    with closing(estate.connect("ledger", user="app", password=PASSWORD)) as gone:
        with world.session(write=True) as session:
            session.apply(deleting(live, live.native_id), world.operation())

        with pytest.raises(Exception, match=r"terminat|closed"):
            gone.execute("SELECT 1")
    assert estate.sql("SELECT 1 FROM pg_roles WHERE rolname = 'app'") == []


def test_an_owner_is_not_deleted(estate, world):
    """What it owns is named; it is neither dropped nor switched off nor given away."""
    world.converge(state(READER, APP))
    estate.script("GRANT CREATE ON SCHEMA books TO app; SET ROLE app; CREATE TABLE books.mine (x int)", "ledger")
    live = world.one(address("login", "app"))

    with world.session(write=True) as session, pytest.raises(ProviderError) as refused:
        session.apply(
            Change(live.address, Action.DELETE, "nhi/app", "test", native_id=live.native_id, before=live),
            world.operation(),
        )

    assert refused.value.fault is Fault.IN_USE
    assert "table books.mine in ledger" in refused.value.message
    assert live.facts["owns"] == {"ledger": 1}
    assert world.one(live.address).attributes == live.attributes


def test_a_group_that_others_hold_is_not_deleted(estate, world):
    """They would lose access unseen: they are named."""
    world.converge(state(READER))
    estate.script("CREATE ROLE stranger LOGIN; GRANT reader TO stranger")
    live = world.one(address("group", "reader"))

    with world.session(write=True) as session, pytest.raises(ProviderError) as refused:
        session.apply(
            Change(live.address, Action.DELETE, "role/reader", "test", native_id=live.native_id, before=live),
            world.operation(),
        )

    assert (refused.value.fault, live.facts["holders"]) == (Fault.IN_USE, {"stranger": ""})
    assert "stranger" in refused.value.message


def test_deleting_takes_grants_in_every_database_and_of_every_grantor(estate, world):
    """Also default privileges and what somebody else granted."""
    world.converge(state(READER, BOTH, nhi("app", "reader", "two-places")))
    estate.script(
        "CREATE ROLE middle; GRANT USAGE ON SCHEMA books TO middle;"
        "GRANT SELECT ON books.entries TO middle WITH GRANT OPTION;"
        "SET ROLE middle; GRANT SELECT ON books.entries TO reader; RESET ROLE;"
        "ALTER DEFAULT PRIVILEGES FOR ROLE ledger_owner GRANT SELECT ON TABLES TO \"two-places\";"
        "GRANT CONNECT ON DATABASE warehouse TO reader", "ledger",
    )  # fmt: skip

    world.converge("")
    world.converge("", now=AFTER_GRACE)

    assert estate.sql("SELECT rolname FROM pg_roles WHERE rolname IN ('reader', 'two-places', 'app')") == []


def test_a_superuser_is_adopted_and_stays_one(estate, world):
    """What it is besides is no part of any change, and no plan says that it loses it."""
    estate.script(
        "CREATE ROLE boss SUPERUSER CREATEDB LOGIN; CREATE TABLE mine (x int); ALTER TABLE mine OWNER TO boss"
    )
    wanted = state(READER, nhi("boss", "reader"))
    with world.session() as session:
        plan = world.plan(session, world.desired(wanted, adopt=True))

    world.converge(wanted, adopt=True)

    assert [p for delta in plan.access for p in delta.lost] == []
    assert estate.sql("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'boss'") == [(True, True)]


@pytest.mark.parametrize("name", ["postgres", "pg_monitor"])
def test_roles_of_postgresql_itself_are_never_changed(estate, world, name):
    """Not even when a change asks for it."""
    with world.session() as session:
        live = next(r for r in session.read(Scope()) if r.address.name == name)

    with world.session(write=True) as session, pytest.raises(ProviderError) as refused:
        session.apply(changed(live, memberships={}), world.operation())

    assert (refused.value.fault, refused.value.code) == (Fault.INVALID, "BuiltIn")


def test_public_is_shown_and_never_changed(estate, world):
    """As a group that nobody can declare; what it has, every login has."""
    estate.script("GRANT SELECT ON books.accounts TO PUBLIC; GRANT USAGE ON SCHEMA books TO PUBLIC", "ledger")
    acls = "SELECT relname, relacl::text FROM pg_class WHERE relname IN ('accounts', 'entries') ORDER BY 1"
    before = estate.sql(acls, database="ledger")
    world.converge(state(READER, APP))

    live = world.snapshot()
    found = {(p.action, p.resource, p.source) for p in world.adapter.permissions(live[address("login", "app")], live)}
    world.converge("")

    assert ("SELECT", "ledger/books/table/accounts", "db/group/public") in found
    assert "PUBLIC" in live[address("group", "public")].facts["builtin"]
    assert estate.sql(acls, database="ledger")[0] == before[0]


def test_a_change_that_met_another_session_is_made_again(estate, world):
    """Two GRANTs on one table at a time: the second fails with `tuple concurrently updated` in PostgreSQL."""
    world.converge(state(READER))
    wider = state(
        role("reader", grants=[
            {"schema": "books", "privileges": ["USAGE"]},
            {"schema": "books", "tables": ["entries"], "privileges": ["SELECT", "INSERT"]},
        ])
    )  # fmt: skip
    estate.script("CREATE ROLE rival")
    with closing(estate.connect("ledger", autocommit=False)) as rival, ThreadPoolExecutor() as pool:
        rival.execute("GRANT DELETE ON books.entries TO rival")
        running = pool.submit(world.converge, wider)
        _until_it_waits(estate)
        rival.commit()
        running.result(30)

    assert (privileges(estate, "reader"), privileges(estate, "rival")) == (["SELECT", "INSERT"], ["DELETE"])


def _until_it_waits(pg):
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'nhictl' AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 30
    while pg.sql(waiting) == [(0,)]:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_two_nhictl_take_turns(estate, world, target):
    """Both change the same role at a time; both ends are there."""
    world.converge(state(READER, *(nhi(f"app-{n}") for n in range(6))))
    wanted = state(READER, *(nhi(f"app-{n}", "reader") for n in range(6)))
    with world.session() as session:
        changes = world.plan(session, world.desired(wanted)).changes

    def some(part):
        with world.session(write=True) as session:
            return [session.apply(c, replace(world.operation(), id=str(c.address))).status for c in part]

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(some, [changes[::2], changes[1::2]]))

    assert {status for part in done for status in part} == {Status.APPLIED}
    for change in changes:
        world.remember(change, "")
    assert world.pending(wanted) == []


def test_a_lock_that_is_not_to_be_had_is_a_fault_and_passes(estate, world, monkeypatch):
    """Nothing is done meanwhile; the same session goes on when it is free."""
    monkeypatch.setattr(connect, "LOCK_SECONDS", 1)
    with world.session(write=True) as session:
        (change,) = world.plan(session, world.desired(state(READER))).changes
        with closing(estate.connect(autocommit=False)) as holder:
            holder.execute(queries.LOCK)
            with pytest.raises(ProviderError) as waited:
                session.apply(change, world.operation())
        world.carry_out(session, change)

    assert (waited.value.fault, waited.value.code) == (Fault.THROTTLED, "55P03")
    assert world.pending(state(READER)) == []


def test_a_connection_that_breaks_before_the_commit_did_nothing(estate, world, pg_proxy):
    """The fault is known not to have taken effect, the role is not there, and the next apply makes it."""
    with pg_proxy.fault(Broken("lose", "COMMENT ON ROLE")), pytest.raises(ProviderError) as broken:
        world.converge(state(READER))

    assert broken.value.fault is Fault.UNREACHABLE
    assert estate.sql("SELECT 1 FROM pg_roles WHERE rolname = 'reader'") == []
    world.converge(state(READER))
    assert world.pending(state(READER)) == []


def test_a_break_between_two_databases_is_partial_and_goes_on(estate, world, pg_proxy):
    """The role is there with its mark; the next plan has what is missing."""
    with world.session(write=True) as session:
        (change,) = world.plan(session, world.desired(state(BOTH))).changes
        operation = world.operation()
        broken = pytest.raises(ProviderError)
        with pg_proxy.fault(Broken("drop", "GRANT CREATE ON SCHEMA", after=1)), broken as partial:
            session.apply(change, operation)
        found = session.reread([change.address])[change.address]
        ended = session.resolve(change, operation, found)
    world.remember(change, found.native_id)

    assert ended is Status.APPLIED
    assert (partial.value.fault, partial.value.native_id) == (Fault.PARTIAL, found.native_id)
    assert world.pending(state(BOTH)) != []
    world.converge(state(BOTH))
    assert world.pending(state(BOTH)) == []


def test_a_grant_that_the_server_only_warns_about_is_a_failure(estate, world, as_user):
    """A user with grant option for SELECT only cannot give INSERT, and PostgreSQL says no error."""
    estate.script(
        f"CREATE ROLE half LOGIN CREATEROLE PASSWORD '{PASSWORD}';"
        "GRANT USAGE ON SCHEMA books TO half WITH GRANT OPTION;"
        "GRANT SELECT ON books.entries TO half WITH GRANT OPTION", "ledger",
    )  # fmt: skip
    both = role("writer", grants=[
        {"schema": "books", "privileges": ["USAGE"]},
        {"schema": "books", "tables": ["entries"], "privileges": ["SELECT", "INSERT"]},
    ])  # fmt: skip

    with pytest.raises(ProviderError) as refused:
        as_user("half").converge(state(both))

    assert (refused.value.fault, refused.value.code) == (Fault.DENIED, "NotAllGranted")
    assert "INSERT on table books.entries in ledger" in refused.value.message
    assert estate.sql("SELECT 1 FROM pg_roles WHERE rolname = 'writer'") == []


@pytest.mark.parametrize(
    ("grant", "fault"),
    [
        ({"schema": "books", "tables": ["missing"], "privileges": ["SELECT"]}, Fault.NOT_FOUND),
        ({"schema": "missing", "privileges": ["USAGE"]}, Fault.NOT_FOUND),
        ({"schema": "books", "functions": ["total(text)"], "privileges": ["EXECUTE"]}, Fault.NOT_FOUND),
        ({"database": "missing", "schema": "public", "privileges": ["USAGE"]}, Fault.AUTH),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_said(estate, world, grant, fault):
    """And nothing is made: the role and its grants are one transaction."""
    with pytest.raises(ProviderError) as refused:
        world.converge(state(role("reader", grants=[grant])))

    assert refused.value.fault is fault
    assert estate.sql("SELECT 1 FROM pg_roles WHERE rolname = 'reader'") == []


def test_the_server_refuses_changes_of_a_reading_session(estate, world):
    """Not only nhictl does: every transaction of such a session is read-only."""
    with world.session() as session:
        connection = session.server.connection("postgres")
        with pytest.raises(Exception, match="read-only transaction"):
            connection.execute("CREATE ROLE sneaked")


def test_reading_costs_the_same_for_a_thousand_roles(estate, world, pg_proxy):
    """Three to know where we are, five for the cluster, one for each of three databases: whatever is in them."""

    def queries():
        pg_proxy.reset()
        with world.session() as session:
            count = len(list(session.read(Scope())))
        return count, len(pg_proxy.asked())

    world.converge(state(READER, BOTH, APP))
    few = queries()
    estate.script(
        "DO $$ BEGIN FOR n IN 1..1000 LOOP EXECUTE format('CREATE ROLE r%s LOGIN IN ROLE reader', n);"
        " EXECUTE format('GRANT SELECT ON books.accounts TO r%s', n); END LOOP; END $$", "ledger",
    )  # fmt: skip
    many = queries()

    assert many == (few[0] + 1000, few[1])
    assert few[1] == 11


def test_a_password_is_known_to_be_there_and_never_read(estate, world, pg_proxy):
    """Its expiry and that it is over are facts; no query asks for it."""
    estate.script(
        f"CREATE ROLE old LOGIN PASSWORD '{PASSWORD}' VALID UNTIL '2020-01-02 03:04:05+00';"
        f"CREATE ROLE forever LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE without LOGIN"
    )

    live = world.snapshot()

    facts = {name: live[address("login", name)].facts["credentials"] for name in ("old", "forever", "without")}
    assert facts["old"][0]["status"] == "expired"
    assert facts["old"][0]["expires"] == "2020-01-02T03:04:05Z"
    assert (facts["forever"][0]["status"], facts["forever"][0]["expires"]) == ("active", "")
    assert facts["without"] == ()
    assert not [s for s in pg_proxy.asked() if "rolpassword" in s and "IS NOT NULL" not in s and "has_column" not in s]


def test_whoever_may_not_ask_for_passwords_knows_nothing(estate, world, as_user):
    """No fact rather than a guess."""
    estate.script(f"CREATE ROLE looker LOGIN PASSWORD '{PASSWORD}'")

    live = as_user("looker").snapshot()

    assert "credentials" not in live[address("login", "looker")].facts


def test_no_password_is_ever_sent(estate, world, pg_proxy):
    """No statement that changes something has the word, so no log of statements does."""
    world.converge(state(READER, APP))
    world.converge("")

    assert pg_proxy.changed() > 3
    assert not [s for s in pg_proxy.statements if "PASSWORD" in s]


def test_own_is_the_user_and_what_it_acts_as(estate, world, as_user):
    """Not the roles it made: their creator is a member of them for administration only."""
    estate.script(
        f"CREATE ROLE tool LOGIN CREATEROLE PASSWORD '{PASSWORD}'; GRANT ledger_owner TO tool;"
        "GRANT CONNECT ON DATABASE ledger TO tool WITH GRANT OPTION"
    )
    mine = as_user("tool")
    mine.converge(state(role("reader", grants=[{"privileges": ["CONNECT"]}])))

    with mine.session() as session:
        identity = session.identity()

    assert {a.name for a in identity.own} == {"tool", "ledger_owner"}
    assert (identity.principal, identity.scope.isdigit()) == ("tool", True)


def test_only_the_databases_of_the_target_count(estate, world):
    """Grants elsewhere are neither seen nor touched, and a Role for another one is refused."""
    world.target = replace(world.target, settings={**world.target.settings, "databases": ["ledger", "postgres"]})
    world.converge(state(READER))
    estate.script("GRANT USAGE ON SCHEMA public TO reader", "warehouse")

    assert world.pending(state(READER)) == []
    with pytest.raises(ProviderError) as refused:
        world.converge(state(READER, BOTH))
    assert refused.value.code == "OutsideDatabases"
