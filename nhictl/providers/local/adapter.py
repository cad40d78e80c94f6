"""What nhictl knows about the embedded directory. Pure; SQLite is imported when a session opens.

Rules enforced here:
- only grants that stand now are compiled; an expired NHI stays, disabled and without grants;
- grants of a removed NHI are revoked at once; the identity is disabled, and deleted after its grace period;
- whatever two manifest objects would share (a name, a grant) is an error with both places.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from nhictl.kinds.connection import Connection
from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI, Grant
from nhictl.kinds.role import Role
from nhictl.kinds.workspace import Target
from nhictl.model import (
    Action,
    Address,
    Diagnostic,
    Handling,
    OnRemove,
    Permission,
    Place,
    Resource,
    Value,
    freeze,
    ordered_set,
)
from nhictl.providers.base import Capabilities, Compiled, Draft, Kind, Session
from nhictl.providers.local import drafting
from nhictl.providers.local.access import access
from nhictl.providers.local.convert import grant_name, permission_set

_ALL = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT, Action.FORGET})
_NAME_LENGTH = 128
_FORBIDDEN = {"identity": ":", "role": "@"}

CAPABILITIES = Capabilities(
    provider="local",
    version="1",
    kinds=MappingProxyType(
        {
            "identity": Kind(
                "Identity",
                actions=_ALL | {Action.DISABLE},
                partial=frozenset({"labels"}),
                mark="bulk",
                identity=True,
                rename=True,
            ),
            "role": Kind("Role", actions=_ALL, mark="bulk", rename=True),
            "grant": Kind("Grant", actions=_ALL, mark="bulk", rename=True),
            "connection": Kind("Connection", actions=_ALL, mark="bulk", rename=True),
        }
    ),
    reads="one SQL query per kind",
    whole=True,
)

SETTINGS_SCHEMA: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {
                "type": "string",
                "minLength": 1,
                "maxLength": 512,
                "pattern": "^[^\\r\\n\\t:]+$",
                "description": "The SQLite file of the directory, relative to the workspace.",
            },
            "settleTime": {
                "type": "string",
                "maxLength": 7,
                "pattern": r"^[1-9][0-9]{0,5}[smhdw]$",
                "description": "How long a write whose reply was lost may still take effect.",
            },
        },
    }
)


@dataclass(slots=True)
class _Names:
    """The physical names of the target, and what is wrong with them."""

    estate: Estate
    taken: dict[Address, Place] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)

    def take(self, kind: str, item: NHI | Role | Connection) -> tuple[Address, Address | None]:
        """Return the address of a manifest object and the one it is renamed from."""
        names, target = self.estate.names, self.estate.target.name
        address = Address(target, kind, item.native_name or item.meta.name)
        former = names.get((item.ref, kind)) or names.get((self.estate.previous.get(item.ref, ""), kind))
        path = ("spec", "nativeName") if item.native_name else ("metadata", "name")
        self.claim(address, item.document.place(*path))
        return address, Address(target, kind, former) if former and former != address.name else None

    def claim(self, address: Address, place: Place) -> None:
        """Note who has `address`; report a second one and a name the directory refuses."""
        if address in self.taken:
            related = ((self.taken[address].span(), "first here"),)
            text = f"{address.kind} {address.name} is declared twice in target {address.target}"
            self.problems.append(Diagnostic("E571", text, place.span(), related=related))
        self.taken.setdefault(address, place)
        forbidden = _FORBIDDEN.get(address.kind)
        if (forbidden and forbidden in address.name) or (address.kind != "grant" and len(address.name) > _NAME_LENGTH):
            text = f"the directory cannot hold the {address.kind} name {address.name[:_NAME_LENGTH]}"
            hint = f"at most {_NAME_LENGTH} characters" + (f", without {forbidden!r}" if forbidden else "")
            self.problems.append(Diagnostic("E570", text, place.span(), hint=hint))


@dataclass(frozen=True, slots=True)
class LocalAdapter:
    """The embedded directory as a provider."""

    name: str = "local"
    capabilities: Capabilities = CAPABILITIES
    settings_schema: Mapping[str, Any] = field(default_factory=lambda: SETTINGS_SCHEMA)

    def desired(self, estate: Estate) -> Compiled:
        """Return identities, roles, grants and connections of the estate, sorted by address."""
        names = _Names(estate)
        roles = {name: _role(names, role) for name, role in estate.roles.items()}
        connections = {name: _connection(names, item) for name, item in estate.connections.items()}
        resources = [*roles.values(), *connections.values()]
        for nhi in estate.nhis:
            identity = _identity(names, nhi)
            resources.append(identity)
            for grant in estate.standing(nhi):
                via = _via(names, nhi, grant, connections)
                if via is not _UNKNOWN:
                    resources.append(_grant(names, (nhi, grant), identity, roles[grant.role], via))
        return Compiled(tuple(sorted(resources, key=lambda r: r.address)), tuple(names.problems))

    def permissions(self, resource: Resource, known: Mapping[Address, Resource]) -> Iterable[Permission]:
        """Return what an enabled identity may do by its roles, and what lets somebody become it."""
        return access(resource, known)

    def drafts(self, live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterable[Draft]:
        """Return manifests for live objects."""
        return tuple(drafting.drafts(live, wanted))

    def connect(self, target: Target, *, write: bool) -> AbstractContextManager[Session]:
        """Open the directory's file; for writing it is made when missing, readable by its owner only."""
        from nhictl.providers.local.session import connect

        return connect(target, write=write)


