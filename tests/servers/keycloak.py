"""How the tests get a Keycloak: one server per test run, shared by its workers, and a fresh realm for each test.

How it is fetched and started is in `keycloak_server`. It says of itself (issuer) the address it is called by: use one
address throughout.

Fixtures: `keycloak` (a fresh realm behind the fault layer), `keycloak_env` (settings of an administering client of
that realm in the environment), `keycloak_tls` (the same realm over TLS). Without Java and Maven, or what Maven fetches,
the tests are skipped, or fail when NHICTL_TEST_REQUIRE_SERVERS is set. By hand: `python -m tests.servers.keycloak`;
with the variables set that it prints, test runs use that server and start none.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from tests.servers.aws import missing
from tests.servers.http_faults import Layer, serve
from tests.servers.keycloak_server import ADMIN, PASSWORD, prepared, reason
from tests.servers.once import NotFetched, Running, ServerFailed, hold, until_interrupted

# logins and look-ups change nothing that is managed
READS = ("POST */protocol/openid-connect/*", "POST */evaluate-scopes/*")
KEYS = "org.keycloak.keys.KeyProvider"


def _http(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    trust: ssl.SSLContext | None = None,
) -> tuple[int, bytes]:
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    if trust is not None:
        made = http.client.HTTPSConnection("127.0.0.1", port, timeout=120, context=trust)
    with closing(made) as connection:
        connection.request(method, path, body, dict(headers or {}))
        got = connection.getresponse()
        return got.status, got.read()


@dataclass(slots=True)
class Admin:
    """The server's administrator, at one address; for what tests set up and look at besides nhictl."""

    url: str
    token: str = ""
    until: float = 0.0

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return what the admin API answers to a call on `/admin` + path; raises AssertionError when it refuses."""
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        status, got = _http(self._port, method, f"/admin{path}", sent, headers)
        assert status < 300, f"{method} {path}: {status} {got[:500]!r}"
        return json.loads(got) if got else None

    @property
    def _port(self) -> int:
        return int(urlsplit(self.url).port or 0)

    def _token(self) -> str:
        if time.monotonic() > self.until:
            form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": PASSWORD}
            got = token(self._port, "master", form)
            self.token, self.until = got["access_token"], time.monotonic() + got["expires_in"] / 2
        return self.token


def token(
    port: int, realm: str, form: Mapping[str, str], ca: Path | None = None, *, trust: ssl.SSLContext | None = None
) -> dict[str, Any]:
    """Return the reply of a realm's token endpoint, over TLS with `ca` or `trust`; AssertionError when it refuses."""
    if ca is not None:
        trust = ssl.create_default_context(cafile=str(ca))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/realms/{quote(realm)}/protocol/openid-connect/token"
    status, got = _http(port, "POST", path, urlencode(form).encode(), headers, trust=trust)
    assert status == 200, f"no token of realm {realm}: {status} {got[:500]!r}"
    return dict(json.loads(got))


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A fresh realm: `url` leads through the fault layer, `direct_url` past it. Tokens of one are void at the other."""

    realm: str
    direct_url: str
    faults: Layer
    admin: Admin
    admin_username: str = ADMIN
    admin_password: str = field(default=PASSWORD, repr=False)
    ca: Path | None = None

    @property
    def url(self) -> str:
        """The server's address behind the fault layer."""
        return self.faults.url

    @property
    def issuer(self) -> str:
        """What tokens that were asked for through the fault layer name as their issuer."""
        return f"{self.url}/realms/{self.realm}"

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        """Call the admin API of the realm as administrator, past the fault layer (`call("GET", "/clients")`)."""
        return self.admin.call(method, f"/realms/{self.realm}{path}", body)

    def service_client(self, client_id: str = "nhictl", roles: tuple[str, ...] = ("realm-admin",)) -> tuple[str, str]:
        """Make a confidential client whose service account has these roles of `realm-management`; id and secret."""
        secret = uuid.uuid4().hex
        wanted = {"clientId": client_id, "secret": secret, "serviceAccountsEnabled": True, "publicClient": False}
        flows = {"standardFlowEnabled": False, "directAccessGrantsEnabled": False}
        self.call("POST", "/clients", wanted | flows)
        made, management = (self._client(name) for name in (client_id, "realm-management"))
        account = self.call("GET", f"/clients/{made}/service-account-user")["id"]
        granted = [self.call("GET", f"/clients/{management}/roles/{role}") for role in roles]
        self.call("POST", f"/users/{account}/role-mappings/clients/{management}", granted)
        return client_id, secret

    def token(self, client_id: str, secret: str, **form: str) -> dict[str, Any]:
        """Return what the token endpoint gives a client, through the fault layer."""
        asked = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret} | form
        return token(self.faults.port, self.realm, asked, self.ca)

    def _client(self, client_id: str) -> str:
        return str(self.call("GET", f"/clients?clientId={quote(client_id)}")[0]["id"])


