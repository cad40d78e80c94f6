"""Keycloak and Vault as the tests get them: fresh for each test, and reached through the fault layer."""

from __future__ import annotations

import http.client
import json
import os
from base64 import urlsafe_b64decode
from contextlib import closing

import pytest

from tests.servers.http_faults import Fault


def vault_call(vault, method: str, path: str, body: object = None):
    with closing(http.client.HTTPConnection("127.0.0.1", vault.faults.port, timeout=30)) as connection:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"X-Vault-Token": os.environ["VAULT_TOKEN"]})
        reply = connection.getresponse()
        return reply.status, reply.read()


@pytest.mark.parametrize("_again", [1, 2])
def test_a_vault_has_nothing_of_an_earlier_test(vault, vault_env, _again):
    """Whatever can be managed is made here twice, in a server that has none of it."""
    made = {
        "/v1/sys/auth/approle": {"type": "approle"},
        "/v1/sys/auth/jwt": {"type": "jwt"},
        "/v1/sys/auth/kubernetes": {"type": "kubernetes"},
        "/v1/sys/mounts/database": {"type": "database"},
        "/v1/sys/policies/acl/reader": {"policy": 'path "secret/*" { capabilities = ["read"] }'},
        "/v1/identity/entity": {"name": "an-entity"},
        "/v1/identity/group": {"name": "a-group"},
    }
    assert vault.call("GET", "sys/auth")["data"].keys() == {"token/"}
    assert set(vault.listed("sys/policies/acl")) == {"default", "root"}
    assert vault.listed("identity/entity/id") == vault.listed("identity/group/id") == []
    for path, body in made.items():
        assert vault_call(vault, "POST", path, body)[0] in (200, 204), path
    assert vault.faults.count(changing=True) == len(made)


def test_vault_behind_a_fault_makes_what_the_client_was_not_told_of(vault, vault_env):
    """The reply is lost, the policy is there."""
    with vault.faults.fault(Fault("lose", "/v1/sys/policies/*")), pytest.raises(http.client.RemoteDisconnected):
        vault_call(vault, "PUT", "/v1/sys/policies/acl/lost", {"policy": 'path "a" { capabilities = ["read"] }'})
    assert "lost" in vault.listed("sys/policies/acl")


def test_a_realm_has_a_client_that_gets_tokens_of_the_layers_issuer(keycloak, keycloak_env):
    """What was asked for through the layer names the layer's address, and the secret is shown nowhere."""
    token = keycloak.token(keycloak_env["KEYCLOAK_CLIENT_ID"], keycloak_env["KEYCLOAK_CLIENT_SECRET"])["access_token"]
    body = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert (claims["iss"], claims["azp"]) == (keycloak.issuer, "nhictl")
    assert keycloak.faults.changes == []
    assert keycloak.admin_password not in repr(keycloak)


def test_a_fresh_realm_has_only_the_clients_of_every_realm(keycloak):
    """What another test made in its realm is not here."""
    assert "nhictl" not in [client["clientId"] for client in keycloak.call("GET", "/clients")]
