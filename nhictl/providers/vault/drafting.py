"""Manifests for live objects of a Vault. Pure.

Rules enforced here:
- an auth role becomes an NHI with the entity its logins belong to, unless Vault named that entity itself or another
  NHI has it; an entity without an auth role becomes an NHI of its own;
- a policy and the group of its name become one Role; another policy a Role that goes where it is held, to tokens or
  to entities; another group a Role that lists its policies;
- a policy held in a way its Role does not say (built-in, unmanaged, held twice over) is named on the NHI itself;
- a configuration the language cannot say is kept and said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nhictl.model import Address, Resource, Value
from nhictl.providers.base import Draft, Ref
from nhictl.providers.vault import drafting_mounts, fields, hcl, names
from nhictl.providers.vault.drafting_mounts import plain
from nhictl.providers.vault.names import DATABASE, ENGINE, ENTITY, GROUP, LOGIN, MOUNT, NAMED_BY_VAULT, POLICY

_SAYABLE = frozenset(
    {"create", "read", "update", "patch", "delete", "list", "sudo", "deny", "subscribe", "recover"}
)  # fmt: skip
_MOST_RULES = 256
_PROOF = {"approle": "secret-id", "jwt": "federated", "kubernetes": "federated"}


@dataclass(slots=True)
class Drafting:
    """One drafting in progress. `attach` says where the policies of each policy's Role go."""

    live: Mapping[Address, Resource]
    wanted: frozenset[Address]
    attach: dict[Address, str] = field(default_factory=dict)
    taken: set[Address] = field(default_factory=set)

    def stands(self, address: Address) -> bool:
        """True when a manifest makes the object at `address`, or will."""
        found = self.live.get(address)
        if found is None or not found.attributes or "builtin" in found.facts:
            return False
        return address in self.wanted or found.mark is not None

    def of(self, kind: str) -> list[Resource]:
        """Return the wanted objects of a kind that were read, by name."""
        return [self.live[a] for a in sorted(self.wanted) if a.kind == kind and self.stands(a)]


