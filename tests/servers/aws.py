"""How the tests get an AWS: moto as a server of its own, one per test run, with the strict layer in front.

Fixtures: `strict` (the layer, reset for each test), `aws_env` (endpoint and fake credentials, set in the environment),
`aws_account` (the account id). Without moto the tests are skipped, or fail when NHICTL_TEST_REQUIRE_SERVERS is set.
"""

from __future__ import annotations

import http.client
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress

import pytest

from tests.servers.strict import Strict, serve

ACCOUNT = "123456789012"
START_SECONDS = 60


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing(what: str) -> None:
    """Skip the test for want of a server, or fail where servers are required."""
    if os.environ.get("NHICTL_TEST_REQUIRE_SERVERS"):
        pytest.fail(f"{what} is required (NHICTL_TEST_REQUIRE_SERVERS) and not there")
    pytest.skip(f"{what} is not installed")


def environment(url: str) -> dict[str, str]:
    """Return the variables that lead the AWS SDK to an endpoint with credentials that open nothing."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret-for-tests-only",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }


def post(port: int, path: str) -> int:
    """Return the status of an empty POST; 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("POST", path, headers={"Content-Length": "0"})
        return connection.getresponse().status
    return 0


def _started(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while post(port, "/moto-api/reset") != 200:
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail("moto's server did not start")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def moto_port() -> Iterator[int]:
    """A moto server; its process is ours and ends with the run."""
    if importlib.util.find_spec("moto") is None:
        missing("moto")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean)
    try:
        _started(process, port)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def strict_layer(moto_port: int) -> Iterator[Strict]:
    """The strict layer in front of the run's moto."""
    strict, server = serve(moto_port)
    yield strict
    server.shutdown()
    server.server_close()


@pytest.fixture()
def strict(strict_layer: Strict, moto_port: int) -> Strict:
    """An empty account behind the strict layer, with no faults and all counters at zero."""
    assert post(moto_port, "/moto-api/reset") == 200
    strict_layer.reset()
    return strict_layer


@pytest.fixture()
def aws_env(strict: Strict, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Lead the SDK of this process, and of those it starts, to the strict layer."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    found = environment(strict.url)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture()
def aws_account() -> str:
    """The account that fake credentials belong to."""
    return ACCOUNT
