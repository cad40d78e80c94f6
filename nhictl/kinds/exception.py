"""Kind Exception: a waiver of a rule, or the register of a console without an API. Parsed now, enforced later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.common import Meta, date, duration_seconds
from nhictl.model import Document


@dataclass(frozen=True, slots=True)
class Console:
    """A system that can be changed only by hand, and the day by which it is gone."""

    system: str
    url: str
    manual: tuple[str, ...]
    retires: dt.date


@dataclass(frozen=True, slots=True)
class Waiver:
    """One Exception: of `rule`, or (then `rule` is empty) for `console`. `review_every` is in seconds, 0 for never."""

    meta: Meta
    rule: str
    console: Console | None
    subjects: tuple[str, ...]
    environments: tuple[str, ...]
    owner: str
    reason: str
    controls: tuple[str, ...]
    approved_by: tuple[str, ...]
    granted: dt.date
    expires: dt.date
    review_every: int
    plan: str
    document: Document

    @property
    def ref(self) -> str:
        """`exception/name`."""
        return f"exception/{self.meta.name}"


def parse(document: Document) -> Waiver:
    """Return the Exception of a validated document."""
    spec: Mapping[str, Any] = document.value["spec"]
    return Waiver(
        meta=Meta.of(document),
        rule=spec.get("rule", ""),
        console=_console(spec["console"]) if "console" in spec else None,
        subjects=tuple(spec.get("subjects") or ()),
        environments=tuple(spec.get("environments") or ()),
        owner=spec.get("owner", ""),
        reason=spec["reason"],
        controls=tuple(spec.get("compensatingControls") or ()),
        approved_by=tuple(spec["approvedBy"]),
        granted=date(spec["granted"]),
        expires=date(spec["expires"]),
        review_every=duration_seconds(spec["reviewEvery"]) if "reviewEvery" in spec else 0,
        plan=spec.get("plan", ""),
        document=document,
    )


def _console(data: Mapping[str, Any]) -> Console:
    return Console(data["system"], data.get("url", ""), tuple(data.get("manual") or ()), date(data["retires"]))
