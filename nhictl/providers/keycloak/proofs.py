"""How a client proves itself: what a proof is checked against, and facts about credentials. Pure.

Rules enforced here: `secret` and the attributes of rotated secrets are never read, only their times.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from nhictl.model import Value
from nhictl.providers.keycloak.mapping import truth, whole

AUTHENTICATORS = {
    "client-secret": "client-secret",
    "client-secret-jwt": "client-secret-jwt",
    "private-key-jwt": "client-jwt",
    "tls": "client-x509",
    "federated-jwt": "federated-jwt",
}
_METHODS = {there: here for here, there in AUTHENTICATORS.items()}
_SECRET_TIME, _SECRET_EXPIRY = "client.secret.creation.time", "client.secret.expiration.time"
_ROTATED = "client.secret.rotated"
_SUBJECT, _ISSUER, _PATTERN = "x509.subjectdn", "x509.casubjectdn", "x509.allow.regex.pattern.comparison"
# off has to be said of these: Keycloak takes their absence for on (OIDCAdvancedConfigWrapper)
ON_UNLESS_SAID = frozenset({_PATTERN})
_NAMED = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=")


def auth_of(data: Mapping[str, Any]) -> str:
    """Return how a client proves itself, in the words of manifests where there is one."""
    if data.get("publicClient"):
        return "public"
    if data.get("bearerOnly"):
        return "bearer-only"
    there = str(data.get("clientAuthenticatorType") or "client-secret")
    return _METHODS.get(there, there)


def proof_of(method: str, kept: Mapping[str, Any]) -> dict[str, Value]:
    """Return what a client's proof is checked against; nothing for a shared secret."""
    found: dict[str, Value] = {}
    if method == "private-key-jwt":
        if kept.get("use.jwks.url") == "true":
            found["jwks_url"] = kept.get("jwks.url") or ""
        elif kept.get("use.jwks.string") == "true":
            found["jwks"] = kept.get("jwks.string") or ""
        elif kept.get("jwt.credential.certificate"):
            found["certificate"] = kept["jwt.credential.certificate"]
    if method == "tls":
        found |= _certificate(kept)
    if method == "federated-jwt":
        found["issuer"] = kept.get("jwt.credential.issuer") or ""
        found["subject"] = kept.get("jwt.credential.sub") or ""
    if method in ("private-key-jwt", "client-secret-jwt") and kept.get("token.endpoint.auth.signing.alg"):
        found["algorithm"] = kept["token.endpoint.auth.signing.alg"]
    return found


def _certificate(kept: Mapping[str, Any]) -> dict[str, Value]:
    """Return what a certificate is compared with; without a subject none is accepted, whatever else is there."""
    found: dict[str, Value] = {"subject_dn": kept.get(_SUBJECT) or ""}
    if found["subject_dn"] and kept.get(_ISSUER):
        found["ca_subject_dn"] = kept[_ISSUER]
    if found["subject_dn"] and str(kept.get(_PATTERN) or "true").lower() == "true":
        found["pattern"] = True
    return found


def distinguished(text: str) -> bool:
    """True for text that begins as a name does (RFC 4514): with any other Keycloak refuses every certificate."""
    return _NAMED.match(text) is not None


def proof_attributes(method: str, proof: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a proof; empty text removes one."""
    if method == "private-key-jwt":
        return {
            "use.jwks.url": truth("jwks_url" in proof),
            "jwks.url": str(proof.get("jwks_url", "")),
            "use.jwks.string": truth("jwks" in proof),
            "jwks.string": str(proof.get("jwks", "")),
            "jwt.credential.certificate": str(proof.get("certificate", "")),
            "token.endpoint.auth.signing.alg": str(proof.get("algorithm", "")),
        }
    if method == "tls":
        return {
            _SUBJECT: str(proof.get("subject_dn", "")),
            _ISSUER: str(proof.get("ca_subject_dn", "")),
            _PATTERN: truth(proof.get("pattern") is True),
        }
    if method == "federated-jwt":
        return {
            "jwt.credential.issuer": str(proof.get("issuer", "")),
            "jwt.credential.sub": str(proof.get("subject", "")),
        }
    return {"token.endpoint.auth.signing.alg": str(proof["algorithm"])} if "algorithm" in proof else {}


def credentials_of(method: str, kept: Mapping[str, Any], proof: Value) -> tuple[Mapping[str, Value], ...] | None:
    """Return facts about what a client can prove itself with, never a value; None for a way that is not known here."""
    if method not in AUTHENTICATORS:
        return () if method in ("public", "bearer-only") else None
    if method in ("client-secret", "client-secret-jwt"):
        current = _dated("client-secret", "current", kept.get(_SECRET_TIME), kept.get(_SECRET_EXPIRY))
        if not kept.get(_ROTATED):
            return (current,)
        times = kept.get(f"{_ROTATED}.creation.time"), kept.get(f"{_ROTATED}.expiration.time")
        return (current, _dated("client-secret", "rotated", *times))
    found = cast("Mapping[str, str]", proof)
    if "certificate" in found:
        return ({"kind": "certificate", "id": fingerprint(found["certificate"]), "status": "active"},)
    if "jwks" in found:
        digest = hashlib.sha256(found["jwks"].encode()).hexdigest()
        return ({"kind": "private-key", "id": f"jwks sha256:{digest[:16]}", "status": "active"},)
    for key, kind in (("jwks_url", "private-key"), ("subject_dn", "certificate"), ("subject", "federated")):
        if found.get(key):
            return ({"kind": kind, "id": str(found[key]), "status": "active"},)
    return ()


def rotating(data: Mapping[str, Any]) -> bool:
    """True while a rotated secret still works beside the current one."""
    return bool((data.get("attributes") or {}).get(_ROTATED))


def judged(credentials: Iterable[Mapping[str, Value]], now: dt.datetime) -> tuple[Value, ...]:
    """Return credentials with those that have ended said to be expired: the server takes them no more."""
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return tuple({**c, "status": "expired"} if "" < str(c.get("expires", "")) < at else c for c in credentials)


def _dated(kind: str, name: str, created: Any, expires: Any) -> dict[str, Value]:
    """Return a secret's facts. One without a time of its end never ends (OIDCClientSecretConfigWrapper of Keycloak)."""
    at = {"created": made} if (made := moment(created)) else {}
    return {"kind": kind, "id": name, "status": "active", **at, "expires": moment(expires)}


def moment(seconds: Any) -> str:
    """Return epoch seconds, a number or its text, as RFC 3339; empty for anything else and for zero."""
    number = whole(seconds)
    if not number or not 0 < number < 253402300800:
        return ""
    return dt.datetime.fromtimestamp(number, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def certificate(text: str) -> str:
    """Return a certificate as Keycloak keeps it: base64 of its DER form in one line."""
    return re.sub(r"-----[A-Z ]+-----|\s", "", text)


def fingerprint(text: str) -> str:
    """Return the SHA-256 fingerprint of a certificate in base64."""
    try:
        return "sha256:" + hashlib.sha256(base64.b64decode(certificate(text), validate=True)).hexdigest()
    except ValueError:
        return "unreadable"
