"""Errors of the connection: where Vault was looked for, and what went wrong there."""

from __future__ import annotations

import socket

import pytest
import requests

from nhictl.model import Fault
from nhictl.providers.vault import errors


def failed(url: str) -> requests.RequestException:
    """What requests raises for a URL that nobody answers at."""
    with pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=2, proxies={"no_proxy": "*"})
    return caught.value


def test_a_refused_connection_is_told_with_host_and_port_only() -> None:
    """Nothing listens at the port; user, password and path of the address are not told."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        error = failed(f"http://127.0.0.1:{port}/")
    url = f"http://me:not-a-secret@127.0.0.1:{port}/x"
    found = errors.of_connection(error, "GET sys/seal-status", changing=False, url=url)
    assert found.message == f"GET sys/seal-status: 127.0.0.1:{port} the connection was refused"
    assert found.fault is Fault.UNREACHABLE


def test_a_name_that_is_not_known_is_said() -> None:
    """The error of the look-up is behind the one of requests."""
    error = requests.ConnectionError("x")
    error.__context__ = socket.gaierror(-2, "x")
    found = errors.of_connection(error, "GET x", changing=False, url="https://vault.invalid")
    assert found.message == "GET x: vault.invalid:443 the name is not known"


@pytest.mark.parametrize(
    ("error", "changing", "said", "fault"),
    [
        (requests.ConnectTimeout(), True, "GET x: a:1 timed out connecting", Fault.UNREACHABLE),
        (requests.ReadTimeout(), False, "GET x: a:1 timed out", Fault.UNREACHABLE),
        (requests.ReadTimeout(), True, "GET x: no answer (a:1 timed out); nobody knows whether it took effect",
         Fault.LOST),
    ],
)  # fmt: skip
def test_what_timed_out_is_told_apart(
    error: requests.RequestException, changing: bool, said: str, fault: Fault
) -> None:
    """Connecting, or waiting for the answer; a change without an answer stays lost."""
    found = errors.of_connection(error, "GET x", changing=changing, url="https://a:1")
    assert (found.message, found.fault) == (said, fault)
