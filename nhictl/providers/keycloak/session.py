"""One live connection to one realm: read, read again, apply, resolve.

Rules enforced here:
- the realm is asked for once; a realm with another id than the target's `realmId` is refused;
- every change reads its object under the planned native id before it writes;
- the result carries ids, nothing else of a reply.
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
from nhictl.providers.keycloak import checkup, kc_client, kc_idp, kc_role, kc_scope, names, reading, single
from nhictl.providers.keycloak.login import Credentials, claims, issuer
from nhictl.providers.keycloak.names import CLIENT, CLIENT_ROLE, IDP, REALM_ROLE, SCOPE
from nhictl.providers.keycloak.steps import Steps, retagged, wanted
from nhictl.providers.keycloak.wire import Calls, segment

_MODULES: Mapping[str, Any] = {
    CLIENT: kc_client,
    REALM_ROLE: kc_role,
    CLIENT_ROLE: kc_role,
    SCOPE: kc_scope,
    IDP: kc_idp,
}
_PARTIAL = ("labels", "config")


@dataclass(slots=True)
class KeycloakSession:
    """A session of the `keycloak` adapter."""

    target: Target
    realm: str
    calls: Calls
    who: Credentials
    _identity: Identity | None = None
    _lock: Lock = field(default_factory=Lock)

    def identity(self) -> Identity:
        """Return the realm and the principal of this session. Raises ProviderError for another realm."""
        with self._lock:
            if self._identity is None:
                self._identity = self._ask()
            return self._identity

    def read(self, scope: Scope) -> Iterator[Resource]:
        """Yield every live object in scope."""
        self.identity()
        yield from reading.everything(self.calls, self.target.name, scope)

    def reread(self, addresses: Collection[Address]) -> Mapping[Address, Resource]:
        """Return the live objects at `addresses`, read one by one; absent ones are left out."""
        self.identity()
        found = (single.one(self.calls, address) for address in addresses)
        return {resource.address: resource for resource in found if resource is not None}

    def apply(self, change: Change, operation: Operation) -> Outcome:
        """Carry out one change. Raises ProviderError, fault PARTIAL when some of its calls took effect."""
        if not self.calls.write:
            raise ProviderError(Fault.READ_ONLY, f"{change.address}: this session only reads", code="ReadOnly")
        self.identity()
        steps = Steps(self.calls)
        try:
            _run(steps, change, operation)
        except ProviderError as error:
            raise steps.partly(error) from error
        return Outcome(Status.APPLIED, steps.native_id or change.native_id)

    def resolve(self, change: Change, operation: Operation, live: Resource | None) -> Status:
        """Say how an operation with a lost reply ended, from the object read again."""
        return resolve(change, operation, live)

    def checkup(self, declared: Collection[Resource]) -> Checkup:
        """Return which roles of realm-management the token lacks for `declared`."""
        said = f"{self.who.method}: {self.identity().principal}"
        return checkup.checkup(claims(self.calls.token()), self.realm, {r.address.kind for r in declared}, said)

    def _ask(self) -> Identity:
        data = self.calls.get("")
        pinned = str(self.target.settings.get("realmId", ""))
        found = str(data.get("id") or "")
        if not found or (pinned and found != pinned):
            raise ProviderError(
                Fault.AUTH, f"{self.target.name}: the realm {self.realm} has another id than {pinned or 'any'}",
                code="OtherRealm", hint="check `url`, `realm` and `realmId`; the role view-realm is needed",
            )  # fmt: skip
        token = claims(self.calls.token())
        client = str(token.get("azp") or token.get("client_id") or self.who.client)
        # A lightweight token, as admin-cli gets, says neither who nor which roles.
        name = str(token.get("preferred_username") or self.who.username or token.get("sub") or client)
        own = (Address(self.target.name, CLIENT, client),) if self._here(token) else ()
        where = issuer(self.calls.wire, f"realms/{segment(self.realm)}")
        return Identity("keycloak", f"{where} {found}", f"{name} ({client})", own)

    def _here(self, token: Mapping[str, Any]) -> bool:
        """True when our own client lives in the target's realm, so that it is never touched."""
        said = str(token.get("iss", "")).rpartition("/realms/")[2]
        return (said or self.who.realm) == self.realm


def _run(steps: Steps, change: Change, operation: Operation) -> None:
    module = _MODULES.get(change.address.kind)
    if module is None:
        raise ProviderError(Fault.INVALID, f"{change.address}: keycloak cannot change it", code="UnknownKind")
    match change.action:
        case Action.CREATE:
            module.create(steps, change, operation)
        case Action.REPLACE:
            _absent_ok(module.delete, steps, change)
            steps.native_id = ""
            module.create(steps, change, operation)
        case Action.UPDATE | Action.ADOPT | Action.DISABLE:
            module.update(steps, change, operation)
        case Action.DELETE:
            _absent_ok(module.delete, steps, change)
        case Action.FORGET:
            _absent_ok(module.forget, steps, change)
        case _:
            raise ProviderError(
                Fault.INVALID, f"{change.address}: keycloak cannot {change.action}", code="UnknownAction"
            )


def _absent_ok(step: Callable[[Steps, Change], None], steps: Steps, change: Change) -> None:
    """Carry out a removal; what is gone already counts as removed."""
    steps.native_id = change.native_id
    try:
        step(steps, change)
    except ProviderError as error:
        if error.fault is not Fault.NOT_FOUND:
            raise


def resolve(change: Change, operation: Operation, live: Resource | None) -> Status:
    """Say how an operation with a lost reply ended, from the object read again."""
    if change.action is Action.FORGET:
        return Status.APPLIED if live is None or live.mark is None else Status.NOT_APPLIED
    if change.action not in (Action.UPDATE, Action.DISABLE, Action.ADOPT):
        return resolved_by_mark(change, operation, live)
    if live is None or live.native_id != change.native_id:
        return Status.NOT_APPLIED
    named = change.action is Action.DISABLE or live.address.name == change.address.name
    ours = not retagged(change) or (live.mark is not None and live.mark.operation == operation.id)
    done = named and ours and satisfies(live.attributes, wanted(change))
    return Status.APPLIED if done else Status.NOT_APPLIED


def satisfies(live: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """True when a live object is as wanted; of partial mappings only the keys wanted are compared."""
    for key, value in after.items():
        found = live.get(key)
        if key in _PARTIAL and isinstance(value, Mapping) and isinstance(found, Mapping):
            found = {k: found.get(k) for k in value}
        if found != value:
            return False
    return True


__all__ = ["KeycloakSession", "names", "resolve", "satisfies"]
