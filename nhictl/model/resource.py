"""What providers hold: addresses, resources, ownership marks, snapshots and what is recorded as managed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from nhictl.model.source import Place, Span
from nhictl.model.value import Attributes, digest


class Address(NamedTuple):
    """The only key of a resource: target, provider kind and the physical name in that target.

    Prints `aws-prod/iam-role/payments-ci`. The name may itself contain slashes; target and kind never do. A tuple,
    because a plan hashes and compares each address dozens of times.
    """

    target: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.target}/{self.kind}/{self.name}"

    @staticmethod
    def parse(text: str) -> Address:
        """Return the address printed as `text`. Raises ValueError when it has fewer than three parts."""
        parts = text.split("/", 2)
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"not an address (target/kind/name): {text}")
        return Address(*parts)


class OnRemove(StrEnum):
    """What happens to a live resource when its manifest goes away."""

    DISABLE = "disable"
    DELETE = "delete"
    RETAIN = "retain"


@dataclass(frozen=True, slots=True)
class Handling:
    """How nhictl treats a resource; recorded in the ledger so that it survives the manifest.

    `delete_after` is the grace period between disable and delete in seconds.
    """

    on_remove: OnRemove = OnRemove.DELETE
    delete_after: int = 0
    protect: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the recorded form."""
        return {"onRemove": self.on_remove.value, "deleteAfter": self.delete_after, "protect": self.protect}

    @staticmethod
    def from_json(data: Mapping[str, object]) -> Handling:
        """Return the value of a recorded form; absent keys take the refusing default (`protect` excepted)."""
        return Handling(
            OnRemove(str(data.get("onRemove", "retain"))),
            int(str(data.get("deleteAfter", 0))),
            bool(data.get("protect", False)),
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """Our mark on a live object: the owner (`workspace/environment`), the manifest object, the operation."""

    owner: str
    ref: str
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One object of a provider, desired or live.

    `attributes` are the fields nhictl compares, already normalised by the adapter. `subject` is the manifest object
    it comes from (`nhi/payments-ci`), empty for live objects. `native_id`, `mark` and `facts` are known for live
    objects only; `mark_known` is false where a bulk read cannot tell the mark. `facts` are shown and never compared
    (creation time, last use, credential ages; times are RFC 3339 UTC). `keep` names fields of a desired resource that
    stay as they are live, see `nhictl.keeping`.
    """

    address: Address
    attributes: Attributes
    subject: str = ""
    depends_on: tuple[Address, ...] = ()
    native_id: str = ""
    mark: Mark | None = None
    mark_known: bool = True
    handling: Handling = Handling()
    adopt: bool = False
    renamed_from: Address | None = None
    facts: Attributes = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False, repr=False)

    @property
    def origin(self) -> Span | None:
        """Where the manifest says it; None for live resources."""
        return self.place.span() if self.place is not None else None

    def fingerprint(self) -> str:
        """Return a digest over native id and attributes: what a plan saw, to be found again before a write."""
        return digest([self.native_id, self.attributes])


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a session is and where: `scope` names the account, realm or directory and is bound into plans.

    `principal` may differ between plan and apply. `own` lists the addresses of nhictl's own principal, under every
    name it has; they are never touched.
    """

    provider: str
    scope: str
    principal: str
    own: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one read of one target gave. An incomplete snapshot (`error` is set) never leads to a change."""

    target: str
    resources: Mapping[Address, Resource]
    identity: Identity | None = None
    error: str = ""
    auth_failed: bool = False

    @property
    def complete(self) -> bool:
        """True when the whole scope was read."""
        return not self.error


@dataclass(frozen=True, slots=True)
class Managed:
    """What the ledger says we made or adopted: the fold of intents and outcomes at one address."""

    address: Address
    subject: str
    native_id: str
    attributes: Attributes
    handling: Handling
    depends_on: tuple[Address, ...] = ()
    operation: str = ""
    sequence: int = 0
    time: str = ""
    disabled_at: str = ""
