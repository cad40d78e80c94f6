"""What `doctor` learns about permissions: from IAM's simulator, and nothing that it did not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Address, Fault, Identity, ProviderError, Resource
from nhictl.providers.aws.adapter import AwsAdapter
from nhictl.providers.aws.checkup import checkup
from nhictl.providers.aws.names import POLICY, ROLE, Account
from nhictl.providers.aws.session import AwsSession

ID = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ID}:role/admins/nhictl"
CALLER = f"arn:aws:sts::{ID}:assumed-role/nhictl/nhictl"


class Simulator:
    """Calls that only know GetRole and SimulatePrincipalPolicy. `denied` and `doubtful` are actions."""

    def __init__(self, denied: set[str], doubtful: set[str] = frozenset(), refused: bool = False) -> None:
        self.denied, self.doubtful, self.refused = denied, doubtful, refused
        self.asked: list[dict[str, Any]] = []

    def read(self, operation: str, **params: Any) -> dict[str, Any]:
        """Answer GetRole."""
        assert (operation, params) == ("GetRole", {"RoleName": "nhictl"})
        return {"Role": {"Arn": ROLE_ARN}}

    def pages(self, operation: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Answer SimulatePrincipalPolicy, one action a page."""
        assert operation == "SimulatePrincipalPolicy"
        if self.refused:
            raise ProviderError(Fault.DENIED, "iam:SimulatePrincipalPolicy: AccessDenied")
        self.asked.append(params)
        for action in params["ActionNames"]:
            bad = action in self.denied | self.doubtful
            missing = ["aws:PrincipalTag/team"] if action in self.doubtful else []
            yield {
                "EvaluationResults": [
                    {
                        "EvalActionName": action,
                        "EvalDecision": "implicitDeny" if bad else "allowed",
                        "MissingContextValues": missing,
                    }
                ]
            }


def session(simulator: Simulator, caller: str = CALLER, assumed: str = "") -> AwsSession:
    """A session that is `caller`."""
    known = Identity("aws", ID, caller)
    return AwsSession(Account("prod", ID), simulator, assumed=assumed, method="env", _identity=known)  # type: ignore[arg-type]


def declared(kind: str, name: str, path: str = "/") -> Resource:
    """A declared object."""
    return Resource(Address("prod", kind, name), {"path": path})


def test_names_what_is_denied_for_plan_and_for_apply_with_the_object_it_was_asked_for():
    """Whole-account actions are asked for *, the others for a declared object."""
    simulator = Simulator({"iam:ListRoles", "iam:CreateRole"})
    found = checkup(session(simulator), [declared(ROLE, "ci", "/nhi/")])
    assert found.credentials == f"env: {CALLER}"
    assert found.missing_for_plan == ("iam:ListRoles",)
    assert found.missing_for_apply == (f"iam:CreateRole on arn:aws:iam::{ID}:role/nhi/ci",)
    assert found.unknown == ""


def test_simulates_the_role_behind_a_session_with_its_path():
    """The ARN of an assumed role has no path; the simulator wants the role's own."""
    simulator = Simulator(set())
    checkup(session(simulator), [])
    assert {asked["PolicySourceArn"] for asked in simulator.asked} == {ROLE_ARN}


def test_asks_once_for_each_kind_and_path():
    """A thousand roles below one path are one question."""
    simulator = Simulator(set())
    resources = [declared(ROLE, f"r{n}", "/nhi/") for n in range(1000)] + [declared(POLICY, "p", "/nhi/")]
    checkup(session(simulator), resources)
    assert len(simulator.asked) <= 8


def test_asks_about_declared_kinds_only():
    """Whoever declares no user need not be allowed to write one."""
    simulator = Simulator({"iam:CreateUser", "iam:CreateSAMLProvider"})
    assert checkup(session(simulator), [declared(ROLE, "ci")]).missing_for_apply == ()


def test_what_depends_on_the_request_is_unknown_not_missing():
    """A policy with conditions on values the simulator lacks is not a refusal."""
    found = checkup(session(Simulator(set(), {"iam:CreateRole"})), [declared(ROLE, "ci")])
    assert found.missing_for_apply == ()
    assert "iam:CreateRole" in found.unknown


@pytest.mark.parametrize("caller", [f"arn:aws:iam::{ID}:root", f"arn:aws:sts::{ID}:federated-user/ann"])
def test_says_so_for_a_principal_the_simulator_does_not_take(caller: str):
    """The root user and federated users cannot be simulated."""
    found = checkup(session(Simulator(set()), caller), [])
    assert (found.missing_for_plan, found.missing_for_apply) == ((), ())
    assert "roles and users only" in found.unknown


def test_a_refused_simulation_is_unknown():
    """Not being allowed to ask says nothing about the rest."""
    found = checkup(session(Simulator(set(), refused=True)), [])
    assert (found.missing_for_plan, found.missing_for_apply) == ((), ())
    assert "AccessDenied" in found.unknown
    assert "allow iam:SimulatePrincipalPolicy" in found.unknown


def test_a_server_without_a_simulator_is_unknown(endpoint: str, target: Target, adapter: AwsAdapter):
    """The whole way through the SDK: the method of the credentials, the caller, and nothing guessed."""
    with adapter.connect(target, write=False) as opened:
        found = opened.checkup(())
    assert found.credentials.startswith("env: arn:aws:")
    assert (found.missing_for_plan, found.missing_for_apply) == ((), ())
    assert found.unknown


def test_no_secret_in_what_is_said(endpoint: str, target: Target, adapter: AwsAdapter, tmp_path: Path):
    """Credentials are named, never shown."""
    with adapter.connect(target, write=False) as opened:
        assert "secret" not in repr(opened.checkup(()))
