"""What is to happen and what happened: changes, access deltas, findings, plans, intents, outcomes, ledger entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nhictl.model.resource import Address, Identity, Resource
from nhictl.model.source import Span
from nhictl.model.value import Value


class Action(StrEnum):
    """What a change does; `symbol` is what people see."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    DISABLE = "disable"
    ADOPT = "adopt"
    ROTATE = "rotate"
    FORGET = "forget"

    @property
    def symbol(self) -> str:
        """The sign of the action in plans."""
        return _SYMBOLS[self]


_SYMBOLS = {
    Action.CREATE: "+", Action.UPDATE: "~", Action.REPLACE: "-/+", Action.DELETE: "-",
    Action.DISABLE: "!", Action.ADOPT: "=", Action.ROTATE: "*", Action.FORGET: ".",
}  # fmt: skip


_BOUNDARY = "not:policy:"


class Direction(StrEnum):
    """How a change moves access."""

    WIDER = "wider"
    NARROWER = "narrower"
    CHANGED = "changed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a resource before and after. `path` is dotted. For sets, `added` and `removed` are the elements."""

    path: str
    before: Value = None
    after: Value = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One thing an identity may do, or (`kind` is `assume`) one way to become it.

    `condition` is canonical JSON text or empty. `source` is the resource that gives it. Deny statements carry
    `effect` "deny".
    """

    kind: str
    action: str
    resource: str
    condition: str = ""
    effect: str = "allow"
    source: str = field(default="", compare=False)

    @property
    def boundary(self) -> str:
        """What this bounds everything to (`policy:NAME`): nothing but what that allows. Empty for anything else."""
        bound = self.effect == "deny" and self.action.startswith(_BOUNDARY)
        return self.action.removeprefix("not:") if bound else ""


@dataclass(frozen=True, slots=True)
class AccessDelta:
    """What one NHI gains and loses. `direct` is false when only something it depends on changes."""

    subject: str
    gained: tuple[Permission, ...] = ()
    lost: tuple[Permission, ...] = ()
    direct: bool = True
    direction: Direction = Direction.NONE


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan. `before` is the live resource (None for create), `after` the desired one (None for delete).

    `fingerprint` is the live resource's fingerprint when planned; empty when there was none. `fields` that start
    with `handling.` or equal `subject` need no provider call of their own. `depends_on` are addresses whose changes
    come first.
    """

    address: Address
    action: Action
    subject: str
    reason: str
    native_id: str = ""
    fields: tuple[FieldChange, ...] = ()
    before: Resource | None = None
    after: Resource | None = None
    fingerprint: str = ""
    depends_on: tuple[Address, ...] = ()
    risk: Direction = Direction.NONE
    origin: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a plan or a rule says about an address or a manifest object: blocked, orphan, waiting, denied."""

    rule: str
    level: str
    subject: str
    message: str
    hint: str = ""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything apply needs and people see. Times are RFC 3339 UTC.

    `findings` are blocked (level `error`), waiting or orphaned objects; `safety` are violated limits: with one of
    them nothing is applied unless an override names `digest`. `partial` says which selection made the plan, empty
    for a whole one. `unmanaged` counts per target.
    """

    workspace: str
    environment: str
    targets: Mapping[str, Identity]
    changes: tuple[Change, ...]
    access: tuple[AccessDelta, ...] = ()
    findings: tuple[Finding, ...] = ()
    safety: tuple[Finding, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    auth_failed: bool = False
    unchanged: int = 0
    unmanaged: Mapping[str, int] = field(default_factory=dict)
    partial: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    expires: str = ""
    commit: str = ""
    tool: str = ""
    adapters: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


class Status(StrEnum):
    """How an operation ended. Unknown until read again: `indeterminate`."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Operation:
    """One numbered try to carry out a change; `id` goes into the mark of what it creates, `owner` too."""

    id: str
    owner: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a provider said. Ids only: there is no field for a secret, and `detail` is built by the adapter from error
    codes, never from a provider's free text with values in it.
    """

    status: Status
    native_id: str = ""
    request_ids: tuple[str, ...] = ()
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The end of one change in one run, for people and exit codes."""

    change: Change
    status: Status
    detail: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. `prev` and `hash` are hexadecimal SHA-256 over the raw bytes of a line."""

    seq: int
    prev: str
    time: str
    run: str
    type: str
    actor: Mapping[str, Any]
    data: Mapping[str, Any]
    hash: str = field(default="", compare=False)
