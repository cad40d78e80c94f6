"""What an estate means in one Vault: policies, groups, entities, auth roles and mounts. Pure.

Rules enforced here:
- a Role becomes an ACL policy and an identity group that has it; with `attach` token or entity the policies go to the
  auth role or the entity of each NHI instead, and there is no group;
- an NHI becomes an entity and one auth role for each mount it comes through; only standing grants give membership;
  disabled or expired, its entity is disabled and its auth roles are closed, and expired, it has no membership;
- who may log in follows from all grants that reach here, so that an expired grant does not change it; the lifetime of
  tokens is the shortest that any of these roles has;
- everything refused is a diagnostic with position; nothing half-composed is returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nhictl.kinds.common import duration_seconds
from nhictl.kinds.connection import Connection
from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI, Grant
from nhictl.kinds.role import Role
from nhictl.model import Address, Diagnostic, Resource, Value, ordered_set
from nhictl.providers.base import Compiled
from nhictl.providers.vault import fields, mounting, names, shaping, trusting
from nhictl.providers.vault.names import ENTITY, LOGIN, MOUNT
from nhictl.providers.vault.shaping import Composition, Shape
from nhictl.providers.vault.trusting import FEDERATED, Untrusted

_OWN = frozenset({"approle", "vaultRole", "vaultEntity"})


def compile_estate(estate: Estate) -> Compiled:
    """Return the resources of an estate, sorted, with the diagnostics for what cannot be expressed."""
    work = Composition(estate)
    found: list[Resource] = []
    for _, connection in sorted(estate.connections.items()):
        found += _connection(work, connection)
    work.mounts = {r.address.name: r for r in found if r.address.kind == MOUNT}
    work.shapes = {name: shaping.shape(work, role) for name, role in sorted(estate.roles.items())}
    found += [r for shape in work.shapes.values() for r in shape.resources]
    for nhi in sorted(estate.nhis, key=lambda n: n.ref):
        found += _identity(work, nhi)
    unique = _once(work, found)
    return Compiled(tuple(unique[a] for a in sorted(unique)), tuple(work.said))


def _once(work: Composition, found: Iterable[Resource]) -> dict[Address, Resource]:
    unique: dict[Address, Resource] = {}
    for resource in found:
        other = unique.setdefault(resource.address, resource)
        if other is resource or (other.address.kind == names.ENGINE and other.attributes == resource.attributes):
            continue
        place = resource.place.span() if resource.place else None
        related = ((span, "first here"),) if (span := other.origin) else ()
        said = f"{other.subject} and {resource.subject} are both {resource.address.kind} {resource.address.name}"
        work.said.append(
            Diagnostic("E528", said, place, hint="give one of them another name or `nativeName`", related=related)
        )
    return unique


def _connection(work: Composition, connection: Connection) -> list[Resource]:
    try:
        return list(mounting.resources(connection, work.estate.target.name))
    except Untrusted as error:
        at = ("spec", "vault", *error.path)
        work.say(connection.document, *at, code=error.code, summary=error.message, hint=error.hint)
        return []


def _identity(work: Composition, nhi: NHI) -> list[Resource]:
    if nhi.identity_kind not in _OWN | FEDERATED:
        work.say(
            nhi.document, "spec", "identity", code="E520", summary=f"{nhi.ref}: Vault cannot prove this identity",
            hint="use `approle`, or an identity whose token a Connection to Vault takes",
        )  # fmt: skip
        return []
    try:
        entity = _entity(work, nhi)
        logins = list(_logins(work, nhi, entity))
    except Untrusted as error:
        at = error.path if error.path[:1] == ("grants",) else ("identity", nhi.identity_kind, *error.path)
        work.say(nhi.document, "spec", *at, code=error.code, summary=f"{nhi.ref}: {error.message}", hint=error.hint)
        return []
    return [*([entity] if entity else []), *logins]


def _enabled(work: Composition, nhi: NHI) -> bool:
    return nhi.enabled and not work.estate.expired(nhi)


def _granted(work: Composition, nhi: NHI) -> list[Shape]:
    """Return the roles an NHI has here and now."""
    return [work.shapes[name] for name in sorted({g.role for g in work.estate.standing(nhi)})]


def _entity(work: Composition, nhi: NHI) -> Resource | None:
    wanted = nhi.identity.get("entity", True) if nhi.identity_kind in _OWN else True
    granted = _granted(work, nhi)
    if wanted is False:
        _refuse_groups(granted)
        return None
    name = shaping.physical_name(work, nhi, ENTITY, str(wanted) if isinstance(wanted, str) else "")
    direct = nhi.identity.get("entityPolicies") or () if nhi.identity_kind in _OWN else ()
    policies = fields.lower([*direct, *(p for s in granted if s.attach == "entity" for p in s.policies)])
    groups = [s.group for s in granted if s.group is not None]
    said: dict[str, Value] = {
        "enabled": _enabled(work, nhi),
        "policies": policies,
        "groups": ordered_set(g.address.name for g in groups),
        "metadata": shaping.metadata(nhi.meta.labels),
    }
    return _of_nhi(nhi, work.at(ENTITY, name), said, (*shaping.declared(work, policies), *(g.address for g in groups)))


def _refuse_groups(granted: Iterable[Shape]) -> None:
    needing = [s.role.ref for s in granted if s.attach != "token"]
    if needing:
        raise Untrusted(
            "E526", f"without an entity it cannot have {', '.join(needing)}", path=("entity",),
            hint="leave `entity: false` out, or give the role `attach: token`",
        )  # fmt: skip


def _of_nhi(nhi: NHI, address: Address, said: Mapping[str, Value], depends_on: Iterable[Address]) -> Resource:
    return Resource(
        address, said, subject=nhi.ref, depends_on=tuple(sorted(set(depends_on))), handling=nhi.handling,
        adopt=nhi.adopt, place=nhi.document.place("metadata", "name"),
    )  # fmt: skip


def _reaching(estate: Estate, nhi: NHI) -> tuple[Grant, ...]:
    """Return the grants of an NHI that concern this target, standing or not, expired or not."""
    env = estate.environment.name
    return tuple(g for g in nhi.grants if (not g.environments or env in g.environments) and g.role in estate.roles)


def _logins(work: Composition, nhi: NHI, entity: Resource | None) -> Iterator[Resource]:
    for mount, said in _ways(work, nhi):
        yield _login(work, nhi, entity, mount=mount, said=said)


def _ways(work: Composition, nhi: NHI) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield each mount an NHI comes through, with the fields that only it can log in with. Raises Untrusted."""
    if nhi.identity_kind == "vaultEntity":
        return
    if nhi.identity_kind in _OWN:
        method = str(nhi.identity.get("type", "approle"))
        path = names.mount_path(str(nhi.identity.get("mount", method)))
        _same_mount(work, nhi, path)
        yield path, _own_settings(method, nhi.identity)
        return
    for connection in _connections(work, nhi):
        bound = trusting.bounds(nhi.identity_kind, nhi.identity, connection)
        method = names.method_of(mounting.type_of(connection))
        yield mounting.path_of(connection), {"method": method, **fields.read(fields.ROLES[method], bound)}


