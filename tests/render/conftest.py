"""One realistic plan of ten changes and a way to compare output with the golden files in tests/cases/render."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nhictl import plan_file
from nhictl.model import (
    AccessDelta,
    Action,
    Address,
    Attributes,
    Change,
    Direction,
    FieldChange,
    Finding,
    Identity,
    Permission,
    Plan,
    Resource,
    canonical,
)

CASES = Path(__file__).parents[1] / "cases" / "render"
ECS = "arn:aws:ecs:eu-central-1:222222222222:service/payments/*"
OIDC = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare text with a golden file; NHICTL_UPDATE_GOLDEN=1 writes it."""

    def check(name: str, text: str) -> None:
        path = CASES / name
        if os.environ.get("NHICTL_UPDATE_GOLDEN"):
            path.write_text(text + "\n", encoding="utf-8")
        assert text + "\n" == path.read_text(encoding="utf-8")

    return check


def _statement(sid: str, actions: tuple[str, ...], resource: str) -> Attributes:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": (resource,)}


def _change(address: str, action: Action, subject: str, reason: str, **more: object) -> Change:
    change = Change(Address.parse(address), action, subject, reason)
    given = {k: Resource(change.address, v, subject) for k, v in more.items() if k in ("before", "after")}
    return replace(change, **{**more, **given})


def _changes() -> tuple[Change, ...]:
    document = {
        "Version": "2012-10-17",
        "Statement": (
            _statement("RollOut", ("ecs:DescribeServices", "ecs:RunTask"), ECS),
            _statement("Logs", ("logs:GetLogEvents",), "*"),
        ),
    }
    wanted = {
        "Version": "2012-10-17",
        "Statement": (
            _statement(
                "Images", ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), "arn:aws:ecr:*:*:repository/payments"
            ),
            _statement("RollOut", ("ecs:DescribeServices", "ecs:UpdateService"), ECS),
        ),
    }
    trust = {
        "Version": "2012-10-17",
        "Statement": (
            {
                "Effect": "Allow",
                "Principal": {"Federated": (OIDC,)},
                "Action": ("sts:AssumeRoleWithWebIdentity",),
                "Condition": {
                    "StringEquals": {
                        "token.actions.githubusercontent.com:aud": ("sts.amazonaws.com",),
                        "token.actions.githubusercontent.com:sub": ("repo:example/payments:environment:prod",),
                    }
                },
            },
        ),
    }
    role = {
        "path": "/nhi/",
        "maxSessionDuration": 3600,
        "trust": trust,
        "permissionsBoundary": "nhi-boundary",
        "policies": ("payments-deployer",),
        "tags": {"cost-center": "4711"},
        "enabled": True,
    }
    return (
        _change(
            "aws-prod/oidc-provider/token.actions.githubusercontent.com",
            Action.CREATE,
            "connection/github-to-aws",
            "declared",
            after={"url": "https://token.actions.githubusercontent.com", "audiences": ("sts.amazonaws.com",)},
        ),
        _change(
            "aws-prod/iam-policy/payments-deployer",
            Action.UPDATE,
            "role/payments-deployer",
            "differs from the manifest",
            before={"document": document},
            after={"document": wanted},
            risk=Direction.CHANGED,
            fields=(
                FieldChange("document.Statement.0.Action", added=("ecr:BatchGetImage",)),
                FieldChange("document.Statement.0.Sid", "RollOut", "Images"),
            ),
        ),
        _change(
            "aws-prod/iam-role/payments-ci",
            Action.CREATE,
            "nhi/payments-ci",
            "declared",
            after=role,
            risk=Direction.WIDER,
        ),
        _change(
            "directory/identity/payments-ci",
            Action.CREATE,
            "nhi/payments-ci",
            "declared",
            after={"proof": "github example/payments", "enabled": True},
        ),
        _change(
            "aws-prod/iam-role/ledger-exporter",
            Action.UPDATE,
            "nhi/ledger-exporter",
            "differs from the manifest",
            before=role,
            after=role,
            risk=Direction.NARROWER,
            fields=(
                FieldChange("maxSessionDuration", 43200, 3600),
                FieldChange("policies", added=("ledger-readonly",), removed=("AdministratorAccess",)),
                FieldChange("handling.deleteAfter", "2592000", "604800"),
            ),
        ),
        _change(
            "aws-prod/iam-role/warehouse",
            Action.REPLACE,
            "nhi/warehouse",
            "path cannot be changed in place",
            before=role,
            after=role,
            fields=(FieldChange("path", "/", "/nhi/"),),
        ),
        _change(
            "aws-prod/iam-user/legacy-sftp",
            Action.DISABLE,
            "nhi/legacy-sftp",
            "no longer declared: disabled now, deleted after 30d, on 2026-12-22",
            before=role,
            after=role,
            risk=Direction.NARROWER,
            fields=(FieldChange("enabled", True, False),),
        ),
        _change(
            "directory/identity/old-batch",
            Action.DELETE,
            "nhi/old-batch",
            "disabled since 2026-10-20, grace period over",
            before={"enabled": False},
        ),
        _change(
            "aws-prod/iam-role/support-agent",
            Action.ADOPT,
            "nhi/support-agent",
            "taken under management",
            before=role,
            after=role,
            fields=(FieldChange("mark", None, "shop/prod nhi/support-agent"),),
        ),
        _change(
            "directory/role/reports",
            Action.FORGET,
            "role/reports",
            "retained: stays in the target, no longer managed",
            before={"permissions": ()},
        ),
    )


