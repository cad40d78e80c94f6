"""Compare what was approved with what would be done now.

Rules enforced here:
- nothing that was not approved is done; what was approved is done exactly so;
- an approved change may be missing now only when it is already in effect (applied before, or made true elsewhere), not
  when something stands in its way;
- a plan for another workspace, environment, account, or an expired plan is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from nhictl.engine.prepare import Prepared
from nhictl.model import Action, Change, Plan, Resource, StalePlan

_REMOVING = frozenset({Action.DELETE, Action.DISABLE, Action.FORGET})


def require_same(approved: Plan, prepared: Prepared, *, now: dt.datetime) -> None:
    """Raise StalePlan, naming each difference, unless carrying out `prepared` is what `approved` says."""
    differences = [*_frame(approved, prepared.plan, now), *_changes(approved, prepared)]
    whole = {c.address for c in approved.changes} == {c.address for c in prepared.plan.changes}
    if not differences and whole and approved.digest != prepared.plan.digest:
        differences = ["the same changes, but not the same plan: what it shows of access or fields differs"]
    if differences:
        shown = "\n".join(f"  {line}" for line in differences[:20])
        more = f"\n  and {len(differences) - 20} more" if len(differences) > 20 else ""
        raise StalePlan(
            f"what was approved is not what would be done now\n{shown}{more}",
            hint="make a new plan and have it approved",
        )


def require_digest(expected: str, plan: Plan) -> None:
    """Raise StalePlan unless `plan` has the digest that was approved."""
    if plan.digest != expected:
        raise StalePlan(
            f"the plan made now has another digest\n  approved  {expected}\n  current   {plan.digest}",
            hint="look at the new plan with `nhictl plan` and approve its digest",
        )


def _frame(approved: Plan, current: Plan, now: dt.datetime) -> Iterable[str]:
    if (approved.workspace, approved.environment) != (current.workspace, current.environment):
        yield (
            f"approved for {approved.workspace}/{approved.environment}, "
            f"this is {current.workspace}/{current.environment}"
        )
    if approved.expires and now >= dt.datetime.fromisoformat(approved.expires):
        yield f"the approved plan expired at {approved.expires}"
    for name, identity in sorted(approved.targets.items()):
        other = current.targets.get(name)
        if other is None:
            yield f"target {name}: approved in {identity.scope}, cannot be read now"
        elif other.scope != identity.scope:
            yield f"target {name}: approved in {identity.scope}, now it is {other.scope}"
    if approved.tool != current.tool or dict(approved.adapters) != dict(current.adapters):
        yield f"approved with nhictl {approved.tool}, this is {current.tool}"


def _changes(approved: Plan, prepared: Prepared) -> Iterable[str]:
    wanted = {c.address: c for c in approved.changes}
    for change in prepared.plan.changes:
        was = wanted.pop(change.address, None)
        if was is None:
            yield f"{change.address}: approved nothing, current {change.action}"
        elif _essence(was) != _essence(change):
            yield f"{change.address}: approved {was.action} ({_brief(was)}), current {change.action} ({_brief(change)})"
    for change in wanted.values():
        if not _in_effect(change, prepared):
            yield f"{change.address}: approved {change.action}, current nothing"


def _essence(change: Change) -> tuple[object, ...]:
    after = change.after
    return (
        change.action,
        change.subject,
        change.native_id,
        change.fingerprint,
        None if after is None else (*_declared(after), after.renamed_from),
    )


def _declared(resource: Resource) -> tuple[object, ...]:
    return dict(resource.attributes), resource.handling, tuple(sorted(resource.depends_on))


def _brief(change: Change) -> str:
    parts = []
    for field in change.fields[:4]:
        if field.added or field.removed:
            parts.append(
                f"{field.path} {' '.join('+' + a for a in field.added)} {' '.join('-' + r for r in field.removed)}"
            )
        else:
            parts.append(f"{field.path}: {field.before} -> {field.after}")
    return "; ".join(parts) or change.reason


def _in_effect(change: Change, prepared: Prepared) -> bool:
    address = change.address
    snapshot = prepared.snapshots.get(address.target)
    if snapshot is None or not snapshot.complete:
        return False
    if any(f.level == "error" and f.subject == str(address) for f in prepared.plan.findings):
        return False
    managed = prepared.folded.managed.get(address)
    if change.action in _REMOVING:
        if address in prepared.desired:
            return False
        return managed is None or (change.action is Action.DISABLE and bool(managed.disabled_at))
    desired, live = prepared.desired.get(address), snapshot.resources.get(address)
    if desired is None or live is None or change.after is None or managed is None:
        return False
    return managed.subject == change.subject and _declared(desired) == _declared(change.after)
