"""Effects on a real Vault: who gets in, with what, what stays as others made it, and what nhictl itself needs."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import nhictl.providers.vault
from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change, Fault, ProviderError
from nhictl.providers.base import Scope
from nhictl.providers.vault import needs
from nhictl.providers.vault.adapter import adapter
from tests.conformance.world import AFTER_GRACE, World, deleting
from tests.servers.http_faults import Call
from tests.servers.http_faults import Fault as Spoilt
from tests.servers.vault import Vault

HERE = Path(nhictl.providers.vault.__file__).parent
ROLE = """
kind: Role
metadata: {name: reader}
spec: {vault: {paths: [{path: secret/data/app, capabilities: [read]}], tokenTtl: 15m, tokenMaxTtl: 1h}}
"""
MOUNT = """
---
kind: Connection
metadata: {name: machines}
spec: {description: Machines, vault: {mount: approle, type: approle}}
"""
APP = """
---
kind: NHI
metadata: {name: app}
spec:
  type: workload
  owner: a
  purpose: b
  identity: {approle: {}}
  grants: [{role: reader}]
"""


@pytest.fixture()
def world(vault: Vault, vault_env: Mapping[str, str], tmp_path: Path) -> World:
    """An empty Vault."""
    target = Target("vault", "vault", {"address": vault.url, "plainHttp": True}, tmp_path)
    return World(replace(adapter, sleep=lambda _: None), target)


def logged_in(vault: Vault, role: str = "app") -> dict[str, Any]:
    """The token of an AppRole."""
    role_id = vault.call("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"]
    secret = vault.call("POST", f"auth/approle/role/{role}/secret-id", {})["data"]["secret_id"]
    return vault.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret})["auth"]  # type: ignore[no-any-return]


def works(vault: Vault, token: str) -> bool:
    """Say whether a token is good."""
    return vault.call("POST", "sys/capabilities", {"token": token, "paths": ["secret/data/app"]}) is not None


def test_an_approle_login_gives_exactly_the_policies_of_the_manifests(vault: Vault, world: World) -> None:
    """The group's policy and `default`, for the lifetime of the role, as the entity of the manifest."""
    world.converge(ROLE + MOUNT + APP)
    auth = logged_in(vault)
    assert (auth["identity_policies"], auth["token_policies"]) == (["reader"], ["default"])
    assert auth["lease_duration"] == 900
    assert auth["entity_id"] == vault.call("GET", "identity/entity/name/app")["data"]["id"]
    assert len(vault.listed("identity/entity/id")) == 1


def test_a_grant_that_ends_takes_the_policy_from_tokens_that_live(vault: Vault, world: World) -> None:
    """Membership is looked at with each use of a token."""
    world.converge(ROLE + MOUNT + APP)
    token = logged_in(vault)["client_token"]
    asked = {"token": token, "paths": ["secret/data/app"]}
    before = vault.call("POST", "sys/capabilities", asked)["data"]["secret/data/app"]
    world.converge(ROLE + MOUNT + APP.replace("grants: [{role: reader}]", ""))
    after = vault.call("POST", "sys/capabilities", asked)["data"]["secret/data/app"]
    assert (before, after) == (["read"], ["deny"])


def test_a_disabled_nhi_cannot_log_in_and_its_tokens_are_dead(vault: Vault, world: World) -> None:
    """`enabled: false` is the kill switch; taking it back needs nothing but the manifest."""
    world.converge(ROLE + MOUNT + APP)
    token = logged_in(vault)["client_token"]
    world.converge(ROLE + MOUNT + APP.replace("type: workload", "type: workload\n  enabled: false"))
    with pytest.raises(AssertionError, match="invalid token"):
        vault.call("POST", "sys/capabilities", {"token": token, "paths": ["secret/data/app"]})
    with pytest.raises(AssertionError):
        logged_in(vault)
    world.converge(ROLE + MOUNT + APP)
    assert logged_in(vault)["identity_policies"] == ["reader"]


JWT = """
---
kind: Connection
metadata: {name: issuer}
spec:
  vault: {mount: jwt, audiences: [https://vault.example.com], publicKeys: [KEY], boundIssuer: https://sso.example.com}
---
kind: NHI
metadata: {name: app}
spec:
  type: workload
  owner: a
  purpose: b
  identity: {oidc: {subject: app, claims: {azp: shop}}}
  grants: [{role: reader, via: issuer}]
"""
CLAIMS = {"iss": "https://sso.example.com", "aud": "https://vault.example.com", "sub": "app", "azp": "shop"}


