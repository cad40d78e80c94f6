"""Kind Connection: an enterprise connection. Who is trusted (`issuer`) and where the trust lives (a provider block)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.common import Meta, only_block
from nhictl.kinds.role import PROVIDER_BLOCKS
from nhictl.model import Document, Handling


@dataclass(frozen=True, slots=True)
class Connection:
    """One Connection. `issuer_kind` names the block of `issuer` (githubActions, gitlab, kubernetes, oidc, saml ...)."""

    meta: Meta
    owner: str
    environments: tuple[str, ...]
    target: str
    issuer_kind: str
    issuer: Mapping[str, Any]
    provider: str
    block: Mapping[str, Any]
    handling: Handling
    adopt: bool
    native_name: str
    document: Document
    keep: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """`connection/name`."""
        return f"connection/{self.meta.name}"


def parse(document: Document) -> Connection:
    """Return the Connection of a validated document without variables."""
    spec: Mapping[str, Any] = document.value["spec"]
    issuer = spec.get("issuer") or {}
    kind = next(iter(issuer), "")
    provider, block = only_block(spec, PROVIDER_BLOCKS)
    return Connection(
        Meta.of(document),
        spec.get("owner", ""),
        tuple(spec.get("environments") or ()),
        spec.get("target", ""),
        kind,
        issuer.get(kind) or {},
        provider,
        block,
        Handling(protect=spec.get("protect", False)),
        spec.get("adopt", False),
        spec.get("nativeName", ""),
        document,
        tuple(spec.get("keep") or ()),
    )
