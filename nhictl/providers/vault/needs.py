"""What nhictl itself may have to do in Vault: the least privilege for plan and for apply, as paths. Pure.

Rules enforced here:
- what is asked for is what the code calls: a test plans and applies with exactly these policies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

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
        "auth/+/role": ("list",), "auth/+/role/+": ("read",), "auth/+/role/+/role-id": ("read",),
        "auth/+/role/+/secret-id": ("list",), "auth/+/role/+/secret-id-accessor/lookup": ("update",),
    },
    MOUNT: {"sys/auth": ("read",), "auth/+/config": ("read",), "auth/+/role": ("list",)},
    ENGINE: {"sys/mounts": ("read",)},
    DATABASE: {"sys/mounts": ("read",), "+/config": ("list",), "+/config/+": ("read",)},
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
        "auth/+/role/+": ("create", "delete", "read", "update"), "identity/entity/name/*": ("read",),
        "identity/entity-alias": ("create", "update"), "identity/entity-alias/id/*": ("delete", "update"),
        "auth/+/role/+/secret-id-accessor/destroy": ("create", "update"),
    },
    MOUNT: {
        "sys/auth/*": ("create", "delete", "sudo", "update"), "auth/+/config": ("create", "read", "update"),
    },
    ENGINE: {
        "sys/mounts/*": ("create", "delete", "update"), "+/config": ("list",), "+/roles": ("list",),
        "+/static-roles": ("list",),
    },
    DATABASE: {"+/config/+": ("create", "delete", "read", "update"), "sys/mounts/*": ("create", "delete", "update")},
}  # fmt: skip


def needs(kinds: Collection[str] = ()) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the capabilities on paths that a plan needs and those that an apply needs, for some kinds or all."""
    chosen = [k for k in KINDS if k in (kinds or KINDS)]
    reading = _joined([_ALWAYS, *(_PLAN.get(k, {}) for k in chosen)])
    return reading, _joined([reading, *(_APPLY.get(k, {}) for k in chosen)])


def policy(*, write: bool, kinds: Collection[str] = ()) -> str:
    """Return the least-privilege policy for nhictl itself as text."""
    plan, apply = needs(kinds)
    rules: dict[str, Value] = {**(apply if write else plan)}
    return hcl.body({"rules": rules})


def _joined(some: Iterable[Paths]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for paths in some:
        for path, capabilities in paths.items():
            found.setdefault(path, set()).update(capabilities)
    return {path: ordered_set(found[path]) for path in sorted(found)}
