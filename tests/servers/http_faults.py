"""A fault layer in front of an HTTP server: a proxy on the loopback that counts calls and makes faults.

Tests hold the `Layer` object; other processes use `GET /__strict/calls` and `POST /__strict/reset`. What is recorded
is method and path: no query, header or body, so that no secret is kept. The `Host` header is passed on, so that a
server which tells its own address (an issuer) tells the layer's.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

HOP_BY_HOP = frozenset(("connection", "keep-alive", "transfer-encoding", "content-length", "proxy-connection", "te"))
SAFE = frozenset(("GET", "HEAD", "OPTIONS", "LIST"))
# a reply that is to be cut must not be compressed
DROPPED = HOP_BY_HOP | {"accept-encoding"}
UPSTREAM_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in; `changing` says whether it may change what the server keeps."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    changing: bool

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; with `cut` the connection closes after so many bytes of the body that the headers promise."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: int | None = None


@dataclass(slots=True)
class Fault:
    """One thing to go wrong with calls that match `method` and `path` (`/v1/sys/auth/*`), `times` times after `skip`.

    `lose`: carried out, the reply never comes. `drop`: neither. `delay`: carried out after `seconds`. `refuse`:
    answered with `status`, `headers` and `body` instead. `fail`: carried out, answered so all the same. `cut`: carried
    out, the reply ends after `keep` bytes. `short`: carried out, the listing comes back with its first `keep` entries.
    """

    what: Literal["lose", "drop", "delay", "refuse", "fail", "cut", "short"]
    path: str = "*"
    method: str = "*"
    times: int = 1
    skip: int = 0
    changing: bool | None = None
    seconds: float = 0.0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=lambda: {"errors": ["made by the fault layer"]})
    keep: int = 0
    hits: int = 0

    def strikes(self, call: Call) -> bool:
        """Say whether this call is hit, and count."""
        if not (fnmatchcase(call.method, self.method) and fnmatchcase(call.path, self.path)):
            return False
        if self.changing not in (None, call.changing):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.hits >= self.times:
            return False
        self.hits += 1
        return True

    def reply(self) -> Reply:
        """Return the answer of `refuse` and `fail`."""
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return Reply(self.status, (("Content-Type", "application/json"), *self.headers.items()), body)


def throttle(times: int = 1, *, path: str = "*", seconds: int = 0, status: int = 429) -> Fault:
    """Return the fault of a server that asks to come back after `seconds`."""
    return Fault("refuse", path, times=times, status=status, headers={"Retry-After": str(seconds)})


def shortened(reply: Reply, keep: int) -> Reply:
    """Return a JSON listing with its first entries only: an array, or Vault's `data.keys`."""
    found = json.loads(reply.body)
    if isinstance(found, list):
        found = found[:keep]
    else:
        found["data"]["keys"] = found["data"]["keys"][:keep]
    return Reply(reply.status, reply.headers, json.dumps(found).encode())


