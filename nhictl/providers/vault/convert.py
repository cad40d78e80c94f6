"""Replies of Vault to resources. Pure.

Rules enforced here:
- what is read goes through the allow-lists of `fields`; free metadata is kept apart from our mark;
- an object of which only the name was read has no attributes, and its mark is not known;
- times are RFC 3339 UTC in seconds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from nhictl.model import Address, Resource, Value, ordered_set
from nhictl.providers.vault import fields, hcl, names
from nhictl.providers.vault.names import ENGINE, ENTITY, EXTERNAL, GROUP, MOUNT, POLICY

_FRACTION = re.compile(r"\.\d+")


def time_text(value: object) -> str | None:
    """Return a time of a reply as RFC 3339 UTC in seconds; None for none and for Go's zero time."""
    said = _FRACTION.sub("", str(value or ""))
    if not said or said.startswith("0001-"):
        return None
    try:
        at = dt.datetime.fromisoformat(said)
    except ValueError:
        return None
    at = at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(address: Address, *, facts: Mapping[str, Value] | None = None, native_id: str = "") -> Resource:
    """Return an object of which little more than the name was read."""
    return Resource(address, {}, native_id=native_id, mark_known=False, facts=facts or {})


def policy(target: str, name: str, data: Mapping[str, Any]) -> Resource:
    """Return an ACL policy. OpenBao also tells a version, whether it has to be named, and when the policy ends."""
    text = str(data["policy"])
    body = names.policy_body(text)
    rules = hcl.rules(body)
    said: dict[str, Value] = {"rules": rules or {}, "text": "" if rules is not None else hcl.normal_text(body)}
    facts: dict[str, Value] = {"builtin": "a policy of Vault's own"} if name in names.BUILT_IN_POLICIES else {}
    if "version" in data:
        ends: dict[str, Value] = {"expiration": str(data["expiration"])} if data.get("expiration") else {}
        facts["written"] = {"cas": int(data["version"]), "cas_required": bool(data.get("cas_required")), **ends}
    return Resource(Address(target, POLICY, name), said, native_id=name, mark=names.of_policy(text), facts=facts)


def entity(target: str, data: Mapping[str, Any], groups: Iterable[Address]) -> Resource:
    """Return an identity entity; `groups` are those it is a direct member of, internal or not."""
    metadata = {str(k): str(v) for k, v in (data.get("metadata") or {}).items()}
    among = tuple(groups)
    said: dict[str, Value] = {
        "enabled": not data.get("disabled"),
        "policies": fields.lower(data.get("policies")),
        "groups": ordered_set(a.name for a in among if a.kind == GROUP),
        "metadata": names.user_metadata(metadata),
    }
    holds = {*names.policies_at(target, said["policies"]), *among}
    return Resource(
        Address(target, ENTITY, str(data["name"])), said, depends_on=tuple(sorted(holds)), native_id=str(data["id"]),
        mark=names.of_metadata(metadata), facts=_created(data.get("creation_time")),
    )  # fmt: skip


def group_address(target: str, data: Mapping[str, Any]) -> Address:
    """Return the address of a group as it was read."""
    return Address(target, EXTERNAL if data.get("type") == "external" else GROUP, str(data["name"]))


def group(target: str, data: Mapping[str, Any], parents: Iterable[Address]) -> Resource:
    """Return an identity group; `parents` are the groups it is a member of."""
    metadata = {str(k): str(v) for k, v in (data.get("metadata") or {}).items()}
    said: dict[str, Value] = {"policies": fields.lower(data.get("policies")), "metadata": names.user_metadata(metadata)}
    holds = {*names.policies_at(target, said["policies"]), *parents}
    return Resource(
        group_address(target, data), said, depends_on=tuple(sorted(holds)), native_id=str(data["id"]),
        mark=names.of_metadata(metadata), facts=_created(data.get("creation_time")),
    )  # fmt: skip


