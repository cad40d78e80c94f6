"""Choosing a part of a plan."""

import pytest

from nhictl.model import Address, Exit, NhictlError, Resource
from nhictl.select import ObjectFacts, Selection, check_known, parse_labels, selects, with_dependencies

AT = Address("t", "identity", "a")
FACTS = ObjectFacts("team", {"tier": "low", "zone": "eu"})


def picks(facts=FACTS, **selection):
    return selects(Selection(**selection), AT, "nhi/a", facts)


@pytest.mark.parametrize("ref", ["t", "t/identity/a", "nhi/a"])
def test_a_reference_picks_and_leaves_out(ref):
    """Target, address or manifest object."""
    assert picks(targets=(ref,))
    assert not picks(excludes=(ref,))
    assert not picks(targets=(ref,), excludes=(ref,))


def test_several_references_are_alternatives_and_selectors_add_up():
    """Any of the targets, and all of the rest."""
    assert picks(targets=("nhi/b", "nhi/a"), owners=("x", "team"), labels=(("tier", "low"), ("zone", "eu")))
    assert not picks(targets=("nhi/a",), owners=("x",))
    assert not picks(labels=(("tier", "low"), ("zone", "us")))


@pytest.mark.parametrize(("kind", "expected"), [("NHI", True), ("nhi", True), ("Role", False)])
def test_kind(kind, expected):
    """As in manifests, in any case."""
    assert picks(kinds=(kind,)) is expected


def test_what_no_manifest_declares_is_never_picked_by_owner_or_label():
    """Nobody knows its owner any more; by name or kind it can be picked."""
    assert not picks(None, owners=("team",))
    assert not picks(None, labels=(("tier", "low"),))
    assert picks(None, targets=("nhi/a",))
    assert picks(None, kinds=("NHI",))


def test_nothing_selected_is_everything():
    """And such a plan is whole."""
    assert picks()
    assert not Selection().partial
    assert Selection().as_json() == {}


def test_a_partial_plan_says_what_it_was_made_for():
    """As given."""
    chosen = Selection(("nhi/a",), labels=(("k", "v"),))
    assert chosen.partial
    assert chosen.as_json() == {"targets": ["nhi/a"], "labels": ["k=v"]}


def test_dependencies_come_along():
    """Through several steps, and only declared ones."""

    def resource(name, *needs):
        return Resource(Address("t", "k", name), {}, depends_on=tuple(Address("t", "k", n) for n in needs))

    declared = {r.address: r for r in (resource("a", "b", "unknown"), resource("b", "c"), resource("c"), resource("d"))}
    found = with_dependencies([Address("t", "k", "a")], declared)
    assert {a.name for a in found} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], ()), (["a=1"], (("a", "1"),)), (["a=1,b=2", "c="], (("a", "1"), ("b", "2"), ("c", "")))],
)
def test_labels(texts, expected):
    """Several in one text, or several texts."""
    assert parse_labels(texts) == expected


@pytest.mark.parametrize("text", ["", "a", "=1", "a=1,"])
def test_what_is_no_label_is_a_usage_error(text):
    """Exit 64."""
    with pytest.raises(NhictlError) as caught:
        parse_labels([text])
    assert caught.value.exit == Exit.USAGE


@pytest.mark.parametrize("chosen", [Selection(targets=("nhi/typo",)), Selection(excludes=("nhi/typo",))])
def test_a_reference_to_nothing_is_a_usage_error(chosen):
    """A typo must not make an empty plan, or one that leaves nothing out."""
    with pytest.raises(NhictlError, match="nothing is named nhi/typo") as caught:
        check_known(chosen, [(AT, "nhi/a")])
    assert caught.value.exit == Exit.USAGE


@pytest.mark.parametrize(
    ("ref", "near"),
    [
        ("shop-ci", "did you mean nhi/shop-ci or t/identity/shop-ci?"),
        ("nhi/shop-c", "did you mean nhi/shop-ci?"),
        ("zzz", "references are TARGET, TARGET/KIND/NAME or nhi/NAME, role/NAME, connection/NAME"),
    ],
)
def test_a_near_miss_is_offered(ref, near):
    """A name without its kind, or a slip."""
    with pytest.raises(NhictlError) as caught:
        check_known(Selection(targets=(ref,)), [(AT._replace(name="shop-ci"), "nhi/shop-ci"), (AT, "")])
    assert caught.value.hint == near


@pytest.mark.parametrize("ref", ["t", "t/identity/a", "nhi/a"])
def test_what_exists_is_known(ref):
    """Nothing is raised."""
    check_known(Selection(targets=(ref,)), [(AT, "nhi/a")])
