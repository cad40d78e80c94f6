"""Manifests for live objects of a realm. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from nhictl.model import Address, Resource
from nhictl.providers.base import Draft


def drafts(live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterator[Draft]:
    """Yield manifests for the live objects `wanted`."""
    yield from ()
