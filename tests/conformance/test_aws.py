"""AWS passes the conformance suite, as moto and the strict layer play it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change
from nhictl.providers.aws.adapter import AwsAdapter, adapter
from nhictl.providers.base import Scope
from tests.conformance.suite import Case, Conformance
from tests.servers.strict import Fault, Strict, throttle, unsettled
from tests.servers.strict_wire import Request, texts

_ROLES = """
kind: Role
metadata: {name: deployer}
spec:
  owner: payments
  aws:
    maxSessionDuration: 2h
    statements:
      - sid: Roll
        actions: [ecs:UpdateService, ecs:DescribeServices]
        resources:
          - arn:aws:ecs:eu-central-1:123456789012:service/b
          - arn:aws:ecs:eu-central-1:123456789012:service/a
      - actions: [s3:GetObject]
        resources: ["*"]
        conditions: {StringEquals: {"aws:RequestedRegion": [eu-west-1, eu-central-1]}}
---
kind: Role
metadata: {name: reader}
spec:
  aws:
    inline: true
    statements: [{actions: [s3:ListBucket], resources: ["arn:aws:s3:::data"]}]
---
kind: Connection
metadata: {name: github}
spec:
  issuer: {githubActions: {organization: example}}
  aws: {audiences: [sts.amazonaws.com, second.example.com]}
---
kind: NHI
metadata: {name: payments-ci, labels: {cost-center: "4711"}}
spec:
  type: workload
  owner: payments
  purpose: Deploy payments
  identity: {githubActions: {repository: example/payments, environment: prod}}
  grants:
    - {role: deployer, via: github}
    - {role: reader}
---
kind: NHI
metadata: {name: batch}
spec:
  type: workload
  owner: payments
  purpose: Nightly batch
  identity: {awsService: {service: ecs-tasks.amazonaws.com}}
  grants: [{role: reader}]
"""
_CHANGED = (
    _ROLES.replace("ecs:UpdateService", "ecs:StopTask")
    .replace("second.example.com", "third.example.com")
    .replace('cost-center: "4711"', 'cost-center: "4712", team: a')
    .replace("maxSessionDuration: 2h", "maxSessionDuration: 4h")
    .replace("s3:ListBucket", "s3:ListAllMyBuckets")
    .replace("environment: prod}", "environment: staging}")
)
_NARROWED = _CHANGED.replace("    - {role: reader}\n", "")
_USER = """
kind: Role
metadata: {name: exporter}
spec: {aws: {statements: [{actions: [s3:PutObject], resources: ["arn:aws:s3:::out/*"]}]}}
---
kind: NHI
metadata: {name: export-user, labels: {a: b}}
spec:
  type: service-account
  owner: payments
  purpose: Export
  identity: {awsUser: {}}
  grants: [{role: exporter}]
"""
_USER_CHANGED = _USER.replace("s3:PutObject", "s3:PutObjectAcl").replace("{a: b}", "{a: c}")


@dataclass(slots=True)
class AwsSubject:
    """An empty account of the strict server."""

    strict: Strict
    target: Target
    adapter: AwsAdapter

    def mutations(self) -> int:
        """What the strict layer counted."""
        return sum(self.strict.changes.values())

    def state(self) -> object:
        """Everything moto holds about IAM, asked behind the strict layer."""
        signed = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request"
        asked = Request("/", {"Authorization": signed}, b"", {}, "iam", "x")
        upstream = self.strict.upstream
        providers = texts(upstream.ask(asked, "ListOpenIDConnectProviders"), "Arn")
        policies = texts(upstream.ask(asked, "ListPolicies", Scope="Local"), "Arn")
        return [
            self._said(asked, "GetAccountAuthorizationDetails"),
            self._said(asked, "ListRoles"),
            *(self._said(asked, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn) for arn in providers),
            *(self._said(asked, "GetPolicy", PolicyArn=arn) for arn in policies),
        ]

    def _said(self, asked: Request, action: str, **params: str) -> str:
        sent = {"Action": action, "Version": "2010-05-08", **params}
        text = self.strict.upstream.send(asked, sent).body.decode()
        return re.sub(r"<RequestId>[^<]*</RequestId>", "", text)

    def make_foreign(self) -> Address:
        """Make a role with a plain client."""
        import boto3

        document = (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
            '"Principal":{"Service":"ec2.amazonaws.com"}}]}'
        )
        boto3.client("iam").create_role(RoleName="foreign", Path="/other/", AssumeRolePolicyDocument=document)
        return Address(self.target.name, "iam-role", "foreign")

    def losing_a_reply(self) -> AbstractContextManager[None]:
        """Carry out the next change and close the connection."""
        return self.strict.fault(Fault("lose", changing=True))

    @contextmanager
    def throttling(self, calls: int) -> Iterator[None]:
        """Answer changes with `Rate exceeded`."""
        with self.strict.fault(replace(throttle(calls), changing=True)):
            yield

    def broken_read(self) -> AbstractContextManager[None]:
        """Give pages of one that do not say where to go on."""
        return self.strict.cut_pages(1, lost_marker=True)

    def settling(self) -> AbstractContextManager[None]:
        """Refuse a fresh principal twice."""
        return self.strict.fault(unsettled(2))

    def elsewhere(self) -> Target:
        """The same name for another account, with credentials for this one."""
        return replace(self.target, settings={**self.target.settings, "account": "222222222222"})

    @contextmanager
    def leaks(self, secret: str) -> Iterator[Iterable[Change]]:
        """The secret is the SDK's own credential, a key's material, and in every refusal's free text."""
        with self.adapter.connect(self.target, write=False) as opened:
            kinds = {k for k, v in self.adapter.capabilities.kinds.items() if v.identity}
            live = [r for r in opened.read(Scope()) if r.address.kind in kinds]
        changes = []
        for found in live:
            after = replace(found, attributes={**found.attributes, "tags": {"changed": "1"}})
            changes.append(
                Change(
                    found.address, Action.UPDATE, "nhi/x", "test", native_id=found.native_id, before=found, after=after
                )
            )
        said = Fault("refuse", changing=True, times=1000, status=400, code="ValidationError", message=f"no: {secret}")
        with pytest.MonkeyPatch.context() as patch, self.strict.fault(said):
            patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
            yield changes


@pytest.fixture(scope="module", autouse=True)
def models_parsed_once() -> Iterator[None]:
    """Let the SDK parse its service models once per run instead of once per session: sessions are many here."""
    import botocore.loaders

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.loaders, "create_loader", lru_cache(botocore.loaders.create_loader))
        yield


@pytest.fixture()
def subject(strict: Strict, aws_env: Mapping[str, str], aws_account: str, tmp_path: Path) -> AwsSubject:
    """An account with nothing in it."""
    target = Target("aws-test", "aws", {"account": aws_account, "region": "eu-central-1"}, tmp_path)
    return AwsSubject(strict, target, replace(adapter, sleep=lambda _: None))


class TestAws(Conformance):
    """Everything the suite asks, over HTTP."""

    cases = (
        Case("roles", (_ROLES, _CHANGED, _NARROWED)),
        Case("users", (_USER, _USER_CHANGED)),
    )
