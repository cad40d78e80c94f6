"""Stop managing objects without touching them: recorded as intents with their outcomes, nothing is called."""

from __future__ import annotations

from nhictl.engine.record import intent_data, outcome_data
from nhictl.ledger import Ledger
from nhictl.ledger.fold import Folded, fold
from nhictl.model import Action, Address, Change, Exit, Managed, NhictlError, Operation, Outcome, Status


def forget(ledger: Ledger, named: str, reason: str) -> tuple[Address, ...]:
    """Record that an address, or every address of a target, is no longer managed; return which.

    Raises NhictlError when nothing managed has that name, or when an operation there has an unknown outcome.
    """
    if not reason:
        raise NhictlError("a reason is needed", exit_code=Exit.USAGE)
    with ledger.lock("ledger forget") as writer:
        folded = fold(ledger.entries())
        chosen = _chosen(folded, named)
        for number, record in enumerate(chosen, 1):
            operation = Operation(f"forget-{folded.sequence + 1}-{number}", "")
            change = Change(record.address, Action.FORGET, record.subject, reason, native_id=record.native_id)
            outcome = Outcome(Status.APPLIED, native_id=record.native_id, detail="recorded only")
            writer.append_many(
                [
                    ("intent", intent_data(change, operation, plan="", access=())),
                    ("outcome", outcome_data(change, operation, outcome)),
                ]
            )
    return tuple(record.address for record in chosen)


def _chosen(folded: Folded, named: str) -> list[Managed]:
    chosen = [m for a, m in sorted(folded.managed.items()) if named in (str(a), a.target)]
    if not chosen:
        raise NhictlError(f"nothing managed is named {named}", hint="nhictl audit log shows what was done where")
    unsettled = {item.address for item in folded.unresolved} & {m.address for m in chosen}
    if unsettled:
        first = min(unsettled)
        raise NhictlError(f"an operation on {first} has an unknown outcome", hint="nhictl apply settles it first")
    return chosen
