"""Values and field changes as short text."""

import pytest

from nhictl.model import Action, Address, Change, FieldChange, Resource
from nhictl.render.text import Style
from nhictl.render.values import Row, compact, condition, field_rows, pair, rows, statement


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(unset)"),
        (True, "true"),
        ("true", '"true"'),
        ("", '""'),
        ("7", '"7"'),
        (7, "7"),
        (" x", '" x"'),
        ("plain text", "plain text"),
        (("a", "b"), "[a, b]"),
        ({"a": 1, "b": ()}, "{a: 1, b: []}"),
        ({"Effect": "Deny", "NotAction": ("s3:*",), "Resource": "*"}, "Deny all but s3:* on *"),
    ],
)
def test_values_in_one_line(value: object, text: str):
    """Quotes stand only where text could be mistaken for something else."""
    assert compact(value) == text


def test_a_trust_statement_reads_as_a_sentence():
    """Principal and condition are in it."""
    said = statement(
        {
            "Effect": "Allow",
            "Principal": {"AWS": ("arn:a", "arn:b")},
            "Action": "sts:AssumeRole",
            "Condition": {"StringLike": {"k": ("x*", "y")}, "Bool": {"mfa": "true"}},
        }
    )
    assert said == 'Allow sts:AssumeRole to arn:a, arn:b if k StringLike x* or y and mfa Bool "true"'


def test_conditions_may_be_text():
    """Canonical JSON and plain text both read."""
    assert condition('{"StringEquals":{"sub":"a"}}') == "sub = a"
    assert condition('{"proof":"x"}') == "proof = x"
    assert condition("weekdays only") == "weekdays only"
    assert condition('{"allowed_parameters":{"input":[]}}') == "input allowed_parameters []"


def test_statements_without_sid_are_matched_by_content():
    """Order does not matter; what is new and what is gone is told."""
    a, b, c = ({"Effect": "Allow", "Action": (x,), "Resource": ("*",)} for x in "abc")
    (row,) = field_rows(FieldChange("d", {"Statement": (a, b)}, {"Statement": (c, a)}))
    assert row == Row("d", added=("Allow c on *",), removed=("Allow b on *",))


def test_documents_below_a_mapping_are_found():
    """A policy under a name with dots is compared as a whole, once."""
    address = Address("t", "iam-role", "x")
    old = {"inline": {"a.b": {"Statement": ({"Sid": "S", "Effect": "Allow", "Action": ("a",)},)}}}
    new = {"inline": {"a.b": {"Statement": ({"Sid": "S", "Effect": "Deny", "Action": ("a",)},)}}}
    fields = (
        FieldChange("inline.a.b.Statement.0.Effect", "Allow", "Deny"),
        FieldChange("inline.a.b.Statement.0.Action"),
    )
    change = Change(
        address, Action.UPDATE, "nhi/x", "", fields=fields, before=Resource(address, old), after=Resource(address, new)
    )
    assert list(rows(change)) == [Row("inline.a.b[S].Effect", "Allow", "Deny")]


def test_a_grace_period_is_a_duration():
    """Seconds are told as people write them."""
    assert list(field_rows(FieldChange("handling.deleteAfter", "2592000", "3600"))) == [
        Row("handling.deleteAfter", "30d", "1h")
    ]


def test_long_values_are_cut_where_they_agree():
    """What differs in the middle of two long values stays."""
    before, after = (f"{'a' * 60}{x}{'b' * 60}" for x in ("ONE", "TWO"))
    cut = pair(before, after, 60, Style())
    assert "ONE" in cut[0]
    assert "TWO" in cut[1]
    assert len(cut[0]) + len(cut[1]) <= 60


def test_with_v_nothing_is_cut():
    """Verbose shows whole values."""
    assert pair("a" * 200, "b" * 200, 20, Style(verbose=1)) == ("a" * 200, "b" * 200)
