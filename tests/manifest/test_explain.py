"""`explain` answers from the schemas and the code registry, and names the closest topics when it cannot."""

import pytest

from nhictl.codes import CODES
from nhictl.manifest.explain import Field, explain, fields
from nhictl.manifest.schema_files import KINDS
from nhictl.model import NhictlError


def test_field_of_a_list_item():
    """A path goes through lists, and `spec` may be left out."""
    found = explain("nhi.grants.role")
    assert isinstance(found, Field)
    assert (found.path, found.required, found.variables) == ("NHI.spec.grants.role", True, True)
    assert found.examples == ("payments-deployer",)


def test_field_says_default_and_choices():
    """Possible values and the default are shown as they are written."""
    found = explain("NHI.spec.lifecycle.onRemove")
    assert (found.default, found.choices) == ("disable", ("disable", "delete", "retain"))


def test_kind_lists_its_children_and_unions():
    """A kind shows its fields; a union shows which blocks exclude each other."""
    assert [c.name for c in explain("Owner").children] == ["apiVersion", "kind", "metadata", "spec"]
    assert "githubActions" in explain("NHI.spec.identity").one_of
    assert explain("Role.spec").one_of == ("local", "aws", "vault", "keycloak", "postgres")


def test_a_kind_shows_the_fields_of_its_spec():
    """Once; a field below does not."""
    assert {"owner", "grants", "identity"} <= {c.name for c in explain("NHI").spec}
    assert explain("NHI.spec").spec == ()


def test_target_shows_the_settings_of_every_provider():
    """A target's children are the settings of all providers."""
    names = {c.name for c in explain("Workspace.environments.targets").children}
    assert {"provider", "path", "account", "assumeRole"} <= names


def test_code_is_its_row():
    """A code is explained by its row, in any case."""
    assert explain("e201") is CODES["E201"]


@pytest.mark.parametrize(
    ("topic", "near"),
    [
        ("Roll", "`Role`"),
        ("NHI.spec.grant", "`NHI.spec.grants`"),
        ("E2011", "`E201`"),
        ("NHI.metadata.lables", "labels`"),
        ("NHI.grnts", "`NHI.spec.grants`"),
        ("exist", "`exists`"),
    ],
)
def test_unknown_topic_names_the_closest(topic, near):
    """A near miss is offered for kinds, fields and codes."""
    with pytest.raises(NhictlError) as error:
        explain(topic)
    assert near in error.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_explained(kind):
    """Each field found below a kind has a description and a type."""
    found = list(fields(kind))
    assert len(found) > 10
    assert all(f.description and f.type != "value" for f in found), [f.path for f in found if f.type == "value"]