def signed(key: ec.EllipticCurvePrivateKey, **claims: str) -> str:
    """A token of the issuer."""
    now = int(time.time())
    parts = [{"alg": "ES256", "typ": "JWT"}, {**CLAIMS, "iat": now, "exp": now + 300, **claims}]
    text = ".".join(_encoded(json.dumps(p).encode()) for p in parts)
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_of_the_issuer_gets_in_and_no_other(vault: Vault, world: World) -> None:
    """Audience, subject, claims, issuer and key are all looked at."""
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    world.converge(ROLE + JWT.replace("KEY", json.dumps(public.decode())))
    auth = vault.call("POST", "auth/jwt/login", {"role": "app", "jwt": signed(key)})["auth"]
    assert (auth["identity_policies"], auth["token_policies"]) == (["reader"], ["default"])
    assert len(vault.listed("identity/entity/id")) == 1
    wrong = [signed(other), *(signed(key, **{claim: "x"}) for claim in CLAIMS)]
    for token in wrong:
        with pytest.raises(AssertionError, match="400"):
            vault.call("POST", "auth/jwt/login", {"role": "app", "jwt": token})


def test_what_others_wrote_stays(vault: Vault, world: World) -> None:
    """Metadata, members of a group, comments of a policy and a mount's tuning of others survive an update."""
    text = '# Ask Ann.\npath "secret/data/app" { capabilities = ["read"] }\n'
    vault.call("POST", "sys/policies/acl/reader", {"policy": text})
    other = vault.call("POST", "identity/entity", {"name": "other"})["data"]["id"]
    body = {"name": "reader", "policies": ["reader"], "metadata": {"theirs": "1"}, "member_entity_ids": [other]}
    vault.call("POST", "identity/group", body)
    world.converge(ROLE + MOUNT + APP, adopt=True)
    group = vault.call("GET", "identity/group/name/reader")["data"]
    assert (group["metadata"]["theirs"], other in group["member_entity_ids"]) == ("1", True)
    assert vault.call("GET", "sys/policies/acl/reader")["data"]["policy"].endswith(text)
    assert len(group["member_entity_ids"]) == 2


def test_a_mount_with_roles_of_others_is_not_disabled(vault: Vault, world: World) -> None:
    """Disabling it would revoke all their tokens: refused by name, and nothing has happened."""
    world.converge(MOUNT)
    vault.call("POST", "auth/approle/role/theirs", {"token_policies": ["a"]})
    (live,) = [r for r in world.snapshot().values() if r.address.name == "approle"]
    assert live.facts["holders"] == {"auth-role/approle/theirs": ""}
    with world.session(write=True) as session, pytest.raises(ProviderError, match="theirs") as refused:
        session.apply(deleting(live, live.native_id), world.operation())
    assert refused.value.fault is Fault.IN_USE
    assert vault.listed("auth/approle/role") == ["theirs"]


def test_a_policy_that_a_group_of_others_has_is_not_deleted(vault: Vault, world: World) -> None:
    """Vault would delete it without a word."""
    world.converge(ROLE)
    vault.call("POST", "identity/group", {"name": "theirs", "policies": ["reader"]})
    live = next(r for r in world.snapshot().values() if (r.address.kind, r.address.name) == ("policy", "reader"))
    assert live.facts["holders"] == {"group/reader": "conformance/test", "group/theirs": ""}
    with world.session(write=True) as session, pytest.raises(ProviderError, match="theirs") as refused:
        session.apply(deleting(live, live.native_id), world.operation())
    assert refused.value.fault is Fault.IN_USE


def test_a_configuration_with_a_secret_is_not_written_over(vault: Vault, world: World) -> None:
    """The reviewer's token of a Kubernetes mount cannot be read back: a new write would wipe it.

    Vault 1.14 does not say whether there is one, OpenBao does.
    """
    text = """
kind: Connection
metadata: {name: cluster}
spec: {vault: {mount: kubernetes, type: kubernetes, kubernetesHost: "https://kube.example.com", caCertificate: CA}}
"""
    pem = json.dumps((Path(__file__).parent / "ca.pem").read_text())
    vault.call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    config = {"kubernetes_host": "https://old.example.com", "kubernetes_ca_cert": json.loads(pem)}
    secret = {"token_reviewer_jwt": signed(ec.generate_private_key(ec.SECP256R1()))} if vault.openbao else {}
    vault.call("POST", "auth/kubernetes/config", {**config, **secret})
    with pytest.raises(ProviderError) as refused:
        world.converge(text.replace("CA", pem), adopt=True)
    assert refused.value.code == "SecretKept"
    assert vault.call("GET", "auth/kubernetes/config")["data"]["kubernetes_host"] == "https://old.example.com"


