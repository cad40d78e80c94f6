"""Any legal role, user or policy of AWS is imported so that adopting changes nothing but tags."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhictl.providers.aws import convert
from nhictl.providers.aws.adapter import adapter
from nhictl.providers.aws.names import Account
from tests.importing.purely import whole_way
from tests.importing.suite import workspace
from tests.servers.aws import ACCOUNT

HERE = Account("estate", ACCOUNT)
GITHUB = "token.actions.githubusercontent.com"
EKS = "oidc.eks.eu-central-1.amazonaws.com/id/ABC"
TARGET = {"provider": "aws", "account": ACCOUNT, "region": "eu-central-1"}


def either(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One text, or a list of them."""
    return st.one_of(strategy, st.lists(strategy, min_size=1, max_size=3))


actions = st.sampled_from(["*", "s3:GetObject", "s3:Get*", "iam:PassRole", "*:*", "ec2:?escribe*"])
resources = st.sampled_from(
    ["*", "arn:aws:s3:::shop/*", "arn:aws:s3:::shop/${aws:username}/x", "arn:*", "arn:aws:s3:::a b"]
)
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "Bool", "ForAnyValue:StringLike", "NumericLessThan", "DateGreaterThan"]),
    st.dictionaries(
        st.sampled_from(["aws:SourceVpc", "aws:SecureTransport", "s3:max-keys", "aws:RequestTag/a b"]),
        either(st.sampled_from(["vpc-1", "true", "10", "2026-01-01T00:00:00Z", "", "é", "${aws:username}"])),
        max_size=2,
    ),
    max_size=2,
)  # fmt: skip
statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny", "allow"])},
    optional={
        "Sid": st.sampled_from(["", "Read", "with space", "x" * 120]),
        "Action": either(actions), "NotAction": either(actions),
        "Resource": either(resources), "NotResource": either(resources),
        "Condition": conditions, "Unknown": st.sampled_from(["x", {"y": [1, True]}]),
    },
)  # fmt: skip
documents = st.fixed_dictionaries(
    {"Statement": st.one_of(statements, st.lists(statements, max_size=3))},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"]), "Id": st.just("odd")},
)
subjects = st.sampled_from(
    [
        "repo:example/shop:ref:refs/heads/main", "repo:example/shop:environment:no", "repo:example/shop:pull_request",
        "repo:other/x:ref:refs/tags/v1", "repo:example/*", "system:serviceaccount:shop:api", "plain",
        "repo:example/shop:ref:odd",
    ]
)  # fmt: skip
principals = st.one_of(
    st.just("*"),
    st.fixed_dictionaries({"AWS": either(st.sampled_from([
        "*", "333333333333", f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:role/other",
        "arn:aws:iam::444444444444:user/x", "AROAEXAMPLEEXAMPLEEX", "arn:aws:sts::333333333333:assumed-role/a/b",
    ]))}),
    st.fixed_dictionaries({"Service": either(st.sampled_from(["ec2.amazonaws.com", "lambda.amazonaws.com"]))}),
    st.fixed_dictionaries({"Federated": st.sampled_from([
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}", f"arn:aws:iam::{ACCOUNT}:oidc-provider/{EKS}",
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com", f"arn:aws:iam::{ACCOUNT}:saml-provider/Sso",
        "cognito-identity.amazonaws.com",
    ])}),
    st.fixed_dictionaries({"CanonicalUser": st.just("79a59df900b949e55d96a1e698fbaced")}),
)  # fmt: skip


@st.composite
def trust_statements(draw: Any) -> dict[str, Any]:
    """One statement of a trust: usual ones often, anything sometimes."""
    who = draw(principals)
    federated = who.get("Federated", "") if isinstance(who, dict) else ""
    name = federated.partition("oidc-provider/")[2]
    usual = "sts:AssumeRoleWithWebIdentity" if name else "sts:AssumeRoleWithSAML" if federated else "sts:AssumeRole"
    said: dict[str, Any] = {
        "Effect": "Allow",
        "Action": draw(st.sampled_from([usual, [usual, "sts:TagSession"], "sts:*"])),
    }
    said[draw(st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]))] = who
    keys: dict[str, Any] = {}
    if name:
        keys = {f"{name}:aud": "sts.amazonaws.com", f"{name}:sub": draw(either(subjects))}
    elif federated:
        keys = {"SAML:aud": "https://signin.aws.amazon.com/saml", "SAML:sub": "someone"}
    else:
        keys = draw(st.sampled_from([{}, {"sts:ExternalId": "agreed-1"}, {"aws:SourceAccount": ACCOUNT}]))
    operator = draw(st.sampled_from(["StringEquals", "StringEquals", "StringLike"]))
    return said | ({"Condition": {operator: keys}} if keys else {})


version = st.just("2012-10-17")
trusts = st.one_of(
    st.fixed_dictionaries({"Version": version, "Statement": st.lists(trust_statements(), min_size=1, max_size=1)}),
    st.fixed_dictionaries({"Version": version, "Statement": st.lists(trust_statements(), max_size=3)}),
    documents,
)
KNOWN = f"arn:aws:iam::{ACCOUNT}:policy/team/Known"
names = st.text("abzAZ019_+=,.@-", min_size=1, max_size=64)
paths = st.sampled_from(["/", "/", "/service/", "/a/b.c/", "/odd!path/", "/x%20y/"])
texts = st.one_of(
    st.just(""), st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40), st.just("${env.name}")
)
policies = st.lists(
    st.sampled_from(["arn:aws:iam::aws:policy/ReadOnlyAccess", KNOWN, "arn:aws:iam::aws:policy/job-function/Billing"]),
    max_size=3, unique=True,
)  # fmt: skip
inline = st.dictionaries(names, documents, max_size=3)
tags = st.dictionaries(
    st.sampled_from(["owner", "a b", "cost", "äö", "secret"]), st.sampled_from(["team", "x", "", "${x}"]), max_size=3
)


