"""The adapter is pure, its table is complete, and what it needs is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nhictl.providers import aws
from nhictl.providers.aws import normalise
from nhictl.providers.aws.adapter import CAPABILITIES, adapter
from nhictl.providers.aws.guard import READS
from nhictl.providers.aws.names import KINDS, Account
from nhictl.providers.aws.needs import DETAILS, needs, policy
from tests.providers.aws.estates import nhi_of, resources, role_of

SOURCE = Path(str(files(aws)))


def test_the_adapter_loads_no_sdk() -> None:
    """Compiling and access need neither boto3 nor botocore."""
    code = "import sys; import nhictl.providers.aws.adapter; print([m for m in sys.modules if m.startswith('boto')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_kind_is_in_the_table() -> None:
    """What the table does not list is not done."""
    assert set(CAPABILITIES.kinds) == set(KINDS)
    assert adapter.name == CAPABILITIES.provider == "aws"


def test_a_plan_needs_only_what_a_reading_session_may_send() -> None:
    """The permissions told for a plan are all on the list of reads."""
    plan, apply = needs()
    assert set(plan) <= READS
    assert not set(plan) & set(apply)


def test_every_operation_sent_is_among_the_permissions_told() -> None:
    """No operation is forgotten in the policy for nhictl itself."""
    text = "".join(p.read_text() for p in sorted(SOURCE.glob("*.py")) if p.name not in {"needs.py", "guard.py"})
    sent = {f"iam:{o}" for o in re.findall(r'"((?:Create|Delete|Get|List|Update|Put|Attach|Detach)[A-Z]\w+)"', text)}
    for verb in re.findall(r'f"((?:Attach|Detach|Put|Delete|List\w*|Get)){sort\.noun}(\w+)"', text):
        sent |= {f"iam:{verb[0]}{noun}{verb[1]}" for noun in ("Role", "User")}
    shapes = {"iam:CreateDate", "iam:PutRolePolicy", "iam:GetCallerIdentity", "iam:DeleteConflict"}
    known = {*needs()[0], *needs()[1], *DETAILS}
    assert {o for o in sent - shapes if o not in known and o != "iam:SimulatePrincipalPolicy"} == set()


def test_the_policy_for_nhictl_itself_is_least_privilege() -> None:
    """A plan's policy writes nothing; an apply's writes below one path only."""
    account = Account("t", "123456789012")
    plan, apply = policy(account, write=False), policy(account, write=True, path="/nhi/")
    assert {a for s in plan["Statement"] for a in s["Action"]} <= READS
    assert "arn:aws:iam::123456789012:role/nhi/*" in apply["Statement"][-1]["Resource"]
    assert len(json.dumps(apply)) < 6144


@given(st.lists(st.sampled_from(["s3:Get*", "s3:Put*", "ecs:Run", "iam:PassRole"]), min_size=1, max_size=4))
def test_a_desired_document_survives_the_wire(actions: list[str]) -> None:
    """What is declared, written and read back is equal."""
    text = role_of(f"{{inline: true, statements: [{{actions: {json.dumps(actions)}, resources: ['*']}}]}}")
    role = resources(text + nhi_of("{awsService: {service: ec2.amazonaws.com}}", grants="[{role: r}]"))["iam-role/x"]
    inline = role.attributes["inline"]["r"]  # type: ignore[index,call-overload]
    assert normalise.document(normalise.wire(inline)) == inline  # type: ignore[arg-type]