@dataclass(slots=True)
class Layer:
    """The layer's state: what was called and what is to go wrong.

    `reads` are patterns of `METHOD path` that change nothing although their method may: logins, look-ups.
    """

    upstream: int
    reads: tuple[str, ...] = ()
    scheme: str = "http"
    port: int = 0
    calls: list[tuple[str, str]] = field(default_factory=list)
    changes: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The address of the layer."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget calls and faults."""
        with self.lock:
            for kept in (self.calls, self.changes, self.faults):
                kept.clear()

    def count(self, method: str = "*", path: str = "*", *, changing: bool | None = None) -> int:
        """Return how many calls matched; all, or only those that change (or do not change) something."""
        with self.lock:
            found = Counter(self.calls if changing is not True else self.changes)
            if changing is False:
                found -= Counter(self.changes)
        return sum(n for (verb, at), n in found.items() if fnmatchcase(verb, method) and fnmatchcase(at, path))

    @contextmanager
    def fault(self, *faults: Fault) -> Iterator[None]:
        """Make faults while the block runs."""
        with self.lock:
            self.faults.extend(faults)
        try:
            yield
        finally:
            with self.lock:
                self.faults[:] = [f for f in self.faults if all(f is not own for own in faults)]

    def changing(self, method: str, path: str) -> bool:
        """Say whether a call may change something."""
        return method not in SAFE and not any(fnmatchcase(f"{method} {path}", pattern) for pattern in self.reads)

    def handle(self, call: Call) -> Reply | None:
        """Return the reply to a call, None when the connection is to be closed without one."""
        fault = self._count(call)
        if fault is None:
            return self._real(call)
        if fault.what == "refuse":
            return fault.reply()
        if fault.what == "drop":
            return None
        if fault.what == "delay":
            time.sleep(fault.seconds)
        reply = self._real(call)
        return _spoilt(fault, reply)

    def _count(self, call: Call) -> Fault | None:
        with self.lock:
            self.calls.append((call.method, call.path))
            if call.changing:
                self.changes.append((call.method, call.path))
            return next((f for f in self.faults if f.strikes(call)), None)

    def _real(self, call: Call) -> Reply:
        headers = [(name, value) for name, value in call.headers if name.lower() not in DROPPED]
        headers += [("X-Forwarded-Proto", self.scheme), ("X-Forwarded-Port", str(self.port))]
        if call.body or call.changing:
            headers.append(("Content-Length", str(len(call.body))))
        with closing(http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=UPSTREAM_SECONDS)) as upstream:
            upstream.putrequest(call.method, call.target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                upstream.putheader(name, value)
            upstream.endheaders(call.body or None)
            got = upstream.getresponse()
            kept = tuple((name, value) for name, value in got.getheaders() if name.lower() not in HOP_BY_HOP)
            return Reply(got.status, kept, got.read())


def _spoilt(fault: Fault, reply: Reply) -> Reply | None:
    if fault.what == "lose":
        return None
    if fault.what == "fail":
        return fault.reply()
    if fault.what == "cut":
        return Reply(reply.status, reply.headers, reply.body, fault.keep)
    if fault.what == "short":
        return shortened(reply, fault.keep)
    return reply


@contextmanager
def serve(
    upstream: int, *, reads: tuple[str, ...] = (), tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[Layer]:
    """Run a layer on a port of the loopback (a free one, unless said) in front of another while the block runs."""
    layer = Layer(upstream, reads, "https" if tls else "http")
    server = _Server(("127.0.0.1", port), _handler(layer))
    if tls is not None:
        # each connection's own thread shakes hands, so that one who does not cannot stop the others
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    layer.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield layer
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Stay quiet about clients that leave."""


def _handler(layer: Layer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # one segment per reply: two small ones would wait 40 ms for the first one's acknowledgement
        wbufsize = -1
        disable_nagle_algorithm = True

        def answer(self) -> None:
            """Answer any method."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            own = _own(layer, self.command, self.path)
            changing = layer.changing(self.command, self.path.partition("?")[0])
            reply = own or layer.handle(Call(self.command, self.path, tuple(self.headers.items()), body, changing))
            if reply is None:
                self.close_connection = True
                return
            self.write(reply)

        def write(self, reply: Reply) -> None:
            """Write a reply, or the part of it that is to arrive."""
            self.send_response_only(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
            self.close_connection = self.close_connection or reply.cut is not None

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = do_OPTIONS = answer

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    return Handler


def _own(layer: Layer, method: str, target: str) -> Reply | None:
    if (method, target) == ("GET", "/__strict/calls"):
        with layer.lock:
            found = {"calls": _counted(layer.calls), "changes": _counted(layer.changes)}
        return _json(found)
    if (method, target) == ("POST", "/__strict/reset"):
        layer.reset()
        return _json({})
    return None


def _counted(calls: list[tuple[str, str]]) -> dict[str, int]:
    return dict(sorted(Counter(f"{method} {path}" for method, path in calls).items()))


def _json(found: object) -> Reply:
    return Reply(200, (("Content-Type", "application/json"),), json.dumps(found).encode())
