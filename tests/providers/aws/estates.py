"""Estates from YAML, for the pure tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nhictl.kinds import connection, nhi, role
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Target
from nhictl.model import Document, Resource
from nhictl.providers.aws.adapter import adapter
from nhictl.providers.base import Compiled
from tests.conformance.world import trees

ACCOUNT = "123456789012"
TODAY = dt.date(2026, 11, 22)


def estate(text: str, *, root: Path = Path("/nowhere"), **settings: Any) -> Estate:
    """Return the estate of a YAML stream of manifests for account 123456789012."""
    found = [Document(d["kind"], d["metadata"]["name"], d, f"{d['metadata']['name']}.yaml") for d in trees(text)]
    target = Target("aws-test", "aws", {"account": ACCOUNT, **settings}, root)
    return Estate(
        owner="w/e",
        environment=Environment("e", False, {}, (target,)),
        target=target,
        nhis=tuple(nhi.parse(d) for d in found if d.kind == "NHI"),
        roles={d.name: role.parse(d) for d in found if d.kind == "Role"},
        connections={d.name: connection.parse(d) for d in found if d.kind == "Connection"},
        today=TODAY,
        names={},
        previous={},
    )


def compiled(text: str, **given: Any) -> Compiled:
    """Return what the adapter makes of manifests."""
    return adapter.desired(estate(text, **given))


def resources(text: str, **given: Any) -> Mapping[str, Resource]:
    """Return the resources of manifests by `kind/name`; a diagnostic fails the test."""
    result = compiled(text, **given)
    assert result.diagnostics == ()
    return {f"{r.address.kind}/{r.address.name}": r for r in result.resources}


def codes(text: str, **given: Any) -> list[str]:
    """Return the codes of what is said about manifests."""
    return [d.code for d in compiled(text, **given).diagnostics]


def nhi_of(identity: str, *, grants: str = "[]", more: str = "", name: str = "x") -> str:
    """Return the manifest of one NHI."""
    return (
        f"---\nkind: NHI\nmetadata: {{name: {name}}}\nspec: {{type: workload, owner: o, purpose: p, "
        f"identity: {identity}, grants: {grants}{more}}}\n"
    )


def connection_of(issuer: str, *, name: str = "c", aws: str = "{}") -> str:
    """Return the manifest of one Connection."""
    return f"---\nkind: Connection\nmetadata: {{name: {name}}}\nspec: {{issuer: {issuer}, aws: {aws}}}\n"


def role_of(aws: str, *, name: str = "r") -> str:
    """Return the manifest of one Role."""
    return f"---\nkind: Role\nmetadata: {{name: {name}}}\nspec: {{aws: {aws}}}\n"
