"""Importing an AWS account: everything that is legal there, as odd as it may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.commandline import Shell
from tests.importing.suite import brought_under_management, documents, files, imported, shell_ok, workspace
from tests.servers.aws import ACCOUNT
from tests.servers.strict import Strict
from tests.support import THOUSANDS

TARGET = {"provider": "aws", "account": ACCOUNT, "region": "eu-central-1", "settleTime": "1s"}
GITHUB = "token.actions.githubusercontent.com"
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def trust(*statements: Mapping[str, Any]) -> str:
    """Return a trust policy as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements) or [EC2]})


def document(*statements: Mapping[str, Any], **more: Any) -> str:
    """Return a policy document as text; one statement stands without a list."""
    found = statements or ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"},)
    return json.dumps({"Version": "2012-10-17", "Statement": found[0] if len(found) == 1 else list(found), **more})


class Account:
    """An AWS account that somebody else filled."""

    target = TARGET

    def __init__(self) -> None:
        self.iam = boto3.client("iam")

    def seed(self, number: int) -> None:
        """Make roles of all common sorts, `number` in all, and what they hold."""
        self.iam.create_open_id_connect_provider(
            Url=f"https://{GITHUB}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
        )
        for n in range(max(1, number // 100)):
            self.iam.create_policy(
                PolicyName=f"Shared_{n}", Path=("/", "/team/")[n % 2], Description=("", "Shared")[n % 2],
                PolicyDocument=document(),
            )  # fmt: skip
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._role, range(number)))

    def _role(self, n: int) -> None:
        name, shared = f"Job_{n}", max(1, n // 100) - 1
        about = ({}, {"Description": f"Job number {n}: nightly"}, {"Description": "x"})[n % 3]
        self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=self._trust(n), Path=("/", "/service/")[n % 2],
            MaxSessionDuration=(3600, 7200, 3661)[n % 3], Tags=[{"Key": "cost", "Value": str(n)}], **about,
        )  # fmt: skip
        if n % 2:
            path = ("/", "/team/")[shared % 2]
            arn = f"arn:aws:iam::{ACCOUNT}:policy{path}Shared_{shared}"
            self.iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        if n % 5 == 0:
            odd = ({"Id": "odd"}, {})[n % 2]
            self.iam.put_role_policy(RoleName=name, PolicyName="Own.Policy", PolicyDocument=document(**odd))

    def _trust(self, n: int) -> str:
        federated = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"
        who: list[Mapping[str, Any]] = [
            {"Service": "ec2.amazonaws.com"},
            {"Federated": federated},
            {"AWS": "*"},
            {"AWS": "arn:aws:iam::333333333333:root"},
        ]
        subject = f"repo:example/shop-{n}:ref:refs/heads/main"
        conditions: Mapping[int, Any] = {
            1: {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": subject},
            2: {"aws:PrincipalOrgID": "o-123"},
        }
        action = "sts:AssumeRoleWithWebIdentity" if n % 4 == 1 else "sts:AssumeRole"
        said = {"Effect": "Allow", "Principal": who[n % 4], "Action": action}
        return trust(said | ({"Condition": {"StringEquals": conditions[n % 4]}} if n % 4 in conditions else {}))

    def live(self) -> Any:
        """Return the whole account without nhictl's tags."""
        found: dict[str, Any] = {}
        pages = self.iam.get_paginator("get_account_authorization_details").paginate()
        for page in pages:
            for kind in ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies"):
                for item in page[kind]:
                    tags = [t for t in item.pop("Tags", []) if not t["Key"].startswith("nhictl:")]
                    found[item["Arn"]] = (_comparable(item), tags)
        for role in self.iam.get_paginator("list_roles").paginate().build_full_result()["Roles"]:
            found[role["Arn"]] += ((role.get("Description"), role["MaxSessionDuration"]),)
        return found


def _comparable(item: Mapping[str, Any]) -> str:
    return json.dumps(item, sort_keys=True, default=str)


@pytest.fixture
def account(aws_env: Mapping[str, str]) -> Account:
    """An empty account."""
    return Account()


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A command line in an empty workspace."""
    return Shell(tmp_path, capsys, [])


def test_an_account_is_brought_under_management(account: Account, shell: Shell):
    """Roles of all common sorts: imported, adopted, nothing changed but the mark, nothing left to do."""
    brought = brought_under_management(account, shell, 12)
    assert len(brought.of("NHI")) == 12
    job = brought.of("NHI")["job-1"]["spec"]
    assert job["identity"] == {"githubActions": {"repository": "example/shop-1", "branch": "main"}}
    assert job["nativeName"] == "service/Job_1"


@THOUSANDS
def test_a_thousand_roles_take_five_calls(account: Account, shell: Shell, strict: Strict):
    """Reading a thousand roles and their policies takes at most five calls, besides who we are and one for each
    identity provider; after adopting the plan is empty."""
    workspace(shell.root, account.target)
    account.seed(1000)
    strict.reset()
    shell_ok(imported(shell))
    apart = ("GetCallerIdentity", "GetOpenIDConnectProvider")
    calls = {name: number for name, number in strict.calls.items() if name not in apart}
    assert sum(calls.values()) <= 5, calls
    shell_ok(shell("adopt", "estate", "--yes"))
    assert shell("plan", "--detailed-exitcode").code == 0
    written = files(shell.root)
    assert imported(shell).out == ""
    assert files(shell.root) == written


def test_a_match_passes_over_what_is_of_no_managed_kind(account: Account, shell: Shell):
    """A group is read for the access of its users; `--match` finds the user beside it."""
    account.iam.create_group(GroupName="people")
    account.iam.create_user(UserName="export")
    account.iam.add_user_to_group(GroupName="people", UserName="export")
    workspace(shell.root, account.target)
    shell_ok(imported(shell, "--match", "iam-user/*"))
    assert [d["metadata"]["name"] for d in documents(shell.root).values()] == ["export"]
