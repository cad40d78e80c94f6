"""The strict layer refuses what AWS refuses, counts what is called, and makes the faults it is asked for."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.servers.strict import Fault, Strict, throttle, unsettled

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


def trust(*arns: str) -> str:
    """Return a trust policy for AWS principals."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(arns)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def padded(size: int) -> str:
    """Return a policy of exactly `size` characters without white space."""
    statement = {**POLICY["Statement"][0], "Sid": ""}  # type: ignore[index]
    empty = json.dumps({**POLICY, "Statement": [statement]}, separators=(",", ":"))
    return empty.replace('"Sid":""', f'"Sid":"{"x" * (size - len(empty))}"')


@pytest.fixture()
def iam(aws_env: Mapping[str, str]) -> Any:
    """An IAM client that sends each call once."""
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    return boto3.client("iam", config=Config(retries={"total_max_attempts": 1}, read_timeout=10))


def refusal(call: Callable[..., Any], **params: Any) -> str:
    """Return the error code of a call that must fail."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as refused:
        call(**params)
    return str(refused.value.response["Error"]["Code"])


def test_a_policy_in_use_is_not_deleted(iam: Any, aws_account: str) -> None:
    """Attached, as a boundary, or with old versions: `DeleteConflict`."""
    arns = [
        iam.create_policy(PolicyName=n, PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"] for n in ("a", "b", "c")
    ]
    root = trust(f"arn:aws:iam::{aws_account}:root")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=root, PermissionsBoundary=arns[1])
    iam.attach_role_policy(RoleName="r", PolicyArn=arns[0])
    iam.create_policy_version(PolicyArn=arns[2], PolicyDocument=json.dumps(POLICY), SetAsDefault=True)
    assert [refusal(iam.delete_policy, PolicyArn=arn) for arn in arns] == ["DeleteConflict"] * 3
    iam.detach_role_policy(RoleName="r", PolicyArn=arns[0])
    iam.delete_policy(PolicyArn=arns[0])


def test_a_user_with_keys_policies_or_groups_is_not_deleted(iam: Any) -> None:
    """Everything that belongs to a user goes first."""
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    assert refusal(iam.delete_user, UserName="u") == "DeleteConflict"
    iam.delete_access_key(UserName="u", AccessKeyId=key)
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="u")
    assert refusal(iam.delete_user, UserName="u") == "DeleteConflict"
    iam.remove_user_from_group(GroupName="g", UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(POLICY))
    assert refusal(iam.delete_user, UserName="u") == "DeleteConflict"
    iam.delete_user_policy(UserName="u", PolicyName="p")
    iam.delete_user(UserName="u")


def test_a_role_with_policies_or_profiles_is_not_deleted(iam: Any, aws_account: str) -> None:
    """Inline policies and instance profiles go first."""
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(aws_account))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(POLICY))
    assert refusal(iam.delete_role, RoleName="r") == "DeleteConflict"
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.create_instance_profile(InstanceProfileName="i")
    iam.add_role_to_instance_profile(InstanceProfileName="i", RoleName="r")
    assert refusal(iam.delete_role, RoleName="r") == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName="i", RoleName="r")
    iam.delete_role(RoleName="r")


def test_size_limits_count_without_white_space(iam: Any, aws_account: str) -> None:
    """The last size that fits is taken, the next one is not; inline policies count together."""
    iam.create_policy(PolicyName="fits", PolicyDocument=padded(6144).replace(",", ",  "))
    assert refusal(iam.create_policy, PolicyName="big", PolicyDocument=padded(6145)) == "LimitExceeded"
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="a", PolicyDocument=padded(1024))
    iam.put_user_policy(UserName="u", PolicyName="b", PolicyDocument=padded(1024))
    big = {"UserName": "u", "PolicyName": "c", "PolicyDocument": padded(200)}
    assert refusal(iam.put_user_policy, **big) == "LimitExceeded"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(aws_account))
    iam.put_role_policy(RoleName="r", PolicyName="a", PolicyDocument=padded(10240))
    long = trust(*[f"{account:012}" for account in range(200)])
    assert refusal(iam.create_role, RoleName="long", AssumeRolePolicyDocument=long) == "LimitExceeded"


def test_a_policy_has_five_versions_and_a_user_two_keys(iam: Any) -> None:
    """One more is refused."""
    arn = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(POLICY))
    version = {"PolicyArn": arn, "PolicyDocument": json.dumps(POLICY)}
    assert refusal(iam.create_policy_version, **version) == "LimitExceeded"
    iam.create_user(UserName="u")
    iam.create_access_key(UserName="u")
    iam.create_access_key(UserName="u")
    assert refusal(iam.create_access_key, UserName="u") == "LimitExceeded"


def test_an_inactive_key_opens_nothing(iam: Any) -> None:
    """A key that was switched off is refused until it is switched on."""
    boto3 = pytest.importorskip("boto3")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    pair = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    sts = boto3.client("sts", **pair)
    assert sts.get_caller_identity()["Account"]
    iam.update_access_key(UserName="u", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refusal(sts.get_caller_identity) == "InvalidClientTokenId"
    iam.update_access_key(UserName="u", AccessKeyId=key["AccessKeyId"], Status="Active")
    assert sts.get_caller_identity()["Account"]


def test_a_trust_names_principals_that_exist(iam: Any, aws_account: str) -> None:
    """An unknown role is an invalid principal; it is a valid one once it is there."""
    arn = f"arn:aws:iam::{aws_account}:role/deployer"
    role = {"RoleName": "r", "AssumeRolePolicyDocument": trust(arn)}
    assert refusal(iam.create_role, **role) == "MalformedPolicyDocument"
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust(aws_account))
    iam.create_role(**role)
    statement = {"RoleName": "r", "PolicyDocument": json.dumps(POLICY)}
    assert refusal(iam.update_assume_role_policy, **statement) == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("MaxSessionDuration", 43201, "ValidationError"),
        ("Description", "x" * 1001, "ValidationError"),
        ("Description", "snow \u2603", "ValidationError"),
        ("Tags", [{"Key": "k", "Value": "a*b"}], "ValidationError"),
        ("Tags", [{"Key": "k", "Value": "x" * 257}], "ValidationError"),
        ("Tags", [{"Key": "aws:x", "Value": "v"}], "InvalidInput"),
        ("Tags", [{"Key": f"k{i}", "Value": "v"} for i in range(51)], "LimitExceeded"),
        ("Path", "/no-end", "ValidationError"),
    ],
)
def test_fields_out_of_range_are_refused(iam: Any, aws_account: str, field: str, value: Any, code: str) -> None:
    """AWS's documented limits hold."""
    role = {"RoleName": "r", "AssumeRolePolicyDocument": trust(aws_account), field: value}
    assert refusal(iam.create_role, **role) == code