def _access() -> tuple[AccessDelta, ...]:
    sub = {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:example/payments:environment:prod"}}
    return (
        AccessDelta(
            "nhi/payments-ci",
            (
                Permission("allow", "ecs:DescribeServices", ECS),
                Permission("allow", "ecs:UpdateService", ECS),
                Permission("assume", "sts:AssumeRoleWithWebIdentity", OIDC, canonical(sub).decode()),
            ),
            (),
            True,
            Direction.WIDER,
        ),
        AccessDelta(
            "nhi/ledger-exporter",
            (Permission("allow", "SELECT", "ledger.public.entries"),),
            (Permission("allow", "*", "*"),),
            True,
            Direction.CHANGED,
        ),
        AccessDelta(
            "nhi/legacy-sftp",
            (),
            (Permission("allow", "s3:PutObject", "arn:aws:s3:::drop/*"),),
            True,
            Direction.NARROWER,
        ),
        AccessDelta("nhi/batch", (), (Permission("allow", "ecs:RunTask", ECS),), False, Direction.NARROWER),
        AccessDelta("nhi/reporter", (), (), False),
    )


@pytest.fixture(scope="session")
def ten() -> Plan:
    """Ten changes of every kind, with access deltas and what is left alone."""
    return plan_file.sealed(
        Plan(
            "shop",
            "prod",
            {
                "aws-prod": Identity("aws", "222222222222", "arn:aws:sts::222222222222:assumed-role/nhictl/ci"),
                "directory": Identity("local", "prod.db", "operator"),
            },
            _changes(),
            _access(),
            unchanged=212,
            unmanaged={"aws-prod": 3, "directory": 1},
            created="2026-11-22T00:00:00Z",
            expires="2026-11-23T00:00:00Z",
            commit="0123456789abcdef0123456789abcdef01234567",
            tool="0.1.0",
            adapters={"aws": "1", "local": "1"},
        )
    )


@pytest.fixture(scope="session")
def troubled(ten: Plan) -> Plan:
    """The same with everything that can stand in the way."""
    findings = (
        Finding(
            "conflict",
            "error",
            "aws-prod/iam-role/reports",
            "was made again outside nhictl: its native id is not the recorded one",
            "`nhictl adopt aws-prod/iam-role/reports` to take over the new object, or delete it",
        ),
        Finding(
            "orphan",
            "warning",
            "aws-prod/iam-role/lost",
            "carries our mark for nhi/lost but the ledger does not know it",
            "declare it and run `nhictl adopt nhi/lost`, or remove the mark",
        ),
        Finding("waiting", "info", "directory/identity/sleepy", "disabled, will be deleted on 2026-12-01"),
    )
    safety = (
        Finding(
            "delete-limit",
            "error",
            "directory",
            "deletes 2 of 10 managed objects; the limit is 1 (deletePercent 10, deleteMax 5)",
            "nhi/old-batch, nhi/warehouse",
        ),
    )
    return plan_file.sealed(
        replace(
            ten,
            findings=findings,
            safety=safety,
            unreadable={"vault-prod": "connection refused"},
            partial={"target": ("nhi/payments-ci", "role/*"), "label": ("team=payments",)},
        )
    )
