"""Importing a realm that people and scripts filled: everything that is legal there, as odd as it may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.commandline import Shell
from tests.importing.suite import brought_under_management, files, imported, shell_ok, workspace
from tests.servers.keycloak import Keycloak
from tests.support import THOUSANDS

ODD_NAME = "Nächtlicher \"Job\" 'a' / b?c#d: ${env.name}"
URL_NAME = "https://app.example.com/saml#1"
SERVICE = {"serviceAccountsEnabled": True, "standardFlowEnabled": False, "publicClient": False}


class Realm:
    """A realm that somebody else filled."""

    def __init__(self, keycloak: Keycloak) -> None:
        self.keycloak = keycloak
        self.call = keycloak.call
        self.target = {"provider": "keycloak", "url": keycloak.url, "realm": keycloak.realm, "plainHttp": True}

    def client(self, client_id: str, **body: Any) -> str:
        """Make a client and return its id."""
        self.call("POST", "/clients", {"clientId": client_id, **body})
        return self.id_of(client_id)

    def id_of(self, client_id: str) -> str:
        """Return the id of a client."""
        return str(self.call("GET", f"/clients?clientId={quote(client_id, safe='')}")[0]["id"])

    def account(self, client: str) -> str:
        """Return the id of the service account of a client."""
        return str(self.call("GET", f"/clients/{client}/service-account-user")["id"])

    def role(self, name: str, client: str = "", **body: Any) -> dict[str, Any]:
        """Make a realm role, or one of a client, and return it."""
        below = f"/clients/{client}/roles" if client else "/roles"
        self.call("POST", below, {"name": name, **body})
        return dict(self.call("GET", f"{below}/{quote(name, safe='')}"))

    def seed(self, number: int) -> None:
        """Make `number` clients as a script does it, each with one of a few roles, every tenth with a scope."""
        roles = [self.role(f"team-{n}", description=f"Team {n}") for n in range(max(1, number // 20))]
        self.call("POST", "/client-scopes", {"name": "night", "protocol": "openid-connect"})

        def made(n: int) -> None:
            more = {"description": f"Job {n}: nightly"} if n % 3 else {}
            scopes = {"optionalClientScopes": ["night"]} if n % 10 == 0 else {}
            client = self.client(f"Job_{n}", **SERVICE, **more, **scopes)
            self.call("POST", f"/users/{self.account(client)}/role-mappings/realm", [roles[n % len(roles)]])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(made, range(number)))

    def live(self) -> dict[str, str]:
        """Return all that the server says, by path, without nhictl's marks."""
        whole = self.call("POST", "/partial-export?exportClients=true&exportGroupsAndRoles=true")
        # the components are the realm's keys, whose certificates are made anew for every export
        found: dict[str, Any] = {"realm": {k: v for k, v in whole.items() if k != "components"}}
        found["clients"] = dict(map(self._client, self.call("GET", "/clients?max=5000")))
        below = "/identity-provider/instances"
        found["mappers"] = {
            i["alias"]: self.call("GET", f"{below}/{quote(i['alias'])}/mappers") for i in self.call("GET", below)
        }
        return dict(_leaves(_plain(found)))

    def _client(self, data: Mapping[str, Any]) -> tuple[str, Any]:
        path = f"/clients/{data['id']}"
        parts = ["/default-client-scopes", "/optional-client-scopes", "/scope-mappings"]
        parts += ["/client-secret"] if not data["publicClient"] and data.get("protocol") != "saml" else []
        found = {"client": data, **{part: self.call("GET", path + part) for part in parts}}
        if data.get("authorizationServicesEnabled"):
            found["authorization"] = self.call("GET", f"{path}/authz/resource-server/settings")
        if data["serviceAccountsEnabled"]:
            account = self.account(data["id"])
            found |= {p: self.call("GET", f"/users/{account}/{p}") for p in ("", "role-mappings", "groups")}
        return data["clientId"], found


