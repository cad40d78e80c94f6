"""`nhictl.yaml`: the workspace's configuration. Not an object of the estate; no credentials in it, ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from nhictl.model import Document, Place


@dataclass(frozen=True, slots=True)
class Target:
    """One provider instance of one environment. `settings` is the target's mapping without `provider`, as written;
    `place` is where it stands.
    """

    name: str
    provider: str
    settings: Mapping[str, Any]
    root: Path
    place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment. `vars` are what `${vars.*}` means in it."""

    name: str
    protected: bool
    vars: Mapping[str, Any]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Safety limits of a plan: percentages of what is managed in a target, and absolute numbers. `delete_max` counts
    deletes and replaces; `revoke_percent` and `revoke_max` count NHIs of the target that lose any access.
    """

    delete_percent: int = 10
    delete_max: int = 5
    revoke_percent: int = 20
    revoke_max: int = 25

    def as_json(self) -> dict[str, int]:
        """Return the limits as written in `nhictl.yaml` and recorded with a plan, in the order of the fields."""
        return {
            "deletePercent": self.delete_percent,
            "deleteMax": self.delete_max,
            "revokePercent": self.revoke_percent,
            "revokeMax": self.revoke_max,
        }


@dataclass(frozen=True, slots=True)
class Ignore:
    """One rule of `spec.ignore`: live objects that are left alone. Each list holds patterns with `*` and `?`; a match
    needs one of every list that is not empty, and all of `tags` (name to pattern). `expires` is the first day without.
    """

    index: int
    reason: str
    targets: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    expires: dt.date | None = None

    def expired(self, today: dt.date) -> bool:
        """True from the first day on which the rule no longer counts."""
        return self.expires is not None and self.expires <= today

    def __str__(self) -> str:
        return f"ignore[{self.index}]: {self.reason}"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The parsed `nhictl.yaml`. `ledger` is a URL (`file:.nhictl/ledger`), relative to `root`."""

    name: str
    root: Path
    manifests: tuple[str, ...]
    ledger: str
    environments: Mapping[str, Environment]
    limits: Limits
    plan_expiry: int
    document: Document
    ignore: tuple[Ignore, ...] = ()


def misplaced_ledger(path: str) -> str:
    """Say what is wrong with a ledger's path whatever the machine, empty when nothing is."""
    parts = PurePosixPath(path).parts
    if ".." in parts:
        return "a ledger stands inside the workspace: no `..`"
    if any(part.lower() == ".git" for part in parts):
        return "a ledger cannot stand in `.git`"
    return "" if set(parts) - {"/"} else "a ledger needs a directory of its own"
