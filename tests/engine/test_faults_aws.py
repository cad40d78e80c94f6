"""The whole of nhictl against an AWS that loses replies, throttles, fails, cuts pages, refuses, and dies.

After each fault: what is live is what was declared, once; the ledger verifies; the next plan is empty; objects of
others are as they were.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nhictl.cli import context
from nhictl.model import Exit
from nhictl.providers.aws.adapter import CAPABILITIES, AwsAdapter
from tests.commandline import Said, Shell
from tests.servers.aws import ACCOUNT, free_port
from tests.servers.strict import Fault, Strict, throttle, unsettled
from tests.support import NO_LIMITS, OWNER, Manifest, document, nhi, role

CLOUD = {"provider": "aws", "account": ACCOUNT, "region": "eu-central-1", "settleTime": "1s"}
MANY = 12


def policy(name: str = "reader", action: str = "s3:GetObject") -> Manifest:
    """Return a role that becomes a managed policy."""
    statement = {"sid": "Read", "actions": [action], "resources": ["arn:aws:s3:::shop/*"]}
    return document("Role", name, {"owner": "team", "description": "May read", "aws": {"statements": [statement]}})


def job(name: str = "job", **more: Any) -> Manifest:
    """Return an NHI that becomes an IAM role with the policy, by the OIDC provider."""
    proof = {"githubActions": {"repository": "example/shop", "branch": "main"}}
    return nhi(name, "reader", via="github", identity=proof, **{"lifecycle": {"onRemove": "delete"}, **more})


GITHUB = document(
    "Connection",
    "github",
    {
        "owner": "team",
        "issuer": {"githubActions": {"organization": "example"}},
        "aws": {"audiences": ["sts.amazonaws.com"]},
    },
)


@dataclass(slots=True)
class Cloud:
    """A workspace for the account behind the strict layer. `foreign` is what others had there before."""

    shell: Shell
    strict: Strict
    foreign: Any = None

    def declare(self, *manifests: Manifest, **targets: Any) -> None:
        """Make these the only manifests."""
        spec = {
            "manifests": ["manifests/"], "ledger": "file:.nhictl/ledger", "limits": NO_LIMITS,
            "environments": {"test": {"targets": {"cloud": CLOUD, **targets}}},
        }  # fmt: skip
        root = self.shell.root
        (root / "nhictl.yaml").write_text(yaml.safe_dump(document("Workspace", "shop", spec)))
        (root / "manifests").mkdir(exist_ok=True)
        (root / "manifests" / "all.yaml").write_text(yaml.safe_dump_all([OWNER, *manifests]))

    def apply(self, *faults: Fault, sure: bool = False) -> Said:
        """Apply while faults happen; when `sure`, with the limits lifted for what a plan shows just before."""
        lifted = ("--override-safety", json.loads(self.shell("plan", "-o", "json").out)["digest"]) if sure else ()
        with self.strict.fault(*faults):
            return self.shell("apply", "--yes", *lifted)

    def live(self) -> dict[str, Any]:
        """Return names of everything in the account that tests make, and details of roles."""
        details = iam().get_account_authorization_details(Filter=["Role", "User", "LocalManagedPolicy"])
        return {
            "roles": {
                r["RoleName"]: sorted(p["PolicyName"] for p in r["AttachedManagedPolicies"])
                for r in details["RoleDetailList"]
            },
            "users": [u["UserName"] for u in details["UserDetailList"]],
            "policies": sorted(p["PolicyName"] for p in details["Policies"]),
            "issuers": len(iam().list_open_id_connect_providers()["OpenIDConnectProviderList"]),
        }

    def converged(self, *, roles: dict[str, list[str]], policies: list[str], issuers: int = 1) -> None:
        """Assert that the account holds exactly this besides what is foreign, and that nothing is left to do."""
        assert self.live() == {
            "roles": {"foreign": [], **roles}, "users": ["foreign"], "policies": policies, "issuers": issuers,
        }  # fmt: skip
        assert foreign_objects() == self.foreign
        verified = self.shell("audit", "verify")
        assert verified.code == Exit.DONE, verified.out
        plan = self.shell("plan", "--detailed-exitcode", "--no-progress")
        assert plan.code == Exit.DONE, plan.out

    def again(self) -> None:
        """Apply what a fault left to do; there may be nothing."""
        done = self.apply()
        assert done.code == Exit.DONE, done.out + done.err


def iam() -> Any:
    """Return other people's hands."""
    import boto3

    return boto3.client("iam", region_name="eu-central-1")


def foreign_objects() -> Any:
    """Return everything about the objects that are not ours."""
    role_, user = iam().get_role(RoleName="foreign")["Role"], iam().get_user(UserName="foreign")["User"]
    return role_, user


