"""The shape of one row of the code registry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One diagnostic code: what it means, why it is refused, an example that fails and one that passes."""

    code: str
    title: str
    why: str
    bad: str
    good: str
