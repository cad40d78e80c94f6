"""Names, comments, rows, desired state and access of PostgreSQL, without a server."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.kinds import nhi as nhis
from nhictl.kinds import role as roles
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Target
from nhictl.model import Address, Document, Mark, Resource
from nhictl.providers.postgres import access, comment, names, rows
from nhictl.providers.postgres.adapter import adapter
from nhictl.providers.postgres.comment import Comment
from nhictl.providers.postgres.rows import Held, Object
from tests.providers.postgres.conftest import nhi, role

TARGET = Target("db", "postgres", {}, Path())
TABLE = Object("table", "books", "entries")


def compiled(*manifests, today=dt.date(2026, 11, 22)):
    documents = [Document(m["kind"], m["metadata"]["name"], m, "x.yaml") for m in manifests]
    estate = Estate(
        "shop/test", Environment("test", False, {}, (TARGET,)), TARGET,
        tuple(nhis.parse(d) for d in documents if d.kind == "NHI"),
        {d.name: roles.parse(d) for d in documents if d.kind == "Role"}, {}, today, {}, {},
    )  # fmt: skip
    return adapter.desired(estate)


def codes(*manifests):
    return [d.code for d in compiled(*manifests).diagnostics]


# Names


@pytest.mark.parametrize("name", ["", "public", "none", "pg_x", "x" * 64, "ü" * 32, "a\0b"])
def test_a_name_that_no_role_can_have_is_refused(name):
    """Reserved, too long in bytes, or impossible."""
    assert names.role_problem(name)


@pytest.mark.parametrize("name", ["a", "x" * 63, "ü" * 31, "a b", 'a"', "PUBLIC"])
def test_any_other_name_is_possible(name):
    """Role names are case-sensitive and may be anything in quotes."""
    assert not names.role_problem(name)


@given(st.text(min_size=1), st.sampled_from(["table", "sequence", "schema", "database"]))
def test_what_a_row_shows_is_what_it_means(name, on):
    """No name is taken for `*`, none for another."""
    text = names.shown(on, name)
    assert names.meant(on, text) == name
    assert text != "*" or on not in ("table", "sequence")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("total(int,text)", "total(integer, text)"),
        ("f( VARCHAR , int8[],  timestamptz )", "f(character varying, bigint[], timestamp with time zone)"),
        ("f()", "f()"),
        ('"odd (name)"(bool)', '"odd (name)"(boolean)'),
        ("f(books.colour)", "f(books.colour)"),
        ("f(double   precision)", "f(double precision)"),
    ],
)
def test_signatures_are_as_the_server_prints_them(text, meant):
    """Aliases, spaces and case of types do not matter."""
    assert names.signature(text) == meant


# Comments

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
MARKS = st.one_of(st.none(), st.builds(Mark, TEXT.filter(bool), TEXT, TEXT))
PLACES = st.dictionaries(st.tuples(TEXT, st.sampled_from(names.CLASSES), TEXT), st.sampled_from(["EXECUTE", "SELECT"]))
PLACES = PLACES.map(lambda found: {at: "EXECUTE" if at[1] == "function" else "SELECT" for at in found})


@given(st.text(), MARKS, st.sampled_from(["", "login", "group"]), PLACES)
def test_a_comment_comes_back_as_it_was_said(text, mark, kind, everything):
    """Whatever somebody else wrote, ours or not."""
    said = comment.parse(comment.compose(Comment(text, mark, kind, everything)))
    if mark is None and not kind and not everything:
        said = comment.parse(comment.compose(Comment(text + "\n", mark)))
        return
    assert (said.text, said.mark, dict(said.everything)) == (text, mark, everything)


@pytest.mark.parametrize(
    "text",
    ["", "words", '{"nhictl": {"owner": "a"}}', '{"nhictl":{"owner"', '{"nhictl":{"owner":"a"},"more":1}',
     '{"nhictl":[]}', '{"nhictl":{"owner":"a","ref":"r"}} and more', '{"nhictl":{"owner":"a"}}\nafter'],
)  # fmt: skip
def test_what_is_not_exactly_ours_is_somebody_elses(text):
    """No mark is guessed."""
    assert comment.parse(text) == Comment(text)


@pytest.mark.parametrize(
    "ours", ['"owner":3,"ref":"r"', '"owner":"","ref":"r"', '"owner":"a","ref":[],"operation":"x"']
)
def test_a_mark_of_other_types_is_none(ours):
    """Somebody wrote it, not nhictl."""
    assert comment.parse("{" + f'"nhictl":{{{ours}}}' + "}").mark is None


# Rows

OBJECTS = st.builds(
    Object, st.sampled_from(["table", "sequence"]), st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", "z, w"])
)
HELD = st.lists(
    st.builds(
        Held, st.just("db"), OBJECTS, st.sampled_from(["SELECT", "UPDATE", "USAGE"]), st.booleans(),
        st.sampled_from(["owner", "other"]), st.just("owner"),
    ), max_size=12,
)  # fmt: skip
STARS = st.dictionaries(
    st.tuples(st.just("db"), st.sampled_from(["table", "sequence"]), st.sampled_from(["a", "b"])),
    st.sampled_from(["SELECT", "SELECT UPDATE"]),
)
EVERYTHING = {("db", on, schema): ["x", "y", "z, w"] for on in ("table", "sequence") for schema in ("a", "b")}


@given(HELD, STARS)
def test_rows_say_exactly_what_is_held(held, stars):
    """With `*` or without: what rows mean is what was held, and then nothing is to do."""
    attributes = rows.to_rows(held, stars, EVERYTHING).attributes()

    want = rows.wanted(attributes, "db", EVERYTHING)

    assert {(at, p) for at, some in want.items() for p in some} == {(h.object, h.privilege) for h in held}
    assert rows.moves(held, want) == []


@given(HELD, HELD)
def test_moves_lead_from_what_is_held_to_what_is_wanted(held, other):
    """Every revoke names its grantor; granting first, nothing is without access meanwhile."""
    want = rows.wanted(rows.to_rows(other, {}, {}).attributes(), "db", {})
    now = {(h.object, h.privilege): h.grantable for h in held}

    found = rows.moves(held, want)

    for move in found:
        for at in move.objects:
            for privilege in move.privileges:
                if move.grant:
                    now[at, privilege] = move.option
                elif move.option:
                    now[at, privilege] = False
                else:
                    now.pop((at, privilege), None)
    assert set(now) == {(at, p) for at, some in want.items() for p in some}
    assert [m.grant for m in found] == sorted((m.grant for m in found), reverse=True)


# What is desired


def test_a_grant_needs_a_database():
    """Said with its place."""
    bad = {"kind": "Role", "metadata": {"name": "r"}, "spec": {"postgres": {"grants": [{"privileges": ["CONNECT"]}]}}}
    assert codes(bad) == ["E550"]


@pytest.mark.parametrize(
    "block",
    [
        {"grants": [{"schema": "public", "privileges": ["SELECT"]}]},
        {"grants": [{"privileges": ["USAGE"]}]},
        {"grants": [{"schema": "public", "functions": ["f()"], "privileges": ["SELECT"]}]},
        {"defaultPrivileges": [{"owner": "o", "objects": "tables", "privileges": ["EXECUTE"]}]},
    ],
)
def test_privileges_fit_their_object(block):
    """What PostgreSQL would refuse is refused before."""
    assert codes(role("r", **block)) == ["E551"]


def test_names_are_checked_and_unique():
    """Logins and groups are one name space."""
    assert codes(nhi("a", login="pg_a")) == ["E552"]
    assert codes(role("same"), nhi("app", login="same")) == ["E553"]


def test_tables_without_usage_on_their_schema_are_warned_of():
    """In `public` everybody has it."""

    def tables(schema):
        return {"schema": schema, "tables": ["t"], "privileges": ["SELECT"]}

    usage = {"schema": "books", "privileges": ["USAGE"]}
    assert codes(role("r", grants=[tables("books")])) == ["W613"]
    assert codes(role("r", grants=[tables("public")])) == codes(role("r", grants=[tables("books"), usage])) == []


def test_an_nhi_has_a_login_when_it_proves_itself_here_or_stands_here():
    """One that only asks for access at times has none meanwhile."""
    other = {"githubActions": {"repository": "a/b"}}
    jit = nhi("jit", identity=other, grants=[{"role": "r", "mode": "jit", "maxTtl": "1h"}])
    standing = nhi("standing", "r", identity=other)

    found = compiled(role("r"), jit, standing, nhi("own")).resources

    assert [r.address.name for r in found if r.address.kind == "login"] == ["own", "standing"]


def test_an_expired_grant_is_no_membership_and_an_expired_nhi_cannot_log_in():
    """The login stays."""
    late = nhi("late", grants=[{"role": "r", "expires": "2026-11-22"}])
    over = nhi("over", "r", lifecycle={"expires": "2026-11-22"})

    _, one, two = compiled(role("r"), late, over).resources

    assert (one.attributes["enabled"], one.attributes["memberships"]) == (True, {})
    assert (two.attributes["enabled"], two.attributes["memberships"]) == (False, {})


# Access


def login(**facts):
    attributes = {"enabled": True, "memberships": facts.pop("memberships", {}), "connection_limit": -1}
    return Resource(Address("db", "login", "app"), {**attributes, **rows.Rows().attributes()}, facts=facts)


def group(name, *privileges, **memberships):
    found = [Held("db", TABLE, p, False, "o", "o") for p in privileges]
    attributes = {"can_login": False, "memberships": memberships, **rows.to_rows(found, {}, {}).attributes()}
    return Resource(Address("db", "group", name), attributes)


def reach(*resources):
    known = {r.address: r for r in resources}
    return {(p.action, p.condition) for p in access.permissions(resources[0], known) if p.kind == "allow"}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("inherit set", {("SELECT", "")}),
        ("set", {("SELECT", '{"set role":["g"]}')}),
        ("inherit", {("SELECT", "")}),
        ("none", set()),
        ("admin", {("ADMIN", ""), ("SELECT", '{"granting itself":["g"]}')}),
        ("admin set", {("ADMIN", ""), ("SELECT", '{"set role":["g"]}')}),
    ],
)
def test_memberships_give_what_their_options_say(options, found):
    """Inherited at once, only after SET ROLE, only after granting it to itself, or not at all."""
    assert reach(login(memberships={"g": options}), group("g", "SELECT")) == found


def test_access_goes_through_groups_of_groups_on_the_widest_way():
    """By inheritance where there is a way, else by the shortest row of SET ROLE; circles do no harm."""
    app = login(memberships={"a": "set", "b": "inherit set"})
    found = reach(app, group("a", "INSERT", c="inherit set"), group("b", c="inherit set"), group("c", "SELECT"))

    assert found == {("SELECT", ""), ("INSERT", '{"set role":["a"]}')}


def test_what_two_groups_give_is_told_for_each():
    """One privilege by two groups: two chains, each the same on every run."""
    resources = (
        login(memberships={"b": "inherit set", "a": "inherit set"}),
        group("b", "SELECT"),
        group("a", "SELECT"),
    )
    found = adapter.permissions(resources[0], {r.address: r for r in resources})

    assert [p.source for p in found if p.action == "SELECT"] == ["db/group/a", "db/group/b"]


def test_a_group_that_is_not_known_is_opaque():
    """So are PostgreSQL's own: what they give is not in any list of grants."""
    assert reach(login(memberships={"pg_monitor": "inherit set", "x": "set"})) == {
        ("group:pg_monitor", ""), ("group:x", '{"set role":["x"]}'),
    }  # fmt: skip


