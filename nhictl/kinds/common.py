"""What every kind shares: metadata, durations and dates.

Rules enforced here: durations are `15m 1h 90d 2w` (also `30s`), whole numbers, one unit; dates are absolute ISO dates.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.model import Document

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])\Z")


def duration_seconds(text: str) -> int:
    """Return the seconds of a duration like `15m`. Raises ValueError on anything else."""
    found = _DURATION.match(text)
    if not found:
        raise ValueError(f"not a duration: {text}")
    return int(found[1]) * _UNITS[found[2]]


def duration_text(seconds: int) -> str:
    """Return the shortest duration text of `seconds`: 3600 gives `1h`."""
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def date(text: str) -> dt.date:
    """Return the date of `YYYY-MM-DD`. Raises ValueError on anything else."""
    return dt.date.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Meta:
    """`metadata` of a manifest. `previously` are former names of the object, newest first."""

    name: str
    labels: Mapping[str, str]
    previously: tuple[str, ...] = ()

    @staticmethod
    def of(document: Document) -> Meta:
        """Return the metadata of a validated document."""
        data: Mapping[str, Any] = document.value["metadata"]
        return Meta(data["name"], data.get("labels") or {}, tuple(data.get("previously") or ()))


def keeps(keep: tuple[str, ...], kind: str, field: str) -> bool:
    """True when `spec.keep` names the whole `field` of objects of the provider's `kind`."""
    return field in keep or f"{kind}/{field}" in keep


def only_block(spec: Mapping[str, Any], names: frozenset[str]) -> tuple[str, Mapping[str, Any]]:
    """Return name and content of the one block of `spec` out of `names`; ("", {}) when there is none."""
    for name in spec:
        if name in names:
            return name, spec[name] or {}
    return "", {}
