"""Manifests for a Vault made by hand: compiling them gives it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Address, Resource
from nhictl.providers.base import Scope
from nhictl.providers.vault.adapter import adapter
from tests.providers.vault.vault_estates import at, estate, written
from tests.servers.vault import Vault

KEY = (
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n"
    "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----"
)
POLICIES = {
    "payments": 'path "kv/data/payments/*" { capabilities = ["read", "list"] } # by hand',
    "Legacy": '{"path": {"kv/data/legacy": {"policy": "write"}}}',
    "limited": 'path "kv/data/limited" {\n  capabilities = ["update"]\n  allowed_parameters = { "a" = ["b"] }\n}',
    "templated": 'path "kv/data/{{identity.entity.id}}" { capabilities = ["read"] }',
    "with-space": 'path "kv/data/a b" { capabilities = ["read"] }',
    "team": 'path "team" { capabilities = ["read"] }',
    "empty": "# nothing yet",
    "shared": 'path "shared" { capabilities = ["deny"] }',
}


@pytest.fixture()
def by_hand(vault: Vault, vault_env: Mapping[str, str]) -> Vault:
    """What people do: AppRoles with token policies, groups of several, entities with policies, odd jwt roles."""
    for name, text in POLICIES.items():
        vault.call("POST", f"sys/policies/acl/{name}", {"policy": text})
    vault.call("POST", "sys/auth/approle", {"type": "approle", "description": "Machines"})
    vault.call("POST", "sys/auth/team/jwt", {"type": "jwt", "config": {"max_lease_ttl": "36h"}})
    vault.call("POST", "sys/auth/unconfigured", {"type": "jwt"})
    vault.call("POST", "sys/auth/people", {"type": "userpass"})
    vault.call("POST", "sys/mounts/db", {"type": "database"})
    vault.call("POST", "auth/team/jwt/config", {"jwt_validation_pubkeys": [KEY], "default_role": "any"})
    role = "auth/approle/role"
    vault.call("POST", f"{role}/payments", {"token_policies": "payments,default", "token_ttl": "20m"})
    vault.call("POST", f"{role}/never-used", {"policies": "Legacy", "secret_id_bound_cidrs": "10.0.0.1/32"})
    vault.call("POST", f"{role}/named", {"token_policies": ["limited", "gone"], "bind_secret_id": True})
    for name, kind, claims in (("any", "glob", {"project": ["a/*", "b"]}), ("one", "string", {"flag": True, "n": 7})):
        body = {"role_type": "jwt", "user_claim": "sub", "bound_claims": claims, "bound_claims_type": kind}
        vault.call("POST", f"auth/team/jwt/role/{name}", {**body, "token_policies": ["shared"]})
    auth = vault.call("GET", "sys/auth")["data"]
    entity = vault.call("POST", "identity/entity", {"name": "named", "policies": ["shared"], "metadata": {"team": "x"}})
    alias = vault.call("GET", f"{role}/named/role-id")["data"]["role_id"]
    body = {"name": alias, "canonical_id": entity["data"]["id"], "mount_accessor": auth["approle/"]["accessor"]}
    vault.call("POST", "identity/entity-alias", body)
    lone = vault.call("POST", "identity/entity", {"name": "Lone Robot", "policies": ["templated"], "disabled": True})
    members = [entity["data"]["id"], lone["data"]["id"]]
    vault.call("POST", "identity/group", {"name": "team", "policies": ["team", "shared"], "member_entity_ids": members})
    vault.call(
        "POST", "identity/group", {"name": "several", "policies": ["payments", "gone"], "member_entity_ids": members}
    )
    vault.call("POST", "identity/group", {"name": "hollow"})
    _login(vault, f"{role}/payments")
    return vault


def _login(vault: Vault, role: str) -> None:
    """Log in once: Vault makes an entity of its own."""
    role_id = vault.call("GET", f"{role}/role-id")["data"]["role_id"]
    secret = vault.call("POST", f"{role}/secret-id", {})["data"]["secret_id"]
    vault.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret})


def everything(vault: Vault) -> dict[Address, Resource]:
    """All that is live, as the adapter reads it for an inventory."""
    target = Target("vault", "vault", {"address": vault.url, "plainHttp": True}, Path())
    with adapter.connect(target, write=False) as session:
        return {r.address: r for r in session.read(Scope(details=True))}


def test_compiling_the_drafts_gives_the_live_vault_back(by_hand: Vault) -> None:
    """Every wanted object comes out as it is, kept fields aside, and nothing else would be made."""
    live = everything(by_hand)
    wanted = [a for a, r in live.items() if "builtin" not in r.facts]
    drafts = list(adapter.drafts(live, wanted))
    compiled = adapter.desired(estate(found=written(drafts)))
    assert [d.summary for d in compiled.diagnostics] == []
    kept = {(a, k.partition("/")[2]) for d in drafts for a in d.addresses for k in d.keep if k.startswith(f"{a.kind}/")}
    different = (
        {
            f"{r.address} {name}: {live[r.address].attributes.get(name) if r.address in live else 'nothing'} / {value}"
            for r in compiled.resources
            for name, value in r.attributes.items()
            if (r.address, name) not in kept
            and (r.address not in live or repr(live[r.address].attributes.get(name)) != repr(value))
        }
        if compiled
        else set()
    )
    assert different == set()


def test_every_wanted_object_has_a_manifest(by_hand: Vault) -> None:
    """Only the entity that Vault made at a login, and mounts of methods nhictl does not manage, have none."""
    live = everything(by_hand)
    wanted = {a for a, r in live.items() if "builtin" not in r.facts}
    drafts = adapter.drafts(live, wanted)
    without = wanted - {a for d in drafts for a in d.addresses}
    assert {a.kind for a in without} == {"entity", "auth-mount"}
    assert sorted(a.name for a in without if a.kind == "auth-mount") == ["people"]
    assert [live[a].facts["part_of"] for a in without if a.kind == "entity"] == ["vault/auth-role/approle/payments"]


def test_an_approle_without_an_entity_is_an_identity_with_its_secret_ids(by_hand: Vault) -> None:
    """It is listed with credentials by accessor; one that never had a secret-id has none."""
    live = everything(by_hand)
    (used,) = live[at("auth-role", "approle/payments")].facts["credentials"]
    assert (used["kind"], used["status"], set(used)) == (
        "secret-id", "active", {"kind", "id", "status", "created", "expires", "bound_addresses"},
    )  # fmt: skip
    assert live[at("auth-role", "approle/never-used")].facts["credentials"] == ()


def test_policies_keep_what_rules_cannot_say(by_hand: Vault) -> None:
    """A policy with more than capabilities is written as its text, the others as rules."""
    live = everything(by_hand)
    drafts = {d.name: d for d in adapter.drafts(live, list(live)) if d.kind == "Role"}
    assert drafts["limited"].spec["vault"]["policy"] == POLICIES["limited"] + "\n"
    assert drafts["legacy"].spec["vault"]["paths"] == [
        {"path": "kv/data/legacy", "capabilities": ["create", "delete", "list", "read", "update"]}
    ]
    assert "policy" in drafts["with-space"].spec["vault"]
