"""The fault layer: what passes through it, what it counts, and what goes wrong when told."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.request
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.servers.http_faults import Fault, serve, throttle


@pytest.fixture()
def behind():
    """A server that keeps what it is sent, and says so when asked."""
    seen: list[tuple[str, str, bytes, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.command, self.path, body, self.headers["Host"]))
            reply = json.dumps([1, 2, 3] if self.path.startswith("/list") else {"data": {"keys": ["a", "b"]}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST = do_LIST = do_PUT = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server.server_address[1], seen
    server.shutdown()
    server.server_close()


@pytest.fixture()
def layer(behind):
    with serve(behind[0], reads=("POST /login",)) as made:
        yield made


def call(layer, method: str, path: str, body: bytes = b""):
    with closing(http.client.HTTPConnection("127.0.0.1", layer.port, timeout=20)) as connection:
        connection.request(method, path, body or None)
        reply = connection.getresponse()
        return reply.status, reply.read()


def test_a_call_passes_with_its_query_body_and_host(layer, behind):
    """The server behind sees what the client sent, and the address the client used."""
    assert call(layer, "POST", "/a?b=c", b"body") == (200, b'{"data": {"keys": ["a", "b"]}}')
    assert behind[1] == [("POST", "/a?b=c", b"body", f"127.0.0.1:{layer.port}")]


def test_reads_and_changes_are_counted_apart_without_query(layer):
    """LIST and GET change nothing, nor does a POST that is named as a read; a query may have a secret."""
    for method, path in (("GET", "/a?token=x"), ("LIST", "/a"), ("POST", "/login"), ("PUT", "/a"), ("DELETE", "/b")):
        call(layer, method, path)
    assert layer.calls == [("GET", "/a"), ("LIST", "/a"), ("POST", "/login"), ("PUT", "/a"), ("DELETE", "/b")]
    assert layer.changes == [("PUT", "/a"), ("DELETE", "/b")]
    assert (layer.count(path="/a"), layer.count(changing=True), layer.count(changing=False)) == (3, 2, 3)


def test_another_process_can_count_and_reset(layer):
    """The counters are had over HTTP, and are not counted themselves."""
    call(layer, "PUT", "/a")
    with urllib.request.urlopen(f"{layer.url}/__strict/calls") as got:
        assert json.load(got) == {"calls": {"PUT /a": 1}, "changes": {"PUT /a": 1}}
    assert call(layer, "POST", "/__strict/reset") == (200, b"{}")
    assert layer.calls == []


@pytest.mark.parametrize(("what", "carried_out"), [("lose", 1), ("drop", 0)])
def test_a_reply_that_never_comes(layer, behind, what, carried_out):
    """`lose` carries the call out, `drop` does not; the client sees a closed connection, and only once."""
    with layer.fault(Fault(what, "/a", method="PUT")):
        with pytest.raises(http.client.RemoteDisconnected):
            call(layer, "PUT", "/a")
        assert len(behind[1]) == carried_out
        assert call(layer, "PUT", "/a")[0] == 200


def test_a_refusal_has_status_headers_and_body_and_is_not_carried_out(layer, behind):
    """A throttling server says when to come back."""
    with (
        layer.fault(throttle(1, path="/a", seconds=3)),
        closing(http.client.HTTPConnection("127.0.0.1", layer.port, timeout=20)) as connection,
    ):
        connection.request("GET", "/a")
        reply = connection.getresponse()
        assert (reply.status, reply.getheader("Retry-After")) == (429, "3")
    assert behind[1] == []


def test_a_failure_is_carried_out_all_the_same(layer, behind):
    """The client is told of an error after the change was made."""
    with layer.fault(Fault("fail", changing=True, status=503, body={"error": "later"})):
        assert call(layer, "GET", "/a")[0] == 200
        assert call(layer, "PUT", "/a") == (503, b'{"error": "later"}')
    assert [method for method, *_ in behind[1]] == ["GET", "PUT"]


def test_a_fault_skips_and_ends(layer):
    """After `skip` calls it strikes `times` times; after the block never."""
    with layer.fault(Fault("refuse", "/a*", times=2, skip=1)):
        assert [call(layer, "GET", "/ab")[0] for _ in range(4)] == [200, 500, 500, 200]
    with layer.fault(Fault("refuse", times=9)):
        pass
    assert call(layer, "GET", "/a")[0] == 200


def test_a_body_that_is_cut(layer):
    """The headers promise more than arrives."""
    with layer.fault(Fault("cut", keep=4)), pytest.raises(http.client.IncompleteRead) as broken:
        call(layer, "GET", "/list")
    assert broken.value.partial == b"[1, "


@pytest.mark.parametrize(("path", "left"), [("/list", b"[1]"), ("/keys", b'{"data": {"keys": ["a"]}}')])
def test_a_listing_that_comes_back_short(layer, path, left):
    """A page of an array, or of Vault's keys, has fewer entries than there are."""
    with layer.fault(Fault("short", keep=1)):
        assert call(layer, "GET", path) == (200, left)


def test_a_delayed_call_waits_and_is_carried_out(layer, behind):
    """A client that waits less long gives up, and the call was made."""
    with (
        layer.fault(Fault("delay", seconds=0.4)),
        closing(http.client.HTTPConnection("127.0.0.1", layer.port, timeout=0.05)) as hasty,
    ):
        hasty.request("GET", "/a")
        with suppress(TimeoutError):
            pytest.fail(f"answered at once: {hasty.getresponse().status}")
    assert call(layer, "GET", "/b")[0] == 200
    assert ("GET", "/b") in [(method, path) for method, path, *_ in behind[1]]
