"""What an estate means in one realm: clients, roles, client scopes and identity providers. Pure.

Rules enforced here:
- a Role becomes a realm role, with `client` a role of that client; its block's roles make it a composite; with
  `bundle` it has no role of its own, and granting it gives the listed ones themselves;
- a Role's `scope` block makes a client scope of the same name; every granted Role's scopes go to the NHI's client;
- an NHI becomes a confidential client with a service account and no other flow; disabled or expired, it has no grant;
- everything refused is a diagnostic with position; nothing half-composed is returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nhictl.kinds.common import duration_seconds
from nhictl.kinds.connection import Connection
from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI
from nhictl.kinds.role import Role
from nhictl.model import Address, Diagnostic, Document, Resource, Value, ordered_set
from nhictl.providers.base import Compiled
from nhictl.providers.keycloak import mapping, names, proving
from nhictl.providers.keycloak.brokering import provider
from nhictl.providers.keycloak.names import CLIENT, CLIENT_ROLE, DEFAULT, IDP, OPTIONAL, REALM_ROLE, SCOPE

_LONGEST = 255


@dataclass(slots=True)
class Composition:
    """One compile in progress: the estate, what was said, the roles and scopes of Role manifests by their names."""

    estate: Estate
    roles: dict[str, Resource] = field(default_factory=dict)
    scopes: dict[str, Resource] = field(default_factory=dict)
    providers: dict[str, Resource] = field(default_factory=dict)
    said: list[Diagnostic] = field(default_factory=list)

    def say(self, document: Document, *path: str | int, code: str, summary: str, hint: str = "") -> None:
        """Add an error about a place in a manifest."""
        self.said.append(Diagnostic(code, summary, document.span(*path), hint=hint))

    def take(self, kind: str, item: NHI | Role | Connection, name: str) -> tuple[Address, Address | None]:
        """Return the address of a manifest object and the one it is renamed from."""
        target = self.estate.target.name
        former = self.estate.name(item.ref, kind, "")
        if len(name) > _LONGEST:
            self.say(
                item.document, "metadata", "name", code="E536",
                summary=f"{item.ref}: Keycloak cannot hold the name", hint=f"at most {_LONGEST} characters",
            )  # fmt: skip
        return Address(target, kind, name), Address(target, kind, former) if former and former != name else None

    def taken(self, item: NHI | Role | Connection, why: str, *path: str | int) -> None:
        """Refuse a name that belongs to Keycloak itself."""
        if why:
            hint = "grant it with `bundle: true`, or choose another name"
            self.say(item.document, *path, code="E537", summary=f"{item.ref}: the name is a {why}'s", hint=hint)


def compile_estate(estate: Estate) -> Compiled:
    """Return the realm's resources of an estate, sorted, with the diagnostics for what cannot be expressed."""
    work = Composition(estate)
    for name, role in sorted(estate.roles.items()):
        if not role.block.get("bundle"):
            work.roles[name] = _role(work, role)
        if "scope" in role.block:
            work.scopes[name] = _scope(work, role)
        _check_role(work, role)
    work.roles = {name: _composed(work, estate.roles[name], role) for name, role in work.roles.items()}
    for name, connection in sorted(estate.connections.items()):
        made = provider(work, connection)
        if made is not None:
            work.providers[name] = made
    clients = [c for nhi in estate.nhis if (c := _client(work, nhi)) is not None]
    _check_circles(work, clients)
    found = [*work.roles.values(), *work.scopes.values(), *work.providers.values(), *clients]
    return Compiled(tuple(sorted(found, key=lambda r: r.address)), tuple(work.said))


def _plain(item: NHI | Role | Connection) -> str:
    return item.native_name or item.meta.name


def _role(work: Composition, role: Role) -> Resource:
    client = str(role.block.get("client", ""))
    kind, name = (CLIENT_ROLE, names.role_name(client, _plain(role))) if client else (REALM_ROLE, _plain(role))
    work.taken(role, names.builtin_role(names.role_text(kind, name), _realm(work)), "metadata", "name")
    address, former = work.take(kind, role, name)
    container = Address(address.target, CLIENT, client)
    declared = {_client_name(nhi) for nhi in work.estate.nhis}
    attributes: dict[str, Value] = {"description": role.description, "roles": (), "labels": dict(role.meta.labels)}
    return Resource(
        address, attributes, role.ref, handling=role.handling, adopt=role.adopt, renamed_from=former,
        depends_on=(container,) if client in declared else (), place=role.document.place("metadata", "name"),
    )  # fmt: skip


