"""From manifests, ledger and live systems to a plan."""

import pytest

from nhictl.engine.prepare import known_names
from nhictl.ledger.fold import Folded
from nhictl.model import Address, Handling, InvalidManifests, Managed
from tests.support import Shop, nhi, role


def record(subject, kind, name):
    at = Address("t", kind, name)
    return at, Managed(at, subject, "N", {}, Handling())


@pytest.fixture
def folded():
    return Folded(
        dict([record("nhi/a", "identity", "phys"), record("nhi/a", "grant", "x"), record("nhi/a", "grant", "y")])
    )


def test_names_that_are_unambiguous_are_known(folded):
    """An NHI has one identity and several grants."""
    assert known_names(folded, {}).names == {("nhi/a", "identity"): "phys"}


@pytest.mark.parametrize(
    ("former", "expected"),
    [
        ({"nhi/b": ("nhi/a",)}, {"nhi/b": "nhi/a"}),
        ({"nhi/c": ("nhi/b", "nhi/a")}, {"nhi/c": "nhi/a"}),
        ({"nhi/b": ("nhi/z",)}, {}),
        ({"nhi/a": ("nhi/z",)}, {}),
    ],
)
def test_a_former_name_counts_while_it_is_managed(folded, former, expected):
    """The newest one that still is; none once the new name is managed."""
    assert known_names(folded, former).previous == expected


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [
        (("nhi/c", "nhi/a"), ("one", "two")),
        (("nhi/b", "nhi/a"), ("one", "two")),
        (("nhi/a", "nhi/b"), ("one", "two")),
        (("nhi/z", "nhi/a"), (None, "two")),
    ],
)
def test_a_rename_that_was_broken_off_keeps_the_names_of_the_rest(subjects, expected):
    """Each kind has the name it is managed under, by the present or the newest former name, however far it came."""
    one, two = subjects
    folded = Folded(dict([record(one, "first", "one"), record(two, "second", "two")]))
    names = known_names(folded, {"nhi/c": ("nhi/b", "nhi/a")}).names
    assert (names.get(("nhi/c", "first")), names.get(("nhi/c", "second"))) == expected


def test_what_is_ambiguous_under_the_present_name_stays_so():
    """A former name does not decide which of several objects it is."""
    several = [record("nhi/b", "grant", "x"), record("nhi/b", "grant", "y"), record("nhi/a", "grant", "z")]
    assert ("nhi/b", "grant") not in known_names(Folded(dict(several)), {"nhi/b": ("nhi/a",)}).names


def test_two_objects_of_one_name_are_refused_with_both(tmp_path):
    """Before anything is read or planned."""
    shop = Shop(tmp_path / "shop").declare(role("r", nativeName="x"), role("s", nativeName="x"))
    with pytest.raises(InvalidManifests):
        shop.plan()


def test_adoption_by_name_is_a_planned_change(tmp_path):
    """For this plan only, by reference or by address; the manifest does not say it."""
    shop = Shop(tmp_path / "shop").declare(role("s"), nhi("a")).converge()
    shop.sql("INSERT INTO roles (id, name) VALUES ('f', 'r')")
    shop.declare(role("s"), role("r"), nhi("a"))
    for name in ("role/r", "directory/role/r"):
        plan = shop.plan(adopt=frozenset({name}))
        assert [(str(c.action), c.native_id) for c in plan.changes] == [("adopt", "f")]
    assert shop.plan().changes == ()
    shop.apply(adopt=frozenset({"role/r"}))
    assert shop.pending() == []
    assert "f" in shop.rows()["roles"]
