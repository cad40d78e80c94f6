"""A proxy in front of PostgreSQL that counts statements and breaks connections where a test says so.

Rules enforced here:
- it speaks version 3 of the protocol in the clear: an asked TLS or GSS is answered with no; everything else passes;
- one exchange at a time: what the client sends up to its Sync or Query, then what the server says up to ReadyForQuery;
- `lose` lets the server carry a change out: its fault strikes at the COMMIT of a transaction that changes something.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

_CHANGING = re.compile(
    r"\s*(CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT|INSERT|UPDATE|DELETE|TRUNCATE|REASSIGN|DO|CALL)\b"
    r"|.*\bpg_(terminate|cancel)_backend\s*\(",
    re.IGNORECASE | re.DOTALL,
)
_COMMIT = re.compile(r"\s*(COMMIT|END)\b", re.IGNORECASE)
_FRAMING = re.compile(r"\s*(BEGIN|START|COMMIT|ROLLBACK|SET|END)\b", re.IGNORECASE)
_REFUSED_REQUESTS = (80877103, 80877104)  # SSLRequest, GSSENCRequest
_CANCEL = 80877102


@dataclass(slots=True)
class Fault:
    """What goes wrong, at statements that match `pattern`, `times` times, the first `after` of them left alone.

    `kind`: `drop` closes before the server sees the statement; `lose` closes after the server has answered; `cut`
    passes half of the answer on; `error` answers with `sqlstate` and `message` in the server's place; `hold` waits
    for `gate` before the statement goes on; `refuse` closes new connections. With `changing` only statements that
    change something count, for `lose` and `cut` the COMMIT that makes them last.
    """

    kind: str
    pattern: str = ""
    changing: bool = False
    times: int = 1
    after: int = 0
    sqlstate: str = "XX000"
    message: str = "injected"
    gate: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    def strikes(self, statements: list[str], *, commits_change: bool) -> bool:
        """Say whether this exchange is hit."""
        if self.times <= 0 or not any(re.search(self.pattern, s, re.IGNORECASE) for s in statements):
            return False
        if not self.changing:
            return True
        return commits_change if self.kind in ("lose", "cut") else any(map(changes, statements))


def changes(statement: str) -> bool:
    """True for a statement that changes something."""
    return bool(_CHANGING.match(statement))


class _Closed(Exception):
    """One side is gone."""


@dataclass(slots=True)
class Proxy:
    """The proxy: where it listens, what passed through it, and the faults that are on."""

    port: int
    upstream: int
    statements: list[str] = field(default_factory=list)
    connections: int = 0
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def changed(self) -> int:
        """Return how many changing statements have reached the server."""
        with self.lock:
            return sum(map(changes, self.statements))

    def asked(self) -> list[str]:
        """Return every statement that reached the server, those of transactions themselves left out."""
        with self.lock:
            return [
                s
                for s in self.statements
                if not re.match(r"\s*(BEGIN|START|COMMIT|ROLLBACK|SET|END)\b", s, re.IGNORECASE)
            ]

    def reset(self) -> None:
        """Forget what passed and all faults."""
        with self.lock:
            self.statements.clear()
            self.faults.clear()
            self.connections = 0

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[Fault]:
        """Switch a fault on for a while."""
        with self.lock:
            self.faults.append(fault)
        try:
            yield fault
        finally:
            fault.gate.set()
            with self.lock, suppress(ValueError):
                self.faults.remove(fault)

    def struck(self, statements: list[str], *, commits_change: bool = False, refuse: bool = False) -> Fault | None:
        """Take the fault that hits this exchange, or new connections; None when there is none."""
        with self.lock:
            for fault in self.faults:
                wanted = fault.times > 0 if refuse else fault.strikes(statements, commits_change=commits_change)
                if wanted and (fault.kind == "refuse") == refuse:
                    if fault.after > 0:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None


@contextmanager
def proxied(upstream: int) -> Iterator[Proxy]:
    """Run a proxy to the server at a port of the loopback."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        proxy = Proxy(listener.getsockname()[1], upstream)
        threading.Thread(target=_accept, args=(listener, proxy), daemon=True).start()
        yield proxy


def _accept(listener: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, proxy), daemon=True).start()


