"""`nhictl access`: both questions on a real directory, live and declared; what cannot be read; what names nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nhictl.cli import context
from nhictl.model import Fault
from tests.cli.conftest import Line, configure
from tests.cli.meddling import Meddling
from tests.support import Shop, connection, nhi, role


@pytest.fixture()
def live(shop: Shop) -> Shop:
    """The workspace applied, one identity made by hand beside it."""
    shop.converge()
    shop.sql("INSERT INTO identities (id, name, type) VALUES ('hand', 'by-hand', 'workload')")
    shop.sql("INSERT INTO grants (id, identity_id, role_id) SELECT 'hand', 'hand', id FROM roles WHERE name = 'writer'")
    return shop


def names(given: dict[str, Any]) -> list[str]:
    """The names of a chain."""
    return [link["name"] for link in given["chain"]]


def test_what_an_nhi_can_do_with_its_chain(live: Shop, line: Line):
    """By name or reference: NHI, identity, grant, role and the manifest that says so."""
    said = line("access", "api", "-o", "json")
    (own,) = json.loads(said.out)["own"]
    (given,) = own["permissions"]
    assert (said.code, given["action"], given["resource"], given["verdict"]) == (0, "read", "db/*", "can")
    assert names(given) == ["nhi/api", "directory/identity/api", "directory/grant/api:reader", "directory/role/reader"]
    assert (given["chain"][-1]["subject"], given["chain"][-1]["file"]) == ("role/reader", "manifests/001.yaml")
    assert line("access", "nhi/api", "-o", "json").out == said.out


def test_the_table_tells_the_chain_whole(live: Shop, line: Line):
    """It is what is acted on."""
    out = line("access", "api").out
    assert "+ read on db/*" in out
    assert "directory/role/reader (role/reader, manifests/001.yaml:" in out
    assert out.startswith("nhi/api (test, live)\n")


def test_who_can_names_everybody_unmanaged_ones_too(live: Shop, line: Line):
    """Managed ones by their manifest, others by address."""
    found = json.loads(line("access", "--who-can", "write", "db/1", "-o", "json").out)
    assert [(h["name"], h["verdict"]) for h in found["holders"]] == [
        ("directory/identity/by-hand", "can"),
        ("nhi/job", "can"),
    ]
    found = json.loads(line("access", "directory/identity/by-hand", "-o", "json").out)
    assert [g["action"] for own in found["own"] for g in own["permissions"]] == ["write"]


def test_nobody_is_an_answer(live: Shop, line: Line):
    """Exit code 0: the question was answered."""
    said = line("access", "--who-can", "fly", "moon")
    assert (said.code, said.out.splitlines()[-1]) == (0, "0 identities can, 0 might, 0 denied")


def test_declared_needs_no_target(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """Nothing is applied, the targets are shut, and nothing is written."""
    monkeypatch.setattr(context, "adapters", lambda _environment: {"local": Meddling(closed=Fault.AUTH)})
    before = shop.tree()
    found = json.loads(line("access", "--who-can", "*", "*", "--declared", "-o", "json").out)
    assert (found["view"], [h["name"] for h in found["holders"]]) == ("declared", ["nhi/api", "nhi/job"])
    assert shop.tree() == before


def test_asking_changes_nothing(live: Shop, line: Line):
    """Neither target nor ledger nor files."""
    before = live.rows(), live.tree()
    assert {line("access", "api").code, line("access", "--who-can", "*", "*").code} == {0}
    assert (live.rows(), live.tree()) == before


def test_what_is_live_counts_not_what_is_declared(live: Shop, line: Line):
    """A grant that was taken by hand is no access; the manifest still means it."""
    live.sql("DELETE FROM grants WHERE identity_id = (SELECT id FROM identities WHERE name = 'api')")
    assert "nothing as directory/identity/api" in line("access", "api").out
    assert "+ read on db/*" in line("access", "api", "--declared").out


def test_a_connection_is_how_somebody_becomes_it(shop: Shop, line: Line):
    """With what it asks for."""
    proof = {"githubActions": {"repository": "example/shop", "environment": "test"}}
    shop.declare(role("reader"), connection("github"), nhi("ci", "reader", via="github", identity=proof)).converge()
    (trust,) = json.loads(line("access", "ci", "-o", "json").out)["trust"]
    assert trust["chain"][0]["subject"] == "connection/github"
    assert names(trust)[-1] == "directory/identity/ci"
    assert "example/shop" in trust["condition"]


@pytest.mark.parametrize(("fault", "code"), [(Fault.AUTH, 4), (Fault.UNREACHABLE, 1)])
@pytest.mark.parametrize("words", ["access api", "access --who-can read db/1"])
def test_a_target_that_cannot_be_read_is_unknown(
    shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch, words: str, fault: Fault, code: int
):
    """The rest is told, the exit code says that it is not all."""
    shop.declare(role("reader"), nhi("api", "reader", targets=["directory"]), nhi("job", "reader", targets=["other"]))
    targets = {name: {"provider": "local", "path": f"{name}.db"} for name in ("directory", "other")}
    configure(shop.root, environments={"test": {"targets": targets}})
    assert line("apply", "--yes").code == 0
    monkeypatch.setattr(context, "adapters", lambda _environment: {"local": Meddling(closed=fault, only="other")})
    said = line(*words.split())
    assert said.code == code
    assert "read on db/*" in said.out
    assert "Not known: could not be read" in said.out
    assert line(*words.split(), "--target", "directory").code == 0


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        ("access", 64, "nhictl access --help"),
        ("access api --who-can read x", 64, "nhictl access --help"),
        ("access ap", 64, "nhi/api"),
        ("access api --target nowhere", 64, "directory"),
        ("access --who-can read", 64, "--help"),
    ],
)
def test_what_names_nothing_is_refused(live: Shop, line: Line, words: str, code: int, hint: str):
    """With the way out."""
    said = line(*words.split())
    assert (said.code, said.out) == (code, "")
    assert hint in said.err


def test_what_is_declared_and_not_there_is_told_so(shop: Shop, line: Line):
    """Not a typo, not an empty answer."""
    said = line("access", "api")
    assert said.code == 1
    assert "declared and not live" in said.err
    assert "--declared" in said.err


def test_hostile_names_come_out_escaped(live: Shop, line: Line):
    """In table and JSON."""
    live.sql("UPDATE permissions SET resource = ?, action = ?", "db/\x1b[31m\u202e\n::error::", "rea\u202ed")
    for words in (["access", "api"], ["access", "--who-can", "*", "*"], ["access", "api", "-o", "json"]):
        said = line(*words)
        assert not {"\x1b", "\u202e"} & set(said.all)
        assert not any(text.lstrip().startswith("::") for text in said.out.splitlines())
