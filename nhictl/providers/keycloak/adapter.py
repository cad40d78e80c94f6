"""The Keycloak adapter: what nhictl knows about a realm. Pure; python-keycloak is imported when a session is opened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Permission, Resource
from nhictl.providers.base import Capabilities, Compiled, Draft, Kind, Session
from nhictl.providers.keycloak import access, desired, drafting
from nhictl.providers.keycloak.names import APPLICATION, CLIENT, CLIENT_ROLE, IDP, REALM_ROLE, SCOPE

_ALL = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT, Action.FORGET})
_REPLACED = _ALL | {Action.REPLACE}
_LABELS = frozenset({"labels"})
_PROTOCOL = frozenset({"protocol"})

CAPABILITIES = Capabilities(
    provider="keycloak",
    version="1",
    kinds={
        CLIENT: Kind(
            "client with a service account", _REPLACED | {Action.DISABLE}, immutable=_PROTOCOL, partial=_LABELS,
            mark="bulk", identity=True, rename=True,
        ),
        APPLICATION: Kind("client without a service account"),
        REALM_ROLE: Kind("realm role", _ALL, partial=_LABELS, mark="bulk", rename=True),
        CLIENT_ROLE: Kind("client role", _ALL, partial=_LABELS, mark="bulk", rename=True),
        SCOPE: Kind("client scope", _REPLACED, immutable=_PROTOCOL, partial=_LABELS, mark="bulk", rename=True),
        IDP: Kind(
            "identity provider", _REPLACED, immutable=frozenset({"provider"}), partial=_LABELS | {"config"},
            mark="bulk",
        ),
    },
    workers=4,
    settle=10.0,
    revoke="coarse",
    reads="pages of clients, roles, client scopes and identity providers, and the details of what is declared",
)  # fmt: skip

SETTINGS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "url": {
            "type": "string", "maxLength": 512, "pattern": "^https?://[^@\\s?#]+$",
            "description": "The server, with its path if it has one. Without it: KEYCLOAK_URL.",
        },
        "realm": {
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/\\s]+$",
            "description": "The realm. Without it: KEYCLOAK_REALM.",
        },
        "realmId": {
            "type": "string", "minLength": 1, "maxLength": 64,
            "description": "The realm's id: a realm of the same name with another id is refused.",
        },
        "authRealm": {
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/\\s]+$",
            "description": "The realm nhictl logs in to, where that is another one.",
        },
        "clientId": {
            "type": "string", "minLength": 1, "maxLength": 255,
            "description": "The client nhictl logs in as. Without it: KEYCLOAK_CLIENT_ID.",
        },
        "secretVariable": {
            "type": "string", "maxLength": 128, "pattern": "^[A-Z_][A-Z0-9_]*$",
            "description": "The environment variable with the client's secret: KEYCLOAK_CLIENT_SECRET unless set.",
        },
        "keyFile": {
            "type": "string", "minLength": 1, "maxLength": 1024,
            "description": "A file with the client's private key in PEM, to log in with a signed assertion.",
        },
        "caFile": {
            "type": "string", "minLength": 1, "maxLength": 1024,
            "description": "A file with the certificates to trust. Without it: REQUESTS_CA_BUNDLE, SSL_CERT_FILE.",
        },
        "plainHttp": {
            "type": "boolean", "default": False,
            "description": "Allow a connection without TLS, to a loopback address only.",
        },
        "settleTime": {
            "type": "string", "maxLength": 7, "pattern": "^[1-9][0-9]{0,5}[smhdw]$",
            "description": "How long a write whose reply was lost may still take effect: 10s unless set.",
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeycloakAdapter:
    """The provider `keycloak`."""

    name: str = "keycloak"
    capabilities: Capabilities = CAPABILITIES
    settings_schema: Mapping[str, Any] = field(default_factory=lambda: SETTINGS_SCHEMA)

    def desired(self, estate: Estate) -> Compiled:
        """Return what an estate means in the target's realm."""
        return desired.compile_estate(estate)

    def permissions(self, resource: Resource, known: Mapping[Address, Resource]) -> Iterable[Permission]:
        """Return the whole access of a client's service account, through the roles and scopes in `known`."""
        return tuple(access.permissions(resource, known))

    def drafts(self, live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterable[Draft]:
        """Return manifests for live clients, roles, scopes and identity providers."""
        return tuple(drafting.drafts(live, wanted))

    def connect(self, target: Target, *, write: bool) -> AbstractContextManager[Session]:
        """Open a session to the target's realm with the credentials of the environment."""
        from nhictl.providers.keycloak import connect

        return connect.session(target, write=write)


adapter = KeycloakAdapter()
