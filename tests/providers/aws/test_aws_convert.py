"""Every legal live object converts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from nhictl.model import Mark
from nhictl.providers.aws import convert
from nhictl.providers.aws.names import Account

ACCOUNT = Account("t", "123456789012")
BARE: dict[str, Any] = {
    "Path": "/",
    "RoleName": "x",
    "RoleId": "AROAX",
    "Arn": "arn:aws:iam::123456789012:role/x",
    "CreateDate": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    "AssumeRolePolicyDocument": "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22NotAction%22%3A%22a%22%7D%7D",
}
DENY: dict[str, Any] = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}


def test_a_bare_role_converts() -> None:
    """No description, no session length, no tags, one statement, NotAction, URL-encoded."""
    found = convert.role(ACCOUNT, BARE)
    assert found.attributes == {
        "path": "/", "description": "", "max_session_duration": 3600, "policies": (), "inline": {}, "boundary": "",
        "tags": {}, "enabled": True,
        "trust": {"Version": "2008-10-17", "Statement": ({"Effect": "Allow", "NotAction": ("a",)},)},
    }  # fmt: skip
    assert (found.native_id, found.mark, found.mark_known) == ("AROAX", None, True)
    assert found.facts["created"] == "2026-01-02T03:04:05Z"


def test_tags_of_ours_are_the_mark_and_tags_of_aws_are_nobodys() -> None:
    """Only the user's tags are compared."""
    tags = {"nhictl:owner": "w/e", "nhictl:ref": "nhi/x", "nhictl:operation": "o", "aws:x": "y", "team": "a"}
    found = convert.role(ACCOUNT, {**BARE, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]})
    assert found.mark == Mark("w/e", "nhi/x", "o")
    assert found.attributes["tags"] == {"team": "a"}


def test_the_disabling_policy_is_a_state_as_long_as_it_denies_all() -> None:
    """Weakened by hand it is an inline policy like any other, and the role counts as enabled."""
    off = convert.role(ACCOUNT, {**BARE, "RolePolicyList": [{"PolicyName": "nhictl-disabled", "PolicyDocument": DENY}]})
    weak = {"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}
    on = convert.role(ACCOUNT, {**BARE, "RolePolicyList": [{"PolicyName": "nhictl-disabled", "PolicyDocument": weak}]})
    assert (off.attributes["enabled"], off.attributes["inline"]) == (False, {})
    assert on.attributes["enabled"] is True
    assert list(on.attributes["inline"]) == ["nhictl-disabled"]  # type: ignore[arg-type]


def test_a_fresh_principal_reads_as_its_arn_and_a_deleted_one_is_a_fact() -> None:
    """A unique id stands for its ARN while the principal exists; otherwise it was deleted."""
    trust = {
        "Statement": {"Effect": "Allow", "Principal": {"AWS": ["AROAHERE", "AROAGONE"]}, "Action": "sts:AssumeRole"}
    }
    live = convert.role(ACCOUNT, {**BARE, "AssumeRolePolicyDocument": trust})
    found = convert.with_known_principals(live, {"AROAHERE": "arn:aws:iam::123456789012:role/here"})
    (statement,) = found.attributes["trust"]["Statement"]  # type: ignore[index,call-overload]
    assert statement["Principal"] == {"AWS": ("AROAGONE", "arn:aws:iam::123456789012:role/here")}
    assert found.facts["deleted_principals"] == ("AROAGONE",)


def test_access_keys_are_facts_without_secrets() -> None:
    """Id, status, creation and last use; a secret in the reply would not be taken over."""
    user = {"Path": "/", "UserName": "u", "UserId": "AIDA", "Arn": "arn", "CreateDate": None}
    key = {"AccessKeyId": "AKIA", "Status": "Active", "SecretAccessKey": "secret"}
    found = convert.user(ACCOUNT, user, [key])
    assert found.facts["credentials"] == (
        {"kind": "access-key", "id": "AKIA", "status": "active", "created": "", "last_used": "", "expires": ""},
    )
    assert "secret" not in repr(found).replace("secret_", "")


def test_the_mark_of_a_policy_is_unknown_without_tags() -> None:
    """A bulk read does not show a managed policy's tags."""
    data = {"Path": "/", "PolicyName": "p", "PolicyId": "ANPA", "Arn": "a"}
    assert convert.policy(ACCOUNT, data, DENY).mark_known is False
    assert convert.policy(ACCOUNT, {**data, "Tags": []}, DENY).mark_known is True
