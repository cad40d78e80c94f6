"""Namespaces, which OpenBao has and Vault only as Enterprise: one target is one namespace, and no other is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Address, ProviderError
from nhictl.model import Fault as Kind
from nhictl.providers.base import Scope
from nhictl.providers.vault.adapter import adapter
from tests.conformance.world import AFTER_GRACE, World
from tests.servers.vault import Vault

ESTATE = """
kind: Role
metadata: {name: reader}
spec: {vault: {paths: [{path: secret/data/app, capabilities: [read]}]}}
---
kind: Connection
metadata: {name: machines}
spec: {description: Machines, vault: {mount: approle, type: approle}}
---
kind: NHI
metadata: {name: app}
spec: {type: workload, owner: a, purpose: b, identity: {approle: {}}, grants: [{role: reader}]}
"""
CHANGED = ESTATE.replace("[read]", "[list, read]").replace("Machines", "More machines")


@pytest.fixture()
def openbao(vault: Vault, vault_env: Mapping[str, str]) -> Vault:
    """A real OpenBao."""
    if not vault.openbao:
        pytest.skip("the server is Vault: set NHICTL_TEST_OPENBAO=1")
    return vault


@pytest.fixture()
def world_in(openbao: Vault, tmp_path: Path) -> Callable[[str], World]:
    """What makes the world of a namespace; empty for the root's."""

    def made(namespace: str) -> World:
        settings = {"address": openbao.url, "plainHttp": True, **({"namespace": namespace} if namespace else {})}
        return World(replace(adapter, sleep=lambda _: None), Target("vault", "vault", settings, tmp_path))

    return made


def state(vault: Vault) -> Any:
    """All that a namespace holds about access; None for one that is gone."""
    mounts = vault.call("GET", "sys/auth")
    if mounts is None:
        return None
    ask, keys = vault.call, vault.listed
    return [
        mounts["data"],
        {p: ask("GET", f"sys/policies/acl/{p}") and ask("GET", f"sys/policies/acl/{p}")["data"]
         for p in keys("sys/policies/acl") if p != "root"},
        {i: ask("GET", f"identity/{kind}/id/{i}")["data"]
         for kind in ("entity", "group") for i in keys(f"identity/{kind}/id")},
        {r: ask("GET", f"auth/approle/role/{r}")["data"] for r in keys("auth/approle/role")},
        {r: ask("GET", f"auth/approle/role/{r}/role-id")["data"] for r in keys("auth/approle/role")},
    ]  # fmt: skip


def login(vault: Vault) -> dict[str, Any]:
    """What a login of the AppRole of `ESTATE` gives."""
    role = "auth/approle/role/app"
    body = {"role_id": vault.call("GET", f"{role}/role-id")["data"]["role_id"]}
    body["secret_id"] = vault.call("POST", f"{role}/secret-id", {})["data"]["secret_id"]
    return vault.call("POST", "auth/approle/login", body)["auth"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("namespace", ["team", "team/a"])
def test_no_other_namespace_is_touched(openbao: Vault, world_in: Callable[[str], World], namespace: str) -> None:
    """Made, changed and removed in one: the root's, the one above and the one beside it have the same, and keep it."""
    here = openbao.within(namespace)
    others = [o for o in (openbao, openbao.within("other"), openbao.within("team")) if o.namespace != namespace]
    for other in others:
        world_in(other.namespace).converge(ESTATE)
    before = [state(other) for other in others]
    world = world_in(namespace)
    empty = state(here)
    world.converge(ESTATE)
    assert world.pending(ESTATE) == []
    assert login(here)["identity_policies"] == ["reader"]
    world.converge(CHANGED)
    assert world.pending(CHANGED) == []
    world.converge("")
    world.converge("", now=AFTER_GRACE)
    assert state(here) == empty
    assert [state(other) for other in others] == before


def test_a_namespace_that_is_not_there_is_no_empty_one(openbao: Vault, world_in: Callable[[str], World]) -> None:
    """OpenBao answers every listing of it with 404: a plan would make everything anew."""
    world = world_in("taem")
    with pytest.raises(ProviderError, match="no namespace taem") as refused:
        world.pending(ESTATE)
    assert refused.value.fault is Kind.AUTH
    assert "namespace" in refused.value.hint


def test_namespaces_are_different_places(openbao: Vault, world_in: Callable[[str], World]) -> None:
    """So that no ledger takes one for another; slashes at its ends do not count."""
    for name in ("team", "other"):
        openbao.within(name)
    scopes = []
    for name in ("", "team", "/team/", "other"):
        with world_in(name).session() as session:
            scopes.append(session.identity().scope)
    cluster = scopes[0]
    assert scopes == [cluster, f"{cluster}/team", f"{cluster}/team", f"{cluster}/other"]


def test_what_a_namespace_has_of_itself_is_no_shadow(openbao: Vault, world_in: Callable[[str], World]) -> None:
    """Its mount of tokens has a type of its own there, its policies are named as the root's."""
    openbao.within("team")
    with world_in("team").session() as session:
        live = list(session.read(Scope(details=True)))
    assert {f"{r.address.kind}/{r.address.name}" for r in live} == {"auth-mount/token", "policy/default"}
    assert [r for r in live if "builtin" not in r.facts] == []


def test_an_entity_that_a_login_made_is_a_part_of_its_auth_role(
    openbao: Vault, world_in: Callable[[str], World]
) -> None:
    """OpenBao names it with the id of the namespace behind."""
    for vault in (openbao, openbao.within("team")):
        vault.call("POST", "sys/auth/approle", {"type": "approle"})
        vault.call("POST", "auth/approle/role/app", {"token_policies": ["reader"]})
        login(vault)
        with world_in(vault.namespace).session() as session:
            live = {r.address: r for r in session.read(Scope(details=True))}
        (entity,) = [r for a, r in live.items() if a.kind == "entity"]
        assert entity.facts["part_of"] == "vault/auth-role/approle/app"
        drafted = {a for d in adapter.drafts(live, list(live)) for a in d.addresses}
        assert Address("vault", "auth-role", "approle/app") in drafted
        assert entity.address not in drafted


def test_a_token_of_a_namespace_is_enough_for_it(
    openbao: Vault, world_in: Callable[[str], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `apply.hcl`, made there: everything works there, and nothing in another."""
    here = openbao.within("team")
    openbao.within("other")
    policy = (Path(adapter_folder()) / "apply.hcl").read_text()
    here.call("POST", "sys/policies/acl/nhictl", {"policy": policy})
    made = here.call("POST", "auth/token/create", {"policies": ["nhictl"], "no_default_policy": True})
    monkeypatch.setenv("VAULT_TOKEN", made["auth"]["client_token"])
    world_in("team").converge(ESTATE)
    assert world_in("team").one(Address("vault", "entity", "app")) is not None
    with pytest.raises(ProviderError) as refused:
        world_in("other").converge(ESTATE)
    assert refused.value.fault in (Kind.AUTH, Kind.DENIED)


def adapter_folder() -> str:
    """Where the provider's policies are."""
    import nhictl.providers.vault

    return str(Path(nhictl.providers.vault.__file__).parent)
