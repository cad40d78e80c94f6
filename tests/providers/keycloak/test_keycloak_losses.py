"""What Keycloak would lose without a word: a role inside of another, a secret in a mapper's configuration."""

from __future__ import annotations

import pytest

from nhictl.model import Address, ProviderError
from nhictl.model import Fault as Meant
from nhictl.providers.keycloak import names
from tests.conformance.world import World, deleting
from tests.servers.keycloak import Keycloak

_SCOPE = """
kind: Role
metadata: {name: reader}
spec:
  keycloak:
    scope: {mappers: {team: {type: oidc-hardcoded-claim-mapper, config: {claim.name: team, claim.value: a}}}}
"""
_PROVIDER = """
kind: Connection
metadata: {name: partner}
spec:
  issuer: {oidc: {url: "https://login.partner.example.com"}}
  keycloak:
    alias: partner
    clientId: shop
    clientAuth: private-key-jwt
    authorizationUrl: https://login.partner.example.com/authorize
    tokenUrl: https://login.partner.example.com/token
    jwksUrl: https://login.partner.example.com/jwks
    mappers:
      team: {type: hardcoded-user-session-attribute-idp-mapper, config: {attribute: team, attribute.value: a}}
"""


@pytest.mark.parametrize("of", ["realm", "client"])
def test_a_role_inside_of_another_is_not_deleted(keycloak: Keycloak, world: World, of: str):
    """The server takes it out of every role that includes it in silence; nhictl refuses and names the role."""
    world.converge("kind: Role\nmetadata: {name: inner}\nspec: {keycloak: {}}\n")
    base, called = "", "realm role theirs"
    if of == "client":
        keycloak.call("POST", "/clients", {"clientId": "shop"})
        (client,) = keycloak.call("GET", "/clients?clientId=shop")
        base, called = f"/clients/{client['id']}", "client role shop/theirs"
    keycloak.call("POST", f"{base}/roles", {"name": "theirs"})
    keycloak.call("POST", f"{base}/roles/theirs/composites", [keycloak.call("GET", "/roles/inner")])
    live = world.snapshot()[Address("sso-test", names.REALM_ROLE, "inner")]
    with world.session(write=True) as session, pytest.raises(ProviderError) as refused:
        session.apply(deleting(live, live.native_id), world.operation())
    assert (refused.value.fault, called in refused.value.message) == (Meant.IN_USE, True)
    assert [role["name"] for role in keycloak.call("GET", f"{base}/roles/theirs/composites")] == ["inner"]


def test_a_secret_in_a_protocol_mapper_survives_its_change(keycloak: Keycloak, world: World):
    """What may be a secret is neither read nor declared; when the rest of the mapper changes, it stays."""
    world.converge(_SCOPE)
    (scope,) = [s for s in keycloak.call("GET", "/client-scopes") if s["name"] == "reader"]
    path = f"/client-scopes/{scope['id']}/protocol-mappers/models"
    (mapper,) = keycloak.call("GET", path)
    told = {**mapper["config"], "lookup.password": "planted"}
    keycloak.call("PUT", f"{path}/{mapper['id']}", {**mapper, "config": told})
    world.converge(_SCOPE.replace("claim.value: a", "claim.value: b"))
    (after,) = keycloak.call("GET", path)
    assert (after["config"]["claim.value"], after["config"]["lookup.password"]) == ("b", "planted")


def test_a_secret_in_a_mapper_of_an_identity_provider_survives_its_change(keycloak: Keycloak, world: World):
    """The same for what a partner's tokens are mapped by."""
    world.converge(_PROVIDER)
    path = "/identity-provider/instances/partner/mappers"
    (mapper,) = keycloak.call("GET", path)
    told = {**mapper["config"], "lookup.password": "planted"}
    keycloak.call("PUT", f"{path}/{mapper['id']}", {**mapper, "config": told})
    world.converge(_PROVIDER.replace("attribute.value: a", "attribute.value: b"))
    (after,) = keycloak.call("GET", path)
    assert (after["config"]["attribute.value"], after["config"]["lookup.password"]) == ("b", "planted")
