"""Kind Policy: the workspace's own rules in CEL. Parsed and validated; not yet enforced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.common import Meta
from nhictl.model import Document


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule: what it is about (`match`, empty for everything) and the CEL expression that must be true."""

    id: str
    message: str
    require: str
    hint: str
    match: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """One Policy. `level` is advisory, soft or hard; `on` is manifest, plan or request."""

    meta: Meta
    level: str
    on: str
    environments: tuple[str, ...]
    rules: tuple[PolicyRule, ...]
    document: Document

    @property
    def ref(self) -> str:
        """`policy/name`."""
        return f"policy/{self.meta.name}"


def parse(document: Document) -> Policy:
    """Return the Policy of a validated document."""
    spec: Mapping[str, Any] = document.value["spec"]
    return Policy(
        Meta.of(document),
        spec["level"],
        spec["on"],
        tuple(spec.get("environments") or ()),
        tuple(
            PolicyRule(r["id"], r["message"], r["require"], r.get("hint", ""), r.get("match") or {})
            for r in spec["rules"]
        ),
        document,
    )
