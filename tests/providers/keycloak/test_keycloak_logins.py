"""Clients that nhictl made log in to the real server as their manifests say, and in no other way."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.common import base64url_encode
from jwcrypto.jwk import JWK

from nhictl.providers.keycloak.login import claims
from tests.conformance.world import World
from tests.connections import forging
from tests.providers.keycloak.keycloak_kit import ESTATE, client, put
from tests.servers.certificates import authority
from tests.servers.keycloak import Keycloak, token
from tests.servers.tls import Mutual

ROLE, SHARED = ESTATE.split("---")
SUBJECT = "CN=batch.example.com,OU=Jobs,O=Example"
TLS = f'auth: tls, subjectDn: "{SUBJECT}"'
# a pattern is compared with the subject as Java writes it: with blanks after the commas
SPACED = TLS.replace(",OU", ", OU").replace(",O=", ", O=")
FORM = {"client_id": "payments"}
REFUSED = "invalid_client|unauthorized_client"


def estate(proof: str, *, enabled: bool = True) -> str:
    """Return the estate of the kit with a client that proves itself in this way."""
    off = "" if enabled else "  enabled: false\n"
    return f"{ROLE}---{SHARED.replace('auth: client-secret', proof)}{off}"


def test_a_secret_opens_the_client_with_the_roles_and_the_audience_of_the_manifests(keycloak: Keycloak, world: World):
    """The client that was made logs in with the secret Keycloak gave it, for ten minutes at most."""
    world.converge(ESTATE + "  credentials: {kind: client-secret, maxTtl: 10m}\n")
    got = keycloak.token("payments", client(keycloak)["secret"])
    said = claims(got["access_token"])
    assert "https://vault.example.com" in said["aud"]
    assert "orders-reader" in said["realm_access"]["roles"]
    assert got["expires_in"] <= 600


def test_a_certificate_opens_the_client(world: World, keycloak_mutual: Mutual):
    """Its subject is that of the manifest: the token is the client's, with its roles and audience."""
    world.converge(estate(TLS))
    said = claims(keycloak_mutual.token(FORM, keycloak_mutual.certificate(SUBJECT))["access_token"])
    assert (said["iss"], said["azp"]) == (keycloak_mutual.issuer, "payments")
    assert "orders-reader" in said["realm_access"]["roles"]
    assert "https://vault.example.com" in said["aud"]


@pytest.mark.parametrize(
    "subject",
    [
        "CN=stranger.example.com,OU=Jobs,O=Example",
        "CN=batch.example.com",
        "CN=batch.example.com,OU=Jobs,O=Example,C=DE",
        "O=Example,OU=Jobs,CN=batch.example.com",
        "CN=Batch.example.com,OU=Jobs,O=Example",
        "CN=batch-example.com,OU=Jobs,O=Example",
    ],
    ids=["another", "shorter", "longer", "other order", "capital", "not the dot"],
)
def test_a_certificate_for_another_subject_is_refused(world: World, keycloak_mutual: Mutual, subject: str):
    """The same authority signed it; every part, their order, and each letter count."""
    world.converge(estate(TLS))
    stranger = keycloak_mutual.certificate(subject)
    with pytest.raises(AssertionError, match=REFUSED):
        keycloak_mutual.token(FORM, stranger)


def test_without_the_certificate_nothing_opens_the_client(keycloak: Keycloak, world: World, keycloak_mutual: Mutual):
    """Neither the client id alone nor the secret that Keycloak keeps for every client, with or without TLS."""
    world.converge(estate(TLS))
    secret = {
        **FORM,
        "client_secret": keycloak.call("GET", f"/clients/{client(keycloak)['id']}/client-secret")["value"],
    }
    for form in (FORM, secret):
        with pytest.raises(AssertionError, match=REFUSED):
            keycloak_mutual.token(form)
    with pytest.raises(AssertionError, match=REFUSED):
        keycloak.token("payments", secret["client_secret"])


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("cn = batch , o = Example", "CN=batch,O=Example"),
        ("emailAddress=jobs@example.com,CN=batch", "1.2.840.113549.1.9.1=jobs@example.com,CN=batch"),
        (r"serialNumber=7,CN=B\C3\A4tch,O=Example\, Inc.", r"2.5.4.5=7,CN=Bätch,O=Example\, Inc."),
    ],
    ids=["blanks and names of parts", "an address", "as openssl prints it"],
)
def test_a_subject_may_be_written_in_every_way_of_the_standard(
    world: World, keycloak_mutual: Mutual, written: str, subject: str
):
    """What is the same for RFC 4514 is the same for the server."""
    world.converge(estate(f"auth: tls, subjectDn: {json.dumps(written)}"))
    assert keycloak_mutual.token(FORM, keycloak_mutual.certificate(subject))


def test_a_certificate_of_an_unknown_authority_does_not_get_through(
    world: World, keycloak_mutual: Mutual, tmp_path: Path
):
    """The server ends the connection, whatever the subject says."""
    world.converge(estate(TLS))
    authority(tmp_path)
    forged = keycloak_mutual.certificate(SUBJECT, of=tmp_path)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        keycloak_mutual.token(FORM, forged)


