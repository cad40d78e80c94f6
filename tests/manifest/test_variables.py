"""Variables are resolved on the tree, typed, once, and never in silence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.kinds.workspace import Environment, Target
from nhictl.manifest import reader
from nhictl.manifest.variables import Scope, resolve, resolve_text, scope, trial
from nhictl.model import Document

AWS = Target("aws-prod", "aws", {"account": "222222222222", "region": "eu-central-1"}, Path())
PROD = Environment("prod", True, {"region": "eu-west-1", "number": 7, "open": "${env.name}", "yes": False}, (AWS,))


def nhi(purpose, more=""):
    text = (
        "apiVersion: nhictl.dev/v1alpha1\nkind: NHI\nmetadata: {name: x}\nspec:\n"
        f"  owner: team-a\n  environments: [prod]\n  purpose: {purpose}\n{more}"
    )
    (document,), wrong = reader.parse(text.encode(), "a.yaml")
    assert not wrong
    return document


def purpose_of(text, more=""):
    found = resolve(nhi(text, more), scope(PROD, AWS))
    assert not found.problems
    return found.document.value["spec"]["purpose"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"${env.name}"', "prod"),
        ('"${env.protected}"', True),
        ('"${vars.number}"', 7),
        ('"${vars.yes}"', False),
        ('"is ${vars.yes} ${env.protected} ${vars.number}"', "is false true 7"),
        ('"${env.account}/${env.region}/${env.target}"', "222222222222/eu-central-1/aws-prod"),
        ('"${vars.region}${vars.region}"', "eu-west-1eu-west-1"),
        ('"${nhi.name} of ${nhi.owner}"', "x of team-a"),
        ('"$${env.name}"', "${env.name}"),
        ('"$$${env.name} $x $$"', "$${env.name} $x $$"),
        ('"a$${aws:username}b${env.name}"', "a${aws:username}bprod"),
    ],
)
def test_value(text, value):
    """A whole variable keeps its type, one in other text becomes text, `$${` is a literal."""
    found = purpose_of(text)
    assert found == value
    assert type(found) is type(value)


def test_value_put_in_is_not_looked_at_again():
    """A variable whose value looks like a variable stays as it is."""
    assert purpose_of('"${vars.open} ${vars.open}"') == "${env.name} ${env.name}"


@given(st.text(max_size=40))
def test_any_value_goes_in_unchanged(value):
    """Whatever a variable's value is, exactly that stands in the result: nothing is parsed out of it."""
    within = Scope({"vars.v": value})
    assert resolve_text("a${vars.v}b", within) == f"a{value}b"


@given(st.text(alphabet="${}abc.env nvars", max_size=40))
def test_escaping_gives_any_text(text):
    """A text with each `${` written as `$${` resolves to the text itself, except next to further dollar signs."""
    if "$${" not in text:
        assert resolve_text(text.replace("${", "$${"), Scope({})) == text


def test_unknown_variable_at_its_position():
    """The diagnostic stands on the variable, not on the string, and offers the closest name."""
    (found,) = resolve(nhi('"in ${vars.regio} now"'), scope(PROD, AWS)).problems
    assert (found.code, found.hint) == ("E401", "did you mean `${vars.region}`?")
    assert (found.span.line, found.span.column, found.span.width) == (7, 16, 13)
    assert "environment prod" in found.detail


@pytest.mark.parametrize(
    "text", ["${", "${}", "${env}", "${env.}", "${ env.name }", "${ENV.name}", "a ${env.name", "${aws:x}"]
)
def test_malformed_variable(text):
    """What begins like a variable and is none is an error that shows the escape."""
    (found,) = resolve(nhi(f'"{text}"'), scope(PROD, AWS)).problems
    assert found.code == "E402"
    assert "$${" in found.hint


def test_every_wrong_variable_of_a_string_is_told():
    """Two mistakes in one string are two diagnostics."""
    found = resolve(nhi('"${vars.a} ${vars.b}"'), scope(PROD, AWS))
    assert [d.span.column for d in found.problems] == [13, 23]
    assert set(found.unresolved) == {("spec", "purpose")}


@pytest.mark.parametrize(
    "more",
    ['  targets: ["${env.target}"]\n', '  grants: [{role: a, environments: ["${env.name}"]}]\n'],
)
def test_lists_of_places_take_no_variables(more):
    """Where an object is cannot depend on where it is."""
    (found,) = resolve(nhi("x", more), scope(PROD, AWS)).problems
    assert found.code == "E403"


def test_keys_are_never_resolved():
    """A key with `${` stays, and is no error."""
    document = nhi("x", '  identity: {oidc: {claims: {"${env.name}": "${env.name}"}}}\n')
    found = resolve(document, scope(PROD, AWS))
    assert found.document.value["spec"]["identity"]["oidc"]["claims"] == {"${env.name}": "prod"}


def test_nhi_variables_in_a_role_are_refused():
    """`${nhi.*}` has no meaning outside of an NHI."""
    document = Document("Role", "r", {"spec": {"description": "${nhi.name}"}}, "a.yaml", has_variables=True)
    (found,) = resolve(document, scope(PROD, AWS)).problems
    assert found.code == "E403"


def test_nhi_field_that_names_itself_is_unknown():
    """A field that needs itself has no value; one that needs another field of the NHI has none either."""
    found = resolve(nhi('"${nhi.purpose} ${nhi.service}"', '  service: "${nhi.owner}"\n'), scope(PROD, AWS))
    assert [d.code for d in found.problems] == ["E401", "E401"]
    assert found.document.value["spec"]["service"] == "team-a"


def test_owner_takes_no_variables():
    """Kinds that exist in no environment have no variables."""
    document = Document("Owner", "o", {"spec": {"displayName": "${env.name}"}}, "a.yaml", has_variables=True)
    found = resolve(document, trial(PROD))
    assert [d.code for d in found.problems] == ["E403"]
    assert found.document.value == document.value


def test_document_without_variables_is_returned_itself():
    """Nothing is copied where there is nothing to do."""
    document = nhi("plain")
    assert resolve(document, scope(PROD, AWS)).document is document


def test_original_is_never_changed():
    """Resolving for one environment leaves the document for the next one as it was."""
    document = nhi('"${env.name}"', '  identity: {githubActions: {environment: "${env.name}"}}\n')
    before = repr(document.value)
    resolve(document, scope(PROD, AWS))
    assert repr(document.value) == before


def test_result_says_whether_it_depends_on_the_target():
    """Only target variables make a result specific to one target."""
    assert resolve(nhi('"${env.account}"'), trial(PROD)).by_target
    assert not resolve(nhi('"${env.name}"'), trial(PROD)).by_target
