"""Clients that prove themselves with a token of another issuer: a second realm, which a Connection names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nhictl.providers.keycloak.login import claims
from tests.conformance.world import World
from tests.servers.keycloak import Admin, Keycloak, fresh_realm, token

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TRUST = """
kind: Connection
metadata: {name: partner}
spec:
  issuer: {oidc: {url: "ISSUER"}}
  keycloak:
    alias: partner
    clientId: shop
    authorizationUrl: ISSUER/protocol/openid-connect/auth
    tokenUrl: ISSUER/protocol/openid-connect/token
    jwksUrl: ISSUER/protocol/openid-connect/certs
    clientAssertions: true
---
kind: Role
metadata: {name: deployer}
spec: {keycloak: {}}
---
kind: NHI
metadata: {name: deploy}
spec:
  type: workload
  owner: payments
  purpose: Deploy
  identity: {oidc: {subject: "SUBJECT"}}
  grants: [{role: deployer, via: partner}]
"""


def issued(elsewhere: Keycloak, name: str, audience: str) -> tuple[str, str]:
    """Return the subject and a token of a new client of the other realm, for an audience and nobody else."""
    client, secret = elsewhere.service_client(name, ())
    made = elsewhere.call("GET", f"/clients?clientId={client}")[0]["id"]
    elsewhere.call("PUT", f"/clients/{made}", {"clientId": client, "fullScopeAllowed": False})
    config = {"included.custom.audience": audience, "access.token.claim": "true"}
    mapper = {"name": "to", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper", "config": config}
    elsewhere.call("POST", f"/clients/{made}/protocol-mappers/models", mapper)
    account = elsewhere.call("GET", f"/clients/{made}/service-account-user")["id"]
    return account, elsewhere.token(client, secret)["access_token"]


def logged_in(keycloak: Keycloak, assertion: str) -> dict[str, str]:
    """Return what the realm gives for a token of the other issuer."""
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": assertion}
    return token(keycloak.faults.port, keycloak.realm, form)


def test_a_token_of_the_named_issuer_opens_the_client_and_no_other(
    keycloak: Keycloak, keycloak_admin: Admin, world: World
):
    """The subject of the manifest gets in with its roles; another subject and a token for others do not."""
    with fresh_realm(keycloak_admin) as name:
        elsewhere = replace(keycloak, realm=name)
        subject, ours = issued(elsewhere, "ci", keycloak.issuer)
        _, strangers = issued(elsewhere, "stranger", keycloak.issuer)
        _, others = issued(elsewhere, "deploy", "https://vault.example.com")
        world.converge(TRUST.replace("ISSUER", elsewhere.issuer).replace("SUBJECT", subject))

        said = claims(logged_in(keycloak, ours)["access_token"])
        for assertion in (strangers, others):
            with pytest.raises(AssertionError, match="invalid_client"):
                logged_in(keycloak, assertion)
    assert (said["azp"], "deployer" in said["realm_access"]["roles"]) == ("deploy", True)