def test_attributes_and_ownership_are_access():
    """A superuser has everything."""
    assert reach(login(superuser=True, owns={"ledger": 3})) == {
        ("*", ""), ("policy:OWNER", '{"own":"objects it owns"}'),
    }  # fmt: skip


def test_an_owner_of_a_database_can_do_anything_with_it_and_nothing_else_is_said_of_what_is_in_it():
    """Its name is known, so it is no might."""
    app = login(owns={"": 1}, owns_databases=("ledger",))
    found = [(p.action, p.resource) for p in access.permissions(app, {}) if p.kind == "allow"]

    assert found == [("*", "ledger")]


def test_createrole_before_16_may_become_anything():
    """It can grant itself every role but a superuser."""
    assert reach(login(createrole=True, grants_any_role=True)) == {
        ("CREATEROLE", ""), ("group:any role but superusers", '{"granting itself":["any role"]}'),
    }  # fmt: skip


def test_whoever_may_not_log_in_has_nothing():
    """And nobody becomes it."""
    off = login(superuser=True)
    off = Resource(off.address, {**off.attributes, "enabled": False}, facts=off.facts)
    assert list(access.permissions(off, {})) == []


def test_names_are_no_wildcards():
    """A table called `*` is one table in an access delta."""
    row = rows.grant_row("d/b", Object("table", "a?", '"*"'), ["SELECT"])
    assert access.place(row) == "d%2Fb/a%3F/table/%2A"
    assert access.place(rows.grant_row("db", Object("table", "a", "*"), ["SELECT"])) == "db/a/table/*"
