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
from tests.providers.aws.wire import Wire, refusal, reply

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


EVERYTHING = Scope(details=True)


def users(iam: Any, count: int) -> None:
    """Make users with an access key each, the first with a password too."""
    for n in range(count):
        iam.create_user(UserName=f"u{n:03}")
        iam.create_access_key(UserName=f"u{n:03}")
    iam.create_login_profile(UserName="u000", Password="Long-Enough-1")


def test_details_of_all_users_cost_the_same_calls_for_a_hundred_as_for_one(
    iam: Any, adapter: AwsAdapter, target: Target, wire: Wire
) -> None:
    """The credential report: asked for until it is there, then read once; no call for each user."""
    users(iam, 100)
    wire.operations.clear()
    with adapter.connect(target, write=False) as session:
        found = {r.address.name: r for r in session.read(EVERYTHING) if r.address.kind == "iam-user"}
    report = [o for o in wire.operations if "CredentialReport" in o]
    assert report == ["GenerateCredentialReport", "GenerateCredentialReport", "GetCredentialReport"]
    assert wire.changes() == []
    assert not {"ListAccessKeys", "GetAccessKeyLastUsed"} & set(wire.operations)
    assert len(found) == 100
    key, password = found["u000"].facts["credentials"]
    assert (key["kind"], key["id"], key["status"], key["last_used"], key["expires"]) == (
        "access-key", "access_key_1", "active", "", "",
    )  # fmt: skip
    assert (password["kind"], password["last_used"]) == ("password", "")
    assert [c["kind"] for c in found["u001"].facts["credentials"]] == ["access-key"]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("GenerateCredentialReport", "AccessDenied"),
        ("GetCredentialReport", "AccessDenied"),
        ("GenerateCredentialReport", "LimitExceeded"),
        ("GetCredentialReport", "ReportExpired"),
    ],
)
def test_users_are_asked_one_by_one_where_the_report_is_refused(
    operation: str, code: str, iam: Any, adapter: AwsAdapter, target: Target, wire: Wire
) -> None:
    """One call for each user and one for each key; no keys found says nothing about other credentials."""
    users(iam, 3)
    iam.create_user(UserName="bare")
    wire.operations.clear()

    def fault(asked: str, request: Any, send: Any) -> Any:
        return refusal(request, 403, code) if asked == operation else send(request)

    with wire.faulty(fault), adapter.connect(target, write=False) as session:
        found = {r.address.name: r for r in session.read(EVERYTHING) if r.address.kind == "iam-user"}
    assert wire.operations.count("ListAccessKeys") == 4
    assert wire.operations.count("GetAccessKeyLastUsed") == 3
    assert [c["id"][:4] for c in found["u000"].facts["credentials"]] == ["AKIA"]
    assert "credentials" not in found["bare"].facts


def test_a_role_tells_its_last_use(iam: Any, adapter: AwsAdapter, target: Target) -> None:
    """AWS knows of no use and looks back 400 days; what only AWS may change says what it is."""
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    with adapter.connect(target, write=False) as session:
        found = {r.address.name: r for r in session.read(Scope(frozenset({"iam-role"})))}
    role = found.pop("r")
    assert (role.facts["last_used"], role.facts["tracked_days"]) == ("", 400)
    assert "builtin" not in role.facts
    assert [r.facts["builtin"] for r in found.values()] == ["service-linked role"]


def test_a_report_that_takes_too_long_is_not_waited_for(
    iam: Any, adapter: AwsAdapter, target: Target, wire: Wire
) -> None:
    """A bounded number of questions; then users are asked one by one."""
    users(iam, 1)
    wire.operations.clear()

    def fault(asked: str, request: Any, send: Any) -> Any:
        found = send(request)
        if asked != "GenerateCredentialReport":
            return found
        return reply(request, 200, re.sub("<State>[^<]*</State>", "<State>INPROGRESS</State>", found.text))

    with wire.faulty(fault), adapter.connect(target, write=False) as session:
        (found,) = [r for r in session.read(EVERYTHING) if r.address.kind == "iam-user"]
    assert wire.operations.count("GenerateCredentialReport") == 20
    assert len(found.facts["credentials"]) == 1


def test_a_report_that_is_none_is_an_error_of_the_provider(
    iam: Any, adapter: AwsAdapter, target: Target, wire: Wire
) -> None:
    """Times that are none are not guessed, and the reply's text does not go on."""
    import base64

    users(iam, 1)
    lines = "arn,access_key_1_active,access_key_1_last_rotated\narn:aws:iam::123456789012:user/u000,true,canary\n"
    content = base64.b64encode(lines.encode()).decode()

    def fault(asked: str, request: Any, send: Any) -> Any:
        found = send(request)
        if asked != "GetCredentialReport":
            return found
        return reply(request, 200, re.sub("<Content>[^<]*</Content>", f"<Content>{content}</Content>", found.text))

    with wire.faulty(fault), adapter.connect(target, write=False) as session, pytest.raises(ProviderError) as bad:
        list(session.read(EVERYTHING))
    assert bad.value.message == "unexpected reply of iam:GetCredentialReport: ValueError"
