"""What nhictl itself may have to do in Vault: the least privilege for plan and for apply, as paths. Pure.

Rules enforced here:
- what is asked for is what the code calls: a test plans and applies with exactly these policies;
- a plan needs no credentials: what lists them is in the policies for `inventory` and `report`, and is in no need;
- where a path has `+`, a listing needs the trailing slash that Vault puts behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from nhictl.model import Value, ordered_set
from nhictl.providers.vault import hcl
from nhictl.providers.vault.names import DATABASE, ENGINE, ENTITY, GROUP, KINDS, LOGIN, MOUNT, POLICY

Paths = Mapping[str, tuple[str, ...]]

_ALWAYS: Paths = {"auth/token/lookup-self": ("read",), "sys/capabilities-self": ("update",)}
_PLAN: Mapping[str, Paths] = {
    POLICY: {"sys/policies/acl": ("list",), "sys/policies/acl/*": ("read",), "sys/policies/detailed/acl": ("list",)},
    GROUP: {"identity/group/id": ("list",), "identity/group/id/*": ("read",), "identity/group/name/*": ("read",)},
    ENTITY: {
        "identity/entity/id": ("list",), "identity/entity/id/*": ("read",), "identity/entity/name/*": ("read",),
        "identity/group/id": ("list",), "identity/group/id/*": ("read",),
    },
    LOGIN: {
        "sys/auth": ("read",), "identity/entity/id": ("list",), "identity/lookup/entity": ("update",),
        "auth/{mount}/role/": ("list",), "auth/{mount}/role/+": ("read",), "auth/{approle}/role/+/role-id": ("read",),
    },
    MOUNT: {"sys/auth": ("read",), "auth/{mount}/config": ("read",), "auth/{mount}/role/": ("list",)},
    ENGINE: {"sys/mounts": ("read",)},
    DATABASE: {"sys/mounts": ("read",), "{engine}/config/": ("list",), "{engine}/config/+": ("read",)},
}  # fmt: skip
_CREDENTIALS: Paths = {
    "auth/{approle}/role/+/secret-id/": ("list",), "auth/{approle}/role/+/secret-id-accessor/lookup": ("update",),
}  # fmt: skip
_APPLY: Mapping[str, Paths] = {
    POLICY: {
        "sys/policies/acl/*": ("create", "delete", "read", "update"),
        "identity/group/id": ("list",), "identity/group/id/*": ("read",),
    },
    GROUP: {"identity/group": ("create", "update"), "identity/group/id/*": ("delete", "read", "update")},
    ENTITY: {
        "identity/entity": ("create", "update"), "identity/entity/id/*": ("delete", "read", "update"),
        "identity/group/id/*": ("delete", "read", "update"), "identity/group/name/*": ("read",),
    },
    LOGIN: {
        "auth/{mount}/role/+": ("create", "delete", "read", "update"), "identity/entity/name/*": ("read",),
        "identity/entity-alias": ("create", "update"), "identity/entity-alias/id/*": ("delete", "update"),
        "auth/{approle}/role/+/secret-id/": ("list",),
        "auth/{approle}/role/+/secret-id-accessor/destroy": ("create", "update"),
    },
    MOUNT: {
        "sys/auth/*": ("create", "delete", "sudo", "update"), "auth/{mount}/config": ("create", "read", "update"),
    },
    ENGINE: {
        "sys/mounts/*": ("create", "delete", "update"), "{engine}/config/": ("list",), "{engine}/roles/": ("list",),
        "{engine}/static-roles/": ("list",),
    },
    DATABASE: {
        "{engine}/config/+": ("create", "delete", "read", "update"), "sys/mounts/*": ("create", "delete", "update"),
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Where:
    """For what nhictl needs something: kinds (none: all), auth mounts, those with AppRoles, database mounts.

    `+` is any one.
    """

    kinds: Collection[str] = ()
    mounts: Collection[str] = ("+",)
    approles: Collection[str] = ("+",)
    engines: Collection[str] = ("database",)


def needs(where: Where = Where()) -> tuple[Paths, Paths]:
    """Return the capabilities on paths that a plan needs, and those that an apply needs."""
    chosen = [k for k in KINDS if k in (where.kinds or KINDS)]
    reading = [_ALWAYS, *(_PLAN.get(k, {}) for k in chosen)]
    return _joined(reading, where), _joined([*reading, *(_APPLY.get(k, {}) for k in chosen)], where)


def policy(where: Where = Where(), *, write: bool) -> str:
    """Return the least-privilege policy for nhictl itself as text, with what lists credentials."""
    also = _CREDENTIALS if LOGIN in (where.kinds or KINDS) else {}
    rules: dict[str, Value] = {**_joined([needs(where)[write], _joined([also], where)], where)}
    return hcl.body({"rules": rules})


def _joined(some: Iterable[Paths], where: Where) -> Paths:
    found: dict[str, set[str]] = {}
    for paths in some:
        for path, capabilities in paths.items():
            for one in _named(path, where):
                found.setdefault(one, set()).update(capabilities)
    return {path: ordered_set(found[path]) for path in sorted(found)}


def _named(path: str, where: Where) -> list[str]:
    places = {"{mount}": where.mounts, "{approle}": where.approles, "{engine}": where.engines}
    for part, found in places.items():
        if part in path:
            return [path.replace(part, one) for one in found]
    return [path]