def test_calls_are_counted_by_action(iam: Any, strict: Strict) -> None:
    """The counters tell reading from changing, also over HTTP."""
    iam.create_user(UserName="u")
    iam.list_users()
    iam.list_users()
    assert (strict.calls, strict.changes) == ({"CreateUser": 1, "ListUsers": 2}, {"CreateUser": 1})
    connection = http.client.HTTPConnection("127.0.0.1", strict.port)
    connection.request("GET", "/__strict/calls")
    assert json.loads(connection.getresponse().read())["calls"] == {"CreateUser": 1, "ListUsers": 2}
    connection.close()


def test_a_lost_reply_took_effect_and_a_dropped_call_did_not(iam: Any, strict: Strict) -> None:
    """Both look the same from here."""
    from botocore.exceptions import HTTPClientError

    with strict.fault(Fault("lose", "CreateUser")), pytest.raises(HTTPClientError):
        iam.create_user(UserName="lost")
    with strict.fault(Fault("drop", "CreateUser")), pytest.raises(HTTPClientError):
        iam.create_user(UserName="dropped")
    assert [u["UserName"] for u in iam.list_users()["Users"]] == ["lost"]


def test_throttles_failures_and_delays(iam: Any, strict: Strict) -> None:
    """A fault strikes as often as it was asked for, and then no more."""
    with strict.fault(throttle(1, action="CreateUser"), Fault("fail", "CreateUser", skip=0)):
        assert refusal(iam.create_user, UserName="a") == "Throttling"
        assert refusal(iam.create_user, UserName="a") == "ServiceFailure"
        assert refusal(iam.create_user, UserName="a") == "EntityAlreadyExists"
    with strict.fault(unsettled(action="CreateUser")):
        assert refusal(iam.create_user, UserName="b") == "MalformedPolicyDocument"
    before = time.monotonic()
    with strict.fault(Fault("delay", "ListUsers", seconds=0.2)):
        iam.list_users()
    assert time.monotonic() - before >= 0.2


