"""What the ledger says about a plan, an intent and an outcome: from values to entry data, no secret in any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nhictl.model import AccessDelta, Change, FieldChange, Operation, Outcome, Permission, Plan


def plan_data(
    plan: Plan, trigger: Mapping[str, Any], override: str, limits: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return the data of a `plan` entry. `override` is the digest that lifted safety limits, or empty."""
    counts: dict[str, int] = {}
    for change in plan.changes:
        counts[change.action.value] = counts.get(change.action.value, 0) + 1
    data: dict[str, Any] = {
        "digest": plan.digest,
        "commit": plan.commit,
        "environment": plan.environment,
        "counts": counts,
        "partial": dict(plan.partial),
        "targets": {name: identity.scope for name, identity in plan.targets.items()},
        "trigger": dict(trigger),
        "limits": dict(limits or {}),
    }
    if override == plan.digest:
        data["override"] = override
        data["overridden"] = [f"{f.rule}: {f.subject}: {f.message}" for f in plan.safety]
    return data


def intent_data(change: Change, operation: Operation, *, plan: str, access: Iterable[AccessDelta]) -> dict[str, Any]:
    """Return the data of an `intent` entry: enough to find out later, by reading, how the operation ended."""
    after = change.after
    data: dict[str, Any] = {
        "op": operation.id,
        "owner": operation.owner,
        "plan": plan,
        "address": str(change.address),
        "action": change.action.value,
        "subject": change.subject,
        "nativeId": change.native_id,
        "reason": change.reason,
        "fields": [field_json(f) for f in change.fields],
        "before": dict(change.before.attributes) if change.before is not None else None,
        "after": dict(after.attributes) if after is not None else None,
        "handling": after.handling.as_json() if after is not None else {},
        "dependsOn": [str(a) for a in after.depends_on] if after is not None else [],
        "fingerprint": change.fingerprint,
        "access": [access_json(delta) for delta in access],
    }
    if after is not None and after.renamed_from is not None:
        data["renamedFrom"] = str(after.renamed_from)
    return data


def outcome_data(change: Change, operation: Operation, outcome: Outcome, *, resolved: bool = False) -> dict[str, Any]:
    """Return the data of an `outcome` entry. `resolved` says that it was found by reading in a later run."""
    return {
        "op": operation.id,
        "address": str(change.address),
        "action": change.action.value,
        "subject": change.subject,
        "status": outcome.status.value,
        "nativeId": outcome.native_id,
        "requestIds": list(outcome.request_ids),
        "code": outcome.code,
        "detail": outcome.detail,
        "resolved": resolved,
    }


def field_json(field: FieldChange) -> dict[str, Any]:
    """Return one field change as recorded."""
    if field.added or field.removed:
        return {"path": field.path, "added": list(field.added), "removed": list(field.removed)}
    return {"path": field.path, "before": field.before, "after": field.after}


def access_json(delta: AccessDelta) -> dict[str, Any]:
    """Return what one NHI gains and loses, as recorded."""
    return {
        "subject": delta.subject,
        "direction": delta.direction.value,
        "direct": delta.direct,
        "gained": [permission_json(p) for p in delta.gained],
        "lost": [permission_json(p) for p in delta.lost],
    }


def permission_json(permission: Permission) -> dict[str, str]:
    """Return one permission as recorded; empty parts are left out."""
    data = {
        "kind": permission.kind,
        "action": permission.action,
        "resource": permission.resource,
        "condition": permission.condition,
        "source": permission.source,
    }
    if permission.effect != "allow":
        data["effect"] = permission.effect
    return {name: value for name, value in data.items() if value}