def environment(keycloak: Keycloak, client: tuple[str, str]) -> dict[str, str]:
    """Return the variables that lead an administering client to a realm."""
    return {
        "KEYCLOAK_URL": keycloak.url,
        "KEYCLOAK_REALM": keycloak.realm,
        "KEYCLOAK_CLIENT_ID": client[0],
        "KEYCLOAK_CLIENT_SECRET": client[1],
        "NO_PROXY": "127.0.0.1",
    }


def _keys() -> Iterator[dict[str, Any]]:
    """Yield a realm's keys; the RSA key is made here, for Keycloak takes up to ten seconds to make its two."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    own = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    yield {"name": "rsa", "providerId": "rsa", "config": {"priority": ["100"], "privateKey": [own.decode()]}}
    yield {"name": "hmac", "providerId": "hmac-generated", "config": {"priority": ["100"], "algorithm": ["HS512"]}}
    yield {"name": "aes", "providerId": "aes-generated", "config": {"priority": ["100"]}}


def make_realm(admin: Admin, name: str) -> None:
    """Make an empty realm."""
    admin.call("POST", "/realms", {"realm": name, "enabled": True, "components": {KEYS: list(_keys())}})


@contextmanager
def fresh_realm(admin: Admin) -> Iterator[str]:
    """Make a realm with a name of its own while the block runs."""
    name = _made(admin)
    try:
        yield name
    finally:
        admin.call("DELETE", f"/realms/{name}")


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the workers of a test run share."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def keycloak_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The run's Keycloak; the folder of one that is given from outside is not known."""
    given = os.environ.get("NHICTL_TEST_KEYCLOAK_URL")
    if given:
        yield Running(int(urlsplit(given).port or 80), 0)
        return
    if wanting := reason():
        missing(wanting)
    try:
        prepared()
        with hold("tests.servers.keycloak_server", run_folder(tmp_path_factory) / "keycloak") as running:
            yield running
    except NotFetched as absent:
        missing(f"Keycloak ({absent})")
    except ServerFailed as failed:
        pytest.fail(str(failed))


@pytest.fixture(scope="session")
def keycloak_port(keycloak_running: Running) -> int:
    """The port of the run's Keycloak."""
    return keycloak_running.port


@pytest.fixture(scope="session")
def keycloak_layer(keycloak_port: int) -> Iterator[Layer]:
    """The fault layer in front of the run's Keycloak."""
    with serve(keycloak_port, reads=READS) as layer:
        yield layer


@pytest.fixture(scope="session")
def keycloak_admin(keycloak_port: int) -> Admin:
    """The administrator of the run's Keycloak."""
    return Admin(f"http://127.0.0.1:{keycloak_port}")


@pytest.fixture(scope="session")
def keycloak_realms(keycloak_admin: Admin) -> Iterator[Callable[[], str]]:
    """A function that gives the name of a fresh realm; the next one is made while a test uses the one before.

    Realms are left to the server, which ends with the run; on a server given from outside they are deleted.
    """
    made: list[Future[str]] = []
    with ThreadPoolExecutor(max_workers=1) as maker:

        def more() -> None:
            made.append(maker.submit(_made, keycloak_admin))

        def fresh() -> str:
            if not made:
                more()
            more()
            return made[-2].result()

        yield fresh
        if os.environ.get("NHICTL_TEST_KEYCLOAK_URL"):
            for realm in made:
                keycloak_admin.call("DELETE", f"/realms/{realm.result()}")


def _made(admin: Admin) -> str:
    name = f"t-{uuid.uuid4().hex[:12]}"
    make_realm(admin, name)
    return name


@pytest.fixture()
def keycloak(keycloak_layer: Layer, keycloak_admin: Admin, keycloak_realms: Callable[[], str]) -> Iterator[Keycloak]:
    """A fresh realm, with no faults and no calls counted."""
    realm = keycloak_realms()
    keycloak_layer.reset()
    yield Keycloak(realm, keycloak_admin.url, keycloak_layer, keycloak_admin)
    keycloak_layer.reset()


@pytest.fixture()
def keycloak_env(keycloak: Keycloak, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Lead clients of this process, and of those it starts, to the realm behind the fault layer."""
    for name in [n for n in os.environ if n.startswith("KEYCLOAK_")]:
        monkeypatch.delenv(name)
    found = environment(keycloak, keycloak.service_client())
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def _main() -> None:
    """Run Keycloak behind a fault layer until interrupted, and say how to use it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        hold("tests.servers.keycloak_server", Path(folder)) as running,
        serve(running.port, reads=READS) as layer,
    ):
        print(f"export NHICTL_TEST_KEYCLOAK_URL=http://127.0.0.1:{running.port}")
        print(f"export NHICTL_TEST_KEYCLOAK_HOME={running.home}")
        print(f"# behind the fault layer: {layer.url}; administrator {ADMIN}, password {PASSWORD}", flush=True)
        until_interrupted()


if __name__ == "__main__":
    if "--prepare" in sys.argv:
        print(prepared())
    else:
        _main()
