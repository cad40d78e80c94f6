"""Reading a Vault: listings for everything, and one call or two for each object that is in scope.

Rules enforced here:
- what exists comes from listings; a call per object is made for declared and managed ones, and for all in a reading of
  all kinds: who asks for access or an inventory wants to know of everybody's; credentials come with details only;
- groups are all read: what their members have through them is access, whoever made them;
- calls per object run a few at a time; whatever one of them says, a listing that fails or is cut raises;
- an auth role belongs to the entity whose alias its logins get; where Vault named that entity itself, the entity is a
  part of the auth role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from nhictl.model import Address, Fault, ProviderError, Resource, Value
from nhictl.providers.vault import convert, credentials, names
from nhictl.providers.vault.calls import parallel
from nhictl.providers.vault.mounted import Reading, auth_mount, auth_mounts, database, databases, engines, understood
from nhictl.providers.vault.names import (
    DATABASE,
    ENGINE,
    ENTITY,
    EXTERNAL,
    GROUP,
    KINDS,
    LOGIN,
    MOUNT,
    NAMED_BY_VAULT,
    POLICY,
)


def everything(reading: Reading) -> Iterator[Resource]:
    """Yield every live object in scope."""
    kinds = reading.scope.kinds or frozenset(KINDS)
    groups = list(_groups(reading)) if kinds & {GROUP, EXTERNAL, ENTITY, POLICY} else []
    entities = list(_entities(reading)) if kinds & {ENTITY, LOGIN} else []
    logins = list(_logins(reading)) if LOGIN in kinds else []
    logins, entities = _parts(logins, entities)
    found = [*groups, *entities, *logins]
    if kinds & {MOUNT}:
        found += auth_mounts(reading, logins)
    if kinds & {ENGINE, DATABASE}:
        found += databases(reading)
    if POLICY in kinds:
        found += _policies(reading, _holders(reading, found))
    yield from (r for r in found if r.address.kind in kinds)


def one(reading: Reading, address: Address) -> Resource | None:
    """Return one object read by itself, None when there is none."""
    with understood(address):
        match address.kind:
            case "entity":
                data = reading.calls.get(f"identity/entity/name/{address.name}")
                return _entity(reading, data) if data else None
            case "group" | "external-group":
                data = reading.calls.get(f"identity/group/name/{address.name}")
                return _group(reading, data) if data else None
            case "policy":
                return _policy(reading, address.name)
            case "auth-role":
                return _login(reading, address)
            case "auth-mount":
                data = reading.auth.get(address.name)
                return auth_mount(reading, address, data) if data else None
            case "database-mount":
                data = engines(reading).get(address.name)
                return convert.mount(reading.target, address.name, data, secrets=True) if data else None
            case "database-config":
                return database(reading, address)
    raise ProviderError(Fault.INVALID, f"{address}: vault has no kind {address.kind}", code="UnknownKind")


def _groups(reading: Reading) -> Iterator[Resource]:
    keys, _ = reading.calls.keys("identity/group/id")
    for identifier, data in zip(keys, parallel(reading.group, keys), strict=True):
        if data:
            with understood(identifier):
                yield _group(reading, data)


def _group(reading: Reading, data: Mapping[str, Any]) -> Resource:
    reading.groups.setdefault(str(data["id"]), data)
    resource = convert.group(reading.target, data, reading.group_addresses(data.get("parent_group_ids")))
    return convert.with_facts(resource, members=len(data.get("member_entity_ids") or ()))


def _entities(reading: Reading) -> Iterator[Resource]:
    keys, info = reading.calls.keys("identity/entity/id")
    with understood("identity/entity/id"):
        reading.aliases = {
            (str(a["mount_accessor"]), str(a["name"])): str(info[key]["name"])
            for key in keys
            for a in info[key].get("aliases") or ()
        }
        named = {key: reading.at(ENTITY, str(info[key]["name"])) for key in keys}
    wanted = [key for key in keys if reading.wanted(named[key])]
    yield from (convert.listed(named[k], native_id=k) for k in keys if k not in set(wanted))
    paths = [f"identity/entity/id/{key}" for key in wanted]
    for key, data in zip(wanted, parallel(reading.calls.get, paths), strict=True):
        if data:
            with understood(key):
                yield _entity(reading, data)


def _entity(reading: Reading, data: Mapping[str, Any]) -> Resource:
    return convert.entity(reading.target, data, reading.group_addresses(data.get("direct_group_ids")))


def _logins(reading: Reading) -> Iterator[Resource]:
    for mount, data in sorted(reading.auth.items()):
        if not names.method_of(str(data.get("type"))):
            continue
        keys, _ = reading.calls.keys(f"auth/{mount}/role")
        addresses = [reading.at(LOGIN, names.below(mount, key)) for key in keys]
        wanted = [a for a in addresses if reading.wanted(a)]
        yield from (convert.listed(a) for a in addresses if a not in set(wanted))
        yield from (r for r in parallel(partial(_login, reading), wanted) if r is not None)


def _login(reading: Reading, address: Address) -> Resource | None:
    """Return an auth role with the entity that its logins belong to."""
    mount, name = names.split(address.name)
    at = reading.auth.get(mount)
    method = names.method_of(str(at.get("type"))) if at else ""
    path = f"auth/{mount}/role/{name}"
    data = reading.calls.get(path) if method else None
    if at is None or data is None:
        return None
    with understood(address):
        accessor = str(at["accessor"])
        role_id, native = "", convert.below_accessor(accessor, address.name)
        if method == "approle":
            role_id = native = str((reading.calls.get(f"{path}/role-id") or {})["role_id"])
        resource = convert.role(address, method, data, native_id=native, role_id=role_id)
        if alias := str(resource.facts["alias"]):
            entity = _owner(reading, accessor, alias)
            resource = convert.role(address, method, data, native_id=native, role_id=role_id, entity=entity)
        return credentials.told(reading.calls, path, resource) if reading.scope.details else resource


def _owner(reading: Reading, accessor: str, alias: str) -> str:
    """Return the name of the entity with an alias, empty when there is none."""
    if reading.aliases is not None:
        return reading.aliases.get((accessor, alias), "")
    asked = {"alias_name": alias, "alias_mount_accessor": accessor}
    found = reading.calls.ask("identity/lookup/entity", asked)
    return str(found["name"]) if found else ""


def _parts(logins: list[Resource], entities: list[Resource]) -> tuple[list[Resource], list[Resource]]:
    """Say of auth roles and entities which are parts of one identity."""
    by_name = {e.address.name: e for e in entities}
    parts: dict[Address, str] = {}
    for role in logins:
        entity = by_name.get(str(role.attributes.get("entity") or ""))
        if entity is None:
            continue
        if NAMED_BY_VAULT.match(entity.address.name) and entity.mark is None:
            parts.setdefault(entity.address, str(role.address))
        else:
            parts[role.address] = str(entity.address)

    def told(resource: Resource) -> Resource:
        whole = parts.get(resource.address)
        return convert.with_facts(resource, part_of=whole) if whole else resource

    return [told(r) for r in logins], [told(e) for e in entities]


def _policies(reading: Reading, holders: Mapping[str, Mapping[str, Value]]) -> Iterator[Resource]:
    texts: Mapping[str, Any] = {}
    if reading.detailed:
        keys, texts = _detailed(reading)
    if not texts:
        keys, _ = reading.calls.keys("sys/policies/acl")
    addresses = [reading.at(POLICY, key) for key in keys]
    wanted = [a.name for a in addresses if a.name not in texts and a.name != "root" and reading.wanted(a)]
    read = dict(zip(wanted, parallel(partial(_policy, reading), wanted), strict=True))
    for address in addresses:
        found = read.get(address.name)
        if address.name in texts:
            with understood(address):
                found = convert.policy(reading.target, address.name, texts[address.name])
        if found is None and address.name in wanted:
            continue
        resource = found or convert.listed(address, native_id=address.name, facts=_own(address.name))
        yield convert.with_facts(resource, holders=holders.get(address.name, {}))


def _detailed(reading: Reading) -> tuple[list[str], Mapping[str, Any]]:
    """Return OpenBao's policies with their texts; none where it is too old for that, or the token may not."""
    try:
        return reading.calls.keys("sys/policies/detailed/acl")
    except ProviderError as error:
        if error.fault not in (Fault.DENIED, Fault.INVALID):
            raise
        return [], {}


def _own(name: str) -> dict[str, Value]:
    return {"builtin": "a policy of Vault's own"} if name in names.BUILT_IN_POLICIES else {}


def _policy(reading: Reading, name: str) -> Resource | None:
    data = reading.calls.get(f"sys/policies/acl/{name}")
    if data is None:
        return None
    with understood(name):
        return convert.policy(reading.target, name, data)


def _holders(reading: Reading, found: list[Resource]) -> Mapping[str, Mapping[str, Value]]:
    """Return who holds each policy, by name, with the owner of its mark, as far as it was read."""
    held: dict[str, dict[str, Value]] = {}
    for holder in found:
        known = holder.address in reading.scope.addresses
        if holder.address.kind == LOGIN and known:
            continue
        listed = holder.attributes.get("policies") or holder.attributes.get("token_policies") or ()
        for policy in listed if isinstance(listed, tuple) else ():
            owner = holder.mark.owner if holder.mark else ""
            held.setdefault(str(policy), {})[f"{holder.address.kind}/{holder.address.name}"] = owner
    return {name: dict(sorted(some.items())) for name, some in held.items()}
