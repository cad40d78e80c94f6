"""What a bulk read tells about an account, and what it makes of replies nobody expected."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Address, Fault, ProviderError
from nhictl.providers.aws.adapter import AwsAdapter
from nhictl.providers.base import Scope
from tests.providers.aws.wire import Wire, reply

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
POLICY = Address("aws-test", "iam-policy", "p")
POLICIES = Scope(frozenset({"iam-policy"}))


@pytest.fixture()
def held(iam: Any) -> str:
    """A policy that a role of ours, a foreign user and a group hold, and that bounds a foreign role."""
    arn = str(iam.create_policy(PolicyName="p", PolicyDocument=ALLOW)["Policy"]["Arn"])
    iam.create_role(
        RoleName="ours", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "nhictl:owner", "Value": "w/e"}]
    )  # fmt: skip
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
    iam.create_user(UserName="theirs")
    iam.create_group(GroupName="people")
    iam.attach_role_policy(RoleName="ours", PolicyArn=arn)
    iam.attach_user_policy(UserName="theirs", PolicyArn=arn)
    iam.attach_group_policy(GroupName="people", PolicyArn=arn)
    return arn


def test_a_policy_names_its_holders_and_whose_they_are(
    held: str, adapter: AwsAdapter, target: Target, wire: Wire
) -> None:
    """Read again it still names them; no call is made for that, and nothing but policies is yielded."""
    with adapter.connect(target, write=False) as session:
        (bulk,) = session.read(POLICIES)
        again = session.reread([POLICY])[POLICY]
    assert bulk.facts["holders"] == again.facts["holders"]
    assert bulk.facts["holders"] == {
        "iam-group/people": "", "iam-role/bounded (boundary)": "", "iam-role/ours": "w/e", "iam-user/theirs": "",
    }  # fmt: skip
    assert again.mark_known
    assert wire.operations[1:] == ["GetAccountAuthorizationDetails", "GetPolicy", "GetPolicyVersion"]


@pytest.mark.parametrize("field", ["PolicyName", "PolicyId", "Path", "Arn"])
def test_a_reply_without_a_field_is_an_error_of_the_provider(
    field: str, held: str, adapter: AwsAdapter, target: Target, wire: Wire
) -> None:
    """Operation and field are named; it is no traceback and no shorter list."""

    def fault(operation: str, request: Any, send: Any) -> Any:
        found = send(request)
        if operation not in ("GetAccountAuthorizationDetails", "GetPolicy"):
            return found
        head, mark, tail = found.text.partition("<Policies>" if "<Policies>" in found.text else "<Policy>")
        return reply(request, 200, head + mark + re.sub(f"<{field}>[^<]*</{field}>", "", tail))

    with wire.faulty(fault), adapter.connect(target, write=False) as session:
        with pytest.raises(ProviderError) as bulk:
            list(session.read(POLICIES))
        assert (bulk.value.fault, bulk.value.message) == (
            Fault.INVALID, f"unexpected reply of iam:GetAccountAuthorizationDetails: no {field}",
        )  # fmt: skip
        with pytest.raises(ProviderError) as single:
            session.reread([POLICY])
        assert single.value.fault is Fault.INVALID


def test_a_document_that_is_none_is_an_error_of_the_provider(
    held: str, adapter: AwsAdapter, target: Target, wire: Wire
) -> None:
    """Text that is no JSON does not go on, not even into the message."""

    def fault(operation: str, request: Any, send: Any) -> Any:
        found = send(request)
        if operation != "GetAccountAuthorizationDetails":
            return found
        return reply(request, 200, re.sub("<Document>[^<]*</Document>", "<Document>canary</Document>", found.text))

    with wire.faulty(fault), adapter.connect(target, write=False) as session, pytest.raises(ProviderError) as bulk:
        list(session.read(POLICIES))
    assert bulk.value.message.startswith("unexpected reply of iam:GetAccountAuthorizationDetails: ")
    assert "canary" not in bulk.value.message
