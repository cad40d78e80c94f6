"""What is OpenBao's own: replies of its shape, in front of the server that there is."""

from __future__ import annotations

import json
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
CHANGED = READER.replace("[read]", "[list, read]")
THEIRS = 'path "secret/data/app" { capabilities = ["read"] }'
ENDS = "2027-01-01T00:00:00Z"


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
    """A server that says it is OpenBao."""
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


def test_a_policy_is_written_over_the_version_that_was_read(bao: Vault, world: World) -> None:
    """With what stands beside its text: left out, OpenBao would forget that it ends, and refuse without the version."""
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
    target = Target("vault", "vault", {"address": vault.url, "plainHttp": True}, tmp_path)
    world = World(replace(adapter, sleep=lambda _: None), target)
    world.converge(READER)
    heard = Bodies("delay")
    with vault.faults.fault(heard):
        world.converge(CHANGED)
    assert [set(body) for body in heard.sent] == [{"policy"}]
