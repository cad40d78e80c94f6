"""What Keycloak calls things: kinds, names of objects, the mark, and what belongs to Keycloak itself. Pure.

Rules enforced here:
- a client role is named `CLIENT/ROLE`, with `%` and `/` of the client id escaped: a client id may be a URL;
- the mark is three attributes (`nhictl.owner`, `nhictl.ref`, `nhictl.operation`), whatever the kind;
- what Keycloak makes by itself in every realm is told from these tables, which were read from a fresh realm of 26.7.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nhictl.model import Address, Mark, Operation

CLIENT = "client"
APPLICATION = "application"
REALM_ROLE = "realm-role"
CLIENT_ROLE = "client-role"
SCOPE = "client-scope"
IDP = "identity-provider"
KINDS = (CLIENT, APPLICATION, REALM_ROLE, CLIENT_ROLE, SCOPE, IDP)

OWNER, REF, OPERATION = "nhictl.owner", "nhictl.ref", "nhictl.operation"
MARK_KEYS = frozenset({OWNER, REF, OPERATION})
LABEL = "nhictl.label."
_EVERYBODYS = "default-roles-"
DEFAULT, OPTIONAL = "default", "optional"
MANAGEMENT = "realm-management"

BUILTIN_CLIENTS = frozenset({"account", "account-console", "admin-cli", "broker", MANAGEMENT, "security-admin-console"})
BASELINE_ROLES = frozenset(
    {
        "realm-role/offline_access", "realm-role/uma_authorization", "client-role/account/manage-account",
        "client-role/account/view-profile",
    }
)  # fmt: skip
BUILTIN_REALM_ROLES = frozenset({"offline_access", "uma_authorization"})
MASTER_REALM_ROLES = frozenset({"admin", "create-realm"})
DEFAULT_SCOPES = frozenset(
    {
        "web-origins", "acr", "profile", "roles", "basic", "email", "service_account",
        "role_list", "saml_organization", "AuthnContextClassRef",
    }
)  # fmt: skip
OPTIONAL_SCOPES = frozenset({"address", "phone", "organization", "offline_access", "microprofile-jwt"})
BUILTIN_SCOPES = DEFAULT_SCOPES | OPTIONAL_SCOPES
# Mappers that releases before 25 put on every client with a service account; later ones have them in a scope.
BASELINE_MAPPERS = frozenset({"Client Host", "Client ID", "Client IP Address"})
OWN_CLIENT_ROLE = "uma_protection"

_ADMIN_COMPOSITES: Mapping[str, tuple[str, ...]] = {
    "view-users": ("query-groups", "query-users"),
    "view-clients": ("query-clients",),
    "view-organizations": ("query-organizations",),
}
ADMIN_ROLES = frozenset(
    {
        "create-client", "impersonation", "manage-authorization", "manage-clients", "manage-events",
        "manage-identity-providers", "manage-organizations", "manage-realm", "manage-users", "query-clients",
        "query-groups", "query-organizations", "query-realms", "query-users", "view-authorization", "view-clients",
        "view-events", "view-identity-providers", "view-organizations", "view-realm", "view-users",
    }
)  # fmt: skip
_ACCOUNT_COMPOSITES: Mapping[str, tuple[str, ...]] = {
    "manage-account": ("manage-account-links",),
    "manage-consent": ("view-consent",),
}


def escaped(client: str) -> str:
    """Return a client id as the first part of a client role's name."""
    return client.replace("%", "%25").replace("/", "%2F")


def role_name(client: str, role: str) -> str:
    """Return the name of a client role: `CLIENT/ROLE`."""
    return f"{escaped(client)}/{role}"


def split_role(name: str) -> tuple[str, str]:
    """Return client id and role of a client role's name."""
    client, _, role = name.partition("/")
    return client.replace("%2F", "/").replace("%25", "%"), role


def role_text(kind: str, name: str) -> str:
    """Return a role as attributes name it: `realm-role/NAME` or `client-role/CLIENT/ROLE`."""
    return f"{kind}/{name}"


def role_address(target: str, text: str) -> Address:
    """Return the address of a role that an attribute names."""
    kind, _, name = text.partition("/")
    return Address(target, kind, name)


def role_of(data: Mapping[str, Any], clients: Mapping[str, str]) -> str:
    """Return the text of a role as Keycloak represents it; `clients` maps ids of clients to client ids."""
    if not data.get("clientRole"):
        return role_text(REALM_ROLE, data["name"])
    container = str(data.get("containerId", ""))
    return role_text(CLIENT_ROLE, role_name(clients.get(container, container), data["name"]))


def builtin_client(client: str, realm: str) -> str:
    """Say why a client is Keycloak's own; empty when it is not. In `master` each realm has a client of its own."""
    if client in BUILTIN_CLIENTS:
        return "built-in client"
    return "administration of a realm" if realm == "master" and client.endswith("-realm") else ""


def builtin_role(text: str, realm: str) -> str:
    """Say why a role is Keycloak's own; empty when it is not."""
    kind, _, name = text.partition("/")
    if kind == CLIENT_ROLE:
        client, role = split_role(name)
        if role == OWN_CLIENT_ROLE:
            return "role of an authorization service"
        return "role of a built-in client" if builtin_client(client, realm) else ""
    own = BUILTIN_REALM_ROLES | (MASTER_REALM_ROLES if realm == "master" else frozenset())
    return "built-in role" if name in own or name == default_role(realm) else ""


def builtin_scope(name: str) -> str:
    """Say why a client scope is Keycloak's own; empty when it is not."""
    return "built-in client scope" if name in BUILTIN_SCOPES else ""


def baseline_scope(name: str, position: str) -> bool:
    """True for a scope that Keycloak itself gives to every new client in this position."""
    return name in (DEFAULT_SCOPES if position == DEFAULT else OPTIONAL_SCOPES)


def default_role(realm: str) -> str:
    """Return the name of the realm role that Keycloak gives to every account."""
    return f"{_EVERYBODYS}{realm.lower()}"


def is_default_role(name: str) -> bool:
    """True for a role that is called like the one that every account of a realm has."""
    return name.startswith(_EVERYBODYS)


def builtin_composites(text: str, realm: str) -> tuple[str, ...]:
    """Return the roles that a role of Keycloak's own includes, whether or not it was read: the release fixes them."""
    kind, _, name = text.partition("/")
    if kind != CLIENT_ROLE:
        return ()
    client, role = split_role(name)
    if client == "account":
        found: Iterable[str] = _ACCOUNT_COMPOSITES.get(role, ())
    elif client == MANAGEMENT or (realm == "master" and client.endswith("-realm")):
        found = sorted(ADMIN_ROLES) if role == "realm-admin" else _ADMIN_COMPOSITES.get(role, ())
    else:
        return ()
    return tuple(role_text(CLIENT_ROLE, role_name(client, one)) for one in found)


def marked(attributes: Mapping[str, Any]) -> Mark | None:
    """Return the mark in an object's attributes; values may be lists, as those of roles are."""
    owner, ref, operation = (_first(attributes.get(key)) for key in (OWNER, REF, OPERATION))
    return Mark(owner, ref, operation) if owner else None


def _first(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return str(value[0]) if value else ""
    return str(value) if value is not None else ""


def mark(operation: Operation, subject: str) -> dict[str, str]:
    """Return the attributes of a mark."""
    return {OWNER: operation.owner, REF: subject, OPERATION: operation.id}
