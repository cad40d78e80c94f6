"""The traps of Vault, against the real server: what taking an identity away ends, and what a bad connection does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Address, ProviderError
from nhictl.model import Fault as Meant
from nhictl.providers.base import Scope
from nhictl.providers.vault.adapter import adapter
from tests.conformance.world import AFTER_GRACE, World
from tests.servers.http_faults import Fault
from tests.servers.vault import Vault

ESTATE = """
kind: Role
metadata: {name: reader}
spec: {vault: {paths: [{path: secret/data/app, capabilities: [read]}]}}
---
kind: Connection
metadata: {name: machines}
spec: {vault: {mount: approle, type: approle}}
"""
APP = """
---
kind: NHI
metadata: {name: app}
spec: {type: workload, owner: a, purpose: b, identity: {approle: {}}, grants: [{role: reader}]}
"""


@pytest.fixture()
def world(vault: Vault, vault_env: Mapping[str, str], tmp_path: Path) -> World:
    """An empty Vault."""
    target = Target("vault", "vault", {"address": vault.url, "plainHttp": True}, tmp_path)
    return World(replace(adapter, sleep=lambda _: None), target)


def logged_in(vault: Vault) -> dict[str, Any]:
    """What an AppRole login gives, and the secret-id it took."""
    role_id = vault.call("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
    secret = vault.call("POST", "auth/approle/role/app/secret-id", {})["data"]
    auth = vault.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret["secret_id"]})["auth"]
    return {**auth, **secret}


def dead(vault: Vault, token: str) -> bool:
    """Say whether a token opens nothing any more."""
    try:
        return vault.call("POST", "sys/capabilities", {"token": token, "paths": ["secret/data/app"]}) is None
    except AssertionError:
        return True


@pytest.mark.parametrize("kind", ["service", "batch"])
def test_a_token_dies_with_its_identity(vault: Vault, world: World, kind: str) -> None:
    """A batch token cannot be revoked and no token ends with its secret-id: the entity's end does it, at once."""
    app = APP.replace("{approle: {}}", f"{{approle: {{settings: {{token_type: {kind}}}}}}}")
    world.converge(ESTATE + app)
    token = logged_in(vault)["client_token"]
    alive = not dead(vault, token)
    world.converge(ESTATE)
    disabled = dead(vault, token)
    world.converge(ESTATE, now=AFTER_GRACE)
    assert (alive, disabled, dead(vault, token)) == (True, True, True)


def test_removing_an_approle_destroys_its_secret_ids(vault: Vault, world: World) -> None:
    """Nobody gets in by an old one when a role of the same name is made again."""
    world.converge(ESTATE + APP)
    old = logged_in(vault)
    world.converge(ESTATE)
    world.converge(ESTATE, now=AFTER_GRACE)
    assert vault.call("GET", "auth/approle/role/app") is None
    assert vault.listed("identity/entity/id") == []
    world.converge(ESTATE + APP)
    assert vault.listed("auth/approle/role/app/secret-id") == []
    role_id = vault.call("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
    with pytest.raises(AssertionError, match=r"invalid (role or )?secret (id|ID)"):
        vault.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": old["secret_id"]})


def test_secret_ids_are_facts_and_never_their_values(vault: Vault, world: World) -> None:
    """By accessor, with the times Vault knows; what never ends is said so, and nothing is said without an inventory."""
    world.converge(ESTATE + APP)
    forever = logged_in(vault)
    short = vault.call("POST", "auth/approle/role/app/secret-id", {"ttl": "1h"})["data"]
    with world.session() as session:
        found = {r.address: r for r in session.read(Scope(details=True))}
        plain = {r.address: r for r in session.read(Scope(addresses=frozenset(world.managed)))}
    role = Address("vault", "auth-role", "approle/app")
    credentials = {c["id"]: c for c in found[role].facts["credentials"]}
    assert set(credentials) == {forever["secret_id_accessor"], short["secret_id_accessor"]}
    assert credentials[forever["secret_id_accessor"]]["expires"] == ""
    assert credentials[short["secret_id_accessor"]]["expires"] > credentials[short["secret_id_accessor"]]["created"]
    assert {c["status"] for c in credentials.values()} == {"active"}
    assert "credentials" not in plain[role].facts
    assert [s for s in (forever["secret_id"], short["secret_id"]) if s in repr(found)] == []


def test_names_of_policies_are_lower_case(vault: Vault, world: World) -> None:
    """Vault writes them so, wherever they are held: a name with capitals is no drift."""
    text = ESTATE.replace("spec: {vault: {paths", "spec: {nativeName: READER, vault: {paths")
    world.converge(text + APP)
    assert world.pending(text + APP) == []
    assert logged_in(vault)["identity_policies"] == ["reader"]


@pytest.mark.parametrize("status", [412, 429, 500, 502, 503])
def test_a_read_is_tried_again(vault: Vault, world: World, status: int) -> None:
    """After too many calls, and after what a server says that is down, standing by or behind."""
    world.converge(ESTATE + APP)
    with vault.faults.fault(Fault("refuse", "/v1/identity/entity/id", status=status, times=3)):
        assert Address("vault", "entity", "app") in world.snapshot()


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_the_server_leaves_a_change_in_doubt(vault: Vault, world: World, status: int) -> None:
    """Nobody knows whether it took effect, so it is not sent again; the next apply settles it."""
    failing = Fault("fail", changing=True, status=status)
    vault.faults.reset()
    with vault.faults.fault(failing), pytest.raises(ProviderError) as failed:
        world.converge(ESTATE)
    assert (failed.value.fault, vault.faults.count(changing=True)) == (Meant.LOST, 1)


def test_a_sealed_vault_did_nothing(vault: Vault, world: World) -> None:
    """It says so itself: known not to have taken effect."""
    sealed = Fault("refuse", changing=True, status=503, body={"errors": ["Vault is sealed"]})
    with vault.faults.fault(sealed), pytest.raises(ProviderError) as failed:
        world.converge(ESTATE)
    assert failed.value.fault is Meant.UNREACHABLE


def test_a_slow_answer_is_waited_for(vault: Vault, world: World) -> None:
    """Reads and changes; nothing is sent a second time meanwhile."""
    with vault.faults.fault(Fault("delay", seconds=0.2, times=3), Fault("delay", changing=True, seconds=0.2, times=2)):
        world.converge(ESTATE)
    assert vault.faults.count("POST", "/v1/sys/policies/acl/reader") == 1
    assert world.pending(ESTATE) == []