def test_a_client_that_was_no_tls_client_compares_exactly_too(world: World, keycloak_mutual: Mutual):
    """Where nothing is said Keycloak takes a subject for a pattern: that it is none is said in an update as well."""
    world.converge(ESTATE)
    world.converge(estate(SPACED))
    ours, stranger = map(keycloak_mutual.certificate, (SUBJECT, SUBJECT.replace(".", "-")))
    assert keycloak_mutual.token(FORM, ours)
    with pytest.raises(AssertionError, match=REFUSED):
        keycloak_mutual.token(FORM, stranger)


def test_a_subject_that_counts_as_a_pattern_is_drift(keycloak: Keycloak, world: World, keycloak_mutual: Mutual):
    """Also where the switch is gone, which means the same: it is found, and set again."""
    world.converge(estate(SPACED))
    data = client(keycloak)
    put(keycloak, data, attributes={**data["attributes"], "x509.allow.regex.pattern.comparison": ""})
    stranger = keycloak_mutual.certificate(SUBJECT.replace(".", "-"))
    assert keycloak_mutual.token(FORM, stranger)
    assert [f.path for _, _, fields in world.pending(estate(SPACED)) for f in fields] == ["proof.pattern"]
    world.converge(estate(SPACED))
    with pytest.raises(AssertionError, match=REFUSED):
        keycloak_mutual.token(FORM, stranger)


def test_the_authority_of_the_manifest_must_have_signed(keycloak: Keycloak, world: World, keycloak_mutual: Mutual):
    """Of all that the server trusts only this one counts; what is changed by hand is found."""
    ours = keycloak_mutual.certificate(SUBJECT)
    world.converge(estate(f'{TLS}, caSubjectDn: "{keycloak_mutual.name}"'))
    assert keycloak_mutual.token(FORM, ours)
    data = client(keycloak)
    put(keycloak, data, attributes={**data["attributes"], "x509.casubjectdn": ""})
    other = estate(f'{TLS}, caSubjectDn: "CN=Another CA"')
    assert [f.path for _, _, fields in world.pending(other) for f in fields] == ["proof.ca_subject_dn"]
    world.converge(other)
    with pytest.raises(AssertionError, match=REFUSED):
        keycloak_mutual.token(FORM, ours)


@dataclass(frozen=True, slots=True)
class Way:
    """How a client proves itself: in the manifest, and at the token endpoint."""

    proof: str
    login: Callable[[], dict[str, Any]]


def by_secret(keycloak: Keycloak, _: Mutual) -> Way:
    """With the secret that Keycloak made."""
    return Way("auth: client-secret", lambda: keycloak.token("payments", client(keycloak)["secret"]))


def by_signed_secret(keycloak: Keycloak, _: Mutual) -> Way:
    """With an assertion that the secret signs."""

    def login() -> dict[str, Any]:
        shared = JWK(kty="oct", k=base64url_encode(client(keycloak)["secret"]))
        return asserted(keycloak, forging.Signer(shared, "", "HS256"))

    return Way("auth: client-secret-jwt", login)


def by_key(keycloak: Keycloak, _: Mutual) -> Way:
    """With an assertion that the client's own key signs."""
    signer, known = forging.client_key("payments")
    return Way(f"auth: private-key-jwt, certificate: {json.dumps(known)}", lambda: asserted(keycloak, signer))


def by_certificate(_: Keycloak, mutual: Mutual) -> Way:
    """With a certificate of TLS."""
    own = mutual.certificate(SUBJECT)
    return Way(TLS, lambda: mutual.token(FORM, own))


def asserted(keycloak: Keycloak, signer: forging.Signer) -> dict[str, Any]:
    """Return the token endpoint's answer to a signed assertion."""
    return token(keycloak.faults.port, keycloak.realm, forging.assertion(signer, "payments", keycloak))


@pytest.mark.parametrize("way", [by_secret, by_signed_secret, by_key, by_certificate])
def test_a_disabled_client_gets_no_token_until_it_is_enabled_again(
    keycloak: Keycloak, world: World, keycloak_mutual: Mutual, way: Callable[[Keycloak, Mutual], Way]
):
    """Whatever it proves itself with."""
    it = way(keycloak, keycloak_mutual)
    world.converge(estate(it.proof))
    assert it.login()
    world.converge(estate(it.proof, enabled=False))
    with pytest.raises(AssertionError, match=REFUSED):
        it.login()
    world.converge(estate(it.proof))
    assert it.login()


@contextmanager
def published(mutual: Mutual, signer: forging.Signer) -> Iterator[str]:
    """Publish the public half of a key over TLS while the block runs, under an authority the server trusts."""
    public = {**json.loads(signer.key.export_public()), "use": "sig", "alg": signer.algorithm, "kid": signer.kid}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with the key."""
            self.send_response_only(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [public]}).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mutual.folder / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/jwks.json"
    finally:
        server.shutdown()
        server.server_close()


def test_a_key_that_the_client_publishes_opens_it_and_no_other_does(
    keycloak: Keycloak, world: World, keycloak_mutual: Mutual
):
    """Keycloak fetches it from where the manifest says; an algorithm that the manifest does not name is refused."""
    ours, stranger = (forging.client_key("payments")[0] for _ in range(2))
    with published(keycloak_mutual, ours) as url:
        world.converge(estate(f'jwksUrl: "{url}", signingAlgorithm: ES256'))
        assert asserted(keycloak, ours)
        with pytest.raises(AssertionError, match=REFUSED):
            asserted(keycloak, stranger)
        world.converge(estate(f'jwksUrl: "{url}", signingAlgorithm: ES512'))
        with pytest.raises(AssertionError, match=REFUSED):
            asserted(keycloak, ours)
