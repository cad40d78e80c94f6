"""Calls to one Keycloak server: one place for the guard, retries, paging and the token.

Rules enforced here:
- a session that only reads refuses every change here, and once more in its transport;
- a read is tried again after 429, 5xx and a broken connection; a change only after 429, which had no effect;
- the next page starts with the last element of the one before: a list that moved meanwhile is an error, not shorter;
- a name that a path would swallow (`..`) is refused;
- a token that expires is renewed; one that was refused is renewed once.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from nhictl.model import Fault, ProviderError
from nhictl.providers.keycloak.errors import refused, unanswered

PAGE = 500
_TRIES = 6
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 10.0

Login = Callable[[Any], tuple[str, float]]


@dataclass(slots=True)
class Calls:
    """Authenticated calls to one realm. `sent` counts the calls of this session, by method."""

    wire: Any
    realm: str
    login: Login
    write: bool = False
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    _token: str = ""
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str, **params: Any) -> Any:
        """Return the reply of `GET /admin/realms/REALM` + path. Raises ProviderError."""
        return self._answer("GET", path, None, params).json

    def found(self, path: str, **params: Any) -> Any:
        """Return the reply of a read, None when there is no such thing."""
        try:
            return self.get(path, **params)
        except ProviderError as error:
            if error.fault is Fault.NOT_FOUND:
                return None
            raise

    def pages(self, path: str, key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield every element of a listing; `key` identifies them. Raises ProviderError when the list moves."""
        last, first = None, 0
        while True:
            page = self.get(path, first=first, max=PAGE, **params)
            if last is not None and (not page or page[0][key] != last):
                raise ProviderError(Fault.UNREACHABLE, f"GET {path}: the list changed while it was read", code="Moved")
            fresh = page if last is None else page[1:]
            yield from fresh
            if not fresh:
                return
            last, first = fresh[-1][key], first + len(page) - 1

    def change(self, method: str, path: str, body: Any = None) -> Reply:
        """Send one changing call. Raises ProviderError."""
        if not self.write:
            raise ProviderError(Fault.READ_ONLY, f"{method} {path} refused: this session only reads", code="ReadOnly")
        return self._answer(method, path, body, {})

    def token(self, *, renew: bool = False) -> str:
        """Return a token that is good for a while, logging in when there is none."""
        with self._lock:
            if renew or not self._token or self.clock() >= self._until:
                self._token, seconds = self.login(self.wire)
                self._until = self.clock() + seconds * 0.8 - 1
            return self._token

    def _answer(self, method: str, path: str, body: Any, params: Mapping[str, Any]) -> Reply:
        changing = method != "GET"
        for attempt in range(_TRIES):
            try:
                return self._once(method, path, body, params)
            except ProviderError as error:
                again = error.fault is Fault.THROTTLED or (not changing and error.fault is Fault.UNREACHABLE)
                if not again or attempt == _TRIES - 1:
                    raise
            self.sleep(min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt) * (0.5 + self.jitter() / 2))
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: Any, params: Mapping[str, Any]) -> Reply:
        reply = self._send(method, path, body, params)
        if reply.status == 401:
            self.token(renew=True)
            reply = self._send(method, path, body, params)
        if reply.status >= 300:
            raise refused(reply.status, f"{method} {path}", changing=method != "GET")
        return reply

    def _send(self, method: str, path: str, body: Any, params: Mapping[str, Any]) -> Reply:
        self.wire.headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        from keycloak.exceptions import KeycloakConnectionError

        call = getattr(self.wire, f"raw_{method.lower()}")
        data = {} if method == "GET" else {"data": "" if body is None else json.dumps(body)}
        try:
            answer = call(f"admin/realms/{segment(self.realm)}{path}", **data, **params)
        except KeycloakConnectionError as error:
            raise unanswered(error, f"{method} {path}", changing=method != "GET") from None
        return _reply(answer, f"{method} {path}", read=method == "GET" and answer.status_code < 300)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call gave: status, JSON where it was read, and the id at the end of `Location`."""

    status: int
    json: Any = None
    made: str = ""


def _reply(answer: Any, what: str, *, read: bool) -> Reply:
    made = str(answer.headers.get("Location", "")).rstrip("/").rpartition("/")[2]
    if not read:
        return Reply(answer.status_code, made=made)
    try:
        return Reply(answer.status_code, answer.json(), made)
    except ValueError:
        raise ProviderError(Fault.UNREACHABLE, f"{what}: the reply is cut or no JSON", code="NoJson") from None


def segment(name: str) -> str:
    """Return a name as one segment of a path. Raises ProviderError for one that a path would swallow."""
    if name in (".", "..", ""):
        raise ProviderError(Fault.INVALID, f"no such name in a path: {name!r}", code="BadName")
    return quote(name, safe="")
