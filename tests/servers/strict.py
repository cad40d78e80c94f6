"""A strict layer in front of a loose AWS: an HTTP proxy that refuses what AWS refuses, counts, and makes faults.

Tests hold the `Strict` object; other processes use `GET /__strict/calls` and `POST /__strict/reset`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from tests.servers.strict_pages import LARGEST, PAGED, paged
from tests.servers.strict_rules import check
from tests.servers.strict_standins import Memory, answer, complete
from tests.servers.strict_wire import Refused, Reply, Request, Upstream


@dataclass(slots=True)
class Fault:
    """One thing to go wrong with calls whose action matches `action` (`Create*`), `times` times after `skip` calls.

    `lose`: carried out, the reply never comes. `drop`: neither. `delay`: carried out after `seconds`. `refuse`:
    answered with `status`, `code` and `message` instead. `fail`: carried out, answered with an error all the same.
    """

    what: Literal["lose", "drop", "delay", "refuse", "fail"]
    action: str = "*"
    times: int = 1
    skip: int = 0
    changing: bool | None = None
    seconds: float = 0.0
    status: int = 500
    code: str = "ServiceFailure"
    message: str = "Internal failure"
    hits: int = 0

    def strikes(self, request: Request) -> bool:
        """Say whether this call is hit, and count."""
        if not fnmatchcase(request.action, self.action) or self.changing not in (None, request.changing):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.hits >= self.times:
            return False
        self.hits += 1
        return True


def throttle(times: int = 1, *, action: str = "*", status: int = 400) -> Fault:
    """Return the fault `Rate exceeded`."""
    return Fault("refuse", action, times, status=status, code="Throttling", message="Rate exceeded")


def unsettled(times: int = 1, *, action: str = "CreateRole") -> Fault:
    """Return the fault of a principal that has not spread yet."""
    said = 'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/fresh"'
    return Fault("refuse", action, times, status=400, code="MalformedPolicyDocument", message=said)


@dataclass(slots=True)
class Strict:
    """The layer's state: what was called, what is to go wrong. `page` bounds every page below what is asked for."""

    upstream: Upstream
    calls: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    page: int = LARGEST
    lost_marker: bool = False
    memory: Memory = field(default_factory=Memory)
    dead_keys: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    changing: threading.RLock = field(default_factory=threading.RLock)
    port: int = 0

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget calls, faults and everything kept besides the server behind."""
        with self.lock:
            for kept in (self.calls, self.changes, self.faults, self.dead_keys, self.memory):
                kept.clear()
            self.page, self.lost_marker = LARGEST, False

    @contextmanager
    def fault(self, *faults: Fault) -> Iterator[None]:
        """Make faults while the block runs."""
        with self.lock:
            self.faults.extend(faults)
        try:
            yield
        finally:
            with self.lock:
                self.faults[:] = [f for f in self.faults if f not in faults]

    @contextmanager
    def cut_pages(self, size: int, *, lost_marker: bool = False) -> Iterator[None]:
        """Give pages of at most `size`; with `lost_marker` they say that more follows and not where."""
        self.page, self.lost_marker = size, lost_marker
        try:
            yield
        finally:
            self.page, self.lost_marker = LARGEST, False

    def handle(self, request: Request) -> Reply | None:
        """Return the reply to a call, None when the connection is to be closed without one."""
        fault = self._count(request)
        if fault is None:
            return self._real(request)
        if fault.what == "delay":
            time.sleep(fault.seconds)
            return self._real(request)
        if fault.what in ("lose", "fail"):
            self._real(request)
        if fault.what in ("lose", "drop"):
            return None
        return Refused(fault.code, fault.message, fault.status).reply()

    def _count(self, request: Request) -> Fault | None:
        with self.lock:
            self.calls[request.action] += 1
            if request.changing:
                self.changes[request.action] += 1
            return next((f for f in self.faults if f.strikes(request)), None)

    def _real(self, request: Request) -> Reply:
        try:
            if request.key in self.dead_keys:
                raise Refused("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
            if request.action in PAGED:
                reply = paged(request, self.upstream, largest=self.page, lost_marker=self.lost_marker)
                return complete(request, reply, self.memory)
            if not request.changing:
                return self._answered(request)
            with self.changing:
                check(request, self.upstream)
                return self._answered(request)
        except Refused as refused:
            return refused.reply()

    def _answered(self, request: Request) -> Reply:
        reply = answer(request, self.upstream, self.memory)
        if reply is None:
            reply = complete(request, self.upstream.send(request), self.memory)
        if reply.status == 200:
            self._keys(request)
        return reply

    def _keys(self, request: Request) -> None:
        key, off = request.get("AccessKeyId"), request.get("Status") == "Inactive"
        if request.action == "DeleteAccessKey" or (request.action == "UpdateAccessKey" and off):
            self.dead_keys.add(key)
        elif request.action == "UpdateAccessKey":
            self.dead_keys.discard(key)


def serve(upstream_port: int) -> tuple[Strict, ThreadingHTTPServer]:
    """Start the layer on a free port of the loopback; the caller shuts the server down."""
    strict = Strict(Upstream(upstream_port))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One segment per reply: two small ones would wait 40 ms for the first one's acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._json({"calls": strict.calls, "changes": strict.changes})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/__strict/reset":
                strict.reset()
                self._json({})
                return
            reply = strict.handle(Request.of(self.path, dict(self.headers.items()), body))
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def _json(self, data: object) -> None:
            body = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    strict.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return strict, server