_UNKNOWN = Resource(Address("-", "connection", "-"), {})


def _role(names: _Names, role: Role) -> Resource:
    address, former = names.take("role", role)
    attributes: dict[str, Value] = {
        "description": role.description,
        "permissions": permission_set(role.block.get("permissions") or ()),
    }
    return Resource(
        address,
        attributes,
        role.ref,
        handling=role.handling,
        adopt=role.adopt,
        renamed_from=former,
        place=role.document.place("metadata", "name"),
    )


def _connection(names: _Names, connection: Connection) -> Resource:
    address, former = names.take("connection", connection)
    attributes: dict[str, Value] = {
        "issuer": {connection.issuer_kind: freeze(connection.issuer)} if connection.issuer_kind else {},
        "audiences": ordered_set(connection.block.get("audiences") or ()),
    }
    return Resource(
        address,
        attributes,
        connection.ref,
        handling=connection.handling,
        adopt=connection.adopt,
        renamed_from=former,
        place=connection.document.place("metadata", "name"),
    )


def _identity(names: _Names, nhi: NHI) -> Resource:
    address, former = names.take("identity", nhi)
    attributes: dict[str, Value] = {
        "enabled": nhi.enabled and not names.estate.expired(nhi),
        "type": nhi.type,
        "owner": nhi.owner,
        "purpose": nhi.purpose,
        "service": nhi.service,
        "labels": dict(nhi.meta.labels),
        "proof": {nhi.identity_kind: freeze(nhi.identity)} if nhi.identity_kind else {},
        "credentials": _credentials(nhi),
    }
    if nhi.identity_kind == "existing":
        del attributes["proof"]
    return Resource(
        address,
        attributes,
        nhi.ref,
        handling=nhi.handling,
        adopt=nhi.adopt,
        renamed_from=former,
        place=nhi.document.place("metadata", "name"),
    )


def _credentials(nhi: NHI) -> Mapping[str, Value]:
    from nhictl.kinds.common import duration_seconds

    facts: dict[str, Value] = {}
    if "kind" in nhi.credentials:
        facts["kind"] = str(nhi.credentials["kind"])
    if "maxTtl" in nhi.credentials:
        facts["max_ttl"] = duration_seconds(nhi.credentials["maxTtl"])
    return facts


def _via(names: _Names, nhi: NHI, grant: Grant, connections: Mapping[str, Resource]) -> Resource | None:
    """Return the connection of a grant, None when it needs none, `_UNKNOWN` after reporting a missing one."""
    if not grant.via or grant.via in connections:
        return connections.get(grant.via)
    span = nhi.document.span("spec", "grants", grant.index, "via")
    text = f"connection {grant.via} has no `local` block for target {names.estate.target.name}"
    names.problems.append(Diagnostic("E572", text, span, hint="drop `via`, or declare the connection in this target"))
    return _UNKNOWN


def _grant(
    names: _Names, source: tuple[NHI, Grant], identity: Resource, role: Resource, via: Resource | None
) -> Resource:
    nhi, grant = source
    parts = [r for r in (identity, role, via) if r is not None]
    now, before = [r.address.name for r in parts], [(r.renamed_from or r.address).name for r in parts]
    address = Address(identity.address.target, "grant", grant_name(*now))
    place = nhi.document.place("spec", "grants", grant.index)
    names.claim(address, place)
    attributes: dict[str, Value] = {
        "identity": identity.address.name,
        "role": role.address.name,
        "connection": via.address.name if via else "",
        "expires": grant.expires.isoformat() if grant.expires else "",
    }
    return Resource(
        address,
        attributes,
        nhi.ref,
        depends_on=tuple(sorted(r.address for r in parts)),
        handling=_grant_handling(nhi.handling),
        adopt=nhi.adopt,
        renamed_from=None if before == now else address._replace(name=grant_name(*before)),
        place=place,
    )


def _grant_handling(handling: Handling) -> Handling:
    """Return how a grant goes: with a retained identity it stays, else at once. Protection is for the identity."""
    return Handling(OnRemove.RETAIN if handling.on_remove is OnRemove.RETAIN else OnRemove.DELETE)


adapter = LocalAdapter()
