"""Comments that imitate ours: whoever may comment on a role can write them."""

from __future__ import annotations

import json

import pytest
from psycopg import sql

from nhictl.providers.base import Scope
from nhictl.providers.postgres import comment
from nhictl.providers.postgres.adapter import adapter
from tests.providers.postgres.conftest import address

SURROGATE, NUL = r"\ud800", r"\u0000"


def line(more: str, owner: str = "w/e") -> str:
    """A comment that looks like ours."""
    return f'{{"nhictl":{{"owner":"{owner}","ref":"nhi/x","operation":"o",{more}}}}}'


@pytest.mark.parametrize(
    "row",
    [
        ["ledger", "table", "empty", "FLY"], ["ledger", "table", "books", ""], ["ledger", "tables", "books", "SELECT"],
        ["ledger", "table", "books", "EXECUTE"], ["ledger", "table", "\0", "SELECT"], ["ledger", "table", "books"],
    ],
)  # fmt: skip
def test_what_could_not_be_ours_counts_as_nothing(row: list[str]) -> None:
    """A class, a privilege or a name that no grant of ours has."""
    assert comment.parse(line(f'"all":[{json.dumps(row)}]')).everything == {}


@pytest.mark.parametrize("text", [line('"kind":""', SURROGATE), line(f'"more":["{SURROGATE}"]')])
def test_half_a_character_makes_it_somebody_elses_text(text: str) -> None:
    """It could be written nowhere: not in a plan, not in a ledger, not to the server."""
    assert comment.parse(text) == comment.Comment(text)


@pytest.mark.parametrize("name", [SURROGATE, NUL])
def test_one_imitation_does_not_hide_the_whole_server(estate, world, name):
    """Everything else is still read, and the role itself."""
    estate.script("CREATE ROLE evil")
    said = line(f'"all":[["ledger","table","{name}","SELECT"]]')
    estate.sql(sql.SQL("COMMENT ON ROLE evil IS {}").format(sql.Literal(said)))
    with world.session() as session:
        found = [r.address.name for r in session.read(Scope())]
    assert {"evil", "ledger_owner"} <= set(found)


@pytest.mark.parametrize(
    "said", ['{"nhictl":{"kind":"group"}}', line('"kind":"group"'), '{"nhictl":{"owner":"w/e","ref":"role/x"}}']
)
def test_a_login_is_told_whatever_its_comment_says(estate, world, said):
    """A superuser called a group by its comment is an identity that can do everything."""
    estate.script("CREATE ROLE evil LOGIN SUPERUSER")
    estate.sql(sql.SQL("COMMENT ON ROLE evil IS {}").format(sql.Literal(said)))
    with world.session() as session:
        found = {r.address: r for r in session.read(Scope())}
    login = found[address("login", "evil")]
    assert login.mark is None
    assert ("*", "*") in {(p.action, p.resource) for p in adapter.permissions(login, found)}


def test_settings_and_functions_of_a_databases_owner_change_nothing_that_is_read(estate, world):
    """Neither how names are quoted, nor functions that are called as those of the catalogs."""
    estate.script("CREATE ROLE g; GRANT EXECUTE ON FUNCTION books.total(integer, text) TO g", "ledger")
    estate.script(
        "CREATE FUNCTION public.aclexplode(aclitem[]) RETURNS int LANGUAGE sql AS 'SELECT 1/0';"
        "ALTER DATABASE ledger SET search_path = public, pg_catalog;"
        "ALTER DATABASE ledger SET quote_all_identifiers = on",
        "ledger",
    )
    with world.session() as session:
        found = next(r for r in session.read(Scope()) if r.address.name == "g")
    assert [row["name"] for row in found.attributes["grants"]] == ["total(integer, text)"]
