"""Keycloak passes the conformance suite, against the real server behind the fault layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change
from nhictl.providers.base import Scope
from nhictl.providers.keycloak.adapter import KeycloakAdapter, adapter
from tests.conformance.suite import Case, Conformance
from tests.servers.http_faults import Fault
from tests.servers.keycloak import Keycloak

_BASE = """
kind: Role
metadata: {name: orders-reader, labels: {area: orders}}
spec:
  owner: payments
  description: Read orders
  keycloak:
    scope:
      audiences: [https://vault.example.com, https://orders.example.com]
      mappers:
        team: {type: oidc-hardcoded-claim-mapper, config: {claim.name: team, claim.value: payments}}
---
kind: Role
metadata: {name: orders-admin}
spec:
  keycloak:
    realmRoles: [orders-reader, offline_access]
    clientRoles: {account: [view-profile]}
---
kind: Role
metadata: {name: watcher}
spec:
  keycloak: {bundle: true, clientRoles: {realm-management: [view-users]}, optionalScopes: [orders-reader]}
---
kind: Connection
metadata: {name: partner}
spec:
  issuer: {oidc: {url: "https://login.partner.example.com"}}
  keycloak:
    alias: partner
    clientId: shop
    clientAuth: private-key-jwt
    authorizationUrl: https://login.partner.example.com/authorize
    tokenUrl: https://login.partner.example.com/token
    jwksUrl: https://login.partner.example.com/jwks
    mappers:
      team: {type: hardcoded-user-session-attribute-idp-mapper, config: {attribute: team, attribute.value: partner}}
---
kind: NHI
metadata: {name: payments, labels: {cost-center: "4711"}}
spec:
  type: service-account
  owner: payments
  purpose: Take payments
  identity: {keycloak: {clientId: payments-client, auth: client-secret, audiences: [https://ledger.example.com]}}
  grants: [{role: orders-admin}, {role: orders-reader}]
  credentials: {kind: client-secret, maxTtl: 10m}
---
kind: NHI
metadata: {name: support-agent}
spec:
  type: ai-agent
  owner: payments
  purpose: Answer questions
  identity:
    keycloak: {clientId: support-agent, jwksUrl: "https://agents.example.com/jwks.json", signingAlgorithm: ES256}
  grants: [{role: watcher}]
---
kind: NHI
metadata: {name: batch}
spec:
  type: workload
  owner: payments
  purpose: Nightly batch
  identity: {keycloak: {clientId: batch, auth: tls, subjectDn: "CN=batch,O=Example"}}
  grants: [{role: orders-reader}]
"""
_CHANGED = (
    _BASE.replace("https://orders.example.com", "https://other.example.com")
    .replace("claim.value: payments", "claim.value: orders")
    .replace("realmRoles: [orders-reader, offline_access]", "realmRoles: [offline_access]")
    .replace("[view-profile]", "[view-profile, view-consent]")
    .replace("[view-users]", "[view-clients]")
    .replace('cost-center: "4711"', 'cost-center: "4712", team: a')
    .replace("area: orders", "area: sales")
    .replace("Read orders", "Read all orders")
    .replace("partner.example.com/jwks", "partner.example.com/keys")
    .replace("attribute.value: partner", "attribute.value: other")
    .replace("CN=batch", "CN=nightly")
    .replace("maxTtl: 10m", "maxTtl: 5m")
    .replace("ledger.example.com", "books.example.com")
    .replace("agents.example.com/jwks.json", "agents.example.com/keys.json")
    .replace("Take payments", "Take and give payments")
)
_NARROWED = _CHANGED.replace("[{role: orders-admin}, {role: orders-reader}]", "[{role: orders-reader}]")
_CLIENT_ROLES = """
kind: Role
metadata: {name: read}
spec: {description: Read, keycloak: {client: "https://orders.example.com/api", realmRoles: [offline_access]}}
---
kind: Role
metadata: {name: write}
spec: {keycloak: {client: "https://orders.example.com/api", clientRoles: {"https://orders.example.com/api": [read]}}}
---
kind: Connection
metadata: {name: github}
spec:
  issuer: {githubActions: {organization: example}}
  keycloak: {alias: github}
---
kind: Connection
metadata: {name: saml-partner, labels: {a: b}}
spec:
  issuer: {saml: {metadataFile: metadata.xml}}
  keycloak:
    alias: saml-partner
    displayName: Partner
    hideOnLogin: true
    mappers:
      unit: {type: saml-user-attribute-idp-mapper, config: {attribute.name: department, user.attribute: unit}}
---
kind: NHI
metadata: {name: orders-api}
spec:
  type: workload
  owner: payments
  purpose: The orders service
  identity: {keycloak: {clientId: "https://orders.example.com/api", auth: client-secret}}
  grants: [{role: other}]
---
kind: Role
metadata: {name: other}
spec: {keycloak: {}}
---
kind: NHI
metadata: {name: deployer}
spec:
  type: workload
  owner: payments
  purpose: Deploy
  identity: {githubActions: {repository: example/payments, branch: main}}
  grants: [{role: write, via: github}]
"""
_CLIENT_ROLES_CHANGED = (
    _CLIENT_ROLES.replace("description: Read,", "description: Look,")
    .replace("[offline_access]", "[uma_authorization]")
    .replace("branch: main", "branch: prod")
    .replace("hideOnLogin: true", "hideOnLogin: false")
    .replace("attribute.name: department", "attribute.name: division")
    .replace("{a: b}", "{a: c}")
    .replace("[{role: write, via: github}]", "[{role: read, via: github}]")
)
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>MIIBszCCARygAwIBAgIU</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>
"""


@dataclass(slots=True)
class KeycloakSubject:
    """A fresh realm."""

    server: Keycloak
    target: Target
    adapter: KeycloakAdapter = adapter

    def mutations(self) -> int:
        """What the fault layer counted."""
        return self.server.faults.count(changing=True)

    def state(self) -> object:
        """Everything the realm exports, with ids and times, and the identity providers' mappers."""
        return export(self.server)

    def make_foreign(self) -> Address:
        """Make a client with a service account as the administrator."""
        self.server.call(
            "POST", "/clients", {"clientId": "foreign", "serviceAccountsEnabled": True, "publicClient": False}
        )
        return Address(self.target.name, "client", "foreign")

    def losing_a_reply(self) -> AbstractContextManager[None]:
        """Carry out the next change and close the connection."""
        return self.server.faults.fault(Fault("lose", changing=True))

    @contextmanager
    def throttling(self, calls: int) -> Iterator[None]:
        """Answer changes with 429."""
        with self.server.faults.fault(Fault("refuse", changing=True, status=429, times=calls)):
            yield

    def broken_read(self) -> AbstractContextManager[None]:
        """End every listing of clients in its middle."""
        return self.server.faults.fault(Fault("cut", path="*/clients", keep=40, times=1000))

    def settling(self) -> AbstractContextManager[None] | None:
        """A transaction is visible at once."""
        return None

    def elsewhere(self) -> Target:
        """The same name for a realm that is there and another one; our client is not in it."""
        settings = {**self.target.settings, "realm": "master", "authRealm": self.server.realm}
        return replace(self.target, settings=settings)

    @contextmanager
    def leaks(self, secret: str) -> Iterator[Iterable[Change]]:
        """The secret is a client's and an identity provider's, our own password, and the text of every refusal."""
        for client in self.server.call("GET", "/clients"):
            if client["clientId"] != "nhictl" and client.get("serviceAccountsEnabled"):
                self.server.call("PUT", f"/clients/{client['id']}", {"clientId": client["clientId"], "secret": secret})
        for found in self.server.call("GET", "/identity-provider/instances"):
            found["config"]["clientSecret"] = secret
            self.server.call("PUT", f"/identity-provider/instances/{found['alias']}", found)
        with self.adapter.connect(self.target, write=False) as opened:
            live = [r for r in opened.read(Scope()) if r.address.kind == "client" and r.mark is not None]
        changes = []
        for found in live:
            after = replace(found, attributes={**found.attributes, "description": "changed"})
            changes.append(
                Change(
                    found.address, Action.UPDATE, "nhi/x", "test", native_id=found.native_id, before=found, after=after
                )
            )
        said = Fault("refuse", changing=True, times=1000, status=400, body={"errorMessage": f"no: {secret}"})
        with pytest.MonkeyPatch.context() as patch, self.server.faults.fault(said):
            patch.setenv("KEYCLOAK_PASSWORD", secret)
            yield changes


def export(server: Keycloak) -> Mapping[str, Any]:
    """Return everything a realm exports, ids and service accounts included, with the mappers of identity providers."""
    found = server.call("POST", "/partial-export?exportClients=true&exportGroupsAndRoles=true")
    found["secrets"] = {c["clientId"]: c.get("secret") for c in server.call("GET", "/clients")}
    return _sorted(found)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in sorted(value.items())}
    return sorted((_sorted(item) for item in value), key=repr) if isinstance(value, list) else value


@pytest.fixture()
def subject(keycloak: Keycloak, keycloak_env: Mapping[str, str], tmp_path: Path) -> KeycloakSubject:
    """A realm with nothing in it but nhictl's own client."""
    (tmp_path / "metadata.xml").write_text(METADATA)
    settings = {"url": keycloak.url, "realm": keycloak.realm, "plainHttp": True}
    return KeycloakSubject(keycloak, Target("sso-test", "keycloak", settings, tmp_path))


class TestKeycloak(Conformance):
    """Everything the suite asks, over HTTP."""

    cases = (
        Case("clients", (_BASE, _CHANGED, _NARROWED)),
        Case("client-roles", (_CLIENT_ROLES, _CLIENT_ROLES_CHANGED)),
    )