def _own_settings(method: str, identity: Mapping[str, Any]) -> dict[str, Value]:
    settings: Mapping[str, Any] = identity.get("settings") or {}
    table = fields.ROLES[method]
    for key, value in settings.items():
        if key not in table:
            hint = f"there are {', '.join(sorted(table))}"
            raise Untrusted("E527", f"{key} is no setting of {method} auth roles", path=("settings", key), hint=hint)
        try:
            table[key][0](value)
        except (ValueError, TypeError):
            raise Untrusted("E527", f"the value of {key} does not fit", path=("settings", key)) from None
    return {"method": method, **fields.read(table, settings)}


def _same_mount(work: Composition, nhi: NHI, path: str) -> None:
    for grant in _reaching(work.estate, nhi):
        connection = work.estate.connections.get(grant.via)
        if grant.via and (connection is None or mounting.path_of(connection) != path):
            raise Untrusted(
                "E521", f"{grant.via} is no connection to the mount {path}", path=("grants", grant.index, "via"),
                hint="name the Connection whose `vault.mount` that is, or leave `via` out",
            )  # fmt: skip


def _connections(work: Composition, nhi: NHI) -> list[Connection]:
    """Return the connections an NHI comes through, by mount. Raises Untrusted."""
    fitting = {n: c for n, c in work.estate.connections.items() if trusting.fits(nhi.identity_kind, c)}
    found: dict[str, Connection] = {}
    for grant in _reaching(work.estate, nhi):
        chosen = grant.via or (next(iter(fitting)) if len(fitting) == 1 else "")
        if chosen not in fitting:
            what = f"{chosen} does not take" if chosen else "no single Connection takes"
            raise Untrusted(
                "E521", f"{what} {nhi.identity_kind} identities to Vault", path=("grants", grant.index, "via"),
                hint="name in `via` a Connection with a `vault` block and a fitting issuer",
            )  # fmt: skip
        found.setdefault(mounting.path_of(fitting[chosen]), fitting[chosen])
    if not found and len(fitting) == 1:
        return list(fitting.values())
    return [found[path] for path in sorted(found)]


def _login(work: Composition, nhi: NHI, entity: Resource | None, *, mount: str, said: dict[str, Value]) -> Resource:
    name = names.below(mount, names.split(shaping.physical_name(work, nhi, LOGIN))[1])
    held = said["token_policies"] if isinstance(said["token_policies"], tuple) else ()
    own = [p for s in _granted(work, nhi) if s.attach == "token" for p in s.policies]
    policies = fields.lower([*held, *own])
    reach = [work.shapes[n].role for n in sorted({g.role for g in _reaching(work.estate, nhi)})]
    attributes: dict[str, Value] = {
        **said, "token_policies": policies, "enabled": _enabled(work, nhi), **_lifetimes(said, reach),
    }  # fmt: skip
    if not attributes["enabled"]:
        attributes["token_bound_cidrs"] = ()
    depends = list(shaping.declared(work, policies))
    if entity is not None:
        attributes["entity"] = entity.address.name
        _claim(work, nhi, mount, fields.alias_name(attributes, f"role_id of {name}"))
        depends.append(entity.address)
    if mount in work.mounts:
        depends.append(work.mounts[mount].address)
    return _of_nhi(nhi, work.at(LOGIN, name), attributes, depends)


def _lifetimes(said: Mapping[str, Value], roles: Iterable[Role]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, name in (("tokenTtl", "token_ttl"), ("tokenMaxTtl", "token_max_ttl")):
        given = [duration_seconds(r.block[key]) for r in roles if key in r.block]
        own = said.get(name)
        found[name] = min([*given, *([own] if isinstance(own, int) and own else [])], default=0)
    return found


def _claim(work: Composition, nhi: NHI, mount: str, alias: str) -> None:
    """Note who logs in under a name. Raises Untrusted when the name is not known, or another NHI has it."""
    if not alias:
        raise Untrusted(
            "E522", "its logins have no one name that an entity could be made for",
            path=("settings",), hint="bind the claim that names them to one value, or set `entity: false`",
        )  # fmt: skip
    other = work.aliases.setdefault((mount, alias), nhi)
    if other is not nhi:
        raise Untrusted(
            "E528", f"{other.ref} logs in at {mount} under the same name", hint="tell them apart by what they prove"
        )