def role(
    address: Address, method: str, data: Mapping[str, Any], *, native_id: str, role_id: str = "", entity: str = ""
) -> Resource:
    """Return an auth role; `entity` is the name of the entity its logins belong to, empty for none yet."""
    said = fields.role(method, data) | {"entity": entity}
    mount, _ = names.split(address.name)
    default = () if said["token_no_default_policy"] else ("default",)
    holds = [Address(address.target, MOUNT, mount)]
    holds += names.policies_at(address.target, ordered_set((*fields.lower(data.get("token_policies")), *default)))
    if entity:
        holds.append(Address(address.target, ENTITY, entity))
    facts: dict[str, Value] = {"alias": fields.alias_name(said, role_id)}
    return Resource(address, said, depends_on=tuple(sorted(holds)), native_id=native_id, facts=facts)


def mount(target: str, path: str, data: Mapping[str, Any], *, secrets: bool = False) -> Resource:
    """Return an auth mount, or with `secrets` a database secrets mount, without its configuration."""
    text, mark, _ = names.of_description(str(data.get("description") or ""))
    tuned = data.get("config") or {}
    said: dict[str, Value] = {"description": text, **fields.read(fields.TUNE, tuned)}
    if not secrets:
        said["type"] = str(data["type"])
    facts: dict[str, Value] = {"builtin": "a mount of Vault's own"} if data["type"] in names.OWN_TYPES else {}
    address = Address(target, ENGINE if secrets else MOUNT, names.mount_path(path))
    return Resource(address, said, native_id=str(data["accessor"]), mark=mark, facts=facts)


def config(method: str, data: Mapping[str, Any]) -> dict[str, Value]:
    """Return the configuration of an auth mount as it reads back, `{}` for none."""
    return fields.read(fields.CONFIGS[method], data) if data else {}


def keeps_secret(method: str, data: Mapping[str, Any], *, ours: bool) -> bool:
    """True when writing a mount's configuration anew could lose a secret in it that cannot be read back.

    Vault before 1.18 does not say whether a Kubernetes mount has a reviewer's token: then only a mount of ours has not.
    """
    if method == "jwt":
        return bool(data.get("oidc_client_id"))
    if method == "kubernetes" and data:
        return bool(data.get("token_reviewer_jwt_set", not ours))
    return False


def database(address: Address, data: Mapping[str, Any], mount: Mapping[str, Any]) -> Resource:
    """Return the configuration of a database; of its password only the version comes back, kept with the mount."""
    _, _, versions = names.of_description(str(mount.get("description") or ""))
    details = data.get("connection_details") or {}
    said = fields.read(fields.DATABASE, data) | fields.read(fields.DETAILS, details)
    said["password"] = versions.get(names.split(address.name)[1], "")
    holds = (Address(address.target, ENGINE, names.split(address.name)[0]),)
    native = below_accessor(str(mount["accessor"]), address.name)
    return Resource(address, said, depends_on=holds, native_id=native)


def below_accessor(accessor: str, name: str) -> str:
    """Return the native id of what lies below a mount and has none of its own."""
    return f"{accessor}/{names.split(name)[1]}"


def credential(data: Mapping[str, Any], now: dt.datetime) -> Mapping[str, Value]:
    """Return what is known of an AppRole's secret-id: its accessor names it, the secret itself never comes back."""
    expires = time_text(data.get("expiration_time"))
    over = expires is not None and dt.datetime.fromisoformat(expires) <= now
    said: dict[str, Value] = {
        "kind": "secret-id",
        "id": str(data.get("secret_id_accessor", "")),
        "status": "expired" if over else "active",
        "bound_addresses": len(data.get("cidr_list") or ()),
    }
    created = time_text(data.get("creation_time"))
    # Go's zero time says that it never ends.
    return said | ({"created": created} if created else {}) | {"expires": expires or ""}


def with_facts(resource: Resource, **facts: Value) -> Resource:
    """Return a resource with more facts."""
    return replace(resource, facts={**resource.facts, **facts})


def _created(value: object) -> dict[str, Value]:
    at = time_text(value)
    return {"created": at} if at else {}
