"""What is OpenBao's own: policies listed with their texts, their versions, and their end.

With NHICTL_TEST_OPENBAO=1 the server is OpenBao. Where it is Vault, replies of OpenBao's shape stand in front of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Fault as Kind
from nhictl.model import ProviderError
from nhictl.providers.base import Scope
from nhictl.providers.vault.adapter import adapter
from tests.conformance.world import World
from tests.servers.http_faults import Call, Fault
from tests.servers.vault import Vault

READER = """
kind: Role
metadata: {name: reader}
spec: {vault: {attach: token, paths: [{path: secret/data/app, capabilities: [read]}]}}
"""
CLUSTER = """
kind: Connection
metadata: {name: cluster}
spec: {vault: {mount: kubernetes, type: kubernetes, kubernetesHost: "https://new.example.com", caCertificate: CA}}
"""
CHANGED = READER.replace("[read]", "[list, read]")
THEIRS = 'path "secret/data/app" { capabilities = ["read"] }'
ENDS = "2126-01-01T00:00:00Z"


@dataclass(slots=True)
class Bodies(Fault):
    """No fault at all: it notes what is written to policies."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    def strikes(self, call: Call) -> bool:
        """Note a write of a policy."""
        if call.method in ("POST", "PUT") and call.path.startswith("/v1/sys/policies/acl/"):
            self.sent.append(json.loads(call.body))
        return False


def says(path: str, *, method: str = "GET", **data: Any) -> Fault:
    """A reply of OpenBao in place of Vault's, whenever it is asked."""
    return Fault("refuse", f"/v1/{path}", method, times=1000, status=200, body=data)


def policy(text: str, **more: Any) -> Fault:
    """OpenBao's reply to reading the policy `reader`."""
    return says("sys/policies/acl/reader", data={"name": "reader", "policy": text, **more})


@pytest.fixture()
def bao(vault: Vault, vault_env: Mapping[str, str]) -> Iterator[Vault]:
    """A server that is OpenBao, or says so."""
    if vault.openbao:
        yield vault
        return
    status = vault.call("GET", "sys/seal-status")
    with vault.faults.fault(says("sys/seal-status", **{**status, "version": "2.4.0"})):
        yield vault


@pytest.fixture()
def world(bao: Vault, tmp_path: Path) -> World:
    """An empty OpenBao."""
    target = Target("vault", "vault", {"address": bao.url, "plainHttp": True}, tmp_path)
    return World(replace(adapter, sleep=lambda _: None), target)


def test_policies_come_with_their_texts_in_one_call(bao: Vault, world: World) -> None:
    """A key without its text is read by itself."""
    bao.call("PUT", "sys/policies/acl/other", {"policy": THEIRS})
    known = {"reader": {"name": "reader", "policy": THEIRS}}
    listing = says("sys/policies/detailed/acl", method="LIST", data={"keys": ["other", "reader"], "key_info": known})
    with bao.faults.fault(listing), world.session() as session:
        found = {r.address.name: r.attributes for r in session.read(Scope(frozenset({"policy"}), details=True))}
    wanted = {"rules": {"secret/data/app": ("read",)}, "text": ""}
    assert found == {"other": wanted, "reader": wanted}
    assert bao.faults.count("GET", "/v1/sys/policies/acl/*") == 1


@pytest.mark.parametrize("status", [403, 404, 405])
def test_an_older_one_or_a_lesser_token_reads_them_one_by_one(bao: Vault, world: World, status: int) -> None:
    """The listing with texts is an optimisation, never needed."""
    bao.call("PUT", "sys/policies/acl/reader", {"policy": THEIRS})
    refused = Fault("refuse", "/v1/sys/policies/detailed/acl", times=9, status=status, body={"errors": []})
    with bao.faults.fault(refused), world.session() as session:
        found = {r.address.name for r in session.read(Scope(frozenset({"policy"}), details=True)) if r.attributes}
    assert found == {"default", "reader"}


@pytest.fixture()
def openbao(vault: Vault) -> Vault:
    """A real OpenBao."""
    if not vault.openbao:
        pytest.skip("the server is Vault: set NHICTL_TEST_OPENBAO=1")
    return vault


def test_a_plan_reads_no_policy_by_itself(openbao: Vault, world: World) -> None:
    """The texts in the listing are those of the policies, the marks in them included."""
    world.converge(READER)
    openbao.faults.reset()
    assert world.pending(READER) == []
    assert openbao.faults.count("LIST", "/v1/sys/policies/detailed/acl") == 1
    assert openbao.faults.count("GET", "/v1/sys/policies/acl/*") == 0


