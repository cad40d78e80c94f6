"""Calls to AWS: one place for paging, retries, request ids and error translation.

Rules enforced here:
- a read is retried by botocore (adaptive); a changing call leaves the process once per try of ours;
- a throttle is known not to have taken effect and is tried again with growing, jittered waits;
- a lost reply is tried again only where repeating cannot make a second thing;
- propagation ("Invalid principal in policy", `DeleteConflict`, a fresh object not yet found) is waited for, bounded;
- a page that says there are more but not where is an error, never a shorter list.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nhictl.model import Fault, ProviderError
from nhictl.providers.aws.errors import not_answered, translate

Sleep = Callable[[float], None]

PAGE = 1000
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 10.0
_THROTTLE_TRIES = 8
_LOST_TRIES = 3
_REPEATABLE = ("Put", "Attach", "Detach", "Update", "Tag", "Untag", "SetDefault", "Deactivate", "RemoveUser")
_FRESH_TRIES = 6
# These name a policy that another change of the same run may just have made.
_REFERRING = ("Attach", "CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary")
_RETRIED_CONFLICTS = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable"})


@dataclass(slots=True)
class Calls:
    """The clients of one session. `reader` retries by itself; `writer` sends once and is None when only reading."""

    clients: Mapping[str, Any]
    writer: Any
    sleep: Sleep = time.sleep
    jitter: Callable[[], float] = random.random

    def read(self, operation: str, *, service: str = "iam", **params: Any) -> dict[str, Any]:
        """Return the reply of a reading operation (`GetRole`). Raises ProviderError."""
        return _send(self.clients[service], operation, params, changing=False)

    def found(self, operation: str, **params: Any) -> dict[str, Any] | None:
        """Return the reply of a reading operation, None when the object does not exist."""
        try:
            return self.read(operation, **params)
        except ProviderError as error:
            if error.fault is Fault.NOT_FOUND:
                return None
            raise

    def pages(self, operation: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield every page of a listing. Raises ProviderError when the listing is cut."""
        marker = ""
        while True:
            page = self.read(operation, **params, **({"Marker": marker} if marker else {}))
            yield page
            if not page.get("IsTruncated"):
                return
            following = page.get("Marker") or ""
            if not following or following == marker:
                raise ProviderError(Fault.UNREACHABLE, f"iam:{operation}: the list is cut", code="CutPage")
            marker = following

    def items(self, operation: str, key: str, **params: Any) -> list[Any]:
        """Return the elements `key` of every page of a listing."""
        return [item for page in self.pages(operation, **params) for item in page.get(key) or ()]

    def write(self, operation: str, *, patience: Mapping[str, int], **params: Any) -> dict[str, Any]:
        """Send one changing operation. `patience` maps error codes worth waiting for to the number of tries."""
        if self.writer is None:
            raise ProviderError(Fault.READ_ONLY, f"iam:{operation} refused: this session only reads", code="ReadOnly")
        attempt = 0
        while True:
            attempt += 1
            try:
                return _send(self.writer, operation, params, changing=True)
            except ProviderError as error:
                if attempt >= _tries(error, operation, patience):
                    raise
            self.sleep(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1)) * (0.5 + self.jitter() / 2))


@dataclass(slots=True)
class Steps:
    """The calls of one change: what was sent, and what it left behind if a later one fails.

    `done` counts calls that took effect. `native_id` is the object the change is about, once it is known.
    """

    calls: Calls
    native_id: str = ""
    done: int = 0
    fresh: bool = False
    request_ids: list[str] = field(default_factory=list)

    def do(self, operation: str, *, absent_ok: bool = False, patience: int = 1, **params: Any) -> dict[str, Any]:
        """Send one changing call. `absent_ok`: what does not exist counts as removed.

        `patience` is the number of tries for propagation: an invalid principal, an object still in use.
        """
        waiting = {"MalformedPolicyDocument": patience, "DeleteConflict": patience}
        if self.fresh or operation.startswith(_REFERRING):
            waiting |= {"NoSuchEntity": max(patience, _FRESH_TRIES)}
        try:
            reply = self.calls.write(operation, patience=waiting, **params)
        except ProviderError as error:
            if absent_ok and error.fault is Fault.NOT_FOUND:
                return {}
            raise self.partly(error) from error
        self.done += 1
        self.request_ids.append(str((reply.get("ResponseMetadata") or {}).get("RequestId", "")))
        return reply

    def partly(self, error: ProviderError) -> ProviderError:
        """Return `error` as what it means for the whole change: lost stays lost, after a first step it is partial."""
        fault = error.fault if error.fault is Fault.LOST or not self.done else Fault.PARTIAL
        ids = (*self.request_ids, *error.request_ids)
        return ProviderError(
            fault, error.message, code=error.code, native_id=self.native_id, request_ids=ids, hint=error.hint
        )


def _tries(error: ProviderError, operation: str, patience: Mapping[str, int]) -> int:
    if error.fault is Fault.THROTTLED:
        return _THROTTLE_TRIES
    if error.fault in (Fault.LOST, Fault.UNREACHABLE):
        return _LOST_TRIES if operation.startswith(_REPEATABLE) else 1
    if error.code in _RETRIED_CONFLICTS:
        return _LOST_TRIES
    if error.code == "MalformedPolicyDocument" and "Invalid principal" not in error.message:
        return 1
    return patience.get(error.code, 1)


def _send(client: Any, operation: str, params: Mapping[str, Any], *, changing: bool) -> dict[str, Any]:
    from botocore import xform_name

    name = f"{client.meta.service_model.signing_name}:{operation}"
    try:
        reply: dict[str, Any] = getattr(client, xform_name(operation))(**params)
    except ProviderError:
        raise
    except Exception as error:
        if not not_answered(error):
            raise
        raise translate(error, name, changing=changing) from None
    return reply
