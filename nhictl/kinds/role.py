"""Kind Role: a named set of permissions in one provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.common import Meta, only_block
from nhictl.model import Document, Handling

PROVIDER_BLOCKS = frozenset({"local", "aws", "vault", "keycloak", "postgres"})


@dataclass(frozen=True, slots=True)
class Role:
    """One Role. `block` is the provider block named by `provider`; empty `environments` means all of them."""

    meta: Meta
    owner: str
    description: str
    environments: tuple[str, ...]
    target: str
    provider: str
    block: Mapping[str, Any]
    handling: Handling
    adopt: bool
    native_name: str
    document: Document
    keep: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """`role/name`."""
        return f"role/{self.meta.name}"


def parse(document: Document) -> Role:
    """Return the Role of a validated document without variables."""
    spec: Mapping[str, Any] = document.value["spec"]
    provider, block = only_block(spec, PROVIDER_BLOCKS)
    return Role(
        Meta.of(document),
        spec.get("owner", ""),
        spec.get("description", ""),
        tuple(spec.get("environments") or ()),
        spec.get("target", ""),
        provider,
        block,
        Handling(protect=spec.get("protect", False)),
        spec.get("adopt", False),
        spec.get("nativeName", ""),
        document,
        tuple(spec.get("keep") or ()),
    )