def _common(draw: Any, noun: str, name: str) -> dict[str, Any]:
    path = draw(paths)
    boundary = draw(st.sampled_from(["", "", "arn:aws:iam::aws:policy/ReadOnlyAccess", KNOWN]))
    return {
        "Path": path, f"{noun}Name": name, "Arn": f"arn:aws:iam::{ACCOUNT}:{noun.lower()}{path}{name}",
        "AttachedManagedPolicies": [{"PolicyArn": arn} for arn in draw(policies)],
        f"{noun}PolicyList": [{"PolicyName": k, "PolicyDocument": v} for k, v in draw(inline).items()],
        "Tags": [{"Key": k, "Value": v} for k, v in draw(tags).items()],
        **({"PermissionsBoundary": {"PermissionsBoundaryArn": boundary}} if boundary else {}),
    }  # fmt: skip


@st.composite
def roles(draw: Any, number: int) -> Any:
    """A live role."""
    name = f"{draw(names)[:60]}{number}"
    return convert.role(HERE, _common(draw, "Role", name) | {
        "RoleId": f"AROA{number:016}", "AssumeRolePolicyDocument": draw(trusts),
        "Description": draw(texts), "MaxSessionDuration": draw(st.sampled_from([3600, 7200, 43200, 3661, 3660])),
    })  # fmt: skip


@st.composite
def users(draw: Any, number: int) -> Any:
    """A live user."""
    data = _common(draw, "User", f"u{draw(names)[:60]}{number}")
    return convert.user(
        HERE, data | {"UserId": f"AIDA{number:016}", "GroupList": draw(st.sampled_from([[], ["admins"]]))}
    )


@st.composite
def accounts(draw: Any) -> list[Any]:
    """What lives in an account: some roles and users, a policy, the providers."""
    known = {
        "PolicyName": "Known",
        "Path": "/team/",
        "PolicyId": "ANPA1",
        "Arn": KNOWN,
    }
    oidc = [
        convert.oidc(
            HERE, f"arn:aws:iam::{ACCOUNT}:oidc-provider/{n}", {"Url": n, "ClientIDList": ["sts.amazonaws.com"]}
        )
        for n in draw(st.lists(st.sampled_from([GITHUB, EKS, "gitlab.com", "sso.example.com/x"]), unique=True))
    ]
    saml = convert.saml(HERE, f"arn:aws:iam::{ACCOUNT}:saml-provider/Sso", {"SAMLMetadataDocument": "<xml/>"})
    return [
        *[draw(roles(number)) for number in range(draw(st.integers(1, 3)))],
        draw(users(9)),
        convert.policy(HERE, known | {"Description": draw(texts), "Tags": []}, draw(documents)),
        *oidc,
        saml,
    ]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A workspace for the account."""
    made = tmp_path_factory.mktemp("any")
    workspace(made, TARGET)
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(live=accounts())
def test_any_account_imports_adopts_and_plans_empty(root, live):
    """Whatever is legal is accepted: adopting changes marks alone, after it nothing is to be done."""
    found = whole_way(root, adapter, live)
    assert found.refused == ()
    covered = {address for manifest in found.manifests for address in manifest.addresses}
    assert covered == {r.address for r in live}


def _role(root, **more):
    data = {
        "Path": "/", "RoleName": "job", "Arn": f"arn:aws:iam::{ACCOUNT}:role/job", "RoleId": "AROA1",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}},
        **more,
    }  # fmt: skip
    [manifest] = [m for m in whole_way(root, adapter, [convert.role(HERE, data)]).manifests if m.ref.startswith("nhi/")]
    return manifest.text


def test_a_role_without_description_keeps_having_none(root):
    """The purpose that a manifest needs does not become a description."""
    text = _role(root)
    assert "keep: [description]" in text
    assert "awsService: {service: ec2.amazonaws.com}" in text


def test_provider_defaults_are_left_out(root):
    """The usual path, session length and an empty boundary are not written down."""
    text = _role(root, Description="Runs jobs", MaxSessionDuration=3600)
    assert "keep" not in text
    assert "grants" not in text
    assert "nativeName" not in text


def test_a_trust_nobody_can_say_is_kept_and_shown(root):
    """A wildcard stays as it is, and the comment says who may come in."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    text = _role(root, AssumeRolePolicyDocument=trust, Description="x")
    assert "identity: {existing: {}}" in text
    assert "# - trust stays as it is: " in text
    assert "May be assumed by *." in text


def test_an_inline_policy_nobody_can_say_is_kept_and_shown(root):
    """An unknown element of a statement is not lost: the policy is kept by its name."""
    odd = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Odd": 1}]}
    text = _role(root, Description="x", RolePolicyList=[{"PolicyName": "My.Policy", "PolicyDocument": json.dumps(odd)}])
    assert "keep: [inline.My.Policy]" in text
    assert '"Odd": 1' in text