class Odd(Realm):
    """A realm with everything that people do there."""

    def seed(self, number: int) -> None:
        """Make all sorts of things; `number` is not looked at."""
        self._roles()
        self._scopes()
        self._clients()
        self._grants()
        self._providers()

    def _roles(self) -> None:
        holder = self.client("shop-api", bearerOnly=True)
        reader = self.role("reader", holder, description="May read")
        writer = self.role("writer", holder, attributes={"who": ["a", "b"]})
        plain = self.role("Plain Role / ü", description="Odd: name, ${env.name} # yes")
        self.role("no")
        bundle = self.role("bundle", description="")
        self.call("POST", f"/roles-by-id/{bundle['id']}/composites", [plain, reader])
        self.call("POST", f"/roles-by-id/{self.role('nested', holder)['id']}/composites", [bundle, writer])
        round_ = self.role("round", attributes={"nhictl.label.team": ["x"], "cost": ["1", "2"]})
        self.call("POST", f"/roles-by-id/{round_['id']}/composites", [bundle])

    def _scopes(self) -> None:
        audience = {
            "name": "to the shop", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
            "config": {"included.client.audience": "shop-api", "access.token.claim": "true"},
        }  # fmt: skip
        claim = {
            "name": "team", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": {"claim.name": "team", "claim.value": "${vars.a}", "jsonType.label": "String"},
        }  # fmt: skip
        for body in (
            {"name": "shop:read", "description": "Read", "protocolMappers": [audience, claim]},
            {"name": "quiet", "attributes": {"include.in.token.scope": "false", "display.on.consent.screen": "true",
                                                   "consent.screen.text": "May it?", "gui.order": "7"}},
            {"name": "both", "attributes": {"include.in.token.scope": "true"}},
            {"name": "saml-scope", "protocol": "saml"},
        ):  # fmt: skip
            self.call("POST", "/client-scopes", {"protocol": "openid-connect", **body})

    def _clients(self) -> None:
        self.client("console-defaults", protocol="openid-connect", serviceAccountsEnabled=True, publicClient=False)
        self.client("spa", publicClient=True, redirectUris=["https://shop.example.com/*"], webOrigins=["+"])
        self.client(URL_NAME, protocol="saml", attributes={"saml.assertion.signature": "true"})
        mapper = {
            "name": "groups", "protocol": "openid-connect", "protocolMapper": "oidc-group-membership-mapper",
            "config": {"claim.name": "groups", "full.path": "false", "access.token.claim": "true"},
        }  # fmt: skip
        self.client(
            "payments", **{**SERVICE, "standardFlowEnabled": True}, name="Payments",
            description="Takes: payments\nand gives",
            rootUrl="https://payments.example.com", redirectUris=["/cb/*"], directAccessGrantsEnabled=True,
            authorizationServicesEnabled=True, consentRequired=True, fullScopeAllowed=False, protocolMappers=[mapper],
            attributes={"access.token.lifespan": "3661", "unknown.key": "kept", "post.logout.redirect.uris": "+"},
            defaultClientScopes=["profile", "shop:read", "both"], optionalClientScopes=["quiet"],
        )  # fmt: skip
        keys = {"use.jwks.url": "true", "jwks.url": "https://agents.example.com/jwks.json"}
        self.client(
            "signed", **SERVICE, clientAuthenticatorType="client-jwt", attributes=keys, optionalClientScopes=["both"]
        )
        inline = {"use.jwks.string": "true", "jwks.string": '{"keys": []}', "token.endpoint.auth.signing.alg": "ES256"}
        self.client("inline-keys", **SERVICE, clientAuthenticatorType="client-jwt", attributes=inline)
        self.client(
            "hmac", **SERVICE, clientAuthenticatorType="client-secret-jwt", secret="not-a-secret-for-tests-only"
        )
        subject = {"x509.subjectdn": "CN=batch, O=Exämple", "x509.allow.regex.pattern.comparison": "true"}
        self.client("tls", **SERVICE, clientAuthenticatorType="client-x509", attributes=subject)
        self.client(ODD_NAME, **SERVICE, enabled=False, description="Ends with a blank ")
        self.client("no-scopes", **SERVICE, defaultClientScopes=[], optionalClientScopes=[])
        self.client("urn:example:job", **SERVICE, attributes={"access.token.lifespan": "-1", "nhictl.label.a": "b"})

    def _grants(self) -> None:
        parent = self.call("POST", "/groups", {"name": "Jobs / all"})
        assert parent is None
        group = self.call("GET", "/groups")[0]
        self.call("POST", f"/groups/{group['id']}/children", {"name": "night"})
        child = self.call("GET", f"/groups/{group['id']}/children")[0]
        realm = {r["name"]: r for r in self.call("GET", "/roles")}
        management = self.id_of("realm-management")
        view = self.call("GET", f"/clients/{management}/roles/view-users")
        shop = self.id_of("shop-api")
        nested = self.call("GET", f"/clients/{shop}/roles/nested")
        self.call("POST", f"/groups/{child['id']}/role-mappings/realm", [realm["no"]])
        for client in ("payments", ODD_NAME, "signed"):
            account = self.account(self.id_of(client))
            self.call("POST", f"/users/{account}/role-mappings/realm", [realm["bundle"], realm["offline_access"]])
            self.call("POST", f"/users/{account}/role-mappings/clients/{management}", [view])
            self.call("POST", f"/users/{account}/role-mappings/clients/{shop}", [nested])
            self.call("PUT", f"/users/{account}/groups/{child['id']}")
        payments = self.id_of("payments")
        own = self.role("own", payments)
        self.call("POST", f"/users/{self.account(payments)}/role-mappings/clients/{payments}", [own])
        default = realm[f"default-roles-{self.keycloak.realm}"]
        bare = self.account(self.id_of("no-scopes"))
        self.call("DELETE", f"/users/{bare}/role-mappings/realm", [default])
        self.call("POST", f"/clients/{payments}/scope-mappings/realm", [realm["no"]])
        self.call("POST", f"/clients/{payments}/authz/resource-server/resource", {"name": "invoices", "uris": ["/i/*"]})

    def _providers(self) -> None:
        secret = "not-a-secret-for-tests-only"
        at = "https://login.example.com"
        usual = {"clientId": "shop", "authorizationUrl": f"{at}/a", "tokenUrl": f"{at}/t"}
        whole = {
            **usual, "clientSecret": secret, "issuer": at, "useJwksUrl": "true",
            "validateSignature": "true", "jwksUrl": f"{at}/k", "clientAuthMethod": "client_secret_basic",
            "guiOrder": "7", "defaultScope": "openid email ${vars.a}", "pkceEnabled": "true", "pkceMethod": "S256",
        }  # fmt: skip
        saml = {
            "singleSignOnServiceUrl": "https://idp.example.com", "idpEntityId": "https://idp.example.com/e",
            "nameIDPolicyFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            "wantAssertionsSigned": "true",
        }  # fmt: skip
        for body in (
            {"alias": "partner", "providerId": "oidc", "displayName": "Shop: ü", "trustEmail": True, "config": whole},
            {"alias": "plain-http", "providerId": "oidc", "config": {**usual, "issuer": "http://localhost:1/realms/x"}},
            {"alias": "bare", "providerId": "oidc", "enabled": False, "config": {}},
            {"alias": "old.saml", "providerId": "saml", "storeToken": True, "config": saml},
            {"alias": "github", "providerId": "github", "config": {"clientId": "x", "clientSecret": secret}},
            {"alias": "other-realm", "providerId": "keycloak-oidc", "linkOnly": True, "config": usual},
        ):  # fmt: skip
            self.call("POST", "/identity-provider/instances", body)
        for alias, kind in (
            ("partner", "hardcoded-attribute-idp-mapper"),
            ("old.saml", "saml-user-attribute-idp-mapper"),
        ):
            config = {"attribute": "team", "attribute.value": "x y", "syncMode": "INHERIT", "user.attribute": "t"}
            body = {
                "name": "Team / ü",
                "identityProviderAlias": alias,
                "identityProviderMapper": kind,
                "config": config,
            }
            self.call("POST", f"/identity-provider/instances/{alias}/mappers", body)


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        found = {
            k: _plain(v, k) for k, v in value.items() if k not in ("nhictl.owner", "nhictl.ref", "nhictl.operation")
        }
        return {k: v for k, v in found.items() if v not in ({}, [], None)}
    if isinstance(value, list):
        found = [_plain(v) for v in value]
        return {_named(v, n): v for n, v in enumerate(sorted(found, key=repr))}
    return value


