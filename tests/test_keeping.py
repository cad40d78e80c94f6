"""Fields that a manifest keeps: what is desired takes them from what is live, and no plan changes them."""

import pytest

from nhictl.keeping import accepted, entry, filled, is_kept, outdated, unfounded
from nhictl.model import Address, Managed, Resource
from nhictl.model.resource import Handling
from tests.support import Shop, nhi, role

AT = Address("directory", "identity", "api")


def resource(attributes, *keep, **more):
    return Resource(AT, attributes, subject="nhi/api", keep=keep, **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trust", ("", "trust", "")),
        ("inline.Read.Only", ("", "inline", "Read.Only")),
        ("iam-role/trust", ("iam-role", "trust", "")),
        ("tags.a/b", ("", "tags", "a/b")),
    ],
)
def test_an_entry_names_kind_field_and_key(text, expected):
    """Everything after the first dot is the key, whatever it holds."""
    assert entry(text)[1:] == expected


def test_a_kept_field_takes_the_live_value():
    """Whole fields, keys of mappings, and fields the manifest does not have come from what is live."""
    live = resource({"purpose": "Old", "labels": {"a": "1", "b": "2"}, "proof": {"x": {}}})
    desired = resource({"purpose": "New", "labels": {"a": "9"}}, "purpose", "labels.b", "proof", "role/enabled")
    expected = {"purpose": "Old", "labels": {"a": "9", "b": "2"}, "proof": {"x": {}}}
    assert filled(desired, live).attributes == expected
    assert filled(desired, None) is desired


def test_a_change_below_a_kept_field_is_known():
    """A change is about a kept field when it is the field, something in it, or exactly its key."""
    desired = resource({}, "trust", "inline.legacy")
    kept = ("trust", "trust.Statement", "inline.legacy", "inline.legacy.Statement")
    assert [is_kept(desired, path) for path in kept] == [True] * 4
    assert [is_kept(desired, path) for path in ("inline.other", "inline.legacy2", "inline", "trusted")] == [False] * 4


def test_a_misspelt_field_is_an_error():
    """Keeping what no object has would protect nothing: the object is blocked."""
    [finding] = unfounded({AT: resource({"purpose": "x"}, "purpse")}, {AT: resource({"purpose": "x"})})
    assert (finding.level, finding.subject) == ("error", str(AT))
    assert "purpse" in finding.message


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


def test_a_kept_field_is_not_changed(shop):
    """What somebody writes into a kept field stays, and an update of another field carries it along."""
    shop.declare(nhi("api", keep=["purpose"])).converge()
    shop.sql("UPDATE identities SET purpose = 'By hand'")
    assert shop.pending() == []
    shop.declare(nhi("api", keep=["purpose"], service="other")).converge()
    assert shop.sql("SELECT purpose, service FROM identities") == [("By hand", "other")]


def test_what_proves_an_identity_can_be_kept(shop):
    """An identity whose proof the language cannot say is adopted as it is, and stays so."""
    shop.declare(nhi("web")).converge()
    shop.sql(
        "INSERT INTO identities (id, name, type, owner, purpose, service, proof)"
        """ VALUES ('x', 'api', 'workload', 'team', 'Serves the shop', 'shop', '{"odd":{"n":1}}')"""
    )
    api = nhi("api", identity={"existing": {}}, keep=["proof"])
    shop.declare(nhi("web"), api)
    assert [r.status for r in shop.apply(adopt=frozenset({"nhi/api"})).receipts] == ["applied"]
    assert shop.pending() == []
    assert shop.sql("SELECT proof FROM identities WHERE name = 'api'") == [('{"odd":{"n":1}}',)]


def test_nothing_can_be_kept_of_what_does_not_exist(shop):
    """Where nothing is live, a field that only `keep` names cannot be made up: the create is blocked."""
    shop.declare(nhi("api", identity={"existing": {}}, keep=["proof"]))
    plan = shop.plan()
    assert plan.changes == ()
    assert [(f.rule, f.level) for f in plan.findings] == [("kept", "error")]


def test_a_declared_field_is_created_all_the_same(shop):
    """A kept field that the manifest says, too, is made as it says."""
    shop.declare(nhi("api", keep=["purpose"])).converge()
    assert shop.sql("SELECT purpose FROM identities") == [("Serves the shop",)]


def test_drift_of_a_kept_field_is_told_and_can_be_accepted(shop):
    """Drift shows what others made of a kept field; adopting again records it, without a call to the provider."""
    shop.declare(nhi("api", keep=["purpose"])).converge()
    shop.sql("UPDATE identities SET purpose = 'By hand'")
    [drifted] = shop.drift().drifted
    assert drifted.kept == ("purpose",)
    [finding] = shop.plan().findings
    assert (finding.rule, finding.level) == ("kept", "warning")
    assert "keeps purpose, changed outside nhictl meanwhile" in finding.message
    before = shop.rows()
    [receipt] = shop.apply(adopt=frozenset({"nhi/api"})).receipts
    assert receipt.detail == "recorded only"
    assert shop.rows() == before
    assert shop.drift().drifted == ()
    assert shop.plan().findings == ()


def test_only_the_kept_key_of_a_mapping_counts_as_changed():
    """Another key is the manifest's own: what it makes of that is no change of what is kept."""
    desired = resource({"inline": {"legacy": "1", "own": "new"}}, "inline.legacy")
    known = Managed(AT, "nhi/api", "id", {"inline": {"legacy": "1", "own": "old"}}, Handling())
    live = Resource(AT, {}, native_id="id")
    assert list(outdated({AT: desired}, {AT: live}, {AT: known})) == []
    assert accepted(desired, known) == []
    other = resource({"inline": {"legacy": "2", "own": "new"}}, "inline.legacy")
    assert [f.message for f in outdated({AT: other}, {AT: live}, {AT: known})] == [
        "keeps inline.legacy, changed outside nhictl meanwhile"
    ]
    assert list(outdated({AT: other}, {}, {AT: known})) == []


def test_an_existing_identity_without_keep_is_invalid(shop):
    """Somebody must say which field proves the identity."""
    from nhictl.manifest.validate import validate

    shop.declare(nhi("api", identity={"existing": {}}))
    assert [d.code for d in validate(shop.root, today=shop.now.date()).diagnostics] == ["E566"]


def test_an_identity_that_is_switched_off_keeps_nothing_on(shop):
    """Off in the manifest and kept on is a contradiction; one that has ended is told."""
    from nhictl.manifest.validate import validate

    shop.declare(role("reader"), nhi("api", enabled=False, keep=["local/enabled"]))
    [found] = validate(shop.root, today=shop.now.date()).diagnostics
    assert (found.code, "it would stay on" in found.summary) == ("E567", True)
    shop.declare(role("reader"), nhi("api", lifecycle={"expires": "2020-01-01"}, keep=["enabled"]))
    assert {d.code for d in validate(shop.root, today=shop.now.date()).diagnostics} == {"W603", "W617"}


def test_a_plan_says_what_is_kept(shop):
    """A change of an object with kept fields names them."""
    from nhictl.render.plan_text import render
    from nhictl.render.text import Style

    shop.declare(role("reader"), nhi("api", keep=["purpose"]))
    assert "kept as it is: purpose" in render(shop.plan(), Style(width=120))
