"""Secrets of the real server: none is sent, none is read, and a rotation keeps both for as long as it should."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from nhictl.model import Address, ProviderError
from nhictl.model import Fault as Meant
from tests.conformance.world import AFTER_GRACE, World
from tests.providers.keycloak.keycloak_kit import CHANGED, ESTATE, client, differences, picture, plain, put
from tests.servers.http_faults import Call, Fault
from tests.servers.keycloak import Keycloak

OURS = Address("sso-test", "client", "payments")


def test_the_mask_of_a_secret_is_never_sent_back(keycloak: Keycloak, world: World):
    """What nhictl reads has no secret in it, so that neither it nor its mask can come back."""
    world.converge(ESTATE)
    put(keycloak, client(keycloak), secret="a-secret-set-by-hand")
    world.converge(CHANGED)
    assert client(keycloak)["secret"] == "a-secret-set-by-hand"


@dataclass(slots=True)
class Sent(Fault):
    """No fault: it keeps what is sent to change something, so that a test can look for what must not be in it."""

    bodies: list[str] = field(default_factory=list)

    def strikes(self, call: Call) -> bool:
        """Keep the body, and let the call pass."""
        if call.changing:
            self.bodies.append(call.body.decode())
        return False


def test_no_change_of_a_client_sends_a_secret(keycloak: Keycloak, world: World):
    """Neither the real one, which this reader sees, nor a mask: made, changed, renamed, stopped, forgotten, removed."""
    sent = Sent("drop")
    with keycloak.faults.fault(sent):
        world.converge(ESTATE)
        secret = client(keycloak)["secret"]
        for text in (CHANGED, CHANGED.replace("clientId: payments", "clientId: till"), ""):
            world.converge(text)
        world.converge(CHANGED.replace("clientId: payments", "clientId: till"))
        world.converge("", now=AFTER_GRACE)
    said = "\n".join(sent.bodies)
    assert "payments" in said
    assert [word for word in (secret, '"secret"', "**********", "client.secret") if word in said] == []


def test_an_identity_providers_masked_secret_counts_as_unchanged(keycloak: Keycloak, world: World):
    """Its configuration is replaced as a whole, the mask among it: the issuer still gets the secret set by hand."""
    idp = """
kind: Connection
metadata: {name: partner}
spec:
  issuer: {oidc: {url: "https://login.example.com"}}
  keycloak: {alias: partner, clientId: shop, clientAuth: client-secret-post, tokenUrl: "https://login.example.com/token",
             authorizationUrl: "https://login.example.com/auth"}
"""
    world.converge(idp)
    found = keycloak.call("GET", "/identity-provider/instances/partner")
    found["config"] |= {"clientSecret": "${vault.partner}", "guiOrder": "7", "unknown": "kept"}
    keycloak.call("PUT", "/identity-provider/instances/partner", found)
    before = stored(keycloak)
    world.converge(idp.replace("clientId: shop", "clientId: store"))
    assert differences(before, stored(keycloak)) == {"/config/clientId"}


def stored(keycloak: Keycloak) -> object:
    """Return the identity provider as it is kept: a reference to the server's own vault is not masked."""
    return plain(keycloak.call("GET", "/identity-provider/instances/partner"))


def test_nothing_is_sent_while_a_rotated_secret_works(keycloak: Keycloak, world: World):
    """An update would end the overlap: it is refused; disabling is not."""
    world.converge(ESTATE)
    data = client(keycloak)
    put(keycloak, data, attributes={**data["attributes"], "client.secret.rotated": "old-secret"})
    if "client.secret.rotated" not in client(keycloak)["attributes"]:
        pytest.skip("this release drops a rotated secret that no policy made")
    with pytest.raises(ProviderError) as refused:
        world.converge(CHANGED.replace("Read all orders", "Read orders"))
    assert (refused.value.fault, refused.value.code) == (Meant.CONFLICT, "Rotating")


def test_a_rotated_secret_is_a_fact_without_its_value(keycloak: Keycloak, world: World):
    """Its creation and expiry are told, the value is in nothing that was read."""
    rotate(keycloak, world)
    live = world.snapshot()[OURS]
    found = {c["id"]: c for c in live.facts["credentials"]}
    assert set(found) == {"current", "rotated"}
    assert found["rotated"]["expires"] > found["rotated"]["created"]
    data = client(keycloak)
    assert data["secret"] not in repr(live)
    assert data["attributes"]["client.secret.rotated"] not in repr(live)


def test_the_overlap_of_a_real_rotation_is_left_alone(keycloak: Keycloak, world: World):
    """With the realm's rotation policy at work, an update waits until the old secret has expired."""
    rotate(keycloak, world)
    before = picture(keycloak)
    with pytest.raises(ProviderError) as refused:
        world.converge(CHANGED.replace("Read all orders", "Read orders"))
    assert refused.value.code == "Rotating"
    assert differences(before, picture(keycloak)) == set()


def rotate(keycloak: Keycloak, world: World) -> None:
    """Make the client, then rotate its secret under a policy that lets both work."""
    config = {"expiration-period": 86400, "rotated-expiration-period": 3600, "remaining-rotation-period": 3600}
    executor = {"executor": "secret-rotation", "configuration": config}
    keycloak.call("PUT", "/client-policies/profiles", {"profiles": [{"name": "rotate", "executors": [executor]}]})
    condition = {"condition": "client-access-type", "configuration": {"type": ["confidential"]}}
    policy = {"name": "rotate", "enabled": True, "conditions": [condition], "profiles": ["rotate"]}
    keycloak.call("PUT", "/client-policies/policies", {"policies": [policy]})
    world.converge(ESTATE)
    keycloak.call("POST", f"/clients/{client(keycloak)['id']}/client-secret")
    assert "client.secret.rotated" in client(keycloak)["attributes"]