def test_a_policy_keeps_its_end_and_what_a_write_must_name(openbao: Vault, world: World) -> None:
    """Adopted, changed and let go: OpenBao would forget what a write leaves out, and refuse one without the version."""
    theirs = {"policy": THEIRS, "cas": -1, "cas_required": True, "expiration": ENDS}
    openbao.call("POST", "sys/policies/acl/reader", theirs)
    world.converge(READER, adopt=True)
    world.converge(CHANGED)
    kept = openbao.call("GET", "sys/policies/acl/reader")["data"]
    assert (kept["version"], kept["cas_required"], kept["expiration"]) == (3, True, ENDS)
    assert "list" in kept["policy"]
    assert world.pending(CHANGED) == []
    world.converge("")
    assert "reader" not in openbao.listed("sys/policies/acl")


def test_a_change_of_somebody_else_is_not_written_over(openbao: Vault, world: World) -> None:
    """Theirs came after the policy was read again: nothing has happened to it."""
    world.converge(READER)
    theirs = 'path "theirs" { capabilities = ["read"] }'
    with world.session(write=True) as session:
        (change,) = world.plan(session, world.desired(CHANGED)).changes
        session.reread([change.address])
        openbao.call("POST", "sys/policies/acl/reader", {"policy": theirs})
        with pytest.raises(ProviderError) as error:
            session.apply(change, world.operation())
    assert error.value.fault is Kind.CONFLICT
    assert openbao.call("GET", "sys/policies/acl/reader")["data"]["policy"] == theirs


def test_a_policy_that_ended_is_made_again(openbao: Vault, world: World) -> None:
    """OpenBao has none of the name any more: it is missing like one that was deleted."""
    world.converge(READER)
    text = openbao.call("GET", "sys/policies/acl/reader")["data"]["policy"]
    openbao.call("POST", "sys/policies/acl/reader", {"policy": text, "ttl": "2s"})
    while openbao.call("GET", "sys/policies/acl/reader") is not None:
        time.sleep(0.05)
    assert [action for action, _, _ in world.pending(READER)] == ["create"]
    world.converge(READER)
    assert world.pending(READER) == []


def test_a_cluster_known_to_have_no_reviewer_is_configured(openbao: Vault, world: World, tmp_path: Path) -> None:
    """OpenBao says whether a mount of others has a token that a write would wipe."""
    authority = (Path(__file__).parent / "ca.pem").read_text()
    openbao.call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    config = {"kubernetes_host": "https://old.example.com", "kubernetes_ca_cert": authority}
    openbao.call("POST", "auth/kubernetes/config", config)
    world.converge(CLUSTER.replace("CA", json.dumps(authority)), adopt=True)
    assert openbao.call("GET", "auth/kubernetes/config")["data"]["kubernetes_host"] == "https://new.example.com"


def test_a_policy_is_written_over_the_version_that_was_read(bao: Vault, world: World) -> None:
    """The call itself, with all that stands beside the text."""
    if bao.openbao:
        pytest.skip("OpenBao is asked itself above")
    world.converge(READER)
    text = bao.call("GET", "sys/policies/acl/reader")["data"]["policy"]
    heard = Bodies("delay")
    with bao.faults.fault(heard, policy(text, version=3, cas_required=True, expiration=ENDS)):
        world.converge(CHANGED)
    (sent,) = heard.sent
    assert {k: v for k, v in sent.items() if k != "policy"} == {"cas": 3, "cas_required": True, "expiration": ENDS}
    assert "list" in sent["policy"]


def test_a_version_that_somebody_changed_meanwhile_is_a_conflict(bao: Vault, world: World) -> None:
    """Nothing is written over it; it is no lost reply."""
    world.converge(READER)
    said = {"errors": ["check-and-set parameter did not match the current version"]}
    refused = Fault("refuse", "/v1/sys/policies/acl/reader", "POST", times=9, status=400, body=said)
    with bao.faults.fault(refused), pytest.raises(ProviderError) as error:
        world.converge(CHANGED)
    assert error.value.fault is Kind.CONFLICT


def test_nothing_of_it_is_sent_to_vault(vault: Vault, vault_env: Mapping[str, str], tmp_path: Path) -> None:
    """Vault has no versions of policies."""
    if vault.openbao:
        pytest.skip("the server is OpenBao")
    target = Target("vault", "vault", {"address": vault.url, "plainHttp": True}, tmp_path)
    world = World(replace(adapter, sleep=lambda _: None), target)
    world.converge(READER)
    heard = Bodies("delay")
    with vault.faults.fault(heard):
        world.converge(CHANGED)
    assert [set(body) for body in heard.sent] == [{"policy"}]
