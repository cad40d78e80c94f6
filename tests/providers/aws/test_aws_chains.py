"""What chains need of AWS: groups, sources of boundaries and trusts, and names of principals; from a live account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nhictl.chains import At, Question, World, who_can
from nhictl.kinds.workspace import Target
from nhictl.model import Address, Resource
from nhictl.providers.aws.access import permissions
from nhictl.providers.aws.adapter import AwsAdapter
from nhictl.providers.base import Impersonating, Scope
from tests.providers.aws.test_aws_access import POLICY, ROLE, document, role

GET = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def text(*statements: dict[str, Any]) -> str:
    """Return a policy document as the API takes it."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture()
def account(iam: Any) -> None:
    """A user who has a policy by a group, and two roles: the user may take the first, which may take the second."""
    arn = iam.create_policy(PolicyName="read", PolicyDocument=text(GET))["Policy"]["Arn"]
    user = iam.create_user(UserName="ann")["User"]["Arn"]
    iam.create_group(GroupName="people")
    iam.attach_group_policy(GroupName="people", PolicyArn=arn)
    iam.add_user_to_group(GroupName="people", UserName="ann")
    for name, who in (("first", user), ("second", user.replace("user/ann", "role/first"))):
        trust = text({"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="second", PolicyName="i", PolicyDocument=text({**GET, "Action": "s3:PutObject"}))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:GetObject", {
            "iam-user/ann": "iam-user/ann -> iam-group/people -> iam-policy/read",
        }),
        ("s3:PutObject", {
            "iam-role/second": "iam-role/second",
            "iam-role/first": "iam-role/first -> iam-role/second",
            "iam-user/ann": "iam-user/ann -> iam-role/first -> iam-role/second",
        }),
    ],
)  # fmt: skip
def test_access_of_a_live_account(
    account: None, adapter: AwsAdapter, target: Target, action: str, expected: dict[str, str]
):
    """Through a group, and by taking one role after the other."""
    with adapter.connect(target, write=False) as session:
        world = World.of([At(target, adapter)], session.read(Scope()))
    told = {
        holder.name: " -> ".join(link.name for link in holder.given[0].chain)
        for holder in who_can(world, Question(action, "arn:aws:s3:::b/x")).holders
    }
    assert {n.removeprefix("aws-test/"): c.replace("aws-test/", "") for n, c in told.items()} == expected


def test_groups_are_read_when_everything_is(account: None, adapter: AwsAdapter, target: Target):
    """A plan does not ask for them."""
    with adapter.connect(target, write=False) as session:
        everything = {r.address.kind for r in session.read(Scope())}
        planned = {r.address.kind for r in session.read(Scope(frozenset({"iam-user", "iam-role", "iam-policy"})))}
    assert everything - planned == {"iam-group"}


def test_what_a_policy_gives_by_itself() -> None:
    """Without any holder."""
    found = Resource(POLICY, {"path": "/", "document": document(GET)})
    assert [(p.action, p.source) for p in permissions(found, {})] == [("s3:GetObject", "t/iam-policy/p")]


def test_a_boundary_and_a_trust_say_where_they_come_from() -> None:
    """The policy that bounds when it is known; the identity provider that proves."""
    arn = "arn:aws:iam::123456789012:policy/p"
    provider = "arn:aws:iam::123456789012:oidc-provider/sso.example.com/realms/x"
    trust = document(
        {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"},
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    )
    known = {POLICY: Resource(POLICY, {"path": "/", "document": document(GET)})}
    sources = {p.resource: p.source for p in permissions(role(boundary=arn, trust=trust), known)}
    assert sources == {
        "*": "t/iam-policy/p", f"Federated:{provider}": "t/oidc-provider/sso.example.com/realms/x",
        "Service:ec2.amazonaws.com": str(ROLE),
    }  # fmt: skip
    assert [p.source for p in permissions(role(boundary=arn), {})] == [str(ROLE)]


def test_negations_stay_one_and_their_commas_stay_theirs() -> None:
    """Excluding two principals is no two exclusions."""
    trust = document({"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:b", "arn:a"]}, "Action": "sts:AssumeRole"})
    inline = {"i": document({"Effect": "Allow", "Action": "s3:*", "NotResource": ["a,b", "c"]})}
    found = {p.resource for p in permissions(role(trust=trust, inline=inline), {})}
    assert found == {"not:AWS:arn:a,AWS:arn:b", "not:a\\,b,c"}


def test_how_trusts_name_a_principal(adapter: AwsAdapter, target: Target):
    """By ARN with its path, by unique id, as part of its account; a user's boundary does not bind a trust."""
    assert isinstance(adapter, Impersonating)
    one = adapter.entrance(Resource(Address("t", "iam-user", "u"), {"path": "/p/"}, native_id="AIDA1"), target)
    account = target.settings["account"]
    assert {f"AWS:arn:aws:iam::{account}:user/p/u", "AWS:AIDA1"} <= set(one.names)
    assert (one.wide, one.bounded) == ((f"AWS:arn:aws:iam::{account}:root",), False)
    assert adapter.entrance(role(), target).bounded
