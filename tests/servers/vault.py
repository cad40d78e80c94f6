"""How the tests get a Vault: one server per worker of a test run (it is small and quick), emptied for each test.

The server is the first of `VAULT_BIN`, `vault`, `bao` on the PATH, and our own build of the Go module in
`vault_server/`, kept in the cache by the digest of its sources. It is a dev server: in memory, on the loopback, plain
HTTP. Namespaces are not in every Vault, so that each test gets an emptied server instead: no auth mount, policy,
entity, group or secrets mount besides those of a new one.

Fixtures: `vault` (empty, behind the fault layer), `vault_env` (address and root token in the environment), `vault_tls`
(the same server over TLS). Without the binary and Go, or what Go fetches, the tests are skipped, or fail when
NHICTL_TEST_REQUIRE_SERVERS is set. By hand: `python -m tests.servers.vault`.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.servers.aws import free_port, missing
from tests.servers.cache import cache, digest, kept
from tests.servers.http_faults import Layer, serve
from tests.servers.once import Launch, NotFetched, ServerFailed, started, until_interrupted

TOKEN = "not-a-secret-for-tests-only"
OLDEST_GO = 21
START_SECONDS = 60.0
SOURCE = Path(__file__).parent / "vault_server"
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


def found() -> str | None:
    """Return the server's binary where there is one already."""
    own = _built_name()
    given = os.environ.get("VAULT_BIN") or shutil.which("vault") or shutil.which("bao")
    return given or (str(own / "vault") if own.is_dir() else None)


def binary() -> str:
    """Return the server's binary, building it when there is none; minutes the first time.

    Raises NotFetched when its modules cannot be fetched, ServerFailed when it cannot be built of them.
    """
    return found() or str(kept(_built_name().name, _build) / "vault")


def launch(home: Path, port: int) -> Launch:
    """Return how to start a dev server."""
    options = (f"-dev-root-token-id={TOKEN}", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token")
    return Launch((binary(), "server", "-dev", *options), {})


def ready(port: int) -> bool:
    """Say whether the root token is good: the last thing a dev server makes."""
    with suppress(OSError, http.client.HTTPException):
        return _http(port, "GET", "/v1/sys/mounts")[0] == 200
    return False


def _built_name() -> Path:
    sources = sorted(p for p in SOURCE.iterdir() if p.suffix in (".go", ".mod", ".sum"))
    return cache() / f"vault-{digest(*(p.read_bytes() for p in sources))}"


def _newer_go() -> bool:
    """Say whether there is a Go that knows the language of the module, or how to fetch one that does."""
    program = shutil.which("go")
    if program is None:
        return False
    said = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=False).stdout
    named = re.match(r"go1\.(\d+)", said)
    return named is not None and int(named.group(1)) >= OLDEST_GO


def _build(folder: Path) -> None:
    fetched = _go("list", "-deps", ".")
    if fetched.returncode:
        raise NotFetched(f"Go cannot get its modules: {fetched.stderr.strip()[-1500:]}")
    built = _go("build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / "vault"), ".")
    if built.returncode:
        raise ServerFailed(f"go build failed:\n{built.stderr[-2500:]}")


def _go(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"CGO_ENABLED": "0"}
    return subprocess.run(
        ["go", *arguments], cwd=SOURCE, env=env, capture_output=True, text=True, timeout=1800, check=False
    )


def _http(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, json.dumps(body) if body is not None else None, {"X-Vault-Token": TOKEN})
        got = connection.getresponse()
        text = got.read()
        return got.status, json.loads(text) if text else None


@dataclass(frozen=True, slots=True)
class Vault:
    """An empty server: `url` leads through the fault layer, `direct_url` past it."""

    direct_port: int
    faults: Layer
    token: str = field(default=TOKEN, repr=False)
    ca: Path | None = None

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
        status, got = _http(self.direct_port, method, f"/v1/{quote(path)}", body)
        if status == 404:
            return None
        assert status < 300, f"{method} {path}: {status} {got}"
        return got

    def listed(self, path: str) -> list[str]:
        """Return the keys of a listing; none when there is no such thing."""
        got = self.call("LIST", path)
        return list(got["data"]["keys"]) if got else []


def empty(vault: Vault) -> None:
    """Remove all that a new dev server does not have."""
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


def environment(vault: Vault) -> dict[str, str]:
    """Return the variables that lead Vault's clients to a server."""
    return {"VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token, "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="session")
def vault_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of this worker's Vault."""
    if found() is None and not _newer_go():
        missing("Vault: vault, bao or Go 1.21")
    port = free_port()
    own: Any = sys.modules[__name__]
    try:
        with started(own, tmp_path_factory.mktemp("vault"), port):
            yield port
    except NotFetched as absent:
        missing(f"Vault ({absent})")
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
    if "--prepare" in sys.argv:
        print(binary())
    else:
        _main()