def _named(item: Any, number: int) -> str:
    """Return what an item of a list is told by: its name where it has one."""
    keys = ("clientId", "alias", "name", "id", "username")
    return next((f"{k}={item[k]}" for k in keys if isinstance(item, dict) and k in item), str(number))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value with its path, so that a difference is told by its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}/{key}")
    else:
        yield path, repr(value)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], keycloak_env: Mapping[str, str]) -> Shell:
    """A command line in an empty workspace."""
    return Shell(tmp_path, capsys, [])


def test_a_realm_of_all_sorts_is_brought_under_management(keycloak: Keycloak, shell: Shell):
    """Clients, roles, scopes and identity providers of all sorts: nothing changed but the mark, nothing left."""
    brought = brought_under_management(Odd(keycloak), shell, 10)
    assert {"console-defaults", "payments", "tls"} <= brought.of("NHI").keys()
    assert "nhictl" not in brought.of("NHI")
    assert "client/nhictl: is the principal nhictl runs as" in brought.said.err
    assert "spa" not in brought.of("NHI")
    assert brought.of("Role")["reader"]["spec"]["keycloak"]["client"] == "shop-api"
    assert brought.of("Role")["nested"]["spec"]["keycloak"]["realmRoles"] == ["bundle"]


def changed(shell: Shell, ref: str, **spec: Any) -> None:
    """Change fields of an imported manifest by hand."""
    kind, _, name = ref.partition("/")
    path = shell.root / "manifests" / f"{kind}s" / f"{name}.yaml"
    found = yaml.safe_load(path.read_text())
    found["spec"] |= spec
    path.write_text(yaml.safe_dump(found))


