"""Every code of schemas, references, variables and warnings: its failing example gives it, its passing one does not."""

import copy
import datetime as dt
import re
from pathlib import Path

import pytest
import yaml

from nhictl import manifest
from nhictl.codes import CODES, schema_codes
from nhictl.manifest import check, reader, workspace

ROOT = Path()
TODAY = dt.date(2026, 11, 22)
ROWS = [row for row in schema_codes.ROWS if row.code != "E200"]
AWS = 'provider: aws, account: "222222222222"'
WORKSPACE = f"""
apiVersion: nhictl.dev/v1alpha1
kind: Workspace
metadata: {{name: shop}}
spec:
  environments:
    staging: {{targets: {{directory: {{provider: local, path: a.db}}}}}}
    prod: {{vars: {{region: eu-central-1}}, targets: {{aws-prod: {{{AWS}}}}}}}
    twins: {{targets: {{aws-one: {{{AWS}}}, aws-two: {{{AWS}}}}}}}
"""
COMMON = """
apiVersion: nhictl.dev/v1alpha1
kind: Owner
metadata: {name: payments}
spec: {type: team, contact: {chat: "#payments"}}
---
apiVersion: nhictl.dev/v1alpha1
kind: Owner
metadata: {name: security}
spec: {type: team, contact: {chat: "#security"}}
---
apiVersion: nhictl.dev/v1alpha1
kind: Owner
metadata: {name: departed}
spec: {type: team, contact: {chat: "#gone"}, departed: 2020-01-01}
---
apiVersion: nhictl.dev/v1alpha1
kind: Role
metadata: {name: deployer}
spec: {owner: payments, environments: [prod], aws: {statements: {actions: ["ecs:*"], resources: ["*"]}}}
---
apiVersion: nhictl.dev/v1alpha1
kind: Role
metadata: {name: everywhere}
spec: {owner: payments, aws: {statements: {actions: ["ecs:*"], resources: ["*"]}}}
---
apiVersion: nhictl.dev/v1alpha1
kind: Connection
metadata: {name: github-to-aws}
spec: {owner: payments, issuer: {githubActions: {organization: example}}, aws: {audiences: [sts.amazonaws.com]}}
---
apiVersion: nhictl.dev/v1alpha1
kind: Connection
metadata: {name: github-to-directory}
spec: {owner: payments, issuer: {githubActions: {organization: example}}, local: {}}
"""
BASES = {
    "NHI": {
        "metadata": {"name": "payments-ci"},
        "spec": {
            "type": "workload", "owner": "payments", "purpose": "Deploy", "environments": ["prod"],
            "identity": {"githubActions": {"repository": "example/payments", "environment": "prod"}},
        },
    },
    "Owner": {"metadata": {"name": "x"}, "spec": {"type": "team", "contact": {"chat": "#x"}}},
    "Role": {
        "metadata": {"name": "x"},
        "spec": {"owner": "payments", "aws": {"statements": {"actions": ["ecs:*"], "resources": ["*"]}}},
    },
}  # fmt: skip
REPLACED = ("identity", "grants", "environments", "targets", "vars")


def overlaid(base, part):
    """Return `base` with `part` over it; unions and misspelt fields replace what they stand for."""
    for key, value in part.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict) and key not in REPLACED:
            overlaid(base[key], value)
        else:
            base[key] = value
    if "ownr" in base:
        del base["owner"]
    return base


def codes_of(example: str) -> set[str]:
    """Return the codes that `example`, put over a complete manifest of its kind, gives in a whole workspace."""
    (part,), _ = reader.parse(example.encode(), "example.yaml")
    part = {"apiVersion": "nhictl.dev/v1alpha1", **part.value}
    if part["kind"] == "Workspace" and "spec" in part:
        whole = overlaid(yaml.safe_load(WORKSPACE), part)
        return {d.code for d in workspace.parse(yaml.safe_dump(whole).encode(), ROOT)[1]}
    base = overlaid(copy.deepcopy(BASES.get(part["kind"], BASES["Role"])), part)
    others = COMMON.split("---")
    if base["kind"] == "Owner":
        others = [text for text in others if f"{{name: {base['metadata']['name']}}}" not in text]
    documents, problems = reader.parse("---".join([*others, f"\n{yaml.safe_dump(base)}"]).encode(), "all.yaml")
    assert not problems
    return {d.code for d in check.check(documents, workspace.parse(WORKSPACE.encode(), ROOT)[0], TODAY)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_failing_example_gives_the_code(row):
    """The failing example of a code, put over a complete manifest, gives that code."""
    assert row.code in codes_of(row.bad)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_passing_example_does_not_give_the_code(row):
    """The passing example of a code does not give it."""
    assert row.code not in codes_of(row.good)


def test_every_code_in_the_sources_is_registered():
    """Each code these modules report has a row, and each row is reported somewhere."""
    modules = Path(manifest.__file__).parent.glob("*.py")
    used = {c for m in modules for c in re.findall(r'"(E[2345][0-9]{2}|W6[0-9]{2})"', m.read_text())}
    assert used <= set(CODES)
    assert {row.code for row in schema_codes.ROWS} <= used
