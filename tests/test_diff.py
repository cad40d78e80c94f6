"""Differences between two resources: complete, small, and none between equals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhictl.diff import diff_mark, diff_resource, diff_value, merged_partial
from nhictl.model import Address, FieldChange, Mark, Resource, ordered_set
from nhictl.providers.base import Kind

KIND = Kind("K", partial=frozenset({"labels"}))
AT = Address("t", "k", "n")
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6) | st.sampled_from(["__x", "a.b", "'"])
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4)
SETS = st.lists(st.text("abc", max_size=2), max_size=4).map(ordered_set)
VALUES = st.recursive(
    LEAVES | SETS,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=4)


def diff(before, after, recorded=None):
    return diff_resource(KIND, Resource(AT, after), Resource(AT, before), recorded)


@settings(deadline=None)
@given(ATTRIBUTES)
def test_nothing_differs_from_itself(attributes):
    """diff(x, x) is empty."""
    assert diff(attributes, attributes) == ()


@settings(deadline=None)
@given(ATTRIBUTES, ATTRIBUTES)
def test_every_differing_field_is_said_and_no_other(before, after):
    """The roots of the changed paths are exactly the declared fields that differ (partial ones by their own rule)."""
    before, after = ({k: v for k, v in side.items() if "." not in k and k != "labels"} for side in (before, after))
    expected = {k for k in after if before.get(k) != after[k]}
    assert {f.path.split(".")[0] for f in diff(before, after)} == expected


@settings(deadline=None)
@given(VALUES, VALUES)
def test_a_difference_is_never_silent(before, after):
    """Something is said exactly when two values are unequal."""
    assert bool(diff_value("x", before, after)) is (before != after)


@settings(deadline=None)
@given(ATTRIBUTES, ATTRIBUTES)
def test_the_same_difference_is_said_the_same_way(before, after):
    """Order of keys does not matter."""
    turned = dict(reversed(before.items())), dict(reversed(after.items()))
    assert diff(before, after) == diff(*turned)


def test_fields_only_the_live_side_has_are_left_alone():
    """What is not declared is not compared."""
    assert diff({"x": "1", "extra": "2"}, {"x": "1"}) == ()


def test_sets_differ_by_elements():
    """One change with what came and what went."""
    assert diff({"s": ("a", "b")}, {"s": ("b", "c")}) == (FieldChange("s", ("a", "b"), ("b", "c"), ("c",), ("a",)),)


def test_nested_sets_differ_by_elements():
    """Inside a mapping, too, with the path to them."""
    found = diff({"p": {"s": ("a", "b"), "t": "1"}}, {"p": {"s": ("b", "c"), "t": "1"}})
    assert found == (FieldChange("p.s", None, None, ("c",), ("a",)),)


def test_a_list_that_is_no_set_keeps_its_order():
    """An unsorted tuple is a list."""
    assert diff({"s": ("b", "a")}, {"s": ("a", "b")}) != ()


@pytest.mark.parametrize("key", ["__private", "a.b", "a'b", "", "0", "root['x']"])
def test_unusual_keys_are_said(key):
    """No key is invisible to the difference, next to another change either."""
    found = diff({"m": {key: "1", "y": "1"}}, {"m": {"y": "2"}})
    assert {f.path for f in found} == {f"m.{key}", "m.y"}


def test_foreign_keys_of_a_partial_mapping_stay():
    """Only declared keys, and those we recorded, count."""
    live = {"labels": {"ours": "1", "old": "1", "foreign": "1"}}
    wanted = {"labels": {"ours": "2"}}
    found = diff(live, wanted, {"labels": {"ours": "1", "old": "1"}})
    assert [(f.path, f.before, f.after) for f in found] == [("labels.old", "1", None), ("labels.ours", "1", "2")]


@settings(deadline=None)
@given(*[st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"))] * 3)
def test_partial_mapping_is_the_declared_one_and_what_nobody_here_ever_wrote(after, before, recorded):
    """Declared keys have the declared value, dropped ones are gone, foreign ones stay."""
    merged = merged_partial(after, before, recorded)
    foreign = {k: v for k, v in before.items() if k not in after and k not in recorded}
    assert merged == {**foreign, **after}


def test_mark_differs_by_owner_and_reference_only():
    """The operation in a mark is not compared."""
    assert diff_mark(Mark("o", "r", "op-1"), "o", "r") == ()
    assert diff_mark(Mark("o", "r", "op-1"), "o", "s") == (FieldChange("mark", "o r", "o s"),)
    assert diff_mark(None, "o", "r") == (FieldChange("mark", None, "o r"),)
