"""Vault's users of a database: nhictl makes the mount in Vault and their group in PostgreSQL, 15 and 18."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.commandline import files_below
from tests.connections.enterprise import DATABASE_PASSWORD, Enterprise

# how a user is made is no object of nhictl: an administrator of Vault says it
MAKING = {
    "db_name": "ledger",
    "creation_statements": [
        "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE ledger_readonly"
    ],
    "revocation_statements": ['DROP ROLE IF EXISTS "{{name}}"'],
}


def users(it: Enterprise) -> set[str]:
    """Return the logins of the server."""
    return {name for (name,) in it.pg.sql("SELECT rolname FROM pg_roles WHERE rolcanlogin AND oid >= 16384")}


def test_a_client_of_the_realm_gets_a_user_of_the_database(enterprise: Enterprise):
    """From Keycloak's token to rows: what the group role may, nothing more, until the lease is revoked."""
    it = enterprise
    it.apply()
    it.pg.sql("GRANT ledger_readonly TO vault WITH ADMIN OPTION")
    it.vault.call("POST", "database/roles/ledger-reader", MAKING)
    declared = users(it)

    lease = it.ask("GET", "database/creds/ledger-reader", it.logged_in("orders-api", it.token("orders-api")))

    assert lease.status == 200, lease
    who: dict[str, Any] = {"user": lease.body["data"]["username"], "password": lease.body["data"]["password"]}
    tls: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": str(it.pg.ca), **who}
    assert lease.body["lease_duration"] == 900
    assert it.pg.sql("SELECT amount FROM entries", database="ledger", **tls) == [(42,)]
    for statement in ("SELECT amount FROM payroll", "INSERT INTO entries VALUES (1)", "CREATE ROLE another"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            it.pg.sql(statement, database="ledger", **tls)
    assert it.plan().code == 0
    assert users(it) - declared == {who["user"]}
    it.vault.call("POST", "sys/leases/revoke", {"lease_id": lease.body["lease_id"], "sync": True})
    assert users(it) == declared
    with pytest.raises(psycopg.OperationalError):
        it.pg.sql("SELECT 1", database="ledger", **tls)


def test_others_of_the_realm_get_no_user(enterprise: Enterprise):
    """Without the role's policy the mount answers nobody."""
    it = enterprise
    it.edit("nhis/orders-api.yaml", "    - {role: ledger-credentials, via: realm-to-vault}\n", "")
    it.apply()
    it.vault.call("POST", "database/roles/ledger-reader", MAKING)

    reply = it.ask("GET", "database/creds/ledger-reader", it.logged_in("orders-api", it.token("orders-api")))

    assert reply.status == 403


def test_a_new_password_of_vaults_own_user_is_sent_when_its_version_is_raised(
    enterprise: Enterprise, monkeypatch: pytest.MonkeyPatch
):
    """The old one is not sent again by itself; neither is written down."""
    it = enterprise
    monkeypatch.setenv("LEDGER_VAULT_PASSWORD", "an-old-one-for-tests-only")
    it.apply()
    it.pg.sql("GRANT ledger_readonly TO vault WITH ADMIN OPTION")
    it.vault.call("POST", "database/roles/ledger-reader", MAKING)
    token = it.logged_in("orders-api", it.token("orders-api"))
    monkeypatch.setenv("LEDGER_VAULT_PASSWORD", DATABASE_PASSWORD)
    same, without = it.plan(), it.ask("GET", "database/creds/ledger-reader", token)
    it.edit("connections/vault.yaml", "PASSWORD\n", "PASSWORD\n      passwordVersion: 2\n")

    it.apply()

    assert (same.code, without.status) == (0, 500)
    assert it.may(token, "database/creds/ledger-reader")
    written = b"".join(files_below(it.root).values()) + "".join(it.wrote).encode()
    assert DATABASE_PASSWORD.encode() not in written
    assert b"an-old-one-for-tests-only" not in written
