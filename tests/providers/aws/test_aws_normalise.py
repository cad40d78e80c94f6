"""Policies that AWS treats as the same are the same; policies that differ stay different."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.model import canonical
from nhictl.providers.aws import normalise

_TEXT = st.sampled_from(["s3:Get*", "s3:PutObject", "ecs:RunTask", "*", "arn:aws:s3:::b", "123456789012", "true", "7"])
_MANY = st.one_of(_TEXT, st.lists(_TEXT, min_size=1, max_size=4))
_VALUE = st.one_of(_MANY, st.booleans(), st.integers(-9, 9), st.lists(st.integers(0, 3), min_size=1, max_size=3))
_STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny", "allow", "DENY"])},
    optional={
        "Sid": st.sampled_from(["", "A", "B"]),
        "Action": _MANY,
        "NotAction": _MANY,
        "Resource": _MANY,
        "NotResource": _MANY,
        "Principal": st.one_of(
            st.just("*"), st.dictionaries(st.sampled_from(["AWS", "Service", "Federated"]), _MANY, min_size=1)
        ),
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "Bool"]),
            st.dictionaries(st.sampled_from(["aws:a", "aws:b"]), _VALUE, min_size=1),
        ),
        "Extra": st.one_of(st.text(max_size=3), st.lists(st.integers(0, 9), max_size=2)),
    },
)
_DOCUMENT = st.fixed_dictionaries(
    {"Statement": st.one_of(_STATEMENT, st.lists(_STATEMENT, max_size=3))},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"]), "Id": st.text(max_size=3)},
)


def turned(value: Any) -> Any:
    """Return a document in another order and spelling that means the same."""
    if isinstance(value, dict):
        return {key: value[key] if key == "Extra" else turned(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [turned(item) for item in reversed(value)] + ([turned(value[0])] if value else [])
    return value


def same(left: Any, right: Any) -> bool:
    """Compare two documents as nhictl does."""
    return canonical(normalise.document(left)) == canonical(normalise.document(right))


@given(_DOCUMENT)
def test_normalising_again_changes_nothing(document: dict[str, Any]) -> None:
    """The one form is its own one form, also after the way over the wire."""
    once = normalise.document(document)
    assert normalise.document(once) == once
    assert normalise.document(normalise.wire(once)) == once
    assert normalise.document(quote(normalise.wire(once))) == once


@given(_DOCUMENT)
def test_order_and_repetition_do_not_matter(document: dict[str, Any]) -> None:
    """Statements, elements and lists turned round and repeated are the same document."""
    assert same(document, turned(document))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"Action": "s3:*"}, {"Action": ["s3:*"]}),
        ({"Effect": "allow"}, {"Effect": "Allow"}),
        ({"Sid": ""}, {}),
        ({"Condition": {}}, {}),
        ({"Condition": {"Bool": {"k": True}}}, {"Condition": {"Bool": {"k": ["true"]}}}),
        ({"Condition": {"NumericEquals": {"k": 7}}}, {"Condition": {"NumericEquals": {"k": "7"}}}),
        ({"Principal": {"AWS": "123456789012"}}, {"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}),
    ],
)
def test_spellings_of_one_meaning_are_equal(left: dict[str, Any], right: dict[str, Any]) -> None:
    """What AWS reads as the same compares equal."""
    assert same({"Statement": left}, {"Statement": [right]})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"Principal": "*"}, {"Principal": {"AWS": "*"}}),
        ({"Sid": "a"}, {"Sid": "A"}),
        ({"Action": "s3:Get"}, {"NotAction": "s3:Get"}),
        ({"Resource": "a"}, {"Resource": ["a", "b"]}),
        ({"Condition": {"Bool": {"k": "true"}}}, {}),
        ({"Effect": "Allow"}, {"Effect": "Deny"}),
    ],
)
def test_different_meanings_stay_different(left: dict[str, Any], right: dict[str, Any]) -> None:
    """What AWS tells apart compares different."""
    assert not same({"Statement": [left]}, {"Statement": [right]})


def test_a_missing_version_is_the_old_one() -> None:
    """Without Version AWS reads 2008-10-17, which has no policy variables."""
    assert same({"Statement": []}, {"Version": "2008-10-17", "Statement": []})
    assert not same({"Statement": []}, {"Version": "2012-10-17", "Statement": []})


def test_unknown_elements_are_kept() -> None:
    """An element nobody knows is part of the document, on both levels."""
    found = normalise.document({"Id": "x", "Statement": {"Effect": "Allow", "Later": [1, {"a": 1.5}]}})
    assert json.loads(normalise.wire(found)) == {
        "Version": "2008-10-17",
        "Id": "x",
        "Statement": [{"Effect": "Allow", "Later": [1, {"a": "1.5"}]}],
    }


def test_size_counts_characters_without_white_space() -> None:
    """IAM's quota does not count white space."""
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": "x y"}]}
    assert normalise.size(normalise.document(wide)) == len(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:b"],"Resource":["xy"]}]}'
    )
