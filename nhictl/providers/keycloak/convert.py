"""Keycloak's representations to resources, and back to the fields of a request. Pure.

Rules enforced here:
- every attribute is read by name from an allow-list; the configuration of mappers and identity providers is read
  without any key that names a secret; `secret` and the attributes of rotated secrets are never read, only their times;
- what a release gives to every new client (scopes, mappers, the default role) is not an attribute: it is no drift;
- a mapper is its type and configuration by name; ids, protocol and consent are left out.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from nhictl.model import Address, Resource, Value, ordered_set
from nhictl.providers.keycloak import names
from nhictl.providers.keycloak.names import CLIENT, DEFAULT, LABEL, MARK_KEYS, OPTIONAL

AUTHENTICATORS = {
    "client-secret": "client-secret",
    "client-secret-jwt": "client-secret-jwt",
    "private-key-jwt": "client-jwt",
    "tls": "client-x509",
    "federated-jwt": "federated-jwt",
}
_METHODS = {there: here for here, there in AUTHENTICATORS.items()}
_FLOWS = {
    "standard": "standardFlowEnabled",
    "implicit": "implicitFlowEnabled",
    "direct": "directAccessGrantsEnabled",
}
_ATTRIBUTE_FLOWS = {
    "device": "oauth2.device.authorization.grant.enabled",
    "ciba": "oidc.ciba.grant.enabled",
    "token-exchange": "standard.token.exchange.enabled",
    "jwt-authorization": "oauth2.jwt.authorization.grant.enabled",
}
_LIFESPAN = "access.token.lifespan"
_SECRET_TIME, _SECRET_EXPIRY = "client.secret.creation.time", "client.secret.expiration.time"
_ROTATED = "client.secret.rotated"
_SECRETIVE = re.compile(r"secret|passw|private|credential|apikey|api[._-]key", re.IGNORECASE)
_IN_SCOPE = "include.in.token.scope"
_AUDIENCE = "oidc-audience-mapper"
IDP_FLAGS = {
    "trust_email": "trustEmail",
    "store_token": "storeToken",
    "link_only": "linkOnly",
    "hide_on_login": "hideOnLogin",
}


def secretive(key: str) -> bool:
    """True for a configuration key whose value may be a secret: it is neither read nor declared."""
    return key != "clientAuthMethod" and _SECRETIVE.search(key) is not None


def is_identity(data: Mapping[str, Any]) -> bool:
    """True for a client with a service account, or with our mark: it may have lost its service account."""
    return bool(data.get("serviceAccountsEnabled")) or names.marked(data.get("attributes") or {}) is not None


# Clients


def client(address: Address, data: Mapping[str, Any], facts: Mapping[str, Value] | None = None) -> Resource:
    """Return a client with a service account, without what costs further calls: roles and groups."""
    kept = data.get("attributes") or {}
    method = auth_of(data)
    scopes = scopes_of(data)
    attributes: dict[str, Value] = {
        "protocol": data.get("protocol") or "openid-connect",
        "enabled": data.get("enabled") is True,
        "service_account": data.get("serviceAccountsEnabled") is True,
        "description": data.get("description") or "",
        "auth": method,
        "proof": proof_of(method, kept),
        "flows": flows_of(data),
        "scopes": scopes,
        "mappers": {
            name: value
            for name, value in mappers_of(data.get("protocolMappers")).items()
            if name not in names.BASELINE_MAPPERS or value["type"] != "oidc-usersessionmodel-note-mapper"
        },
        "token_lifespan": _whole(kept.get(_LIFESPAN)),
        "labels": labels_of(kept),
    }
    found: dict[str, Value] = {"credentials": credentials_of(method, kept, attributes["proof"]), **(facts or {})}
    if not data.get("fullScopeAllowed", True):
        found["full_scope_allowed"] = False
    if tags := tags_of(kept):
        found["tags"] = tags
    if data.get("authorizationServicesEnabled"):
        found["authorization_services"] = True
    return Resource(
        address,
        attributes,
        depends_on=tuple(sorted(Address(address.target, names.SCOPE, name) for name in scopes)),
        native_id=data["id"],
        mark=names.marked(kept),
        facts=found,
    )


def application(address: Address, data: Mapping[str, Any], builtin: str) -> Resource:
    """Return a client without a service account: people log in to it, or it only receives tokens."""
    attributes: dict[str, Value] = {
        "protocol": data.get("protocol") or "openid-connect",
        "enabled": data.get("enabled") is True,
        "auth": auth_of(data),
        "flows": flows_of(data),
    }
    return Resource(address, attributes, native_id=data["id"], facts={"builtin": builtin} if builtin else {})


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
        found["subject_dn"] = kept.get("x509.subjectdn") or ""
        if kept.get("x509.allow.regex.pattern.comparison") == "true":
            found["pattern"] = True
    if method == "federated-jwt":
        found["issuer"] = kept.get("jwt.credential.issuer") or ""
        found["subject"] = kept.get("jwt.credential.sub") or ""
    if method in ("private-key-jwt", "client-secret-jwt") and kept.get("token.endpoint.auth.signing.alg"):
        found["algorithm"] = kept["token.endpoint.auth.signing.alg"]
    return found


def proof_attributes(method: str, proof: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a proof; empty text removes one."""
    if method == "private-key-jwt":
        return {
            "use.jwks.url": _truth("jwks_url" in proof),
            "jwks.url": str(proof.get("jwks_url", "")),
            "use.jwks.string": _truth("jwks" in proof),
            "jwks.string": str(proof.get("jwks", "")),
            "jwt.credential.certificate": str(proof.get("certificate", "")),
            "token.endpoint.auth.signing.alg": str(proof.get("algorithm", "")),
        }
    if method == "tls":
        return {
            "x509.subjectdn": str(proof.get("subject_dn", "")),
            "x509.allow.regex.pattern.comparison": _truth(proof.get("pattern") is True),
        }
    if method == "federated-jwt":
        return {
            "jwt.credential.issuer": str(proof.get("issuer", "")),
            "jwt.credential.sub": str(proof.get("subject", "")),
        }
    return {"token.endpoint.auth.signing.alg": str(proof["algorithm"])} if "algorithm" in proof else {}


