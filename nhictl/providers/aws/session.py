"""One live connection to one AWS account: read, read again, apply, resolve.

Rules enforced here:
- the account is asked for once, and a session in another account than the target's is refused;
- a change is applied only after the live object's native id was compared with the planned one: as this session read
  it less than `FRESH_SECONDS` ago for an update of a role or user, as it is now for everything else;
- the result carries ids and request ids, nothing else of a reply.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from time import monotonic
from typing import Protocol

from nhictl.model import (
    Action,
    Address,
    Attributes,
    Change,
    Fault,
    Identity,
    Operation,
    Outcome,
    ProviderError,
    Resource,
    Status,
)
from nhictl.providers.aws import checkup, federation, iam_policy, iam_role, iam_user, marking, reading
from nhictl.providers.aws.calls import Calls, Steps
from nhictl.providers.aws.marking import Tagging
from nhictl.providers.aws.names import OIDC, POLICY, ROLE, SAML, USER, Account
from nhictl.providers.base import Checkup, Scope, resolved_by_mark

FRESH_SECONDS = 30.0


class WrittenKind(Protocol):
    """What the module of a kind does to its objects."""

    def tagging(self, account: Account, change: Change) -> Tagging:
        """Return how the object of a change is tagged."""
        ...

    def check(self, calls: Calls, account: Account, change: Change) -> str:
        """Return the live native id after comparing it with the planned one."""
        ...

    def create(self, steps: Steps, account: Account, change: Change, operation: Operation) -> None:
        """Create the object with its mark."""
        ...

    def update(self, steps: Steps, account: Account, change: Change, before: Attributes) -> None:
        """Bring the object from `before` to what the change says."""
        ...

    def delete(self, steps: Steps, account: Account, change: Change, operation: Operation) -> None:
        """Delete the object and what hangs on it."""
        ...


@dataclass(slots=True)
class AwsSession:
    """A session of the `aws` adapter. `source` makes calls as who we were before assuming the target's role.

    `method` is where the SDK found the credentials.
    """

    account: Account
    calls: Calls
    source: Calls | None = None
    assumed: str = ""
    method: str = ""
    _identity: Identity | None = None
    _seen: dict[Address, Resource] = field(default_factory=dict)
    _policies: dict[str, Attributes] = field(default_factory=dict)
    _fresh: dict[Address, str] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _lock: Lock = field(default_factory=Lock)

    def identity(self) -> Identity:
        """Return the account and the principal of this session. Raises ProviderError in another account."""
        with self._lock:
            if self._identity is None:
                self._identity = self._ask()
            return self._identity

    def read(self, scope: Scope) -> Iterator[Resource]:
        """Yield every live object in scope."""
        self.identity()
        self._read_at = monotonic()
        for resource in reading.everything(self.calls, self.account, scope):
            if resource.address.kind == POLICY:
                self._policies[resource.address.name] = resource.facts
            elif resource.address.kind in (ROLE, USER) and not resource.facts.get("builtin"):
                self._fresh[resource.address] = resource.native_id
            yield resource

    def reread(self, addresses: Collection[Address]) -> Mapping[Address, Resource]:
        """Return the live objects at `addresses`, marks known; absent ones are left out."""
        self.identity()
        found = {r.address: r for r in reading.again(self.calls, self.account, addresses, policies=self._policies)}
        with self._lock:
            for address in addresses:
                self._seen.pop(address, None)
                self._fresh.pop(address, None)
            self._seen |= found
        return found

    def apply(self, change: Change, operation: Operation) -> Outcome:
        """Carry out one change. Raises ProviderError, fault PARTIAL when some of its calls took effect."""
        self.identity()
        steps = Steps(self.calls)
        try:
            self._run(steps, change, operation)
        except ProviderError as error:
            if steps.done and error.fault not in (Fault.PARTIAL, Fault.LOST):
                raise steps.partly(error) from error
            raise
        return Outcome(Status.APPLIED, steps.native_id, tuple(steps.request_ids))

    def resolve(self, change: Change, operation: Operation, live: Resource | None) -> Status:
        """Say how an operation with a lost reply ended, from the object read again."""
        return resolve(change, operation, live)

    def checkup(self, declared: Collection[Resource]) -> Checkup:
        """Return which actions IAM's simulator says this principal lacks for `declared`."""
        return checkup.checkup(self, declared)

    def _run(self, steps: Steps, change: Change, operation: Operation) -> None:
        seen = self._take(change.address)
        kind = _kind(change)
        match change.action:
            case Action.CREATE:
                kind.create(steps, self.account, change, operation)
            case Action.REPLACE:
                policy = change.address.kind == POLICY
                held = iam_policy.holders(self.calls, self.account, change) if policy else []
                self._delete(steps, change, operation)
                steps.native_id = ""
                kind.create(steps, self.account, change, operation)
                iam_policy.attach(steps, self.account, change, held)
            case Action.UPDATE | Action.DISABLE:
                before = self._verified(steps, change, seen)
                kind.update(steps, self.account, _disabling(change), before)
            case Action.ADOPT:
                before = self._verified(steps, change, seen)
                marking.adopt(steps, kind.tagging(self.account, change), change, operation)
                if change.after is not None and change.before is not None:
                    kind.update(steps, self.account, _unmarked(change), before)
            case Action.DELETE:
                self._delete(steps, change, operation)
            case Action.FORGET:
                self._forget(steps, change)
            case _:
                raise ProviderError(
                    Fault.INVALID, f"{change.address}: aws cannot {change.action}", code="UnknownAction"
                )

    def _take(self, address: Address) -> Resource | None:
        with self._lock:
            return self._seen.pop(address, None)

    def _just_read(self, change: Change) -> bool:
        """True once, when the plan's own read found the object of an update moments ago with the planned native id."""
        with self._lock:
            native_id = self._fresh.pop(change.address, "")
        fresh = monotonic() - self._read_at <= FRESH_SECONDS
        return fresh and change.action is Action.UPDATE and native_id != "" and native_id == change.native_id

    def _verified(self, steps: Steps, change: Change, seen: Resource | None) -> Attributes:
        """Return what the object is before the change; an object read again just now is not read a third time.

        Calls for principals are harmless when repeated, so for them the planned state will do.
        """
        if seen is not None and seen.native_id == change.native_id and not seen.facts.get("builtin"):
            steps.native_id = seen.native_id
            return seen.attributes
        if change.address.kind in (ROLE, USER):
            before = change.before.attributes if change.before else {}
            if self._just_read(change):
                steps.native_id = change.native_id
                return before
            steps.native_id = _kind(change).check(self.calls, self.account, change)
            return before
        live = reading.one(self.calls, self.account, change)
        if live is None:
            raise ProviderError(Fault.NOT_FOUND, f"{change.address} does not exist", code="NoSuchEntity")
        steps.native_id = marking.verified(change, live.native_id)
        return live.attributes

    def _delete(self, steps: Steps, change: Change, operation: Operation) -> None:
        """Delete the object of the change; what is gone already counts as deleted."""
        if not change.native_id:
            marking.verified(change, "an object")
        steps.native_id = change.native_id
        try:
            _kind(change).check(self.calls, self.account, change)
        except ProviderError as error:
            if error.fault is not Fault.NOT_FOUND:
                raise
            return
        _kind(change).delete(steps, self.account, change, operation)

    def _forget(self, steps: Steps, change: Change) -> None:
        """Take our mark away; an object that is gone has none."""
        try:
            steps.native_id = _kind(change).check(self.calls, self.account, change)
        except ProviderError as error:
            if error.fault is not Fault.NOT_FOUND:
                raise
            return
        marking.forget(steps, _kind(change).tagging(self.account, change))

    def _ask(self) -> Identity:
        said = self.calls.read("GetCallerIdentity", service="sts")
        if said["Account"] != self.account.id:
            raise ProviderError(
                Fault.AUTH,
                f"{self.account.target}: the credentials are for account {said['Account']}, not {self.account.id}",
                code="OtherAccount",
                hint="use another profile, or `assumeRole` in the target's settings",
            )
        arns = [said["Arn"], self.assumed]
        if self.source is not None:
            arns.append(self.source.read("GetCallerIdentity", service="sts")["Arn"])
        own = {a for arn in arns for a in own_addresses(self.account, arn)}
        return Identity("aws", self.account.id, said["Arn"], tuple(sorted(own)))


