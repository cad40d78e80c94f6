"""What the provider's README promises: the roles it names are enough and no more is needed, the calls it states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nhictl.providers.keycloak as package
from nhictl.model import Fault, ProviderError
from nhictl.providers.base import Scope
from nhictl.providers.keycloak.wire import PAGE
from tests.conformance.test_keycloak import _BASE, METADATA
from tests.conformance.world import World
from tests.providers.keycloak.keycloak_kit import ESTATE, world_of
from tests.servers.keycloak import Keycloak, environment
from tests.support import THOUSANDS

README = (Path(package.__file__).parent / "README.md").read_text()
MOST = int(re.search(r"takes at most (\d+) calls", README)[1])


def listed(name: str) -> tuple[str, ...]:
    """Return the roles of a block of the README."""
    return tuple(re.search(rf"```{name}\n(.*?)```", README, re.DOTALL)[1].split())


def acting(keycloak: Keycloak, monkeypatch: pytest.MonkeyPatch, root: Path, roles: tuple[str, ...]) -> World:
    """Return the realm as a client with these roles sees it."""
    (root / "metadata.xml").write_text(METADATA)
    for name, value in environment(keycloak, keycloak.service_client("limited", roles)).items():
        monkeypatch.setenv(name, value)
    return world_of(keycloak, root)


def test_the_roles_for_plan_are_enough_to_read_everything(keycloak: Keycloak, world: World, tmp_path, monkeypatch):
    """A client with them alone reads what the administrator reads, with all details."""
    world.converge(_BASE)
    with world.session() as session:
        everything = {r.address: r.attributes for r in session.read(Scope(details=True))}
    limited = acting(keycloak, monkeypatch, tmp_path, listed("roles-plan"))
    with limited.session() as session:
        found = {r.address: r.attributes for r in session.read(Scope(details=True))}
    assert {a: v for a, v in found.items() if a.name != "limited"} == everything


@pytest.mark.parametrize("left_out", listed("roles-plan"))
def test_each_role_for_plan_is_needed(keycloak: Keycloak, world: World, tmp_path, monkeypatch, left_out):
    """Without one of them the read is refused; the checkup names it."""
    world.converge(_BASE)
    roles = tuple(role for role in listed("roles-plan") if role != left_out)
    limited = acting(keycloak, monkeypatch, tmp_path, roles)
    with limited.session() as session:
        with pytest.raises(ProviderError) as refused:
            list(session.read(Scope(details=True)))
        assert refused.value.fault in (Fault.DENIED, Fault.AUTH)
        if left_out != "view-realm":
            assert f"realm-management: {left_out}" in session.checkup([]).missing_for_plan


def test_the_roles_for_apply_are_enough(keycloak: Keycloak, tmp_path, monkeypatch):
    """A client with both lists makes a whole estate, narrows it and finds nothing left to do; the checkup agrees."""
    limited = acting(keycloak, monkeypatch, tmp_path, (*listed("roles-plan"), *listed("roles-apply")))
    limited.converge(_BASE)
    limited.converge(ESTATE)
    assert limited.pending(ESTATE) == []
    with limited.session() as session:
        said = session.checkup([])
    assert (said.missing_for_plan, said.missing_for_apply, said.unknown) == ((), (), "")


@THOUSANDS
def test_a_plan_of_a_thousand_takes_few_calls(keycloak: Keycloak, world: World):
    """The README's number, for a realm of a thousand clients, roles and scopes that nobody declared."""
    clients = [{"clientId": f"c-{i}", "serviceAccountsEnabled": True, "publicClient": False} for i in range(1000)]
    roles = [{"name": f"r-{i}"} for i in range(1000)]
    for start in range(0, 1000, 50):
        part = {"clients": clients[start : start + 50], "roles": {"realm": roles[start : start + 50]}}
        keycloak.call("POST", "/partialImport", {"ifResourceExists": "SKIP", **part})
    keycloak.faults.reset()
    with world.session() as session:
        found = list(session.read(Scope()))
    assert (sum(r.address.kind == "client" for r in found), sum(r.address.kind == "realm-role" for r in found)) == (
        1001,
        1003,
    )
    assert keycloak.faults.count() <= MOST
    assert int(re.search(r"pages of (\d+)", README)[1]) == PAGE


def test_each_declared_client_costs_one_call(keycloak: Keycloak, world: World):
    """The README's number for what is declared: twenty clients with a role each."""
    role, nhi = ESTATE.split("---")
    text = "---".join((role, *(nhi.replace("payments", f"client-{i}") for i in range(20))))
    world.converge(text)
    keycloak.faults.reset()
    assert world.pending(text) == []
    assert keycloak.faults.count(path="*/role-mappings") == 20
    assert keycloak.faults.count() <= MOST + 20 + 2