@pytest.fixture
def cloud(tmp_path: Path, capfd: Any, strict: Strict, aws_env: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account with a foreign role and user, and a workspace that declares a policy, a provider and a role."""
    from botocore.retries.standard import ExponentialBackoff

    for name in [n for n in os.environ if n.startswith(("NHICTL_", "GITHUB_", "CI"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("nhictl.providers.aws.adapter.adapter", AwsAdapter(sleep=lambda _: None))
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    asked = context.request
    monkeypatch.setattr(context, "request", lambda *given, **more: asked(*given, sleep=lambda _: None, **more))
    root = tmp_path / "work"
    root.mkdir()
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam().create_role(RoleName="foreign", AssumeRolePolicyDocument=text)
    iam().create_user(UserName="foreign", Tags=[{"Key": "team", "Value": "other"}])
    made = Cloud(Shell(root, capfd, []), strict, foreign_objects())
    made.declare(policy(), GITHUB, job())
    return made


WHOLE: dict[str, Any] = {"roles": {"job": ["reader"]}, "policies": ["reader"]}
CREATING = ("CreateRole", "CreatePolicy", "CreateOpenIDConnectProvider", "AttachRolePolicy")
DELETING = ("DetachRolePolicy", "DeleteRole", "DeletePolicy", "DeleteOpenIDConnectProvider")


@pytest.mark.parametrize("what", ["lose", "drop", "fail"])
def test_creates_without_an_answer_are_made_once(cloud, what):
    """Carried out or not, answered or not: what was made is found by its mark, what was not is made by the next run."""
    for _ in range(3):
        cloud.apply(*(Fault(what, action) for action in CREATING))
    cloud.again()

    cloud.converged(**WHOLE)


def test_lost_creates_are_recorded_as_applied_and_not_sent_again(cloud):
    """Every reply to a create is lost; each object is found by reading: one call, and its dependents go on."""
    before = cloud.strict.changes.copy()
    said = cloud.apply(*(Fault("lose", action) for action in CREATING[:3]))

    assert said.code == Exit.DONE, said.out + said.err
    assert {a: cloud.strict.changes[a] - before[a] for a in CREATING[:3]} == dict.fromkeys(CREATING[:3], 1)
    cloud.again()
    cloud.converged(**WHOLE)


@pytest.mark.parametrize("what", ["lose", "drop", "fail"])
def test_updates_without_an_answer_converge(cloud, what):
    """A new policy version and changed tags whose replies are lost are there once, and nothing else is."""
    cloud.again()
    cloud.declare(policy(action="s3:PutObject"), GITHUB, job(purpose="Runs the shop", labels={"team": "new"}))
    cloud.apply(Fault(what, "CreatePolicyVersion"), Fault(what, "TagRole"))
    cloud.again()

    cloud.converged(**WHOLE)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/reader"
    assert len(iam().list_policy_versions(PolicyArn=arn)["Versions"]) <= 3


@pytest.mark.parametrize("what", ["lose", "drop", "fail"])
def test_deletes_without_an_answer_converge(cloud, what):
    """Every removing call loses its answer once: in the end all of ours is gone, and nothing of others."""
    cloud.declare(policy(), policy("kept"), GITHUB, job())
    cloud.again()
    cloud.declare(policy("kept"))
    for _ in range(3):
        cloud.apply(*(Fault(what, action) for action in DELETING), sure=True)
    assert cloud.apply(sure=True).code == Exit.DONE

    cloud.converged(roles={}, policies=["kept"], issuers=0)


def test_bursts_of_throttles_are_waited_for(cloud):
    """Throttles of reads and writes, in every form AWS has for them, cost time and nothing else."""
    said = cloud.apply(
        throttle(4, action="Create*"), throttle(3, action="Attach*", status=429), throttle(1, action="ListR*"),
        Fault("refuse", "GetA*", 1, status=503, code="SlowDown"),
    )  # fmt: skip

    assert said.code == Exit.DONE, said.out + said.err
    cloud.converged(**WHOLE)


def test_propagation_and_slow_answers_are_waited_for(cloud):
    """A fresh principal that is not known yet, a policy not yet found, answers that take long: one run is enough."""
    absent = Fault("refuse", "AttachRolePolicy", 2, status=404, code="NoSuchEntity")
    said = cloud.apply(unsettled(2), absent, Fault("delay", "CreatePolicy", seconds=0.3))

    assert said.code == Exit.DONE, said.out + said.err
    cloud.converged(**WHOLE)


def test_a_cut_list_never_becomes_a_delete(cloud):
    """A listing that ends early is an error: plan and apply say so and change nothing, whatever is declared."""
    cloud.again()
    cloud.declare(GITHUB)
    live, changes = cloud.live(), cloud.strict.changes.copy()
    with cloud.strict.cut_pages(1, lost_marker=True):
        planned, applied = cloud.shell("plan", "--detailed-exitcode"), cloud.apply()
        drifted = cloud.shell("drift")

    assert [planned.code, drifted.code] == [Exit.ERROR] * 2
    assert applied.code not in (Exit.DONE, Exit.PARTIAL)
    assert (cloud.live(), cloud.strict.changes) == (live, changes)
    cloud.declare(policy(), GITHUB, job())
    cloud.converged(**WHOLE)


def test_small_pages_are_read_to_their_end(cloud):
    """The same plan from pages of one object each."""
    cloud.again()

    with cloud.strict.cut_pages(1):
        planned = cloud.shell("plan", "--detailed-exitcode")

    assert planned.code == Exit.DONE, planned.out + planned.err
    cloud.converged(**WHOLE)


@pytest.mark.parametrize(
    ("code", "status", "exit_code"), [("AccessDenied", 403, Exit.ERROR), ("ExpiredToken", 403, Exit.AUTH)]
)
def test_an_unreadable_target_does_not_stop_the_others(cloud, code, status, exit_code):
    """Nothing is planned for the account that cannot be read; the directory beside it is brought up to date."""
    cloud.again()
    directory = {"provider": "local", "path": "directory.db"}
    cloud.declare(policy(), role("local-reader"), nhi("clerk", "local-reader"), directory=directory)
    changes = cloud.strict.changes.copy()
    with cloud.strict.fault(Fault("refuse", "Get*", 1000, status=status, code=code)):
        planned = cloud.shell("plan", "-v")
        applied = cloud.shell("apply", "--yes")
        repeated = cloud.shell("apply", "--yes")

    assert planned.code == exit_code
    assert applied.code == Exit.PARTIAL, applied.out + applied.err
    assert "applied" in applied.out
    assert repeated.code not in (Exit.DONE, Exit.PARTIAL)
    assert cloud.strict.changes == changes
    cloud.declare(policy(), GITHUB, job(), role("local-reader"), nhi("clerk", "local-reader"), directory=directory)
    cloud.converged(**WHOLE)


def test_who_cannot_log_in_changes_nothing(cloud, monkeypatch):
    """Wrong keys and another account behind the same name are exit code 4; nobody there is exit code 1."""
    cloud.again()
    cloud.declare()
    changes = cloud.strict.changes.copy()
    with cloud.strict.fault(Fault("refuse", times=1000, status=403, code="InvalidClientTokenId")):
        wrong = [cloud.shell(*words).code for words in (["plan"], ["apply", "--yes"], ["drift"])]
    other = yaml.safe_load((cloud.shell.root / "nhictl.yaml").read_text())
    cloud.declare(cloud={**CLOUD, "account": "999999999999"})
    moved = [cloud.shell(*words).code for words in (["plan"], ["apply", "--yes"], ["drift"])]
    (cloud.shell.root / "nhictl.yaml").write_text(yaml.safe_dump(other))
    with monkeypatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
        gone = [cloud.shell(*words).code for words in (["plan"], ["drift"])]

    assert wrong == moved == [Exit.AUTH] * 3
    assert gone == [Exit.ERROR] * 2
    assert cloud.strict.changes == changes
    cloud.declare(policy(), GITHUB, job())
    cloud.converged(**WHOLE)


@pytest.mark.parametrize("point", ["after-intent:1", "after-call:1", "after-call:3", "after-outcome:2"])
def test_a_killed_apply_is_taken_up_where_it_died(cloud, point):
    """Between intent, call and outcome: the next run reads what happened and does the rest, nothing twice."""
    killed = cloud.shell.process("apply", "--yes", NHICTL_FAILPOINT=point)
    cloud.again()

    assert killed.code == -signal.SIGKILL
    cloud.converged(**WHOLE)
    assert {a: cloud.strict.changes[a] for a in CREATING[:3]} == {"CreateRole": 2, "CreatePolicy": 1, CREATING[2]: 1}


def test_an_interrupt_waits_for_what_runs_and_records_it(cloud, monkeypatch):
    """Ctrl-C with eight at work: no new change, those under way end and are recorded, the next run does the rest."""
    names = [f"job-{number:02}" for number in range(MANY)]
    eight = AwsAdapter(sleep=lambda _: None, capabilities=replace(CAPABILITIES, workers=8))
    monkeypatch.setattr("nhictl.providers.aws.adapter.adapter", eight)
    cloud.declare(policy(), GITHUB, *(job(name) for name in names))
    begun = cloud.strict.changes["CreateRole"]
    reached = threading.Event()

    def handle(strict: Strict, request: Any) -> Any:
        if request.action == "CreateRole" and strict.changes["CreateRole"] >= begun + 2 and not reached.is_set():
            reached.set()
            os.kill(os.getpid(), signal.SIGINT)
        return type(strict).answered(strict, request)

    monkeypatch.setattr(Strict, "answered", Strict.handle, raising=False)
    monkeypatch.setattr(Strict, "handle", handle)
    said = cloud.apply(Fault("delay", "CreateRole", MANY, seconds=0.3))
    monkeypatch.setattr(Strict, "handle", Strict.answered)
    made = set(cloud.live()["roles"]) - {"foreign"}
    cloud.again()

    assert said.code == Exit.INTERRUPTED, said.out + said.err
    assert 0 < len(made) < MANY
    cloud.converged(roles={name: ["reader"] for name in names}, policies=["reader"])
    assert cloud.strict.changes["CreateRole"] == begun + MANY