def _serve(client: socket.socket, proxy: Proxy) -> None:
    with closing(client), suppress(OSError, _Closed):
        if proxy.struck([], refuse=True):
            return
        with closing(socket.create_connection(("127.0.0.1", proxy.upstream))) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with proxy.lock:
                proxy.connections += 1
            _Link(client, server, proxy).run()


def _exactly(source: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = source.recv(size - len(found))
        if not part:
            raise _Closed
        found += part
    return bytes(found)


def _message(source: socket.socket) -> bytes:
    head = _exactly(source, 5)
    return head + _exactly(source, struct.unpack(">I", head[1:])[0] - 4)


@dataclass(slots=True)
class _Link:
    """One client's connection through the proxy."""

    client: socket.socket
    server: socket.socket
    proxy: Proxy
    status: bytes = b"I"
    changing: bool = False
    prepared: dict[bytes, str] = field(default_factory=dict)

    def run(self) -> None:
        """Relay until one side closes."""
        self._start()
        while True:
            ready, _, _ = select.select([self.client, self.server], [], [])
            if self.server in ready:
                self.client.sendall(_message(self.server))
                continue
            self._exchange()

    def _start(self) -> None:
        while True:
            size = _exactly(self.client, 4)
            rest = _exactly(self.client, struct.unpack(">I", size)[0] - 4)
            code = struct.unpack(">I", rest[:4])[0]
            if code not in _REFUSED_REQUESTS:
                break
            self.client.sendall(b"N")
        self.server.sendall(size + rest)
        if code == _CANCEL:
            raise _Closed
        while True:
            ready, _, _ = select.select([self.client, self.server], [], [])
            if self.client in ready:
                self.server.sendall(_message(self.client))
                continue
            said = _message(self.server)
            self.client.sendall(said)
            if said[:1] == b"Z":
                return

    def _exchange(self) -> None:
        sent = [_message(self.client)]
        while sent[-1][:1] not in b"QSX":
            sent.append(_message(self.client))
        if sent[-1][:1] == b"X":
            raise _Closed
        statements = [s for s in map(self._statement, sent) if s]
        commits = any(map(_COMMIT.match, statements)) and self.changing
        alone = self.status == b"I" and any(map(changes, statements))
        fault = self.proxy.struck(statements, commits_change=commits or alone)
        if fault is not None and fault.kind == "drop":
            raise _Closed
        if fault is not None and fault.kind == "error":
            self.client.sendall(_refusal(fault, b"E" if self.status != b"I" else b"I"))
            return
        if fault is not None and fault.kind == "hold":
            fault.reached.set()
            fault.gate.wait()
        with self.proxy.lock:
            self.proxy.statements += statements
        self.server.sendall(b"".join(sent))
        self._answer(statements, fault)

    def _answer(self, statements: list[str], fault: Fault | None) -> None:
        """Pass the server's answer on, as it comes unless a fault needs all of it."""
        said = bytearray()
        while True:
            message = _message(self.server)
            if fault is None or fault.kind == "hold":
                self.client.sendall(message)
            else:
                said += message
            if message[:1] == b"Z":
                break
        self.status = message[5:6]
        self.changing = self.status != b"I" and (self.changing or any(map(changes, statements)))
        if fault is not None and fault.kind == "cut":
            self.client.sendall(said[: len(said) // 2])
        if fault is not None and fault.kind in ("cut", "lose"):
            raise _Closed

    def _statement(self, message: bytes) -> str:
        kind, body = message[:1], message[5:]
        if kind == b"Q":
            return body.split(b"\0", 1)[0].decode("utf-8", "replace")
        if kind == b"P":
            name, text = body.split(b"\0", 2)[:2]
            self.prepared[name] = text.decode("utf-8", "replace")
            return ""
        if kind == b"B":
            return self.prepared.get(body.split(b"\0", 2)[1], "")
        return ""


def _refusal(fault: Fault, status: bytes) -> bytes:
    fields = {b"S": "ERROR", b"V": "ERROR", b"C": fault.sqlstate, b"M": fault.message}
    body = b"".join(key + value.encode() + b"\0" for key, value in fields.items()) + b"\0"
    return b"E" + struct.pack(">I", len(body) + 4) + body + b"Z" + struct.pack(">I", 5) + status
