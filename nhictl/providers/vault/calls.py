"""Calls to Vault: one place for paths, retries, request ids and error translation.

Rules enforced here:
- a read is tried again while Vault throttles, is sealed, stands by or cannot be reached; a changing call is tried
  again only when it is known not to have taken effect, because it was throttled;
- a lost reply is a fault of its own and is never tried again by itself;
- a reply that is no JSON, or without its data, is an error, never an empty result; 404 of a listing is an empty one;
- the value of a write goes into the request and nowhere else;
- a name that would lead to another path (`..`) is refused: what sends the request would take it for a way up.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from nhictl.model import Fault, ProviderError
from nhictl.providers.vault import errors

Sleep = Callable[[float], None]
T = TypeVar("T")
R = TypeVar("R")

_TRIES = 6
_FIRST_WAIT = 0.3
_LONGEST_WAIT = 8.0
_AGAIN = frozenset({Fault.THROTTLED, Fault.UNREACHABLE})
READERS = 8


@dataclass(slots=True)
class Calls:
    """The connection of one session. `client` is hvac's."""

    client: Any
    sleep: Sleep = time.sleep
    jitter: Callable[[], float] = random.random

    def read(self, path: str) -> dict[str, Any]:
        """Return the whole reply to reading a path. Raises ProviderError."""
        return self._try("GET", path, None, changing=False, again=_AGAIN)

    def get(self, path: str) -> dict[str, Any] | None:
        """Return the data of a path, None when there is nothing."""
        try:
            return _data(self.read(path), path)
        except ProviderError as error:
            if error.fault is Fault.NOT_FOUND:
                return None
            raise

    def keys(self, path: str) -> tuple[list[str], Mapping[str, Any]]:
        """Return the keys of a listing and what it says of each; none when there is nothing."""
        try:
            data = _data(self._try("LIST", path, None, changing=False, again=_AGAIN), path)
        except ProviderError as error:
            if error.fault is Fault.NOT_FOUND:
                return [], {}
            raise
        keys, info = data.get("keys"), data.get("key_info") or {}
        if not isinstance(keys, list) or not isinstance(info, Mapping):
            raise _unexpected(path, "no keys")
        return [str(k) for k in keys], info

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the data of a POST that only reads, None when there is nothing."""
        try:
            reply = self._try("POST", path, body, changing=False, again=_AGAIN)
        except ProviderError as error:
            if error.fault is Fault.NOT_FOUND:
                return None
            raise
        return _data(reply, path) if reply else None

    def login(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole reply to a login. Raises ProviderError."""
        return self._try("POST", path, body, changing=False, again=_AGAIN)

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send one changing call and return its reply, empty for none. Raises ProviderError."""
        return self._try(method, path, body, changing=True, again=frozenset({Fault.THROTTLED}))

    def _try(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, changing: bool, again: frozenset[Fault]
    ) -> dict[str, Any]:
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._send(method, path, body, changing=changing)
            except ProviderError as error:
                if error.fault not in again or attempt >= _TRIES:
                    raise
            self.sleep(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1)) * (0.5 + self.jitter() / 2))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, *, changing: bool) -> dict[str, Any]:
        from requests.exceptions import RequestException

        if {".", ".."} & set(path.split("/")):
            raise ProviderError(Fault.INVALID, f"{method} {path}: a name would lead to another path", code="BadName")
        call, url = f"{method} {path}", f"v1/{quote(path)}"
        more = {} if body is None else {"json": dict(body)}
        try:
            reply = self.client.adapter.request(method, url, raise_exception=False, **more)
        except ProviderError:
            raise
        except (RequestException, OSError) as error:
            at = str(self.client.adapter.base_uri)
            raise errors.of_connection(error, call, changing=changing, url=at) from None
        return _understood(reply, call, changing=changing)


def parallel(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return `function` of each item, in order, few at a time. The first failure is raised."""
    from concurrent.futures import ThreadPoolExecutor

    found = list(items)
    if len(found) < 2:
        return [function(item) for item in found]
    with ThreadPoolExecutor(min(READERS, len(found)), "vault-read") as pool:
        return list(pool.map(function, found))


@dataclass(slots=True)
class Steps:
    """The changing calls of one change. `done` counts those that took effect; `native_id` is what it is about."""

    calls: Calls
    native_id: str = ""
    done: int = 0
    request_ids: list[str] = field(default_factory=list)

    def do(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, absent_ok: bool = False
    ) -> dict[str, Any]:
        """Send one changing call. `absent_ok`: what does not exist counts as removed."""
        try:
            reply = self.calls.write(method, path, body)
        except ProviderError as error:
            if absent_ok and error.fault is Fault.NOT_FOUND:
                return {}
            raise self.partly(error) from None
        self.done += 1
        if request := reply.get("request_id"):
            self.request_ids.append(str(request))
        return reply

    def partly(self, error: ProviderError) -> ProviderError:
        """Return `error` as what it means for the whole change: lost stays lost, after a first step it is partial."""
        fault = error.fault if error.fault is Fault.LOST or not self.done else Fault.PARTIAL
        ids = (*self.request_ids, *error.request_ids)
        return ProviderError(
            fault, error.message, code=error.code, native_id=self.native_id, request_ids=ids, hint=error.hint
        )


def _understood(reply: Any, call: str, *, changing: bool) -> dict[str, Any]:
    status = int(reply.status_code)
    if status == 204 or (status < 300 and not reply.content):
        return {}
    try:
        found = reply.json()
    except ValueError:
        found = None
    if status >= 300:
        said = found.get("errors") if isinstance(found, dict) else None
        texts = [str(s) for s in said] if isinstance(said, list) else []
        raise errors.of_reply(status, texts, call, changing=changing)
    if not isinstance(found, dict):
        fault = Fault.LOST if changing else Fault.UNREACHABLE
        raise ProviderError(fault, f"{call}: the reply is cut or no JSON", code="CutReply")
    return found


def _data(reply: Mapping[str, Any], path: str) -> dict[str, Any]:
    data = reply.get("data")
    if not isinstance(data, dict):
        raise _unexpected(path, "no data")
    return data


def _unexpected(path: str, why: str) -> ProviderError:
    return ProviderError(Fault.INVALID, f"unexpected reply of {path}: {why}", code="UnexpectedReply")
