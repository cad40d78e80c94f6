"""The SQL of the README gives just what planning and applying need, on each version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nhictl.providers.postgres as package
from nhictl.model import Fault, ProviderError
from tests.conformance.world import AFTER_GRACE
from tests.providers.postgres.conftest import PASSWORD, nhi, role, state

README = Path(package.__file__).parent / "README.md"


def statements(heading: str) -> str:
    """Return the SQL under a heading of the README."""
    section = README.read_text().split(f"### {heading}\n", 1)[1]
    return re.search(r"```sql\n(.*?)```", section, re.DOTALL)[1]


def wanted(version: int, *, login: str = "app") -> str:
    """Return a state that uses every class of grant."""
    above = {"memberOf": ["pg_monitor"]} if version >= 16 else {}
    reader = role("reader", **above, grants=[
        {"privileges": ["CONNECT", "TEMPORARY"]}, {"database": "warehouse", "privileges": ["CONNECT"]},
        {"schema": "books", "privileges": ["USAGE"]}, {"schema": "books", "tables": ["*"], "privileges": ["SELECT"]},
        {"schema": "books", "sequences": ["numbers"], "privileges": ["USAGE"]},
        {"schema": "books", "functions": ["total(int,text)"], "privileges": ["EXECUTE"]},
    ], defaultPrivileges=[
        {"schema": "books", "owner": "ledger_owner", "objects": "tables", "privileges": ["SELECT"]},
    ])  # fmt: skip
    return state(reader, nhi("app", "reader", login=login))


@pytest.fixture()
def closed(estate):
    """PUBLIC may connect nowhere; the README's roles are there, with a password."""
    estate.script("REVOKE CONNECT ON DATABASE postgres, ledger, warehouse, template1 FROM PUBLIC")
    apply = "Apply, PostgreSQL 15" if estate.version < 16 else "Apply, PostgreSQL 16 and later"
    estate.script(statements("Plan") + statements(apply))
    estate.script(f"ALTER ROLE nhictl_plan PASSWORD '{PASSWORD}'; ALTER ROLE nhictl_apply PASSWORD '{PASSWORD}'")
    return estate


def test_the_whole_life_of_a_login_needs_no_more(closed, as_user):
    """Made, changed, renamed, disabled with its sessions, deleted: by the README's role."""
    world = as_user("nhictl_apply")
    first = wanted(closed.version)

    world.converge(first)
    assert world.pending(first) == []
    world.converge(wanted(closed.version, login="renamed"))
    closed.script(f"ALTER ROLE renamed PASSWORD '{PASSWORD}'")
    session = closed.connect("ledger", user="renamed", password=PASSWORD)
    assert session.execute("SELECT count(*) FROM books.entries").fetchall() == [(0,)]
    world.converge("")
    world.converge("", now=AFTER_GRACE)

    assert world.managed == {}
    with pytest.raises(Exception, match=r"terminat|closed"):
        session.execute("SELECT 1")
    assert closed.sql("SELECT 1 FROM pg_roles WHERE rolname IN ('app', 'renamed', 'reader')") == []


def test_planning_needs_no_more(closed, world, as_user):
    """What the superuser sees, passwords aside, and nothing can be changed."""
    world.converge(wanted(closed.version))
    looker = as_user("nhictl_plan", remembering=world)

    assert looker.pending(wanted(closed.version)) == []
    assert {a for a, r in looker.snapshot().items() if r.mark} == set(world.managed)
    with looker.session(write=True) as session, pytest.raises(ProviderError) as refused:
        looker.carry_out(session, looker.plan(session, looker.desired("")).changes[0])
    assert refused.value.fault is Fault.DENIED


@pytest.mark.parametrize(
    ("user", "plan", "apply"),
    [("nhictl_plan", (), True), ("nhictl_apply", (), False), ("nobody_special", ("CONNECT on database ledger",), True)],
)
def test_doctor_says_what_is_missing(closed, as_user, user, plan, apply):
    """By name, before anything is tried."""
    closed.script(f"CREATE ROLE nobody_special LOGIN PASSWORD '{PASSWORD}'")
    closed.script("GRANT CONNECT ON DATABASE postgres TO nobody_special")
    world = as_user(user)
    with world.session() as session:
        found = session.checkup(tuple(world.desired(wanted(closed.version)).values()))

    assert found.missing_for_plan == plan
    assert bool(set(found.missing_for_apply) & {"CREATEROLE", "membership in pg_signal_backend"}) == apply
    assert found.credentials.startswith(f"{user} by libpq")
    assert (found.unknown, bool(found.unknown_for_apply)) == ("", True)


def test_a_database_that_may_not_be_entered_is_an_error(closed, as_user, world):
    """Not a gap: without it nobody knows what a role may do there."""
    world.converge(wanted(closed.version))
    closed.script("REVOKE CONNECT ON DATABASE ledger FROM nhictl_plan")

    with pytest.raises(ProviderError) as refused:
        as_user("nhictl_plan").snapshot()

    assert (refused.value.fault, "`databases`" in refused.value.hint) == (Fault.DENIED, True)


def test_sessions_that_may_not_be_ended_are_told(closed, as_user):
    """The login is off, and it is said that its sessions go on."""
    world = as_user("nhictl_apply")
    world.converge(wanted(closed.version))
    closed.script("REVOKE pg_signal_backend FROM nhictl_apply; GRANT CONNECT ON DATABASE postgres TO app")
    closed.script(f"ALTER ROLE app PASSWORD '{PASSWORD}'")
    session = closed.connect(user="app", password=PASSWORD)

    with pytest.raises(ProviderError) as partial:
        world.converge("")

    session.close()
    assert (partial.value.fault, partial.value.code) == (Fault.PARTIAL, "SessionsGoOn")
    assert closed.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'") == [(False,)]


def test_a_role_of_somebody_else_is_refused_since_16(closed, as_user):
    """CREATEROLE no longer reaches it: the error names what is needed."""
    closed.script("CREATE ROLE app LOGIN")
    world = as_user("nhictl_apply")
    if closed.version < 16:
        world.converge(wanted(15), adopt=True)
        return

    with pytest.raises(ProviderError) as refused:
        world.converge(wanted(closed.version), adopt=True)
    closed.script("GRANT app TO nhictl_apply WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    world.converge(wanted(closed.version), adopt=True)

    assert (refused.value.fault, refused.value.code) == (Fault.DENIED, "42501")
    assert world.pending(wanted(closed.version)) == []
