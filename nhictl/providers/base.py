"""The contract between the core and a provider.

Facts of live objects (`Resource.facts`) have these names everywhere; what the provider does not tell is left out, never
guessed; times are RFC 3339 UTC:
- `created`, `last_used`: when the object was made and when it was last used to prove somebody or act;
- `credentials`: a tuple of mappings with `kind`, `id` (never secret), `status` (active, inactive, expired), `created`,
  `expires`, `last_used`; an empty tuple says there are none, no fact says it is not known; an empty `expires` says it
  never ends, an empty `last_used` (of the object, too) that no use is known to the provider, who would know of one;
- `tracked_days`: how many days back the provider knows of uses, where it does not for all time;
- `builtin`: why the object belongs to the provider itself (`service-linked role`), for what nobody could declare;
- `tags`: labels of the object where they are not in `attributes`, for rules that match by tag;
- `holders`: who else holds the object;
- `part_of`: the address, as text, of the identity that an object of an identity kind is a part of.
A live object's `depends_on` names everything it has access through, so that access can be told as a chain.

Permissions have these forms everywhere:
- `kind` is `allow` for what may be done (with `effect` deny: what may not), `assume` for who may become the identity;
- `not:a,b` as action or resource is everything but `a` and `b`; a comma or backslash of one has a backslash before it;
- an action `policy:NAME` or `group:NAME` is opaque: it gives something that nhictl does not know;
- a deny of `not:policy:NAME` is a boundary: nothing but what that allows; when `source` is another resource than the
  identity, `permissions` of it says what that is;
- `source` is the address, as text, of the resource that gives it; for `assume` that is the connection it comes through.

Rules enforced here:
- an `Adapter` is pure and imports no SDK; a `Session` is one live connection and the only thing with effects;
- `Capabilities` is data and its defaults refuse: what a kind does not list, nhictl does not do there;
- a session opened without `write` cannot change anything: it refuses mutating calls at the transport.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Target
from nhictl.model import (
    Action,
    Address,
    Change,
    Diagnostic,
    Identity,
    Managed,
    Operation,
    Outcome,
    Permission,
    Resource,
    Status,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What nhictl may do with one provider kind.

    `immutable` fields force a replace. `partial` fields are mappings of which only the keys declared now or
    recorded before are compared. `mark` says when the owner mark can be read. `identity` kinds are NHIs. `rename` means
    the provider can change a name in place.
    """

    title: str
    actions: frozenset[Action] = frozenset()
    immutable: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    mark: Literal["none", "bulk", "reread"] = "none"
    identity: bool = False
    rename: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can do, as data. `settle` is the longest time in seconds a call whose reply was lost may still
    take effect, or stay invisible to a read, after it was sent. `workers` bounds parallel writes. `revoke` says how
    exactly issued access can be taken back. `fresh_for` is how old, in seconds, a reading may be when a write relies
    on it: by default each object is read again before it is written. `whole` says that a read whose scope names no
    addresses gives every object whole: an import reads nothing again then.

    `patterns` says what stands for more than itself in actions and resources of permissions. `glob`: `*` any text, `?`
    one character, `${...}` something only the request tells. `path`: `*` at the end, `+` as a whole segment, `{{...}}`
    any text that only the request tells, and of several that fit a path only the most specific counts. Actions are
    compared without case when `ignore_case`.
    """

    provider: str
    version: str
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    workers: int = 1
    settle: float = 0.0
    revoke: Literal["exact", "coarse", "none"] = "none"
    reads: str = ""
    fresh_for: float = 0.0
    whole: bool = False
    patterns: Literal["glob", "path"] = "glob"
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a read must cover: everything that exists of `kinds`; details that cost a call each are owed only for
    `addresses` (declared or managed). Empty `kinds` means all kinds of the provider. `details` asks for the credentials
    of every identity and their last use, declared or not, for an inventory.
    """

    kinds: frozenset[str] = frozenset()
    addresses: frozenset[Address] = frozenset()
    details: bool = False


