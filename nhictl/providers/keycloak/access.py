"""What a client's service account may do, and how somebody becomes it, from resources alone. Pure.

Rules enforced here:
- roles count through composites, transitively; each says by which role it comes; what the realm gives to every account
  counts as far as it is more than a new realm gives;
- roles that administer the realm are `admin:ROLE`, every other role is `role:ROLE` on `realm` or on its client;
- a group of the service account is shown as `group:PATH`: what is in it was not read;
- a disabled client, and one without service account and flows, has no access, and nobody becomes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nhictl.model import Address, Permission, Resource
from nhictl.providers.keycloak import names
from nhictl.providers.keycloak.names import CLIENT_ROLE, MANAGEMENT, REALM_ROLE


def permissions(resource: Resource, known: Mapping[Address, Resource]) -> Iterator[Permission]:
    """Yield the whole access of a client: roles, scopes, groups, and how it proves itself."""
    attributes: Mapping[str, Any] = resource.attributes
    if not attributes.get("enabled", True):
        return
    source = str(resource.address)
    if attributes.get("service_account", True):
        yield from _roles(resource, known)
        for group in attributes.get("groups") or ():
            yield Permission("allow", f"group:{group}", "realm", source=source)
    for scope, position in (attributes.get("scopes") or {}).items():
        yield Permission("allow", f"scope:{scope}", position, source=f"{resource.address.target}/{names.SCOPE}/{scope}")
        yield from _audiences(known.get(Address(resource.address.target, names.SCOPE, scope)))
    yield from _audiences(resource)
    for flow in attributes.get("flows") or ():
        yield Permission("assume", f"flow:{flow}", resource.address.name, source=source)
    yield from _proof(resource, attributes)


def _roles(resource: Resource, known: Mapping[Address, Resource]) -> Iterator[Permission]:
    """Yield the roles of a client and all that they include. Roles of `X-realm` clients count as those of the master
    realm do: a resource does not say its realm, and told too much is safer than too little.
    """
    target = resource.address.target
    queue = [(text, str(resource.address)) for text in resource.attributes.get("roles") or ()]  # type: ignore[union-attr]
    queue += _everybodys(resource, known)
    seen: set[str] = set()
    while queue:
        text, source = queue.pop(0)
        if text in seen:
            continue
        seen.add(text)  # type: ignore[arg-type]
        yield _role(str(text), source)
        role = known.get(names.role_address(target, str(text)))
        inner = tuple(role.attributes.get("roles") or ()) if role is not None else ()  # type: ignore[arg-type]
        through = str(names.role_address(target, str(text)))
        queue += [(one, through) for one in (*inner, *names.builtin_composites(str(text), "master"))]


def _everybodys(resource: Resource, known: Mapping[Address, Resource]) -> Iterator[tuple[str, str]]:
    """Yield what the realm gives to every account, beyond what Keycloak itself does, with the role that gives it."""
    for address in resource.depends_on:
        role = known.get(address)
        if address.kind == REALM_ROLE and names.is_default_role(address.name) and role is not None:
            inner = role.attributes.get("roles")
            given = (str(text) for text in (inner if isinstance(inner, tuple) else ()))
            yield from ((text, str(address)) for text in given if text not in names.BASELINE_ROLES)


def _role(text: str, source: str) -> Permission:
    kind, _, name = text.partition("/")
    if kind == REALM_ROLE:
        return Permission("allow", f"role:{name}", "realm", source=source)
    client, role = names.split_role(name)
    if kind == CLIENT_ROLE and client == MANAGEMENT:
        return Permission("allow", f"admin:{role}", "realm", source=source)
    if client.endswith("-realm") and role in names.ADMIN_ROLES:
        return Permission("allow", f"admin:{role}", f"realm:{client.removesuffix('-realm')}", source=source)
    return Permission("allow", f"role:{role}", f"client:{client}", source=source)


def _audiences(resource: Resource | None) -> Iterator[Permission]:
    """Yield who accepts tokens because of audience mappers of a client or a scope."""
    if resource is None:
        return
    mappers: Any = resource.attributes.get("mappers") or {}
    for mapper in mappers.values():
        config = mapper["config"] if mapper["type"] == "oidc-audience-mapper" else {}
        for key in ("included.custom.audience", "included.client.audience"):
            if config.get(key):
                yield Permission("allow", "audience", config[key], source=str(resource.address))


def _proof(resource: Resource, attributes: Mapping[str, Any]) -> Iterator[Permission]:
    method, proof = attributes.get("auth", ""), attributes.get("proof")
    if not attributes.get("service_account", True) or method in ("public", "bearer-only"):
        return
    shown = "" if proof is None else " ".join(f"{k}={v}" for k, v in sorted(proof.items()))
    yield Permission("assume", str(method), shown or resource.address.name, source=str(resource.address))
