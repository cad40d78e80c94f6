"""How the tests get a Vault: one server per worker of a test run (it is small and quick), emptied for each test.

It is a dev server: in memory, on the loopback, plain HTTP; `vault_programs` finds it. With NHICTL_TEST_OPENBAO=1 it is
OpenBao, for every test that uses a fixture of this module. Namespaces are not in every Vault, so that each test gets an
emptied server instead: no auth mount, policy, entity, group, secrets mount or namespace besides those of a new one.

Fixtures: `vault` (empty, behind the fault layer), `vault_env` (address and root token in the environment), `vault_tls`
(the same server over TLS). Without the binary and Go, or what Go fetches, the tests are skipped, or fail when
NHICTL_TEST_REQUIRE_SERVERS is set. By hand: `python -m tests.servers.vault [--openbao] [--prepare]`.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.servers.aws import free_port, missing
from tests.servers.http_faults import Layer, serve
from tests.servers.once import Launch, NotFetched, ServerFailed, started, until_interrupted
from tests.servers.vault_programs import CHOICE, binary, can_build, chosen, found

TOKEN = "not-a-secret-for-tests-only"
START_SECONDS = 60.0
# logins and look-ups change nothing that is managed
READS = (
    "POST /v1/auth/*/login",
    "P* /v1/auth/*/secret-id*/lookup",
    "P* /v1/auth/token/lookup*",
    "P* /v1/identity/lookup/*",
    "P* /v1/sys/capabilities*",
    "P* /v1/sys/leases/lookup",
)
OWN_AUTH = frozenset(("token/",))
OWN_MOUNTS = frozenset(("cubbyhole/", "identity/", "sys/"))
OWN_POLICIES = frozenset(("default", "root"))


def launch(home: Path, port: int) -> Launch:
    """Return how to start a dev server."""
    options = (f"-dev-root-token-id={TOKEN}", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token")
    return Launch((binary(), "server", "-dev", *options), {})


def ready(port: int) -> bool:
    """Say whether the root token is good: the last thing a dev server makes."""
    with suppress(OSError, http.client.HTTPException):
        return _http(port, "GET", "/v1/sys/mounts")[0] == 200
    return False


def _http(port: int, method: str, path: str, body: Any = None, *, namespace: str = "") -> tuple[int, Any]:
    headers = {"X-Vault-Token": TOKEN, **({"X-Vault-Namespace": namespace} if namespace else {})}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        got = connection.getresponse()
        text = got.read()
        return got.status, json.loads(text) if text else None


@dataclass(frozen=True, slots=True)
class Vault:
    """An empty server: `url` leads through the fault layer, `direct_url` past it. Calls are for `namespace`."""

    direct_port: int
    faults: Layer
    token: str = field(default=TOKEN, repr=False)
    ca: Path | None = None
    namespace: str = ""

    @property
    def openbao(self) -> bool:
        """Whether the server is OpenBao: it says so of the plugins that are a part of it."""
        of_tokens = self.call("GET", "sys/auth")["data"]["token/"]
        return str(of_tokens["running_plugin_version"]).endswith(".bao")

    @property
    def url(self) -> str:
        """The server's address behind the fault layer."""
        return self.faults.url

    @property
    def direct_url(self) -> str:
        """The server's address past the fault layer."""
        return f"http://127.0.0.1:{self.direct_port}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API as root, past the fault layer (`call("LIST", "sys/policies/acl")`); None for what is not there.

        Raises AssertionError when it refuses.
        """
        status, got = _http(self.direct_port, method, f"/v1/{quote(path)}", body, namespace=self.namespace)
        if status == 404:
            return None
        assert status < 300, f"{method} {path}: {status} {got}"
        return got

    def listed(self, path: str) -> list[str]:
        """Return the keys of a listing; none when there is no such thing."""
        got = self.call("LIST", path)
        return list(got["data"]["keys"]) if got else []

    def within(self, namespace: str) -> Vault:
        """Return the same server for a namespace of it, which is made when it is not there. OpenBao only."""
        at = self
        for name in namespace.split("/"):
            at.call("POST", f"sys/namespaces/{name}", {})
            at = replace(at, namespace=f"{at.namespace}/{name}".strip("/"))
        return at


def empty(vault: Vault) -> None:
    """Remove all that a new dev server does not have."""
    for namespace in sorted(_namespaces(vault), reverse=True):
        _remove_namespace(vault, namespace)
    for mount in set(vault.call("GET", "sys/auth")["data"]) - OWN_AUTH:
        vault.call("DELETE", f"sys/auth/{mount}")
    for mount in set(vault.call("GET", "sys/mounts")["data"]) - OWN_MOUNTS:
        # what a lease leads to may be gone by now
        vault.call("POST", f"sys/leases/revoke-force/{mount.rstrip('/')}")
        vault.call("DELETE", f"sys/mounts/{mount}")
    vault.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    for policy in set(vault.listed("sys/policies/acl")) - OWN_POLICIES:
        vault.call("DELETE", f"sys/policies/acl/{policy}")
    for kind in ("group", "entity"):
        for name in vault.listed(f"identity/{kind}/id"):
            vault.call("DELETE", f"identity/{kind}/id/{name}")


def _namespaces(vault: Vault) -> list[str]:
    found = vault.call("SCAN", "sys/namespaces") if vault.openbao else None
    return [name.strip("/") for name in found["data"].get("keys", ())] if found else []


def _remove_namespace(vault: Vault, namespace: str) -> None:
    """Remove a namespace, which goes on behind the reply; returns when it is gone."""
    above, _, name = namespace.rpartition("/")
    at = replace(vault, namespace=above)
    until = time.monotonic() + START_SECONDS
    at.call("DELETE", f"sys/namespaces/{name}")
    while (at.call("GET", f"sys/namespaces/{name}") or {}).get("data"):
        assert time.monotonic() < until, f"namespace {namespace} is still there"
        time.sleep(0.02)


def environment(vault: Vault) -> dict[str, str]:
    """Return the variables that lead Vault's clients to a server."""
    return {"VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token, "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="session")