def flows_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which ways to a token besides the service account are open."""
    kept = data.get("attributes") or {}
    on = [name for name, key in _FLOWS.items() if data.get(key)]
    return ordered_set([*on, *(name for name, key in _ATTRIBUTE_FLOWS.items() if kept.get(key) == "true")])


def flow_fields(flows: Iterable[str]) -> tuple[dict[str, bool], dict[str, str]]:
    """Return the fields and the attributes that open exactly these flows."""
    wanted = set(flows)
    return (
        {key: name in wanted for name, key in _FLOWS.items()},
        {key: _truth(name in wanted) for name, key in _ATTRIBUTE_FLOWS.items()},
    )


def scopes_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return a client's scopes by name, without those that every new client has in the same position."""
    pairs = [(name, OPTIONAL) for name in data.get("optionalClientScopes") or ()]
    pairs += [(name, DEFAULT) for name in data.get("defaultClientScopes") or ()]
    return {name: position for name, position in sorted(pairs) if not names.baseline_scope(name, position)}


def credentials_of(method: str, kept: Mapping[str, Any], proof: Value) -> tuple[Value, ...]:
    """Return facts about what a client can prove itself with; never a value."""
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


def _dated(kind: str, name: str, created: Any, expires: Any) -> dict[str, Value]:
    times = {"created": moment(created), "expires": moment(expires)}
    return {"kind": kind, "id": name, "status": "active", **{k: v for k, v in times.items() if v}}


def moment(seconds: Any) -> str:
    """Return epoch seconds, a number or its text, as RFC 3339; empty for anything else and for zero."""
    number = _whole(seconds)
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


