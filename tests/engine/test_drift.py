"""Live against last applied."""

import pytest

from tests.support import Shop, nhi, role


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop").declare(role("r"), nhi("a", "r", labels={"zone": "eu"}), nhi("b")).converge()


def seen(shop):
    found = shop.drift()
    return {f"{d.address.kind}/{d.address.name}": (d.what, [f.path for f in d.fields]) for d in found.drifted}


def test_nothing_drifted(shop):
    """Everything managed was compared; unmanaged objects are only counted."""
    shop.sql("INSERT INTO roles (id, name) VALUES ('f', 'f')")
    found = shop.drift()
    assert (found.drifted, found.pending, found.checked, found.unmanaged) == ((), (), 4, {"directory": 1})


def test_field_is_named_with_what_was_and_what_is(shop):
    """Before is what we applied, after what is live."""
    shop.sql("UPDATE roles SET description = 'theirs'")
    (drifted,) = shop.drift().drifted
    assert [(f.path, f.before, f.after) for f in drifted.fields] == [("description", "May r", "theirs")]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DELETE FROM identities WHERE name = 'b'", ("missing", [])),
        ("UPDATE identities SET id = 'new' WHERE name = 'b'", ("remade", [])),
        ("UPDATE identities SET mark_owner = 'x/y' WHERE name = 'b'", ("unmarked", [])),
        ("UPDATE identities SET enabled = 0 WHERE name = 'b'", ("changed", ["enabled"])),
        ("UPDATE identities SET name = 'z' WHERE name = 'b'", ("changed", ["name"])),
    ],
)
def test_kinds_of_drift(shop, statement, what):
    """Missing, made again, unmarked, changed, renamed."""
    shop.sql(statement)
    assert seen(shop) == {"identity/b": what}


def test_foreign_labels_are_no_drift(shop):
    """Of labels only ours are compared."""
    shop.sql("""UPDATE identities SET labels = '{"zone":"eu","theirs":"1"}' WHERE name = 'a'""")
    assert seen(shop) == {}


def test_a_manifest_change_is_pending_and_no_drift(shop):
    """And a change that drift alone asks for is not pending."""
    shop.sql("UPDATE roles SET description = 'theirs'")
    shop.declare(role("r"), nhi("a", "r", labels={"zone": "us"}), nhi("b"))
    found = shop.drift()
    assert [d.address.name for d in found.drifted] == ["r"]
    assert [c.address.name for c in found.pending] == ["a"]


def test_drift_is_read_only(shop):
    """Not one byte of the workspace changes."""
    before = shop.tree()
    shop.drift()
    assert shop.tree() == before


def test_unreadable_target_is_unknown(shop):
    """Not drifted, not fine."""
    (shop.root / "directory.db").write_bytes(b"x" * 5000)
    found = shop.drift()
    assert (found.drifted, found.checked, set(found.unreadable)) == ((), 0, {"directory"})
