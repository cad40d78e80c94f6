"""One live connection to one Vault: read, read again, apply, resolve.

Rules enforced here:
- the cluster is asked for once, and a session in another cluster than the target's `clusterId` is refused, or in a
  namespace that is not there: every listing of it would be an empty one;
- a change is applied only after the live object's native id was compared with the planned one;
- the result carries ids and request ids, nothing else of a reply.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from nhictl.kinds.workspace import Target
from nhictl.model import (
    Action,
    Address,
    Change,
    Fault,
    Identity,
    Operation,
    Outcome,
    ProviderError,
    Resource,
    Status,
)
from nhictl.providers.base import Checkup, Scope, resolved_by_mark
from nhictl.providers.vault import checkup, logins, marking, mounts, names, reading, writing
from nhictl.providers.vault.calls import Calls, Steps, parallel
from nhictl.providers.vault.mounted import Reading
from nhictl.providers.vault.names import DATABASE, ENGINE, ENTITY, GROUP, LOGIN, MOUNT, POLICY

Write = Callable[[Steps, Change, Operation, Resource | None], None]
_WRITES: Mapping[str, Write] = {
    POLICY: writing.write_policy, GROUP: writing.write_group, ENTITY: writing.write_entity, LOGIN: logins.write,
    MOUNT: mounts.write_auth, ENGINE: mounts.write_engine, DATABASE: mounts.write_database,
}  # fmt: skip


@dataclass(slots=True)
class VaultSession:
    """A session of the `vault` adapter. `method` is where the token comes from."""

    target: Target
    calls: Calls
    namespace: str = ""
    method: str = ""
    version: str = ""
    write: bool = True
    _identity: Identity | None = None
    _seen: dict[Address, Resource] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def identity(self) -> Identity:
        """Return the cluster and the principal of this session. Raises ProviderError in another cluster."""
        with self._lock:
            if self._identity is None:
                self._identity = self._ask()
            return self._identity

    def read(self, scope: Scope) -> Iterator[Resource]:
        """Yield every live object in scope."""
        self.identity()
        # OpenBao, whose versions begin with 2, lists policies with their texts.
        detailed = self.version.startswith("2.")
        yield from reading.everything(Reading(self.calls, self.target.name, scope, detailed=detailed))

    def reread(self, addresses: Collection[Address]) -> Mapping[Address, Resource]:
        """Return the live objects at `addresses`, marks known; absent ones are left out."""
        self.identity()
        one = Reading(self.calls, self.target.name)
        wanted = sorted(set(addresses))
        read = parallel(lambda address: reading.one(one, address), wanted)
        found = {r.address: r for r in read if r is not None and r.address in set(wanted)}
        with self._lock:
            for address in wanted:
                self._seen.pop(address, None)
            self._seen |= found
        return found

    def apply(self, change: Change, operation: Operation) -> Outcome:
        """Carry out one change. Raises ProviderError, fault PARTIAL when some of its calls took effect."""
        if not self.write:
            text = f"{change.action} {change.address} refused: this session only reads"
            raise ProviderError(Fault.READ_ONLY, text, code="ReadOnly")
        self.identity()
        steps = Steps(self.calls)
        try:
            self._run(steps, change, operation)
        except ProviderError as error:
            if steps.done and error.fault not in (Fault.PARTIAL, Fault.LOST):
                raise steps.partly(error) from None
            raise
        return Outcome(Status.APPLIED, steps.native_id, tuple(steps.request_ids))

    def resolve(self, change: Change, operation: Operation, live: Resource | None) -> Status:
        """Say how an operation with a lost reply ended, from the object read again."""
        return resolve(change, operation, live)

    def checkup(self, declared: Collection[Resource]) -> Checkup:
        """Return which permissions this token lacks for `declared`."""
        return checkup.checkup(self, declared)

    def _run(self, steps: Steps, change: Change, operation: Operation) -> None:
        write = _WRITES.get(change.address.kind)
        if write is None:
            raise ProviderError(Fault.INVALID, f"{change.address}: vault cannot change this", code="UnknownKind")
        match change.action:
            case Action.CREATE:
                self._create(steps, change, operation, write)
            case Action.REPLACE:
                self._delete(steps, change)
                steps.native_id = ""
                write(steps, change, operation, None)
            case Action.UPDATE | Action.DISABLE | Action.ADOPT:
                live = self._verified(change)
                steps.native_id = live.native_id
                write(steps, change, operation, live)
            case Action.FORGET:
                self._forget(steps, change, operation, write)
            case Action.DELETE:
                self._delete(steps, change)
            case _:
                text = f"{change.address}: vault cannot {change.action}"
                raise ProviderError(Fault.INVALID, text, code="UnknownAction")

    def _create(self, steps: Steps, change: Change, operation: Operation, write: Write) -> None:
        live = self._live(change.address)
        if live is None:
            write(steps, change, operation, None)
        elif live.mark == marking.fresh(change, operation):
            steps.native_id = live.native_id
            write(steps, change, operation, live)
        else:
            raise marking.occupied(change)

    def _forget(self, steps: Steps, change: Change, operation: Operation, write: Write) -> None:
        """Take our mark away; an object that is gone has none."""
        live = self._live(change.address)
        if live is None:
            return
        steps.native_id = marking.verified(change, live).native_id
        if live.mark is not None:
            write(steps, change, operation, live)

    def _delete(self, steps: Steps, change: Change) -> None:
        """Delete the object of the change; what is gone already counts as deleted."""
        live = self._live(change.address)
        if live is None:
            if not change.native_id:
                raise ProviderError(Fault.NOT_FOUND, f"{change.address} does not exist", code="Gone")
            steps.native_id = change.native_id
            return
        steps.native_id = marking.verified(change, live).native_id
        match change.address.kind:
            case "policy":
                writing.delete_policy(steps, change)
            case "auth-role":
                logins.delete(steps, change, live)
            case "auth-mount":
                mounts.delete_auth(steps, change)
            case "database-mount":
                mounts.delete_engine(steps, change)
            case "database-config":
                mounts.delete_database(steps, change)
            case kind:
                steps.do("DELETE", f"identity/{kind}/id/{live.native_id}", absent_ok=True)

    def _live(self, address: Address) -> Resource | None:
        """Return an object as it is now; one read again just before is not read another time."""
        with self._lock:
            seen = self._seen.pop(address, None)
        return seen or reading.one(Reading(self.calls, self.target.name), address)

    def _verified(self, change: Change) -> Resource:
        live = self._live(change.address)
        if live is None:
            raise ProviderError(Fault.NOT_FOUND, f"{change.address} does not exist", code="Gone")
        return marking.verified(change, live)

    def _ask(self) -> Identity:
        # The one reply without `data`: it needs no token and says the same in every namespace.
        said = self.calls.read("sys/seal-status")
        cluster, wanted = str(said.get("cluster_id", "")), str(self.target.settings.get("clusterId", ""))
        self.version = str(said.get("version", ""))
        if not cluster:
            raise ProviderError(Fault.UNREACHABLE, f"{self.target.name}: Vault is sealed", code="Sealed")
        if wanted and cluster != wanted:
            raise ProviderError(
                Fault.AUTH, f"{self.target.name}: the address leads to cluster {cluster}, not {wanted}",
                code="OtherCluster", hint="correct `address` or `clusterId` of the target",
            )  # fmt: skip
        token = self._token()
        scope = f"{cluster}/{self.namespace.strip('/')}" if self.namespace else cluster
        principal = str(token.get("display_name") or "token")
        return Identity("vault", scope, principal, tuple(self._own(token)))

    def _token(self) -> Mapping[str, Any]:
        try:
            found = self.calls.get("auth/token/lookup-self")
        except ProviderError as error:
            if error.fault is not Fault.DENIED:
                raise
            message = f"{self.target.name}: the token is not valid, or may not look itself up"
            raise ProviderError(Fault.AUTH, message, code=error.code, hint=f"it comes from {self.method}") from None
        if found is None:
            where = f"no namespace {self.namespace}" if self.namespace else "no API of Vault at the address"
            raise ProviderError(
                Fault.AUTH, f"{self.target.name}: there is {where}", code="NoNamespace",
                hint="correct `namespace` or `address` of the target, or VAULT_NAMESPACE",
            )  # fmt: skip
        return found

    def _own(self, token: Mapping[str, Any]) -> Iterator[Address]:
        """Yield what nhictl itself is here: its entity, and the auth role it logged in through."""
        meta, path = token.get("meta") or {}, str(token.get("path", ""))
        role = meta.get("role_name") or meta.get("role")
        if role and path.startswith("auth/") and path.endswith("/login"):
            mount = path.removeprefix("auth/").removesuffix("/login")
            yield Address(self.target.name, LOGIN, names.below(mount, str(role)))
        if not (identifier := token.get("entity_id")):
            return
        try:
            entity = self.calls.get(f"identity/entity/id/{identifier}")
        except ProviderError as error:
            if error.fault is not Fault.DENIED:
                raise
            return
        if entity:
            yield Address(self.target.name, ENTITY, str(entity["name"]))


def resolve(change: Change, operation: Operation, live: Resource | None) -> Status:
    """Say how an operation with a lost reply ended. Kinds without a mark are told by their state."""
    if change.action is Action.ADOPT and live is not None and change.address.kind not in (LOGIN, DATABASE):
        ours = live.mark == marking.fresh(change, operation) and live.native_id == change.native_id
        return Status.APPLIED if ours else Status.NOT_APPLIED
    if change.action is Action.FORGET:
        return Status.APPLIED if live is None or live.mark is None else Status.NOT_APPLIED
    if change.action in (Action.CREATE, Action.REPLACE) and change.address.kind in (LOGIN, DATABASE):
        return Status.APPLIED if live is not None and _as_wanted(change, live) else Status.NOT_APPLIED
    if change.action is Action.DISABLE and live is not None and live.native_id == change.native_id:
        return Status.APPLIED if live.attributes.get("enabled") is False else Status.NOT_APPLIED
    if change.action is Action.UPDATE and live is not None and live.native_id == change.native_id:
        marked = live.mark is None or live.mark.ref == change.subject
        return Status.APPLIED if marked and _as_wanted(change, live, whole=True) else Status.NOT_APPLIED
    return resolved_by_mark(change, operation, live)


def _as_wanted(change: Change, live: Resource, *, whole: bool = False) -> bool:
    """True when an object is as the change wants it. What a second call adds may be missing unless `whole`."""
    after = marking.wanted(change)
    later = () if whole else ("entity", "enabled", "password", "token_bound_cidrs")
    return all(_same(key, live.attributes.get(key), value) for key, value in after.items() if key not in later)


def _same(key: str, live: object, wanted: object) -> bool:
    if key == "metadata" and isinstance(live, Mapping) and isinstance(wanted, Mapping):
        return all(live.get(k) == v for k, v in wanted.items())
    return live == wanted
