"""One target's estate: what is realised there, typed and without variables."""

import datetime as dt
from pathlib import Path

import pytest

from nhictl.compile import compile_target
from nhictl.manifest import reader, workspace
from nhictl.manifest.check import check
from nhictl.manifest.validate import Checked
from nhictl.model import InvalidManifests, NhictlError

TODAY = dt.date(2026, 11, 22)
HEAD = "apiVersion: nhictl.dev/v1alpha1\nkind: "
WORKSPACE = (
    HEAD
    + """Workspace
metadata: {name: shop}
spec:
  environments:
    staging:
      targets: {directory: {provider: local, path: a.db}}
    prod:
      vars: {region: eu-central-1}
      targets:
        aws-a: {provider: aws, account: "111111111111"}
        aws-b: {provider: aws, account: "222222222222"}
        directory: {provider: local, path: b.db}
"""
)
MANIFESTS = "\n---\n".join(
    HEAD + text
    for text in (
        'Owner\nmetadata: {name: o}\nspec: {type: team, contact: {chat: "#o"}}',
        "Role\nmetadata: {name: cloud}\nspec: {owner: o, environments: [prod],"
        ' aws: {statements: {actions: ["s3:Get*"], resources: ["arn:aws:s3:::x-${env.account}-${vars.region}"]}}}',
        "Role\nmetadata: {name: only-b}\nspec: {owner: o, environments: [prod], target: aws-b, aws: {path: /b/}}",
        "Role\nmetadata: {name: files}\nspec: {owner: o, local: {permissions: [{actions: [a], resources: [b]}]}}",
        "Connection\nmetadata: {name: gh}\nspec: {owner: o, issuer: {githubActions: {organization: e}}, local: {}}",
        "NHI\nmetadata: {name: everywhere}\nspec: {type: workload, owner: o, purpose: '${nhi.name}',"
        " environments: [staging, prod], targets: [directory, aws-a],"
        " identity: {githubActions: {repository: e/x, environment: '${env.name}'}},"
        " grants: [{role: files, via: gh}, {role: cloud, environments: [prod]}]}",
        "NHI\nmetadata: {name: by-role}\nspec: {type: workload, owner: o, purpose: p, environments: [prod],"
        " protect: '${env.protected}', identity: {spiffe: {id: 'spiffe://a/b'}}, grants: [{role: only-b}]}",
    )
)


def checked(text=MANIFESTS):
    documents, wrong = reader.parse(text.encode(), "a.yaml")
    found, problems = workspace.parse(WORKSPACE.encode(), Path())
    assert not wrong
    assert not problems
    return Checked(found, tuple(documents), tuple(check(documents, found, TODAY)), "", 1)


def estate(environment, target, text=MANIFESTS):
    return compile_target(checked(text), environment, target, today=TODAY, names={}, previous={})


@pytest.mark.parametrize(
    ("environment", "target", "nhis", "roles", "connections"),
    [
        ("staging", "directory", ["everywhere"], ["files"], ["gh"]),
        ("prod", "directory", ["everywhere"], ["files"], ["gh"]),
        ("prod", "aws-a", ["everywhere"], ["cloud"], []),
        ("prod", "aws-b", ["by-role"], ["cloud", "only-b"], []),
    ],
)
def test_each_target_has_what_is_realised_there(environment, target, nhis, roles, connections):
    """NHIs by listed targets and by roles, roles and connections by provider block and target."""
    found = estate(environment, target)
    assert ([n.meta.name for n in found.nhis], sorted(found.roles), sorted(found.connections)) == (
        nhis,
        roles,
        connections,
    )
    assert found.owner == f"shop/{environment}"


def test_variables_mean_what_they_mean_in_this_target():
    """The same role names each account's own bucket; an NHI each environment's own name."""

    def resource(target):
        return estate("prod", target).roles["cloud"].block["statements"]["resources"]

    assert resource("aws-a") == ["arn:aws:s3:::x-111111111111-eu-central-1"]
    assert resource("aws-b") == ["arn:aws:s3:::x-222222222222-eu-central-1"]
    assert estate("staging", "directory").nhis[0].identity["environment"] == "staging"
    assert estate("prod", "directory").nhis[0].purpose == "everywhere"


def test_typed_variable_becomes_a_typed_value():
    """A truth value made by a variable protects, or not, like one that is written."""
    assert estate("prod", "aws-b").nhis[0].handling.protect is False


def test_nothing_is_compiled_from_a_workspace_with_errors():
    """One error anywhere stops compilation."""
    with pytest.raises(InvalidManifests):
        estate("staging", "directory", MANIFESTS.replace("owner: o", "owner: nobody", 1))


@pytest.mark.parametrize(("environment", "target", "near"), [("prd", "aws-a", "prod"), ("prod", "aws-c", "aws-")])
def test_unknown_place_names_the_closest(environment, target, near):
    """A misspelt environment or target is an error with a near miss."""
    with pytest.raises(NhictlError) as error:
        estate(environment, target)
    assert near in error.value.hint
