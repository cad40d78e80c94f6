"""A part of a plan says that it is one, and removes nothing it does not name."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Line
from tests.support import Shop, connection, nhi, role


@pytest.fixture()
def changed(shop: Shop) -> Shop:
    """An applied workspace in which one NHI changed, one went, one came."""
    shop.converge()
    return shop.declare(
        role("reader", "read", "list"), role("writer", "write"), nhi("api", "reader", labels={"app": "web"}),
        nhi("new", "writer", owner="team"), connection("trust"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "inside", "outside"),
    [
        ("--target nhi/new", {"directory/identity/new", "directory/grant/new:writer"}, {"directory/role/reader"}),
        ("--target directory/role/reader", {"directory/role/reader"}, {"directory/identity/new"}),
        ("--exclude nhi/new", {"directory/role/reader"}, {"directory/identity/new"}),
        ("--kind connection", {"directory/connection/trust"}, {"directory/role/reader"}),
        ("-l app=web", set(), {"directory/identity/new", "directory/connection/trust"}),
        ("--owner team", {"directory/identity/new", "directory/connection/trust"}, set()),
        ("manifests/004.yaml", {"directory/identity/new"}, {"directory/role/reader", "directory/connection/trust"}),
    ],
)
@pytest.mark.parametrize("command", ["plan", "apply --yes"])
def test_takes_what_is_selected_and_says_partial(
    changed: Shop, line: Line, command: str, words: str, inside: set[str], outside: set[str]
):
    """And leaves the rest alone: the NHI that is no longer declared too."""
    if command.startswith("apply") and words.endswith(".yaml"):
        pytest.skip("apply takes a plan, no files")
    before = changed.names("identities")
    said = line(*command.split(), *words.split())
    assert said.code == 0, said
    assert "partial" in said.out.lower()
    shown = {part for part in said.out.split() if part.startswith("directory/")}
    assert inside <= shown
    assert not outside & shown
    if "--exclude" in words:
        return
    assert "directory/identity/job" not in shown
    if command.startswith("apply"):
        assert set(before) <= set(changed.names("identities"))


def test_a_saved_partial_plan_stays_partial(changed: Shop, line: Line):
    """Its selection is applied again, not the whole workspace."""
    assert line("plan", "--target", "nhi/new", "--out", "plan.json").code == 0
    assert line("apply", "plan.json").code == 0
    assert changed.names("identities") == ["api", "job", "new"]
    assert changed.names("connections") == []


def test_a_selection_of_nothing_is_a_usage_error(changed: Shop, line: Line):
    """A typo must not read as "no changes"."""
    for words in ("--target nhi/nwe", "--owner nobody", "-l app=nothing", "--exclude nhi/nwe", "--kind hni"):
        assert line("plan", *words.split()).code == 64, words


def test_a_removal_happens_when_it_is_named(changed: Shop, line: Line):
    """By the reference that is gone from the manifests."""
    said = line("plan", "--target", "nhi/job")
    assert "directory/identity/job" in said.out
    assert "directory/identity/new" not in said.out


@pytest.mark.parametrize(
    ("words", "drifted"),
    [
        ("", {"directory/role/reader", "directory/role/writer"}),
        ("--target role/reader", {"directory/role/reader"}),
        ("--target directory/role/writer", {"directory/role/writer"}),
        ("--target directory", {"directory/role/reader", "directory/role/writer"}),
        ("--exclude role/reader", {"directory/role/writer"}),
        ("--target directory --exclude directory/role/writer", {"directory/role/reader"}),
        ("--target nhi/api", set()),
    ],
)
def test_drift_compares_what_is_selected_and_nothing_else(shop: Shop, line: Line, words: str, drifted: set[str]):
    """The exit code is that of the selection."""
    shop.converge()
    shop.sql("UPDATE roles SET description = 'by hand'")
    said = line("drift", "-o", "json", *words.split())
    found = json.loads(said.out)
    assert {one["address"] for one in found["drift"]} == drifted
    assert said.code == (2 if drifted else 0)
    assert (found["checked"] < 6) == bool(words and words != "--target directory")


def test_drift_of_nothing_is_a_usage_error(shop: Shop, line: Line):
    """A typo must not read as "no drift"."""
    shop.converge()
    assert line("drift", "--target", "nhi/nwe").code == 64
