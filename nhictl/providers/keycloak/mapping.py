"""What objects of all kinds share: mappers, labels, tags, and values written as text. Pure.

Rules enforced here:
- configuration is read without any key that names a secret;
- a mapper is its type and configuration by name, without what its absence means as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nhictl.model import Value
from nhictl.providers.keycloak.names import LABEL

_SECRETIVE = re.compile(r"secret|passw|private|credential|apikey|api[._-]key|token\Z", re.IGNORECASE)
_AUDIENCE = "oidc-audience-mapper"


def secretive(key: str) -> bool:
    """True for a configuration key whose value may be a secret: it is neither read nor declared."""
    return key != "clientAuthMethod" and _SECRETIVE.search(key) is not None


def tags_of(kept: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes that people give: short, without a dot in the name, which Keycloak's own have."""
    return {
        key: text(value)
        for key, value in sorted(kept.items())
        if "." not in key and key != "realm_client" and not secretive(key) and len(text(value)) <= 256
    }


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
    found = {k: text(v) for k, v in sorted(config.items()) if v not in (None, "") and not secretive(k)}
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
    return {k.removeprefix(LABEL): text(v) for k, v in sorted(kept.items()) if k.startswith(LABEL)}


def text(value: Any) -> str:
    """Return a value of an attribute as text; those of roles are lists."""
    if isinstance(value, (list, tuple)):
        return str(value[0]) if len(value) == 1 else ",".join(map(str, value))
    return str(value)


def whole(value: Any) -> int:
    """Return a whole number of at most 15 digits, also from text; zero for anything else."""
    text = str(value) if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def truth(value: bool) -> str:
    """Return a truth value as attributes write it."""
    return "true" if value else "false"