def _realm(work: Composition) -> str:
    return str(work.estate.target.settings.get("realm", ""))


def _composed(work: Composition, role: Role, resource: Resource) -> Resource:
    from dataclasses import replace

    texts = included(work, role)
    needs = {a for text in texts if (a := _declared_role(work, text)) is not None and a != resource.address}
    attributes = {**resource.attributes, "roles": ordered_set(texts)}
    return replace(resource, attributes=attributes, depends_on=tuple(sorted({*resource.depends_on, *needs})))


def included(work: Composition, role: Role) -> list[str]:
    """Return the roles a Role's block lists; a Role manifest of that name stands for what it makes."""
    found = [_named(work, "", name) for name in role.block.get("realmRoles") or ()]
    for client, listed in (role.block.get("clientRoles") or {}).items():
        found += [_named(work, client, name) for name in listed]
    return found


def _named(work: Composition, client: str, name: str) -> str:
    made = work.roles.get(name)
    if made is not None and str(work.estate.roles[name].block.get("client", "")) == client:
        return names.role_text(made.address.kind, made.address.name)
    return names.role_text(CLIENT_ROLE, names.role_name(client, name)) if client else names.role_text(REALM_ROLE, name)


def _declared_role(work: Composition, text: str) -> Address | None:
    address = names.role_address(work.estate.target.name, text)
    return address if any(role.address == address for role in work.roles.values()) else None


def _scope(work: Composition, role: Role) -> Resource:
    block: Mapping[str, Any] = role.block["scope"] or {}
    name = _plain(role)
    work.taken(role, names.builtin_scope(name), "metadata", "name")
    address, former = work.take(SCOPE, role, name)
    attributes: dict[str, Value] = {
        "protocol": "openid-connect",
        "description": role.description,
        "in_token_scope": block.get("inTokenScope", True),
        "mappers": mappers(work, role, block, ("spec", "keycloak", "scope")),
        "labels": dict(role.meta.labels),
    }
    return Resource(
        address, attributes, role.ref, handling=role.handling, adopt=role.adopt, renamed_from=former,
        place=role.document.place("metadata", "name"),
    )  # fmt: skip


def mappers(
    work: Composition, item: NHI | Role | Connection, block: Mapping[str, Any], at: tuple[str, ...]
) -> dict[str, Value]:
    """Return the mappers of a block: its audiences and those written out. Secrets in one are refused."""
    found: dict[str, Value] = dict(map(mapping.audience, block.get("audiences") or ()))
    for name, mapper in (block.get("mappers") or {}).items():
        config = {key: _plain_text(value) for key, value in (mapper.get("config") or {}).items()}
        refuse_secrets(work, item, config, (*at, "mappers", name, "config"))
        found[name] = {"type": mapper["type"], "config": mapping.mapper_config(config)}
    return dict(sorted(found.items()))


def refuse_secrets(
    work: Composition, item: NHI | Role | Connection, config: Mapping[str, str], at: tuple[str, ...]
) -> None:
    """Report the keys of a configuration that hold secrets."""
    for key in sorted(filter(mapping.secretive, config)):
        work.say(
            item.document, *at, key, code="E540", summary=f"{item.ref}: {key} is a secret",
            hint="leave it out: nhictl never reads or writes it; set it in Keycloak",
        )  # fmt: skip


def _plain_text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _check_role(work: Composition, role: Role) -> None:
    block = role.block
    gives = ("realmRoles", "clientRoles", "scopes", "optionalScopes", "scope")
    if block.get("bundle") and not any(key in block for key in gives):
        work.say(
            role.document, "spec", "keycloak", "bundle", code="E539", summary=f"{role.ref}: the bundle gives nothing",
            hint=f"list something in {', '.join(gives)}, or leave `bundle` out to make a role",
        )  # fmt: skip
    for position, key in ((DEFAULT, "scopes"), (OPTIONAL, "optionalScopes")):
        for index, name in enumerate(block.get(key) or ()):
            if names.baseline_scope(name, position):
                work.say(
                    role.document, "spec", "keycloak", key, index, code="E538",
                    summary=f"{role.ref}: every client has the {position} scope {name}", hint="leave it out",
                )  # fmt: skip


