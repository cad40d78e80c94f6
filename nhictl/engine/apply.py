"""Carry out a plan that was shown or approved, under the ledger's lock.

Rules enforced here:
- a violated safety limit stops everything unless the override names this plan's digest; some limits have no override;
- under the lock, what the ledger leaves open is settled first, and the plan must still be the one that was shown;
- a run with nothing to do writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nhictl.access import worlds
from nhictl.attribution import attribute
from nhictl.engine.approved import require_digest
from nhictl.engine.execute import Event, Executed, Run, execute
from nhictl.engine.live import Connected
from nhictl.engine.prepare import Prepared, Request, prepare
from nhictl.engine.record import outcome_data, plan_data
from nhictl.engine.recover import intent_change
from nhictl.failpoints import failpoint
from nhictl.ledger import Ledger
from nhictl.model import AccessDelta, Address, Plan, SafetyStop, Status
from nhictl.ownership import followed
from nhictl.safety import ABSOLUTE

_QUIET = frozenset({"genesis", "lock", "unlock", "lock_break", "checkpoint", "recovered"})


@dataclass(frozen=True, slots=True)
class Order:
    """How to apply. `approved` is the digest that goes into the ledger; `override` the digest that lifts limits.

    `run` names the run in operation ids; `trigger` says why it runs.
    """

    run: str
    approved: str
    override: str = ""
    trigger: Mapping[str, Any] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    on_event: Callable[[Event], None] = lambda _event: None


def require_safe(plan: Plan, override: str) -> None:
    """Raise SafetyStop when a limit is violated and not lifted for exactly this plan."""
    if not plan.safety:
        return
    absolute = [f for f in plan.safety if f.rule in ABSOLUTE]
    lines = "\n".join(f"  {f.rule}  {f.subject}: {f.message}" for f in plan.safety)
    if absolute:
        raise SafetyStop(f"a protection refuses this plan\n{lines}", hint=absolute[0].hint)
    if override != plan.digest:
        said = f"\n  the override names {override}, this plan is {plan.digest}" if override else ""
        raise SafetyStop(
            f"a safety limit refuses this plan\n{lines}{said}",
            hint=f"if this is meant: --override-safety {plan.digest}",
        )


def nothing_to_do(prepared: Prepared) -> bool:
    """True when applying would neither change nor record anything, and nothing is refused either."""
    return not prepared.plan.changes and not prepared.plan.safety and not _settled(prepared)


def _settled(prepared: Prepared) -> list[tuple[Any, Any]]:
    return [pair for pair in prepared.resolved if pair[1].status is not Status.INDETERMINATE]


def carry_out(
    request: Request, ledger: Ledger, open_targets: Sequence[Connected], prepared: Prepared, *, order: Order
) -> Executed:
    """Apply `prepared` under the lock and return how every change ended."""
    require_safe(prepared.plan, order.override)
    failpoint("before-lock")
    with ledger.lock("apply") as writer:
        failpoint("after-lock")
        if prepared.resolved or _moved(ledger, prepared):
            again = prepare(request, ledger.entries(), open_targets)
            _record_resolved(writer, again)
            require_digest(prepared.plan.digest, again.plan)
            require_safe(again.plan, order.override)
            prepared = again
        if not prepared.plan.changes:
            return Executed(())
        data = plan_data(prepared.plan, order.trigger, order.override, request.workspace.limits.as_json())
        writer.append("plan", {**data, "approved": order.approved})
        failpoint("after-plan")
        run = Run(
            order.run,
            f"{prepared.plan.workspace}/{prepared.plan.environment}",
            writer,
            prepared.read_at,
            stop=order.stop,
            on_event=order.on_event,
            sleep=request.sleep,
            causes=causes(prepared, open_targets),
        )
        executed = execute(prepared.plan, open_targets, run)
        failpoint("before-unlock")
    return executed


def causes(prepared: Prepared, open_targets: Iterable[Connected]) -> dict[Address, tuple[AccessDelta, ...]]:
    """Return which access each change of the plan gives or takes."""
    found: dict[Address, tuple[AccessDelta, ...]] = {}
    for at in open_targets:
        name = at.target.name
        changes = [c for c in prepared.plan.changes if c.address.target == name]
        if not changes:
            continue
        managed = {a: m for a, m in prepared.folded.managed.items() if a.target == name}
        live, _ = followed(at.adapter.capabilities.kinds, prepared.snapshots[name].resources, managed)
        before = worlds(prepared.desired, live, managed, changes).before
        found |= attribute(at.adapter, before, changes)
    return found


def _moved(ledger: Ledger, prepared: Prepared) -> bool:
    return any(entry.type not in _QUIET for entry in ledger.entries(start=prepared.folded.sequence + 1))


def _record_resolved(writer: Any, prepared: Prepared) -> None:
    failpoint("before-recovery")
    for item, outcome in _settled(prepared):
        change = intent_change(item.data)
        writer.append("outcome", outcome_data(change, item.operation, outcome, resolved=True))
    failpoint("after-recovery")