def tags_of(kept: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes that people give: short, without a dot in the name, which Keycloak's own have."""
    return {
        key: text
        for key, value in sorted(kept.items())
        if "." not in key and key != "realm_client" and not secretive(key) and len(text := _text(value)) <= 256
    }


# Mappers, labels


def mappers_of(found: Iterable[Mapping[str, Any]] | None) -> dict[str, dict[str, Value]]:
    """Return mappers by name: of a client, a scope or (other keys) an identity provider."""
    return {
        m["name"]: {
            "type": m.get("protocolMapper") or m.get("identityProviderMapper") or "",
            "config": mapper_config(m.get("config") or {}),
        }
        for m in sorted(found or (), key=lambda m: str(m["name"]))
    }


def mapper_config(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a configuration without secrets, without what is empty, and without what its absence means as well.

    A claim is in no access token and no ID token unless it says so, in user information as in ID tokens, and in what
    introspection answers (OIDCAttributeMapperHelper of Keycloak); the server itself fills some of these in.
    """
    found = {k: _text(v) for k, v in sorted(config.items()) if v not in (None, "") and not secretive(k)}
    same = found.get("id.token.claim", "false")
    usual = {"access.token.claim": "false", "id.token.claim": "false", "lightweight.claim": "false",
             "userinfo.token.claim": same, "introspection.token.claim": "true"}  # fmt: skip
    return {k: v for k, v in found.items() if usual.get(k) != v}


def audience(value: str) -> tuple[str, dict[str, Value]]:
    """Return the mapper that puts an audience into access tokens, as `audiences` in a manifest means it."""
    config = {"access.token.claim": "true", "included.custom.audience": value}
    return f"audience {value}", {"type": _AUDIENCE, "config": config}


def labels_of(kept: Mapping[str, Any]) -> dict[str, Value]:
    """Return our labels among an object's attributes."""
    return {k.removeprefix(LABEL): _text(v) for k, v in sorted(kept.items()) if k.startswith(LABEL)}


# Roles, scopes, identity providers


def role(address: Address, data: Mapping[str, Any], included: Iterable[str] | None, builtin: str = "") -> Resource:
    """Return a realm or client role; `included` are the roles in it, None when they were not read."""
    kept = data.get("attributes") or {}
    attributes: dict[str, Value] = {"description": data.get("description") or "", "labels": labels_of(kept)}
    if included is not None:
        attributes["roles"] = ordered_set(included)
    texts = cast("tuple[str, ...]", attributes.get("roles", ()))
    return Resource(
        address,
        attributes,
        depends_on=tuple(sorted(names.role_address(address.target, text) for text in texts)),
        native_id=data["id"],
        mark=names.marked(kept),
        facts={"builtin": builtin} if builtin else {},
    )


def scope(address: Address, data: Mapping[str, Any]) -> Resource:
    """Return a client scope with its mappers."""
    kept = data.get("attributes") or {}
    attributes: dict[str, Value] = {
        "protocol": data.get("protocol") or "openid-connect",
        "description": data.get("description") or "",
        "in_token_scope": kept.get(_IN_SCOPE, "true") != "false",
        "mappers": mappers_of(data.get("protocolMappers")),
        "labels": labels_of(kept),
    }
    builtin = names.builtin_scope(address.name)
    return Resource(
        address,
        attributes,
        native_id=data["id"],
        mark=names.marked(kept),
        facts={"builtin": builtin} if builtin else {},
    )


def scope_attributes(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a scope that nhictl sets."""
    return {_IN_SCOPE: _truth(attributes["in_token_scope"])}


def identity_provider(
    address: Address, data: Mapping[str, Any], mappers: Iterable[Mapping[str, Any]] | None
) -> Resource:
    """Return an identity provider; `mappers` is None when they were not read."""
    kept = data.get("config") or {}
    attributes: dict[str, Value] = {
        "provider": data.get("providerId") or "",
        "enabled": data.get("enabled") is True,
        "display_name": data.get("displayName") or "",
        "config": {k: v for k, v in mapper_config(kept).items() if k not in MARK_KEYS and not k.startswith(LABEL)},
        "labels": labels_of(kept),
        **{name: data.get(key) is True for name, key in IDP_FLAGS.items()},
    }
    if mappers is not None:
        attributes["mappers"] = mappers_of(mappers)
    return Resource(address, attributes, native_id=data["internalId"], mark=names.marked(kept))


def client_address(target: str, data: Mapping[str, Any], *, identity: bool) -> Address:
    """Return where a client stands."""
    return Address(target, CLIENT if identity else names.APPLICATION, data["clientId"])


def _whole(value: Any) -> int:
    text = str(value) if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return str(value[0]) if len(value) == 1 else ",".join(map(str, value))
    return str(value)