class Ref(NamedTuple):
    """In a draft's `spec`: the manifest name of whatever stands for the live object at `address`. The core fills it."""

    address: Address


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest made from live objects, before it has its final name and owner.

    `kind` is NHI, Role or Connection. `name` is what the provider calls it, empty where it has no name: the core makes
    a valid, unique `metadata.name` of it and adds `nativeName` where the two differ. `spec` is without owner and
    without provider defaults, and may hold `Ref` wherever it names another manifest. `addresses` are the live objects
    it stands for, the main one first. `keep` names fields (`trust`, `inline.legacy`, or with the kind `iam-role/trust`)
    that the language cannot say: they stay as they are. `notes` are sentences for the reader, written as comments.
    `called` is what `metadata.name` is made of where `name` would make a poor one; `labels` go into `metadata.labels`.
    An object that is none by itself in the provider (a set of attachments) has a made-up address first, the same for
    the same content.
    """

    kind: Literal["NHI", "Role", "Connection"]
    name: str
    spec: Mapping[str, Any]
    addresses: tuple[Address, ...]
    keep: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    called: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What an adapter makes of an estate."""

    resources: tuple[Resource, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a session may do, for `nhictl doctor`. `credentials` says who we are and where that comes from, no secret.

    `missing_for_plan` and `missing_for_apply` hold only what the provider says is refused; whatever could not be
    found out is said in `unknown`, or in `unknown_for_apply` when planning does not hang on it.
    """

    credentials: str
    missing_for_plan: tuple[str, ...] = ()
    missing_for_apply: tuple[str, ...] = ()
    unknown: str = ""
    unknown_for_apply: str = ""


class Session(Protocol):
    """One live connection to one target. Every method may raise `ProviderError`."""

    def identity(self) -> Identity:
        """Return who and where this session is, as the provider says."""
        ...

    def read(self, scope: Scope) -> Iterable[Resource]:
        """Return every live object in scope, normalised, with few bulk calls. Raises rather than return a part."""
        ...

    def reread(self, addresses: Collection[Address]) -> Mapping[Address, Resource]:
        """Return the live objects at `addresses` read again one by one, marks known; absent ones are left out."""
        ...

    def apply(self, change: Change, operation: Operation) -> Outcome:
        """Carry out one change. Harmless when repeated. Never deletes or updates an object whose native id differs
        from `change.native_id`. A create puts the mark (owner, `change.subject`, operation id) into the create call.
        """
        ...

    def resolve(self, change: Change, operation: Operation, live: Resource | None) -> Status:
        """Say, from an object just read again, how an operation with a lost reply ended: applied, not_applied, or
        indeterminate when reading cannot tell.
        """
        ...

    def checkup(self, declared: Collection[Resource]) -> Checkup:
        """Return which permissions are missing for planning and applying `declared`; nothing declared means all
        kinds. Reads only.
        """
        ...


class Adapter(Protocol):
    """A provider: pure knowledge about it, and the way to open sessions."""

    name: str
    capabilities: Capabilities
    settings_schema: Mapping[str, Any]

    def desired(self, estate: Estate) -> Compiled:
        """Return the resources an estate means here, with diagnostics for what cannot be expressed. Pure."""
        ...

    def permissions(self, resource: Resource, known: Mapping[Address, Resource]) -> Iterable[Permission]:
        """Return what `resource` gives to the NHI it belongs to, through everything it refers to in `known`. Pure.

        Called for identity kinds: the result is the NHI's whole access in this target, trust included. `known` holds at
        least what the resource, and what refers to it, depends on. For another kind it is what that gives by itself.
        """
        ...

    def drafts(self, live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterable[Draft]:
        """Return manifests for the live objects `wanted`, all of `live` being known. Pure.

        Every legal live object is accepted. Compiling the drafts gives `live` back, kept fields aside. Built-in
        objects and parts of something that is not wanted give no draft.
        """
        ...

    def connect(self, target: Target, *, write: bool) -> AbstractContextManager[Session]:
        """Open a session with the provider's own credential chain. Imports the SDK here."""
        ...


class Entrance(NamedTuple):
    """What lets one identity become another of the same provider.

    `names` are texts of trusts (`Permission.resource` of kind `assume`) that let exactly this identity in, `wide` those
    that let it in among others. Whoever is let in by `wide`, or into an identity of another `scope`, must also be
    allowed to do `action` on the other's `resource`. `bounded` says that its boundary limits what `names` let it do.
    """

    names: tuple[str, ...]
    wide: tuple[str, ...]
    scope: str
    action: str
    resource: str
    bounded: bool = True


@runtime_checkable
class Impersonating(Protocol):
    """An adapter has this, too, where one identity can become another by a trust. Pure."""

    def entrance(self, identity: Resource, target: Target) -> Entrance:
        """Return how `identity` is named by trusts and what becoming it takes."""
        ...


def resolved_by_mark(change: Change, operation: Operation, live: Resource | None) -> Status:
    """Resolve a lost reply for kinds that carry the operation in their mark, and for deletes and updates by state."""
    if change.action in (Action.CREATE, Action.REPLACE):
        if live is None:
            return Status.NOT_APPLIED
        ours = live.mark is not None and live.mark.operation == operation.id
        return Status.APPLIED if ours else Status.NOT_APPLIED
    if change.action is Action.DELETE:
        gone = live is None or live.native_id != change.native_id
        return Status.APPLIED if gone else Status.NOT_APPLIED
    if live is None or live.native_id != change.native_id:
        return Status.NOT_APPLIED
    if change.after is not None and dict(live.attributes) == dict(change.after.attributes):
        return Status.APPLIED
    return Status.NOT_APPLIED


__all__ = [
    "Adapter", "Capabilities", "Checkup", "Compiled", "Draft", "Entrance", "Impersonating", "Kind", "Managed", "Ref",
    "Scope", "Session", "resolved_by_mark",
]  # fmt: skip
