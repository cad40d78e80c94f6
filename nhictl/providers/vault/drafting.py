"""Manifests for live objects. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from nhictl.model import Address, Resource
from nhictl.providers.base import Draft


def drafts(live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterable[Draft]:
    """Return manifests for the live objects `wanted`."""
    return ()
