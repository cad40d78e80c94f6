"""Estates of one Vault target for the tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nhictl.kinds import connection, nhi, role
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Target
from nhictl.model import Address, Document
from nhictl.providers.base import Draft, Ref
from tests.conformance.world import documents

TODAY = dt.date(2026, 11, 22)
TARGET = Target("vault", "vault", {}, Path())


def at(kind: str, name: str) -> Address:
    """An address in the target."""
    return Address("vault", kind, name)


def estate(
    text: str = "", *, found: Iterable[Document] | None = None, names: Mapping[Any, str] | None = None
) -> Estate:
    """The estate that a YAML stream, or documents, mean."""
    docs = list(found) if found is not None else documents(text)
    return Estate(
        "test/prod", Environment("prod", False, {}, (TARGET,)), TARGET,
        tuple(nhi.parse(d) for d in docs if d.kind == "NHI"),
        {d.name: role.parse(d) for d in docs if d.kind == "Role"},
        {d.name: connection.parse(d) for d in docs if d.kind == "Connection"},
        TODAY, names or {}, {},
    )  # fmt: skip


def written(drafts: Iterable[Draft]) -> list[Document]:
    """The manifests of drafts, with unique names and references filled in."""
    found = list(drafts)
    by_address = {}
    named = []
    for number, draft in enumerate(found):
        name = f"{draft.kind.lower()}-{number}"
        named.append(name)
        by_address |= {(draft.kind, address): name for address in draft.addresses}

    def filled(value: Any) -> Any:
        if isinstance(value, Ref):
            return by_address["Role", value.address]
        if isinstance(value, Mapping):
            return {k: filled(v) for k, v in value.items()}
        return [filled(v) for v in value] if isinstance(value, list | tuple) else value

    result = []
    for name, draft in zip(named, found, strict=True):
        spec = {
            "type": "workload",
            "owner": "a",
            **filled(draft.spec),
            **({"nativeName": draft.name} if draft.name else {}),
        }
        value = {"kind": draft.kind, "metadata": {"name": name, "labels": dict(draft.labels)}, "spec": spec}
        result.append(Document(draft.kind, name, value, f"{name}.yaml"))
    return result
