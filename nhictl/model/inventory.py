"""The governed view: every identity of every target, who answers for it, what it can do and what proves it.

Rules enforced here: what a provider does not tell is None (unknown), never a guess; times are RFC 3339 UTC text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from nhictl.model.change import Permission
from nhictl.model.resource import Address
from nhictl.model.source import Span


class Standing(StrEnum):
    """Whose an identity is. Managed ones we made, adopted ones we took over; `orphan` carries our mark and the ledger
    does not know it; `ignored` is left alone by a rule of the workspace; `builtin` is the provider's own.
    """

    MANAGED = "managed"
    ADOPTED = "adopted"
    UNMANAGED = "unmanaged"
    ORPHAN = "orphan"
    IGNORED = "ignored"
    BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class Credential:
    """What an identity can prove itself with; `id` names it and is never the secret. None means not known.

    An empty `expires` means that it never ends, an empty `last_used` that the provider, who would know, saw no use.
    """

    kind: str
    id: str = ""
    status: str = ""
    created: str | None = None
    expires: str | None = None
    last_used: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One identity of one target.

    `subject` is the manifest object (`nhi/x`), empty for what nobody declared; `owner`, `type`, `tier` and `service`
    come from its manifest and are empty without one. `roles` are manifest references where there are some, else
    addresses. `permissions` and `trust` (`Permission.kind` is `assume`) are the whole effective access. `credentials`
    is None when the provider does not tell. An empty `last_used` means that the provider knows of no use in the last
    `tracked_days` days, or ever when that is 0, as it is for whatever is younger than the provider looks back. `labels`
    are those of the manifest, else the live ones. `reason` and `until` say why and how long an ignored one is left
    alone, or what a built-in or foreign one is. `changed` and `changed_by` are the ledger's last word on it or on its
    access. `risks` are short sentences. `kept` are fields that its manifest leaves as they are: nobody reviewed what
    they give.
    """

    address: Address
    provider: str
    standing: Standing
    native_id: str = ""
    environment: str = ""
    subject: str = ""
    owner: str = ""
    type: str = ""
    tier: str = ""
    service: str = ""
    enabled: bool | None = None
    roles: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    trust: tuple[Permission, ...] = ()
    credentials: tuple[Credential, ...] | None = None
    created: str | None = None
    last_used: str | None = None
    position: Span | None = None
    changed: str = ""
    changed_by: str = ""
    reason: str = ""
    until: str = ""
    risks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    tracked_days: int = 0
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a target is governed. Built-in and ignored identities do not count; `percent` is None for none."""

    target: str
    managed: int
    unmanaged: int
    ignored: int
    builtin: int

    @property
    def percent(self) -> int | None:
        """Managed identities among those that count, in whole percent rounded down."""
        whole = self.managed + self.unmanaged
        return self.managed * 100 // whole if whole else None


@dataclass(frozen=True, slots=True)
class Inventory:
    """All identities of an environment at one time. `unreadable` targets are unknown: target to reason."""

    workspace: str
    environment: str
    time: str
    items: tuple[Item, ...]
    coverage: tuple[Coverage, ...]
    unreadable: Mapping[str, str]

    @property
    def total(self) -> Coverage:
        """The coverage of all targets that could be read, under the empty name."""
        every = self.coverage
        return Coverage(
            "", sum(c.managed for c in every), sum(c.unmanaged for c in every), sum(c.ignored for c in every),
            sum(c.builtin for c in every),
        )  # fmt: skip