def own_addresses(account: Account, arn: str) -> Iterable[Address]:
    """Yield the address of the role or user behind a caller's ARN when it lives in `account`."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[4] != account.id:
        return
    kind, _, rest = parts[5].partition("/")
    if kind == "assumed-role":
        yield account.address(ROLE, rest.split("/", 1)[0])
    elif kind in ("role", "user") and rest:
        yield account.address(ROLE if kind == "role" else USER, rest.rsplit("/", 1)[-1])


def resolve(change: Change, operation: Operation, live: Resource | None) -> Status:
    """Say how an operation with a lost reply ended, from the object read again."""
    if change.action is Action.ADOPT:
        ours = live is not None and live.mark is not None and live.mark.operation == operation.id
        return Status.APPLIED if ours else Status.NOT_APPLIED
    if change.action not in (Action.UPDATE, Action.DISABLE):
        return resolved_by_mark(change, operation, live)
    wanted = _disabling(change).after
    if live is None or wanted is None or live.native_id != change.native_id:
        return Status.NOT_APPLIED
    return Status.APPLIED if satisfies(live.attributes, wanted.attributes) else Status.NOT_APPLIED


def satisfies(live: Attributes, wanted: Attributes) -> bool:
    """True when a live object is as wanted; of tags, pins and fixed fields only those wanted are compared."""
    for key, value in wanted.items():
        found = live.get(key)
        if key in ("tags", "pins", "fixed") and isinstance(value, Mapping) and isinstance(found, Mapping):
            found = {k: found.get(k) for k in value}
        if found != value:
            return False
    return True


def _disabling(change: Change) -> Change:
    """Return a disable with its desired state: what is there now, switched off, unless the plan says more."""
    if change.action is not Action.DISABLE or change.after is not None or change.before is None:
        return change
    off = {**change.before.attributes, "enabled": False}
    return replace(change, after=replace(change.before, attributes=off))


def _unmarked(change: Change) -> Change:
    """Return an adoption as the update that follows the mark: the live mark is the new one already."""
    return replace(change, before=replace(change.before, mark=None)) if change.before else change


def _kind(change: Change) -> WrittenKind:
    found = _KINDS.get(change.address.kind)
    if found is None:
        kind = change.address.kind
        raise ProviderError(Fault.INVALID, f"{change.address}: aws has no kind {kind}", code="UnknownKind")
    return found


_KINDS: Mapping[str, WrittenKind] = {
    ROLE: iam_role,
    USER: iam_user,
    POLICY: iam_policy,
    OIDC: federation,
    SAML: federation,
}
