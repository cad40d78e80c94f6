"""What an import is made from, and what it makes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from nhictl.kinds.workspace import Environment, Target
from nhictl.manifest.validate import Checked
from nhictl.model import Address, Managed, NhictlError, Resource
from nhictl.providers.base import Adapter, Draft


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """One target that was read: everything that exists in it. `own` are addresses of nhictl's own principal there."""

    target: Target
    adapter: Adapter
    resources: Mapping[Address, Resource]
    own: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """Everything an import is made from.

    `declared` maps addresses to the manifest object they come from; `match` are patterns for names, `kind/name` or
    whole addresses, none for everything; `owner` answers for what does not say itself whose it is; `group_by` is
    empty, `owner` or `provider`. `mark` is our own owner mark. `names` are physical names the ledger knows.
    """

    checked: Checked
    environment: Environment
    live: tuple[LiveTarget, ...]
    declared: Mapping[Address, str]
    managed: Mapping[Address, Managed]
    today: dt.date
    mark: str = ""
    match: tuple[str, ...] = ()
    owner: str = ""
    group_by: str = ""
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    previous: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest that was made: `path` is relative to the folder of the manifests. `keep` are its kept fields."""

    path: str
    text: str
    ref: str
    owner: str
    addresses: tuple[Address, ...]
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A live object that has no manifest now, and why."""

    address: Address
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The manifests, in stable order, and what was left out: by a rule, or because it cannot be said."""

    manifests: tuple[Manifest, ...]
    ignored: tuple[Left, ...] = ()
    foreign: tuple[Left, ...] = ()
    refused: tuple[Left, ...] = ()
    declared: int = 0


@dataclass(frozen=True, slots=True)
class Sketch:
    """A draft on its way: its final name and owner, and how much of it is said (`stage`, 0 for all of it).

    `without` are fields below `spec` that turned out to be no legal manifest: they are left out, and kept as they are.
    """

    draft: Draft
    at: LiveTarget
    name: str
    owner: str
    stage: int = 0
    keep: tuple[str, ...] | None = None
    without: frozenset[tuple[str, ...]] = frozenset()

    @property
    def whole(self) -> bool:
        """True while everything the draft says is in the manifest."""
        return self.stage == 0 and not self.without

    @property
    def ref(self) -> str:
        """The manifest object this becomes."""
        return f"{self.draft.kind.lower()}/{self.name}"

    @property
    def main(self) -> Address:
        """The live object it stands for, or the stand-in address of an object that is none by itself."""
        return self.draft.addresses[0]


class NoOwner(NhictlError):
    """Nobody is known to answer for some of the objects."""


def importable(given: Given, at: LiveTarget, address: Address) -> bool:
    """True when `address` is neither declared nor managed nor the provider's own."""
    known: Collection[Address] = given.declared
    return address not in known and address not in given.managed and not at.resources[address].facts.get("builtin")
