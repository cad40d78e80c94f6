"""Keycloak's clients at Vault: made by nhictl on empty servers, known by what the manifests say and by nothing else."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.commandline import files_below
from tests.connections import forging
from tests.connections.enterprise import DATABASE_PASSWORD, Enterprise
from tests.connections.forging import token_of
from tests.servers.keycloak import Admin, fresh_realm

pytestmark = pytest.mark.parametrize("pg_server", [18], indirect=True, ids=["pg18"])
REFUSED = (400, 403)


def test_once_applied_nothing_is_left_to_do(applied: Enterprise):
    """The plan after the first apply on empty servers is empty, for all three."""
    said = applied.plan()

    assert said.code == 0, said.out + said.err


def test_a_client_gets_exactly_the_policies_of_the_manifests(applied: Enterprise):
    """The client's token opens what its roles say, and nothing more."""
    it = applied

    reply = it.log_in("orders-api", it.token("orders-api"))

    assert reply.status == 200, reply
    said = reply.body["auth"]
    assert sorted(said["identity_policies"]) == ["ledger-credentials", "orders-secrets"]
    assert sorted(said["token_policies"]) == ["default", "orders-audit"]
    assert sorted(said["policies"]) == ["default", "ledger-credentials", "orders-audit", "orders-secrets"]
    assert (said["lease_duration"], said["metadata"]["role"]) == (300, "orders-api")
    token = said["client_token"]
    assert it.may(token, "secret/data/orders/api")
    assert it.ask("POST", "secret/data/audit/orders/one", token, {"data": {}}).status == 200
    for path in ("secret/data/invoices/api", "secret/data/audit/orders/one", "sys/auth", "identity/entity/id"):
        assert it.ask("GET", path, token).status == 403, path
    assert it.ask("POST", "secret/data/orders/api", token, {"data": {}}).status == 403


def test_a_client_with_a_key_of_its_own_needs_no_secret(applied: Enterprise):
    """What it signs opens the realm, and then Vault."""
    it = applied

    token = token_of(it.keycloak, forging.assertion(it.batch_key, "invoice-batch", it.keycloak))

    reply = it.log_in("invoice-batch", token)
    assert reply.body["auth"]["policies"] == ["default", "invoices-secrets"]
    assert it.may(reply.body["auth"]["client_token"], "secret/data/invoices/api")
    assert not it.may(reply.body["auth"]["client_token"], "secret/data/orders/api")


def test_another_key_or_a_secret_does_not_open_the_realm(applied: Enterprise):
    """A stranger's signature, a signature for somebody else, and the secret that Keycloak keeps for every client."""
    it = applied
    another, _ = forging.client_key("invoice-batch")
    secret = {
        "grant_type": "client_credentials", "client_id": "invoice-batch", "client_secret": it.secret("invoice-batch"),
    }  # fmt: skip
    elsewhere = "https://sso.example.com/realms/shop"

    for form in (
        forging.assertion(another, "invoice-batch", it.keycloak),
        forging.assertion(it.batch_key, "invoice-batch", it.keycloak, audience=elsewhere),
        forging.assertion(it.batch_key, "orders-api", it.keycloak),
        secret,
    ):
        with pytest.raises(AssertionError, match="no token"):
            token_of(it.keycloak, form)


def test_a_token_that_is_not_exactly_right_is_refused(applied: Enterprise):
    """Signed by the realm itself, all is as it must be but one thing: audience, client, issuer, time, signature."""
    it, ours = applied, applied.realm_key
    real = it.token("orders-api")
    claims = forging.claims_of(real)
    now = int(time.time())
    elsewhere = claims["iss"].replace(it.keycloak.realm, "master")

    def without(name: str) -> dict[str, Any]:
        return {key: value for key, value in claims.items() if key != name}

    refused = {
        "for another audience": ours.sign({**claims, "aud": "https://orders.example.com"}),
        "for no audience": ours.sign(without("aud")),
        "of another client": ours.sign({**claims, "azp": "status-page"}),
        "of no client": ours.sign(without("azp")),
        "of a client with capitals": ours.sign({**claims, "azp": "Orders-api"}),
        "of a client with a longer name": ours.sign({**claims, "azp": "orders-api-2"}),
        "of several clients": ours.sign({**claims, "azp": ["orders-api", "status-page"]}),
        "of another issuer": ours.sign({**claims, "iss": elsewhere}),
        "of a longer issuer": ours.sign({**claims, "iss": claims["iss"] + "/"}),
        "of no issuer": ours.sign(without("iss")),
        "expired": ours.sign({**claims, "iat": now - 600, "exp": now - 300}),
        "not valid yet": ours.sign({**claims, "nbf": now + 600}),
        "signed by a stranger": forging.stranger(ours.kid).sign(claims),
        "with other claims than were signed": forging.tampered(real, extra=1),
        "not signed": forging.unsigned(claims),
        "cut": real[:-40],
    }
    found = {why: it.log_in("orders-api", token) for why, token in refused.items()}

    assert it.log_in("orders-api", ours.sign(claims)).status == 200
    assert {why: reply.status for why, reply in found.items() if reply.status not in REFUSED} == {}
    assert "aud" in found["for another audience"].said
    assert "azp" in found["of another client"].said


def test_real_tokens_of_others_are_refused(applied: Enterprise, keycloak_admin: Admin):
    """A client without the audience, a client with it at a role that is not its own, another realm's namesake."""
    it = applied
    with fresh_realm(keycloak_admin) as other:
        namesake = replace(it.keycloak, realm=other)
        foreign = namesake.token(*namesake.service_client("orders-api"))["access_token"]
    batch = token_of(it.keycloak, forging.assertion(it.batch_key, "invoice-batch", it.keycloak))

    found = {
        "no audience": it.log_in("orders-api", it.token("status-page")),
        "no role of its own": it.log_in("status-page", it.token("status-page")),
        "another's role": it.log_in("orders-api", batch),
        "another realm": it.log_in("orders-api", foreign),
        "another mount": it.log_in("orders-api", it.token("orders-api"), mount="jwt"),
    }

    assert {why: reply.status for why, reply in found.items() if reply.status not in REFUSED} == {}


def test_refused_logins_make_nobody(applied: Enterprise):
    """Vault has the entities of the manifests, each with the one name it logs in under, and no other."""
    it = applied
    it.log_in("orders-api", it.realm_key.sign({**forging.claims_of(it.token("orders-api")), "azp": "status-page"}))

    found = {e: it.vault.call("GET", f"identity/entity/name/{e}") for e in it.vault.listed("identity/entity/name")}

    assert {e: [a["name"] for a in said["data"]["aliases"]] for e, said in found.items()} == {
        "invoice-batch": ["invoice-batch"],
        "orders-api": ["orders-api"],
    }


def test_no_secret_is_written_down(applied: Enterprise):
    """What opens the servers, and what clients have from them, is in no file of the workspace and in no output."""
    it = applied
    secrets = [
        it.secret("orders-api"), it.secret("status-page"), it.vault.token, os.environ["KEYCLOAK_CLIENT_SECRET"],
        it.pg.password, DATABASE_PASSWORD,
    ]  # fmt: skip
    it.apply()

    written = b"".join(files_below(it.root).values()) + "".join(it.wrote).encode()

    assert b"orders-api" in written
    assert [n for n, secret in enumerate(secrets) if secret.encode() in written] == []