def vault_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of this worker's Vault."""
    product = chosen()
    if found() is None and not can_build():
        missing(f"{product.name}: {product.program} or Go 1.21")
    port = free_port()
    own: Any = sys.modules[__name__]
    try:
        with started(own, tmp_path_factory.mktemp("vault"), port):
            yield port
    except NotFetched as absent:
        missing(f"{product.name} ({absent})")
    except ServerFailed as failed:
        pytest.fail(str(failed))


@pytest.fixture(scope="session")
def vault_layer(vault_port: int) -> Iterator[Layer]:
    """The fault layer in front of this worker's Vault."""
    with serve(vault_port, reads=READS) as layer:
        yield layer


@pytest.fixture()
def vault(vault_layer: Layer, vault_port: int) -> Iterator[Vault]:
    """An empty Vault, with no faults and no calls counted."""
    made = Vault(vault_port, vault_layer)
    empty(made)
    vault_layer.reset()
    yield made
    vault_layer.reset()


@pytest.fixture()
def vault_env(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Lead clients of this process, and of those it starts, to the server behind the fault layer."""
    for name in [n for n in os.environ if n.startswith(("VAULT_", "BAO_"))]:
        monkeypatch.delenv(name)
    wanted = environment(vault)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    return wanted


def _main() -> None:
    """Run Vault behind a fault layer until interrupted, and say how to use it."""
    port = free_port()
    own: Any = sys.modules[__name__]
    with tempfile.TemporaryDirectory() as home, started(own, Path(home), port), serve(port, reads=READS) as layer:
        print(f"export VAULT_ADDR={layer.url} VAULT_TOKEN={TOKEN}")
        print(f"# past the fault layer: http://127.0.0.1:{port}", flush=True)
        until_interrupted()


if __name__ == "__main__":
    if "--openbao" in sys.argv:
        os.environ[CHOICE] = "1"
    if "--prepare" in sys.argv:
        print(binary())
    else:
        _main()
