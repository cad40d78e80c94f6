"""What an identity may do in Vault, and how somebody becomes it, from resources alone. Pure.

Rules enforced here:
- access comes through the auth role's own policies, the entity's, and those of its groups and the groups these are in;
- a policy that is not known is opaque: `policy:<name>`, never left out; `default` counts as any other, and every login
  has it unless its role says no;
- what two sources give is told twice, once for each; what a narrower path takes from a wider one is told as a deny, for
  an entity that logs in at its auth roles, whose policies count with its own;
- a template in a path (`{{identity.entity.name}}`) stays as it is: what it becomes may have slashes, and a star behind;
- a disabled entity has no access, nor has a login of it; through a closed auth role nobody gets in;
- whom a mount believes (issuer, keys, where they come from, cluster) is a condition of every login through it: whoever
  has the keys is everybody that comes this way; a certificate or key is told by its digest;
- a rule with more than capabilities keeps what is said there as the condition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nhictl.model import Address, Attributes, Permission, Resource, Value, canonical
from nhictl.providers.vault import hcl, names, overlaid
from nhictl.providers.vault.names import ENTITY, EXTERNAL, GROUP, LOGIN, MOUNT, POLICY

Known = Mapping[Address, Resource]

_TRUST: Mapping[str, tuple[str, ...]] = {
    "approle": ("bind_secret_id", "secret_id_bound_cidrs"),
    "jwt": ("bound_audiences", "bound_subject", "bound_claims", "bound_claims_type", "role_type"),
    "kubernetes": ("bound_service_account_names", "bound_service_account_namespaces",
                   "bound_service_account_namespace_selector", "audience"),
}  # fmt: skip
_BELIEVED: Mapping[str, tuple[str, ...]] = {
    "jwt": ("oidc_discovery_url", "oidc_discovery_ca_pem", "jwks_url", "jwks_ca_pem", "jwt_validation_pubkeys",
            "jwt_supported_algs", "bound_issuer"),
    "kubernetes": ("kubernetes_host", "kubernetes_ca_cert", "pem_keys", "issuer", "disable_iss_validation",
                   "disable_local_ca_jwt"),
}  # fmt: skip
_PEM = frozenset({"oidc_discovery_ca_pem", "jwks_ca_pem", "jwt_validation_pubkeys", "kubernetes_ca_cert", "pem_keys"})
_DIGITS = 16
_NOTHING: tuple[Value, ...] = (None, (), "", {})


def permissions(resource: Resource, known: Known) -> Iterator[Permission]:
    """Yield the whole access of an entity or an auth role, each thing once."""
    found = list(_login(resource, known) if resource.address.kind == LOGIN else _entity(resource, known))
    taken = list(overlaid.taken(found))
    if taken and (resource.address.kind == LOGIN or not _logs_in(resource, known)):
        found += taken
    yield from {(permission, permission.source): permission for permission in found}.values()


def _logs_in(entity: Resource, known: Known) -> bool:
    return any(a.kind == LOGIN and r.attributes.get("entity") == entity.address.name for a, r in known.items())


def _login(role: Resource, known: Known) -> Iterator[Permission]:
    said = role.attributes
    if not said or said.get("enabled") is False:
        return
    owner = said.get("entity")
    entity = known.get(Address(role.address.target, ENTITY, str(owner))) if owner else None
    if entity is not None and entity.attributes.get("enabled") is False:
        return
    yield from trust(role, known)
    default = () if said.get("token_no_default_policy") is True else ("default",)
    yield from _policies(role, (*_items(said.get("token_policies")), *default), known)
    if entity is not None:
        yield from _entity(entity, known)


def trust(role: Resource, known: Known) -> Iterator[Permission]:
    """Yield how somebody logs in through an auth role: the mount, what it asks for, and whom the mount believes."""
    said = role.attributes
    method = str(said["method"])
    mount, _ = names.split(role.address.name)
    at = Address(role.address.target, MOUNT, mount)
    asked: dict[str, Value] = {
        key: said[key] for key in (*_TRUST[method], "token_bound_cidrs") if said.get(key) not in _NOTHING
    }
    asked |= _believed(method, known.get(at))
    yield Permission("assume", "login", f"{method}:{mount}", canonical(asked).decode(), source=str(at))


def _believed(method: str, mount: Resource | None) -> dict[str, Value]:
    """Return whom a mount believes, nothing where its configuration was not read."""
    config = mount.attributes.get("config") if mount is not None else None
    if not isinstance(config, Mapping):
        return {}
    found = {key: config[key] for key in _BELIEVED.get(method, ()) if config.get(key) not in _NOTHING}
    return {key: _digests(value) if key in _PEM else value for key, value in found.items()}


def _digests(value: Value) -> Value:
    return tuple(sorted(map(_digest, value))) if isinstance(value, tuple) else _digest(value)


def _digest(pem: object) -> str:
    return f"sha256:{hashlib.sha256(str(pem).encode()).hexdigest()[:_DIGITS]}"


def _entity(entity: Resource, known: Known) -> Iterator[Permission]:
    said = entity.attributes
    if said.get("enabled") is False:
        return
    yield from _policies(entity, said.get("policies"), known)
    at = entity.address.target
    direct = [Address(at, GROUP, str(g)) for g in _items(said.get("groups"))]
    # Groups from an identity provider are no attribute: nobody can put an entity in.
    direct += [a for a in entity.depends_on if a.kind == EXTERNAL]
    yield from _groups(direct, known)


def _groups(direct: Iterable[Address], known: Known) -> Iterator[Permission]:
    seen: set[Address] = set()
    queue = sorted(direct)
    while queue:
        address = queue.pop(0)
        if address in seen:
            continue
        seen.add(address)
        group = known.get(address)
        if group is None or not group.attributes:
            yield Permission("allow", f"group:{address.name}", "*", source=str(address))
            continue
        yield from _policies(group, group.attributes.get("policies"), known)
        queue += [a for a in group.depends_on if a.kind in (GROUP, EXTERNAL)]


def _policies(holder: Resource, held: object, known: Known) -> Iterator[Permission]:
    for name in _items(held):
        address = Address(holder.address.target, POLICY, str(name))
        policy = known.get(address)
        if policy is None or not policy.attributes:
            yield Permission("allow", f"policy:{name}", "*", source=str(holder.address))
        else:
            yield from rules(policy.attributes, str(address))


def rules(said: Attributes, source: str) -> Iterator[Permission]:
    """Yield one permission for each capability on each path of a policy."""
    for named, stanza in _stanzas(said):
        # Vault takes one slash off: "/sys/*" is about sys/, too.
        path = named.removeprefix("/")
        capabilities = hcl.granted(stanza)
        if capabilities is None:
            yield Permission("allow", f"policy:{source.rpartition('/')[2]}", path, source=source)
            continue
        more = {k: v for k, v in stanza.items() if k not in ("capabilities", "policy")}
        condition = canonical(more).decode() if more else ""
        if "deny" in capabilities:
            yield Permission("allow", "*", path, condition, "deny", source)
            continue
        yield from (Permission("allow", capability, path, condition, source=source) for capability in capabilities)


def _stanzas(said: Attributes) -> Iterable[tuple[str, Mapping[str, Any]]]:
    text = said.get("text")
    if not text:
        found = said.get("rules")
        plain = found if isinstance(found, Mapping) else {}
        return [(path, {"capabilities": list(_items(plain[path]))}) for path in sorted(plain)]
    try:
        return hcl.parsed(str(text))
    except hcl.NotUnderstood:
        return [("*", {"capabilities": None, "policy": "not understood"})]


def _items(value: object) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()
