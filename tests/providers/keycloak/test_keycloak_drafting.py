"""Import: drafts of live objects compile back to what is live, kept fields aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from nhictl.model import Address, Resource
from nhictl.providers.base import Draft, Ref, Scope
from nhictl.providers.keycloak.adapter import adapter
from tests.conformance.test_keycloak import _BASE, _CLIENT_ROLES, METADATA
from tests.conformance.world import World, documents
from tests.providers.keycloak.keycloak_kit import client, put
from tests.providers.keycloak.test_keycloak_traps import furnish
from tests.servers.keycloak import Keycloak


def live(world: World) -> dict[Address, Resource]:
    """Return everything there is, with details, as if nobody had marked it."""
    with world.session() as session:
        return {r.address: r for r in session.read(Scope(details=True)) if r.address.name != "nhictl"}


def compiled(world: World, found: tuple[Draft, ...]) -> dict[Address, Resource]:
    """Return what drafts mean, each called by its place, as the import would name it."""
    import yaml

    names = {a: f"draft-{i}" for i, d in enumerate(found) for a in d.addresses}

    def named(value: Any) -> Any:
        if isinstance(value, Ref):
            return names[value.address]
        if isinstance(value, Mapping):
            return {key: named(item) for key, item in value.items()}
        return [named(item) for item in value] if isinstance(value, (list, tuple)) else value

    trees = []
    for draft in found:
        spec = {**named(draft.spec), "nativeName": draft.name, "keep": list(draft.keep)}
        extra = {"environments": ["test"], "owner": "x"} if draft.kind == "NHI" else {}
        trees.append({"kind": draft.kind, "metadata": {"name": names[draft.addresses[0]]}, "spec": {**spec, **extra}})
    documents(yaml.safe_dump_all(trees))
    return World(adapter, world.target).desired(yaml.safe_dump_all(trees))


@pytest.mark.parametrize("state", [_BASE, _CLIENT_ROLES], ids=["clients", "client-roles"])
def test_drafts_compile_to_what_is_live(world: World, state: str):
    """Every attribute of every object that nhictl manages comes back from its draft."""
    (world.target.root / "metadata.xml").write_text(METADATA)
    world.converge(state)
    there = live(world)
    wanted = {a for a, r in there.items() if r.mark is not None}
    found = tuple(adapter.drafts(there, wanted))
    meant = compiled(world, found)
    kept = {d.addresses[0]: set(d.keep) for d in found if d.addresses}
    assert set(meant) == wanted
    for address, resource in meant.items():
        for key, value in resource.attributes.items():
            if key not in kept[address] | {"labels"}:
                now = there[address].attributes[key]
                partial = {k: now.get(k) for k in value} if key == "config" else now
                assert partial == value, f"{address} {key}"


def test_what_cannot_be_said_is_kept(keycloak: Keycloak, world: World):
    """Other flows, groups and inline keys are named, and nothing is left out of the grants."""
    world.converge(_BASE.split("---\nkind: Connection")[0] + "---\nkind: NHI" + _BASE.split("kind: NHI")[1])
    data = client(keycloak, "payments-client")
    put(
        keycloak, data, clientAuthenticatorType="client-jwt", standardFlowEnabled=True,
        attributes={**data["attributes"], "use.jwks.string": "true", "jwks.string": "{}"},
    )  # fmt: skip
    there = live(world)
    address = Address("sso-test", "client", "payments-client")
    (draft,) = (d for d in adapter.drafts(there, {address}) if d.kind == "NHI")
    assert set(draft.keep) == {"flows", "proof"}


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({"x509.casubjectdn": "CN=Our CA"}, {"subjectDn": "CN=batch,O=Example", "caSubjectDn": "CN=Our CA"}),
        ({"x509.allow.regex.pattern.comparison": "true"}, {}),
        ({"x509.subjectdn": "/O=Example/CN=batch"}, {}),
    ],
    ids=["names", "a pattern", "no name"],
)
def test_subjects_are_drafted_where_a_manifest_can_say_them(
    keycloak: Keycloak, world: World, kept: dict[str, str], said: dict[str, str]
):
    """Any other proof is kept as it is, and none of it is in the manifest."""
    usual = {"x509.subjectdn": "CN=batch,O=Example", "x509.allow.regex.pattern.comparison": "false"}
    body = {"clientId": "batch", "serviceAccountsEnabled": True, "clientAuthenticatorType": "client-x509"}
    keycloak.call("POST", "/clients", {**body, "attributes": {**usual, **kept}})
    address = Address("sso-test", "client", "batch")
    (draft,) = adapter.drafts(live(world), {address})
    assert draft.spec["identity"]["keycloak"] == {"clientId": "batch", "auth": "tls", **said}
    assert ("proof" in draft.keep) == (not said)
    assert set(compiled(world, (draft,))) == {address}


def test_every_object_of_a_furnished_realm_is_accepted(keycloak: Keycloak, world: World):
    """Odd clients, odd names, a role without description, an identity provider without issuer: each has a draft."""
    world.converge(_BASE)
    keycloak.call("POST", "/clients", {"clientId": "payments", "serviceAccountsEnabled": True})
    furnish(keycloak)
    keycloak.call("POST", "/clients", {"clientId": "a b/c?d#ü", "serviceAccountsEnabled": True, "enabled": False})
    keycloak.call("POST", "/roles", {"name": "odd / rôle"})
    saml = {"alias": "old", "providerId": "saml", "config": {"singleSignOnServiceUrl": "https://idp.example.com"}}
    keycloak.call("POST", "/identity-provider/instances", saml)
    keycloak.call("POST", "/identity-provider/instances", {"alias": "bare", "providerId": "oidc", "config": {}})
    there = live(world)
    wanted = {a for a, r in there.items() if "builtin" not in r.facts and a.kind != "application"}
    found = tuple(adapter.drafts(there, wanted))
    assert {a for d in found for a in d.addresses} >= wanted
    assert set(compiled(world, found)) == wanted
