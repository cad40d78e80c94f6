"""Kind NHI: a non-human identity, who answers for it, what proves it and what it is granted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.common import Meta, date, duration_seconds
from nhictl.model import Document, Handling, OnRemove

DEFAULT_GRACE = 30 * 86400


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of `spec.grants`. Empty `environments` means everywhere the NHI exists. `index` is its place."""

    index: int
    role: str
    via: str = ""
    environments: tuple[str, ...] = ()
    mode: str = "standing"
    max_ttl: int = 0
    expires: dt.date | None = None


@dataclass(frozen=True, slots=True)
class NHI:
    """One NHI. `identity_kind` and `identity` are the one block that proves who it is (`githubActions`, ...)."""

    meta: Meta
    type: str
    owner: str
    service: str
    purpose: str
    tier: str
    data_sensitivity: str
    environments: tuple[str, ...]
    targets: tuple[str, ...]
    identity_kind: str
    identity: Mapping[str, Any]
    grants: tuple[Grant, ...]
    credentials: Mapping[str, Any]
    handling: Handling
    expires: dt.date | None
    enabled: bool
    adopt: bool
    native_name: str
    document: Document
    keep: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """`nhi/name`."""
        return f"nhi/{self.meta.name}"


def parse(document: Document) -> NHI:
    """Return the NHI of a validated document without variables."""
    spec: Mapping[str, Any] = document.value["spec"]
    identity = spec.get("identity") or {}
    kind = next(iter(identity), "")
    lifecycle = spec.get("lifecycle") or {}
    return NHI(
        meta=Meta.of(document),
        type=spec["type"],
        owner=spec["owner"],
        service=spec.get("service", ""),
        purpose=spec.get("purpose", ""),
        tier=spec.get("tier", "medium"),
        data_sensitivity=spec.get("dataSensitivity", "internal"),
        environments=tuple(spec.get("environments") or ()),
        targets=tuple(spec.get("targets") or ()),
        identity_kind=kind,
        identity=identity.get(kind) or {},
        grants=tuple(_grant(i, g) for i, g in enumerate(spec.get("grants") or ())),
        credentials=spec.get("credentials") or {},
        handling=_handling(spec, lifecycle),
        expires=date(lifecycle["expires"]) if "expires" in lifecycle else None,
        enabled=spec.get("enabled", True),
        adopt=spec.get("adopt", False),
        native_name=spec.get("nativeName", ""),
        document=document,
        keep=tuple(spec.get("keep") or ()),
    )


def _grant(index: int, data: Mapping[str, Any]) -> Grant:
    return Grant(
        index,
        data["role"],
        data.get("via", ""),
        tuple(data.get("environments") or ()),
        data.get("mode", "standing"),
        duration_seconds(data["maxTtl"]) if "maxTtl" in data else 0,
        date(data["expires"]) if "expires" in data else None,
    )


def _handling(spec: Mapping[str, Any], lifecycle: Mapping[str, Any]) -> Handling:
    after = lifecycle.get("deleteAfter")
    return Handling(
        OnRemove(lifecycle.get("onRemove", "disable")),
        duration_seconds(after) if after else DEFAULT_GRACE,
        bool(spec.get("protect", spec["type"] == "break-glass")),
    )