def test_listings_come_in_pages(iam: Any, strict: Strict, aws_account: str) -> None:
    """`MaxItems` and `Marker` hold; the parts make the whole; a smaller page than asked for is possible."""
    for index in range(7):
        iam.create_role(RoleName=f"r{index}", AssumeRolePolicyDocument=trust(aws_account))
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(p["Roles"]) for p in pages] == [3, 3, 1]
    iam.create_user(UserName="u")
    with strict.cut_pages(4):
        details = list(iam.get_paginator("get_account_authorization_details").paginate())
    roles = [r["RoleName"] for p in details for r in p["RoleDetailList"]]
    assert (len(roles), len(set(roles))) == (7, 7)
    assert len(details[0]["UserDetailList"]) == 1
    assert refusal(iam.list_roles, Marker="nonsense") == "ValidationError"


def test_what_moto_lacks_is_answered(iam: Any, aws_account: str) -> None:
    """Audiences of OIDC providers, tags of SAML providers and boundaries of users behave."""
    arn = iam.create_open_id_connect_provider(
        Url="https://sso.example.com", ClientIDList=["a"], ThumbprintList=["0" * 40], Tags=[{"Key": "k", "Value": "v"}]
    )["OpenIDConnectProviderArn"]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found["ClientIDList"], found["Tags"]) == (["b"], [{"Key": "k", "Value": "v"}])
    saml = iam.create_saml_provider(Name="idp", SAMLMetadataDocument="x" * 1000, Tags=[{"Key": "k", "Value": "v"}])
    saml_arn = saml["SAMLProviderArn"]
    iam.tag_saml_provider(SAMLProviderArn=saml_arn, Tags=[{"Key": "l", "Value": "w"}])
    iam.untag_saml_provider(SAMLProviderArn=saml_arn, TagKeys=["k"])
    assert iam.get_saml_provider(SAMLProviderArn=saml_arn)["Tags"] == [{"Key": "l", "Value": "w"}]
    policy = iam.create_policy(PolicyName="b", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    iam.create_user(UserName="u")
    iam.put_user_permissions_boundary(UserName="u", PermissionsBoundary=policy)
    assert iam.get_user(UserName="u")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    detail = iam.get_account_authorization_details()["UserDetailList"][0]
    assert detail["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    assert refusal(iam.delete_policy, PolicyArn=policy) == "DeleteConflict"
    iam.delete_user_permissions_boundary(UserName="u")
    iam.delete_policy(PolicyArn=policy)


def test_a_listing_is_whole_however_long(iam: Any, strict: Strict, aws_account: str) -> None:
    """The server behind pages by itself after 100 roles; the layer still gives them all, in the pages it is told."""
    root = trust(f"arn:aws:iam::{aws_account}:root")
    for n in range(101):
        iam.create_role(RoleName=f"r{n}", AssumeRolePolicyDocument=root)
    assert len(iam.list_roles(MaxItems=1000)["Roles"]) == 101
    with strict.cut_pages(60):
        pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1000}))
    assert [len(page["Roles"]) for page in pages] == [60, 41]
