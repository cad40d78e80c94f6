"""Stop managing an object without touching it: recorded as an intent and its outcome, nothing is called."""

from __future__ import annotations

from nhictl.engine.record import intent_data, outcome_data
from nhictl.ledger import Ledger
from nhictl.ledger.fold import fold
from nhictl.model import Action, Address, Change, Entry, Exit, NhictlError, Operation, Outcome, Status


def forget(ledger: Ledger, text: str, reason: str) -> Entry:
    """Record that the object at the address `text` is no longer managed. Raises when it is not managed."""
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise NhictlError(str(error), exit_code=Exit.USAGE) from None
    with ledger.lock("ledger forget") as writer:
        folded = fold(ledger.entries())
        record = folded.managed.get(address)
        if record is None:
            raise NhictlError(f"{address} is not managed", hint="nhictl audit log --address shows its history")
        if any(item.address == address for item in folded.unresolved):
            raise NhictlError(f"an operation on {address} has an unknown outcome", hint="nhictl apply settles it first")
        operation = Operation(f"forget-{folded.sequence + 1}", "")
        change = Change(address, Action.FORGET, record.subject, reason, native_id=record.native_id)
        writer.append("intent", intent_data(change, operation, plan="", access=()))
        outcome = Outcome(Status.APPLIED, native_id=record.native_id, detail="recorded only")
        return writer.append("outcome", outcome_data(change, operation, outcome))
