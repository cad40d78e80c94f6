"""Keycloak's representations to resources, and back to the fields of a request. Pure.

Rules enforced here:
- every attribute is read by name from an allow-list; the configuration of mappers and identity providers is read
  without any key that names a secret; `secret` and the attributes of rotated secrets are never read, only their times;
- what a release gives to every new client (scopes, mappers, the default role) is not an attribute: it is no drift;
- a mapper is its type and configuration by name; ids, protocol and consent are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, cast

from nhictl.model import Address, Resource, Value, ordered_set
from nhictl.providers.keycloak import names, proofs
from nhictl.providers.keycloak.mapping import labels_of, mapper_config, mappers_of, tags_of, truth, whole
from nhictl.providers.keycloak.names import CLIENT, DEFAULT, LABEL, MARK_KEYS, OPTIONAL
from nhictl.providers.keycloak.proofs import auth_of, credentials_of, proof_of

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
_IN_SCOPE = "include.in.token.scope"
IDP_FLAGS = {
    "trust_email": "trustEmail",
    "store_token": "storeToken",
    "link_only": "linkOnly",
    "hide_on_login": "hideOnLogin",
}


def is_identity(data: Mapping[str, Any]) -> bool:
    """True for a client with a service account, or with our mark: it may have lost its service account."""
    return bool(data.get("serviceAccountsEnabled")) or names.marked(data.get("attributes") or {}) is not None


# Clients


def client(
    address: Address, data: Mapping[str, Any], facts: Mapping[str, Value] | None = None, *,
    now: dt.datetime | None = None,
) -> Resource:  # fmt: skip
    """Return a client with a service account, without what costs further calls: roles and groups.

    Without `now` nothing is said to be expired.
    """
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
        "token_lifespan": lifespan_of(kept),
        "labels": labels_of(kept),
    }
    found: dict[str, Value] = dict(facts or {})
    if (credentials := credentials_of(method, kept, attributes["proof"])) is not None:
        found["credentials"] = proofs.judged(credentials, now) if now else credentials
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


def lifespan_of(kept: Mapping[str, Any]) -> int:
    """Return the lifetime of access tokens in seconds, 0 for the realm's, -1 for as long as a session may last."""
    return -1 if kept.get(_LIFESPAN) == "-1" else whole(kept.get(_LIFESPAN))


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
        {key: truth(name in wanted) for name, key in _ATTRIBUTE_FLOWS.items()},
    )


def scopes_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return a client's scopes by name, without those that every new client has in the same position."""
    pairs = [(name, OPTIONAL) for name in data.get("optionalClientScopes") or ()]
    pairs += [(name, DEFAULT) for name in data.get("defaultClientScopes") or ()]
    return {name: position for name, position in sorted(pairs) if not names.baseline_scope(name, position)}


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
    return {_IN_SCOPE: truth(attributes["in_token_scope"])}


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
