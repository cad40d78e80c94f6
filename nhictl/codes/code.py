"""The shape of one row of the registries: a code of a message, a word of a plan."""

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


@dataclass(frozen=True, slots=True)
class Word:
    """One word that plans use for what stands in the way: what it means, why it is so, and the way out."""

    word: str
    title: str
    why: str
    way_out: str