@pytest.fixture()
def as_nhictl(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Become a token with nothing but one of the policies of the README."""

    def become(name: str) -> None:
        vault.call("POST", f"sys/policies/acl/nhictl-{name}", {"policy": (HERE / f"{name}.hcl").read_text()})
        made = vault.call("POST", "auth/token/create", {"policies": [f"nhictl-{name}"], "no_default_policy": True})
        monkeypatch.setenv("VAULT_TOKEN", made["auth"]["client_token"])

    yield become


def test_the_policies_of_the_readme_are_those_of_the_code() -> None:
    """`plan.hcl` and `apply.hcl` are written by `needs`."""
    for name, write in (("plan", False), ("apply", True)):
        assert (HERE / f"{name}.hcl").read_text() == needs.policy(write=write)


def test_the_least_privilege_is_enough(vault: Vault, world: World, as_nhictl: Any) -> None:
    """A token with `apply.hcl` makes, changes and removes everything; one with `plan.hcl` plans, and cannot apply."""
    database = """
---
kind: Connection
metadata: {name: ledger}
spec:
  vault:
    mount: database
    type: database
    database: {name: ledger, connectionUrl: "postgresql://{{username}}@127.0.0.1:1/ledger"}
"""
    everything = ROLE + MOUNT + APP + database
    as_nhictl("plan")
    assert [action for action, _, _ in world.pending(everything)] == ["create"] * 7
    with pytest.raises(ProviderError) as refused:
        world.converge(everything)
    assert refused.value.fault is Fault.DENIED
    as_nhictl("apply")
    world.converge(everything)
    assert world.pending(everything) == []
    logged_in(vault)
    world.converge(
        everything.replace("tokenTtl: 15m", "tokenTtl: 10m").replace("description: Machines", "description: M")
    )
    world.converge("")
    world.converge("", now=AFTER_GRACE)
    assert world.managed == {}


def test_a_kept_url_with_a_password_is_not_written_back_masked(vault: Vault, world: World) -> None:
    """Vault gives it out with its password masked: sending that would be the end of it."""
    vault.call("POST", "sys/mounts/database", {"type": "database"})
    url = "postgresql://u:not-a-secret@127.0.0.1:1/x"
    seeded = {"plugin_name": "postgresql-database-plugin", "connection_url": url, "verify_connection": False}
    vault.call("POST", "database/config/x", seeded)
    sent: list[bytes] = []

    class Listener(Spoilt):
        """No fault at all: it notes what is written."""

        def strikes(self, call: Call) -> bool:
            if call.changing and call.path.endswith("/config/x"):
                sent.append(call.body)
            return False

    address = Address("vault", "database-config", "database/x")
    with vault.faults.fault(Listener("delay")), world.session(write=True) as session:
        live = session.reread([address])[address]
        after = replace(live, attributes={**live.attributes, "allowed_roles": ("reader",)})
        change = Change(address, Action.UPDATE, "connection/db", "", native_id=live.native_id, before=live, after=after)
        session.apply(change, world.operation())
    assert "not-a-secret" not in repr(live)
    assert sent
    assert not any(b"connection_url" in body for body in sent)
    assert vault.call("GET", "database/config/x")["data"]["allowed_roles"] == ["reader"]


def test_doctor_names_what_is_missing(vault: Vault, world: World, as_nhictl: Any) -> None:
    """With `plan.hcl` nothing is missing for plan; with `apply.hcl` nothing at all; a bare token lacks all."""
    said = {}
    for name in ("plan", "apply"):
        as_nhictl(name)
        with world.session() as session:
            said[name] = session.checkup(())
    assert said["plan"].missing_for_plan == said["apply"].missing_for_plan == said["apply"].missing_for_apply == ()
    assert "update identity/entity" in said["plan"].missing_for_apply
    assert said["apply"].credentials == "VAULT_TOKEN: token"


def test_a_plan_lacks_no_secret_ids_and_a_jwt_mount_has_none() -> None:
    """They are listed for an inventory; ending an AppRole's is a need of apply."""
    plan, apply = needs.needs(needs.Where(mounts=("approle", "jwt"), approles=("approle",)))
    assert not [path for path in plan if "secret-id" in path]
    assert [path for path in apply if "secret-id" in path] == [
        "auth/approle/role/+/secret-id-accessor/destroy", "auth/approle/role/+/secret-id/",
    ]  # fmt: skip
    assert [path for path in plan if path.endswith("role-id")] == ["auth/approle/role/+/role-id"]


def estate(number: int) -> str:
    """A number of AppRole NHIs with a role each."""
    each = "".join(
        "---" + (ROLE + APP).replace("reader", f"r{i}").replace("name: app", f"name: a{i}") for i in range(number)
    )
    return MOUNT + each


def calls_of(vault: Vault, world: World, *, access: bool = False) -> int:
    """How many calls a plan's reading makes, or one that also tells access."""
    kinds = frozenset() if access else frozenset(a.kind for a in world.managed)
    with world.session() as session:
        session.identity()
        vault.faults.reset()
        list(session.read(Scope(kinds=kinds, addresses=frozenset(world.managed))))
    return vault.faults.count()


def test_calls_per_thousand(vault: Vault, world: World) -> None:
    """Per 1,000 AppRole NHIs with a role each 5,000 calls and 5 listings, as the README says; a foreign one is free.

    OpenBao lists policies with their texts: 4,000 there.
    """
    each = 4 if vault.openbao else 5
    counts = []
    for number in (5, 10):
        world.converge(estate(number))
        counts.append(calls_of(vault, world))
    assert (counts[1] - counts[0]) / 5 == each
    assert counts[0] == 5 * each + 5
    vault.call("POST", "auth/approle/role/theirs", {"token_policies": ["a"]})
    assert calls_of(vault, world) == counts[1]


def test_a_reading_for_access_knows_everybodys(vault: Vault, world: World) -> None:
    """`default`, policies of others that a managed NHI has through groups, and auth roles and entities of others."""
    world.converge(ROLE + MOUNT + APP)
    vault.call("POST", "sys/policies/acl/theirs", {"policy": 'path "secret/data/x" { capabilities = ["read"] }'})
    vault.call("POST", "auth/approle/role/theirs", {"token_policies": ["theirs"]})
    ours = vault.call("GET", "identity/group/name/reader")["data"]["id"]
    vault.call("POST", "identity/group", {"name": "above", "policies": ["theirs"], "member_group_ids": [ours]})
    before = calls_of(vault, world)
    with world.session() as session:
        live = {r.address: r for r in session.read(Scope(addresses=frozenset(world.managed)))}
    roles = {r.address.name: r for r in live.values() if r.address.kind == "auth-role"}
    found = {name: list(adapter.permissions(role, live)) for name, role in roles.items()}
    for name in ("approle/app", "approle/theirs"):
        assert ("read", "secret/data/x", "vault/policy/theirs") in {
            (p.action, p.resource, p.source) for p in found[name]
        }
        assert not [p.action for p in found[name] if p.action.startswith("policy:")]
    # two policies, two calls for the AppRole and one for its alias, the group, and the listing of secrets mounts
    assert calls_of(vault, world, access=True) - before <= 7


def test_a_refused_configuration_says_why(vault: Vault, world: World) -> None:
    """A cluster without its authority, at a Vault outside of it: the way out, and no text of Vault's own."""
    text = """
kind: Connection
metadata: {name: cluster}
spec: {vault: {mount: kubernetes, type: kubernetes, kubernetesHost: "https://kube.example.com"}}
"""
    with pytest.raises(ProviderError, match=r"ca\.crt") as refused:
        world.converge(text)
    assert "caCertificate" in refused.value.hint


def test_an_approle_login_from_places_leaves_no_token(
    vault: Vault, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`auth` names places; the token of the session is revoked when it ends, and nhictl knows itself."""
    world.converge(ROLE + MOUNT + APP)
    vault.call("POST", "auth/approle/role/app", {"token_policies": ["root-of-tests"]})
    role_id = vault.call("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
    (tmp_path / "secret").write_text(vault.call("POST", "auth/approle/role/app/secret-id", {})["data"]["secret_id"])
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("APP_ROLE_ID", role_id)
    before = set(vault.listed("auth/token/accessors"))
    auth = {"approle": {"roleIdFrom": "env:APP_ROLE_ID", "secretIdFrom": f"file:{tmp_path / 'secret'}"}}
    target = replace(world.target, settings={**world.target.settings, "auth": auth})
    with adapter.connect(target, write=False) as session:
        own = {f"{a.kind}/{a.name}" for a in session.identity().own}
    assert own >= {"auth-role/approle/app"}
    assert set(vault.listed("auth/token/accessors")) == before