def _client_name(nhi: NHI) -> str:
    return str(nhi.identity.get("clientId") or "") if nhi.identity_kind == "keycloak" else _plain(nhi)


def _client(work: Composition, nhi: NHI) -> Resource | None:
    estate, name = work.estate, _client_name(nhi)
    work.taken(nhi, names.builtin_client(name, _realm(work)), "spec", "identity")
    proved = proving.prove(work, nhi)
    if proved is None:
        return None
    address, former = work.take(CLIENT, nhi, name)
    granted = [estate.roles[g] for g in sorted({g.role for g in estate.standing(nhi)})] if nhi.enabled else []
    roles = ordered_set(text for role in granted for text in _gives(work, role))
    scopes = dict(sorted({k: v for role in granted for k, v in _scopes(work, role)}.items()))
    block: Mapping[str, Any] = nhi.identity if nhi.identity_kind == "keycloak" else {}
    lifetime = nhi.credentials.get("maxTtl")
    attributes: dict[str, Value] = {
        "protocol": "openid-connect",
        "enabled": nhi.enabled and not estate.expired(nhi),
        "service_account": True,
        "description": nhi.purpose,
        "auth": proved.method,
        "flows": (),
        "roles": roles,
        "groups": (),
        "scopes": scopes,
        "mappers": mappers(work, nhi, block, ("spec", "identity", "keycloak")),
        "token_lifespan": duration_seconds(lifetime) if lifetime else 0,
        "labels": dict(nhi.meta.labels),
    }
    if proved.proof is not None:
        attributes["proof"] = proved.proof
    needs = {a for text in roles if (a := _declared_role(work, text)) is not None}
    needs |= {s.address for s in work.scopes.values() if s.address.name in scopes}
    return Resource(
        address, attributes, nhi.ref, handling=nhi.handling, adopt=nhi.adopt, renamed_from=former,
        depends_on=tuple(sorted({*needs, *proved.depends_on})), place=nhi.document.place("metadata", "name"),
    )  # fmt: skip


def _gives(work: Composition, role: Role) -> list[str]:
    made = work.roles.get(role.meta.name)
    return [names.role_text(made.address.kind, made.address.name)] if made is not None else included(work, role)


def _scopes(work: Composition, role: Role) -> Iterator[tuple[str, str]]:
    """Yield the scopes a granted Role gives, optional ones first: a default one of the same name wins."""
    named = {name: scope.address.name for name, scope in work.scopes.items()}
    block = role.block
    yield from ((named.get(s, s), OPTIONAL) for s in block.get("optionalScopes") or ())
    if role.meta.name in work.scopes:
        optional = (block.get("scope") or {}).get("optional", False)
        yield work.scopes[role.meta.name].address.name, OPTIONAL if optional else DEFAULT
    yield from ((named.get(s, s), DEFAULT) for s in block.get("scopes") or ())


def _check_circles(work: Composition, clients: list[Resource]) -> None:
    """Report clients that hold roles of each other's clients: neither could be made first."""
    holds: dict[str, set[str]] = {}
    for client in clients:
        texts: Any = client.attributes["roles"]
        owned = {names.split_role(a.name)[0] for a in client.depends_on if a.kind == CLIENT_ROLE}
        holds[client.address.name] = owned if texts else set()
    by_name = {_client_name(nhi): nhi for nhi in work.estate.nhis}
    for name in sorted(holds):
        if name in circle(name, holds):
            work.say(
                by_name[name].document, "spec", "grants", code="E541",
                summary=f"{by_name[name].ref}: it holds a role of its own client, or of one that holds a role of it",
                hint="make one of the roles a realm role",
            )  # fmt: skip


def circle(start: str, holds: Mapping[str, set[str]]) -> set[str]:
    """Return everything reached from `start`; `start` itself only when there is a way back."""
    seen: set[str] = set()
    queue = sorted(holds.get(start, ()))
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue += sorted(holds.get(name, ()))
    return seen


__all__ = ["IDP", "Composition", "compile_estate"]
