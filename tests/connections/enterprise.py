"""The example workspace `enterprise` on real servers: nhictl's command line, and what its clients and Vault then do.

nhictl makes everything by `plan` and `apply`. The tests themselves act as administrators only for what nhictl never
does: to make the empty servers, to hand a client its secret, to look at what is there.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.commandline import Said
from tests.connections.forging import Signer
from tests.servers.keycloak import Keycloak, make_realm
from tests.servers.postgres import PgServer
from tests.servers.vault import Vault, empty

EXAMPLE = Path(__file__).parents[2] / "examples" / "enterprise"
AUDIENCE = "https://vault.example.com"
DATABASE_PASSWORD = "not-a-secret-for-tests-only"
ANSWER = {"data": {"answer": "42"}}
# what differs from run to run: which apply wrote it
_OPERATION = re.compile(r"(operation(?:\"|\\\")?\s*[=:]\s*(?:\"|\\\")?)[^\s\"\\\]]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and what came with it."""

    status: int
    body: Any

    @property
    def said(self) -> str:
        """The reasons of a refusal."""
        return " ".join((self.body or {}).get("errors") or ())


@dataclass(slots=True)
class Enterprise:
    """A copy of the workspace, its servers, and the command line in it."""

    root: Path
    nhictl: Callable[..., Said]
    keycloak: Keycloak
    vault: Vault
    pg: PgServer
    log_in_nhictl: Callable[[], None]
    wrote: list[str]
    batch_key: Signer | None = None
    realm_key: Signer | None = None

    def apply(self) -> Said:
        """Apply the manifests as they are; anything but success fails the test."""
        said = self.nhictl("apply", "--yes")
        assert said.code == 0, said.out + said.err
        return said

    def plan(self) -> Said:
        """Plan; the exit code is 2 when something would change."""
        return self.nhictl("plan", "--detailed-exitcode")

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a manifest as somebody would."""
        path = self.root / "manifests" / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new))

    def certify(self, nhi: str, certificate: str) -> None:
        """Put a certificate into an NHI's manifest."""
        path = self.root / "manifests" / "nhis" / f"{nhi}.yaml"
        tree = yaml.safe_load(path.read_text())
        tree["spec"]["identity"]["keycloak"]["certificate"] = certificate
        path.write_text(yaml.safe_dump(tree, sort_keys=False))

    def secret(self, client_id: str) -> str:
        """Return a client's secret, as an administrator of the realm hands it over."""
        (client,) = self.keycloak.call("GET", f"/clients?clientId={client_id}")
        return str(self.keycloak.call("GET", f"/clients/{client['id']}/client-secret")["value"])

    def token(self, client_id: str) -> str:
        """Return an access token of a client that proves itself with its secret. Raises AssertionError when refused."""
        return str(self.keycloak.token(client_id, self.secret(client_id))["access_token"])

    def log_in(self, role: str, jwt: str, mount: str = "jwt-shop") -> Reply:
        """Log in to Vault with a token of the realm."""
        return self.ask("POST", f"auth/{mount}/login", body={"role": role, "jwt": jwt})

    def logged_in(self, role: str, jwt: str) -> str:
        """Return a token of Vault for a token of the realm; a refusal fails the test."""
        reply = self.log_in(role, jwt)
        assert reply.status == 200, reply
        return str(reply.body["auth"]["client_token"])

    def ask(self, method: str, path: str, token: str = "", body: Any = None) -> Reply:
        """Call Vault with a token, or without one."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.vault.direct_port, timeout=60)) as connection:
            headers = {"X-Vault-Token": token} if token else {}
            connection.request(method, f"/v1/{path}", json.dumps(body) if body is not None else None, headers)
            got = connection.getresponse()
            text = got.read()
            return Reply(got.status, json.loads(text) if text else None)

    def may(self, token: str, path: str) -> bool:
        """Say whether a token of Vault can read a path."""
        return self.ask("GET", path, token).status == 200

    def wipe(self) -> None:
        """Make every server empty again, and forget what was recorded."""
        empty(self.vault)
        self.keycloak.call("DELETE")
        make_realm(self.keycloak.admin, self.keycloak.realm)
        self.pg.clean()
        shutil.rmtree(self.root / ".nhictl")
        prepare(self)


def prepare(it: Enterprise) -> None:
    """Make what is there before nhictl comes: some secrets, a database, and who nhictl logs in as."""
    it.log_in_nhictl()
    for name in ("orders", "invoices"):
        it.vault.call("POST", f"secret/data/{name}/api", ANSWER)
    it.pg.database("ledger")
    it.pg.script(
        "CREATE TABLE entries (amount int); INSERT INTO entries VALUES (42);"
        "CREATE TABLE payroll (amount int);"
        f"CREATE ROLE vault LOGIN CREATEROLE PASSWORD '{DATABASE_PASSWORD}'",
        "ledger",
    )


def settings(it: Enterprise, ca: Path) -> None:
    """Lead the workspace to the servers: addresses, and the authority that vouches for the realm."""
    path = it.root / "nhictl.yaml"
    tree = yaml.safe_load(path.read_text())
    prod = tree["spec"]["environments"]["prod"]
    prod["vars"] |= {
        "issuer": it.keycloak.issuer,
        "issuerCa": ca.read_text(),
        "ledgerHost": f"127.0.0.1:{it.pg.port}",
    }
    shutil.copy(ca, it.root / "ca.pem")
    prod["targets"]["sso"] |= {"url": it.keycloak.url, "realm": it.keycloak.realm, "caFile": "ca.pem"}
    prod["targets"]["vault"]["address"] = it.vault.url
    prod["targets"]["ledger"] |= {"host": "127.0.0.1", "port": it.pg.port}
    path.write_text(yaml.safe_dump(tree, sort_keys=False))


def plain(value: Any, gone: frozenset[str]) -> Any:
    """Return a value without some keys and without what names an apply, every list in one order."""
    if isinstance(value, Mapping):
        return {k: plain(v, gone) for k, v in sorted(value.items()) if k not in gone and v != {}}
    if isinstance(value, list):
        return sorted((plain(item, gone) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return _OPERATION.sub(r"\1...", value) if isinstance(value, str) else value