def drafts(live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterator[Draft]:
    """Yield manifests for the live objects `wanted`, built-in ones left out."""
    work = Drafting(live, frozenset(a for a in wanted if a in live))
    work.attach = _attached(work)
    yield from drafting_mounts.drafts(work.of(MOUNT), work.of(ENGINE), work.of(DATABASE))
    yield from _roles(work)
    for login in work.of(LOGIN):
        yield _login(work, login)
    for entity in work.of(ENTITY):
        if entity.address not in work.taken and not entity.facts.get("part_of"):
            yield _entity(work, entity)


def _attached(work: Drafting) -> dict[Address, str]:
    """Return where the policy of each Role goes: to the group of its name, else to tokens, else to entities."""
    tokens = _held(work.live.values(), LOGIN, "token_policies")
    entities = _held(work.live.values(), ENTITY, "policies")
    found: dict[Address, str] = {}
    for address in (a for a in sorted(work.live) if a.kind == POLICY and work.stands(a)):
        group = _group_of(work, address)
        own = "group" if group is not None else "token"
        found[address] = "entity" if own == "token" and address.name in entities - tokens else own
    return found


def _held(live: Collection[Resource], kind: str, attribute: str) -> set[str]:
    return {p for r in live if r.address.kind == kind for p in _texts(r.attributes.get(attribute))}


def _group_of(work: Drafting, policy: Address) -> Resource | None:
    """Return the group that is one Role with a policy: of the same name, and having it."""
    group = work.live.get(Address(policy.target, GROUP, policy.name))
    if group is None or not work.stands(group.address):
        return None
    return group if policy.name in _texts(group.attributes.get("policies")) else None


def _roles(work: Drafting) -> Iterator[Draft]:
    merged: set[Address] = set()
    for policy in work.of(POLICY):
        understood = hcl.understood(str(policy.attributes.get("text") or ""))
        spec = _rules(policy) if understood else {"policy": "# kept as it is in Vault\n"}
        addresses = [policy.address]
        labels: dict[str, str] = {}
        if (group := _group_of(work, policy.address)) is not None and group.address in work.wanted:
            merged.add(group.address)
            addresses.append(group.address)
            labels = _labels(group)
            more = [p for p in _texts(group.attributes.get("policies")) if p != policy.address.name]
            spec |= {"policies": more} if more else {}
        else:
            spec["attach"] = "token" if group is not None else work.attach[policy.address]
        keep = () if understood else (f"{POLICY}/rules", f"{POLICY}/text")
        notes = () if understood else ("Its policy is in a syntax that nhictl does not read: it stays as it is.",)
        yield Draft("Role", policy.address.name, {"vault": spec}, tuple(addresses), keep, notes, labels=labels)
    for group in work.of(GROUP):
        if group.address not in merged:
            held = list(_texts(group.attributes.get("policies")))
            spec = {"policies": held} if held else {}
            yield Draft("Role", group.address.name, {"vault": spec}, (group.address,), labels=_labels(group))


def _rules(policy: Resource) -> dict[str, Any]:
    rules = policy.attributes.get("rules")
    found = rules if isinstance(rules, Mapping) else {}
    text = policy.attributes.get("text")
    sayable = all(
        path and not any(c.isspace() for c in path) and _texts(caps) and set(_texts(caps)) <= _SAYABLE
        for path, caps in found.items()
    )
    if text or not found or not sayable or len(found) > _MOST_RULES:
        return {"policy": hcl.body(policy.attributes) or "# says nothing\n"}
    return {"paths": [{"path": path, "capabilities": list(_texts(found[path]))} for path in sorted(found)]}


def _login(work: Drafting, login: Resource) -> Draft:
    said = login.attributes
    method = str(said["method"])
    mount, name = names.split(login.address.name)
    entity, note = _own_entity(work, login)
    block: dict[str, Any] = {} if method == "approle" else {"type": method, "mount": mount}
    if method == "approle" and mount != "approle":
        block["mount"] = mount
    direct, grants = _token_policies(work, login)
    settings = {
        k: plain(said[k]) for k, (_, default) in fields.ROLES[method].items() if said.get(k, default) != default
    }
    settings.pop("token_policies", None)
    settings |= {"token_policies": direct} if direct else {}
    addresses: list[Address] = [login.address]
    keep: list[str] = []
    if entity is None:
        block["entity"] = False
    else:
        more, given, keep = _held_by_entity(work, entity)
        block |= more | ({"entity": entity.address.name} if entity.address.name != name else {})
        grants += given
        addresses.append(entity.address)
        if said.get("enabled") != entity.attributes.get("enabled"):
            keep += [f"{LOGIN}/enabled", f"{ENTITY}/enabled"]
    block |= {"settings": settings} if settings else {}
    spec: dict[str, Any] = {
        "type": "service-account" if method == "approle" else "workload",
        "identity": {"approle" if method == "approle" else "vaultRole": block},
        "grants": grants, "credentials": {"kind": _PROOF[method]},
    }  # fmt: skip
    if said.get("enabled") is False and not keep:
        spec["enabled"] = False
    labels = _labels(entity) if entity is not None else {}
    return Draft("NHI", name, spec, tuple(addresses), tuple(keep), (note,) if note else (), labels=labels)


def _own_entity(work: Drafting, login: Resource) -> tuple[Resource | None, str]:
    """Return the entity that is of one NHI with an auth role, and why another one is not."""
    name = str(login.attributes.get("entity") or "")
    entity = work.live.get(Address(login.address.target, ENTITY, name)) if name else None
    if entity is None:
        return None, ""
    if NAMED_BY_VAULT.match(name) and entity.mark is None:
        return None, f"Its entity {name} was made by Vault at a login and stays Vault's."
    if entity.address in work.taken or not work.stands(entity.address):
        return None, f"Its entity {name} belongs to another manifest or to nobody here."
    work.taken.add(entity.address)
    return entity, ""


def _token_policies(work: Drafting, login: Resource) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the policies to name on an auth role itself, and the grants that give the others."""
    held = [Address(login.address.target, POLICY, p) for p in _texts(login.attributes.get("token_policies"))]
    granted = [a for a in held if work.attach.get(a) == "token"]
    return [a.name for a in held if a not in granted], [{"role": Ref(a)} for a in granted]


def _held_by_entity(work: Drafting, entity: Resource) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """Return what is said of an entity on the NHI itself, the grants that give the rest, and what is kept."""
    target = entity.address.target
    held = [Address(target, POLICY, p) for p in _texts(entity.attributes.get("policies"))]
    granted = [a for a in held if work.attach.get(a) == "entity"]
    groups = [Address(target, GROUP, g) for g in _texts(entity.attributes.get("groups"))]
    keep = [] if all(work.stands(g) for g in groups) else [f"{ENTITY}/groups"]
    direct = [a.name for a in held if a not in granted]
    grants = [{"role": Ref(a)} for a in (*granted, *(g for g in groups if work.stands(g)))]
    return {"entityPolicies": direct} if direct else {}, grants, keep


def _entity(work: Drafting, entity: Resource) -> Draft:
    block, grants, keep = _held_by_entity(work, entity)
    spec: dict[str, Any] = {"type": "service-account", "identity": {"vaultEntity": block}, "grants": grants}
    if entity.attributes.get("enabled") is False:
        spec["enabled"] = False
    return Draft("NHI", entity.address.name, spec, (entity.address,), tuple(keep), labels=_labels(entity))


def _labels(resource: Resource) -> dict[str, str]:
    found = resource.attributes.get("metadata")
    return {k: str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, tuple) else ()
