"""Tokens signed with a key of the realm: what its own key makes, with one thing changed. And keys of clients."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from tests.servers.keycloak import KEYS, Keycloak
from tests.servers.keycloak import token as asked


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the name the other side knows it by."""

    key: JWK
    kid: str
    algorithm: str = "RS256"

    def sign(self, claims: Mapping[str, Any], **header: str) -> str:
        """Return a signed token."""
        made = JWT(header={"alg": self.algorithm, "typ": "JWT", "kid": self.kid, **header}, claims=dict(claims))
        made.make_signed_token(self.key)
        return str(made.serialize())


def key_of_realm(keycloak: Keycloak) -> Signer:
    """Give the realm one more key, which we have, too."""
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = _pem(own)
    parent = keycloak.call("GET")["id"]
    config = {"priority": ["1"], "privateKey": [pem.decode()], "algorithm": ["RS256"]}
    made = {"name": "one-more", "providerId": "rsa", "providerType": KEYS, "parentId": parent, "config": config}
    keycloak.call("POST", "/components", made)
    (known,) = (k for k in keycloak.call("GET", "/keys")["keys"] if k.get("providerPriority") == 1)
    return Signer(JWK.from_pem(pem), known["kid"])


def stranger(kid: str) -> Signer:
    """Return a key that claims to be another."""
    return Signer(JWK.from_pem(_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))), kid)


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says."""
    body = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4))))


def unsigned(claims: Mapping[str, Any]) -> str:
    """Return a token that says it needs no signature."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def tampered(token: str, **changed: Any) -> str:
    """Return a token with other claims and the signature of the first."""
    head, _, signature = token.split(".")
    body = urlsafe_b64encode(json.dumps({**claims_of(token), **changed}).encode()).decode().rstrip("=")
    return f"{head}.{body}.{signature}"


def client_key(name: str) -> tuple[Signer, str]:
    """Return a client's own key, and the certificate that the realm gets to know it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2)).sign(key, hashes.SHA256())
    )  # fmt: skip
    signer = Signer(JWK.from_pem(_pem(key)), name, "ES256")
    return signer, certificate.public_bytes(serialization.Encoding.PEM).decode()


def assertion(signer: Signer, client_id: str, keycloak: Keycloak, *, audience: str = "") -> dict[str, str]:
    """Return the form in which a client proves itself with its key (RFC 7523)."""
    now = int(time.time())
    claims = {
        "iss": client_id, "sub": client_id, "aud": audience or keycloak.issuer, "jti": uuid.uuid4().hex,
        "iat": now, "exp": now + 60,
    }  # fmt: skip
    made = JWT(header={"alg": signer.algorithm, "typ": "JWT"}, claims=claims)
    made.make_signed_token(signer.key)
    return {
        "grant_type": "client_credentials", "client_id": client_id, "client_assertion": str(made.serialize()),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip


def token_of(keycloak: Keycloak, form: Mapping[str, str]) -> str:
    """Return the access token that a form gets. Raises AssertionError when it is refused."""
    return str(asked(keycloak.faults.port, keycloak.realm, form, keycloak.ca)["access_token"])


def _pem(key: Any) -> bytes:
    return bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
