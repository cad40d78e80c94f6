"""Auth roles and the alias that makes their logins an entity's: create, update, delete.

Rules enforced here:
- an auth role is made before its alias, and nobody can log in meanwhile, or the first login would make an entity of
  its own: an AppRole has no secret-id yet, and any other is closed until its alias is there;
- an entity has one alias for each mount: another name is a change of that alias, not a second one;
- deleting an AppRole destroys its secret-ids first; tokens it gave out live on until they end, but for those of a
  disabled or deleted entity.
"""

from __future__ import annotations

from typing import Any

from nhictl.model import Action, Attributes, Change, Fault, Operation, ProviderError, Resource
from nhictl.providers.vault import fields, marking, names
from nhictl.providers.vault.calls import Calls, Steps
from nhictl.providers.vault.names import METHODS, method_of


def write(steps: Steps, change: Change, operation: Operation, live: Resource | None) -> None:
    """Make an auth role with its alias, or bring it to what the change says."""
    if change.action is Action.FORGET:
        return
    after = marking.wanted(change)
    mount, name = names.split(change.address.name)
    accessor = _accessor(steps.calls, mount, str(after.get("method")))
    path = f"auth/{mount}/role/{name}"
    steps.native_id = live.native_id if live is not None else ""
    sent = _sent(after, live)
    if live is None and after.get("entity") and after.get("method") != "approle" and after.get("enabled") is not False:
        steps.do("POST", path, {**sent, "token_bound_cidrs": fields.CLOSED_WIRE})
    elif live is None or _differs(after, live.attributes):
        steps.do("POST", path, sent)
        sent = {}
    steps.native_id = steps.native_id or _native_id(steps, path, after, f"{accessor}/{name}")
    alias = steps.native_id if after.get("method") == "approle" else fields.alias_name(after)
    _alias(steps, after, accessor, alias)
    if live is None and sent:
        steps.do("POST", path, sent)


def _native_id(steps: Steps, path: str, after: Attributes, other: str) -> str:
    return _role_id(steps, path) if after.get("method") == "approle" else other


def delete(steps: Steps, change: Change, live: Resource) -> None:
    """Delete an auth role with its secret-ids and the alias of an entity of ours."""
    mount, name = names.split(change.address.name)
    path = f"auth/{mount}/role/{name}"
    if live.attributes.get("method") == "approle":
        accessors, _ = steps.calls.keys(f"{path}/secret-id")
        for accessor in accessors:
            body = {"secret_id_accessor": accessor}
            steps.do("POST", f"{path}/secret-id-accessor/destroy", body, absent_ok=True)
    steps.do("DELETE", path, absent_ok=True)
    entity = live.attributes.get("entity")
    ours = change.before is not None and "entity" in change.before.attributes
    if entity and ours and (found := _alias_of(steps.calls, str(entity), mount)):
        steps.do("DELETE", f"identity/entity-alias/id/{found['id']}", absent_ok=True)


def _differs(after: Attributes, before: Attributes) -> bool:
    return any(key != "entity" and before.get(key) != value for key, value in after.items())


def _sent(after: Attributes, live: Resource | None) -> dict[str, Any]:
    """Return what is written: of a live role only what differs, and what a write without it would reset."""
    whole = fields.role_wire(after)
    if live is not None:
        # `local_secret_ids` can be given when the role is made, and not later.
        whole.pop("local_secret_ids", None)
    elif whole.get("local_secret_ids") is False:
        del whole["local_secret_ids"]
    return {key: value for key, value in whole.items() if value != "" or live is not None}


def _accessor(calls: Calls, mount: str, method: str) -> str:
    """Return the accessor of an auth mount. Raises ProviderError when there is none of the method."""
    found = (calls.get("sys/auth") or {}).get(f"{mount}/")
    if not isinstance(found, dict) or method not in METHODS or method_of(str(found.get("type"))) != method:
        raise ProviderError(
            Fault.NOT_FOUND, f"there is no {method} mount at {mount}", code="NoMount",
            hint="declare it as a Connection, or enable it first",
        )  # fmt: skip
    return str(found["accessor"])


def _role_id(steps: Steps, path: str) -> str:
    data = steps.calls.get(f"{path}/role-id")
    if data is None or "role_id" not in data:
        raise steps.partly(ProviderError(Fault.NOT_FOUND, f"{path} has no role_id", code="NoRoleId"))
    return str(data["role_id"])


def _alias(steps: Steps, after: Attributes, accessor: str, alias: str) -> None:
    """Make the logins of a role those of its entity."""
    entity = after.get("entity")
    if not entity or not alias:
        return
    data = steps.calls.get(f"identity/entity/name/{entity}")
    if data is None:
        raise steps.partly(ProviderError(Fault.NOT_FOUND, f"there is no entity {entity}", code="NoEntity"))
    own = [a for a in data.get("aliases") or () if a.get("mount_accessor") == accessor]
    if any(a.get("name") == alias for a in own):
        return
    if own:
        steps.do("POST", f"identity/entity-alias/id/{own[0]['id']}", {"name": alias, "mount_accessor": accessor})
        return
    body = {"name": alias, "canonical_id": data["id"], "mount_accessor": accessor}
    steps.do("POST", "identity/entity-alias", body)


def _alias_of(calls: Calls, entity: str, mount: str) -> dict[str, Any] | None:
    data = calls.get(f"identity/entity/name/{entity}") or {}
    paths = (f"auth/{mount}/",)
    return next((a for a in data.get("aliases") or () if a.get("mount_path") in paths), None)