def test_a_later_change_changes_nothing_else(keycloak: Keycloak, shell: Shell):
    """Another purpose, a role more, another name of a provider: keys, groups, URLs, secrets, mappers stay."""
    estate = Odd(keycloak)
    workspace(shell.root, estate.target)
    estate.seed(10)
    shell_ok(imported(shell))
    shell_ok(shell("adopt", "estate", "--yes"))
    before = estate.live()
    changed(shell, "nhi/payments", purpose="Takes and gives")
    changed(shell, "nhi/inline-keys", grants=[{"role": "no"}])
    changed(shell, "role/bundle", description="A bundle")
    shell_ok(shell("apply", "--yes"))
    after = estate.live()
    differing = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    given = {path for path in differing if path.startswith("/clients/inline-keys/role-mappings/realmMappings/name=no/")}
    again = {path for path in differing if path.endswith("/role-mappings/realmMappings/name=bundle/description")}
    listed = {path for path in differing if re.fullmatch(r"/realm/users/[^/]*/realmRoles/\d", path)}
    assert len(given) >= 1 <= len(listed)
    assert differing - given - again - listed == {
        "/realm/clients/clientId=payments/description",
        "/clients/payments/client/description",
        "/realm/roles/realm/name=bundle/description",
    }
    assert shell("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("number", [100, pytest.param(1000, marks=THOUSANDS)])
def test_clients_in_number_are_two_calls_each(keycloak: Keycloak, shell: Shell, number: int):
    """An import asks each client which roles it has and which it defines, and for everything else page by page."""
    estate = Realm(keycloak)
    workspace(shell.root, estate.target)
    estate.seed(number)
    keycloak.faults.reset()
    shell_ok(imported(shell))
    assert len(keycloak.faults.calls) <= 2 * number + 40 + number // 25
    shell_ok(shell("adopt", "estate", "--yes"))
    assert shell("plan", "--detailed-exitcode").code == 0
    written = files(shell.root)
    assert imported(shell).out == ""
    assert files(shell.root) == written
