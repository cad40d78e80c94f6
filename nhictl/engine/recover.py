"""Find out, by reading, how operations ended whose outcome nobody recorded.

Rules enforced here:
- never by guessing: what reading cannot tell stays indeterminate and blocks its target;
- a lost reply is not "not applied" before the provider's settle time has passed since the intent was written;
- the same resolution serves the read-only plan (in memory) and apply (recorded).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nhictl.engine.live import Connected, Progress
from nhictl.kinds.common import duration_seconds
from nhictl.ledger.fold import Unresolved
from nhictl.model import (
    Action,
    Address,
    Change,
    FieldChange,
    Handling,
    NhictlError,
    Operation,
    Outcome,
    ProviderError,
    Resource,
    Status,
    freeze,
)
from nhictl.providers.base import Scope, Session

Sleep = Callable[[float], None]
NOTHING_SENT = "nothing was sent"


def intent_change(data: Mapping[str, Any]) -> Change:
    """Return the change an intent entry describes."""
    address = Address.parse(data["address"])
    after = data.get("after")
    renamed = data.get("renamedFrom")
    resource = None
    if after is not None:
        resource = Resource(
            address,
            {k: freeze(v) for k, v in after.items()},
            subject=data["subject"],
            depends_on=tuple(Address.parse(a) for a in data.get("dependsOn") or ()),
            handling=Handling.from_json(data.get("handling") or {}),
            renamed_from=Address.parse(renamed) if renamed else None,
        )
    return Change(
        address, Action(data["action"]), data["subject"], data.get("reason", ""),
        native_id=data.get("nativeId", ""), after=resource, fingerprint=data.get("fingerprint", ""),
        fields=tuple(_field(f) for f in data.get("fields") or ()),
    )  # fmt: skip


def _field(data: Mapping[str, Any]) -> FieldChange:
    return FieldChange(
        data["path"], freeze(data.get("before")), freeze(data.get("after")),
        tuple(data.get("added") or ()), tuple(data.get("removed") or ()),
    )  # fmt: skip


def resolve_one(at: Connected, item: Unresolved) -> Outcome:
    """Return how one operation seems to have ended now."""
    change = intent_change(item.data)
    if ledger_only(at, change):
        return Outcome(Status.NOT_APPLIED, detail=NOTHING_SENT)
    if at.session is None:
        return Outcome(Status.INDETERMINATE, code="unreadable", detail="the target cannot be read")
    try:
        return look(at, change, item.operation)
    except ProviderError as error:
        return Outcome(Status.INDETERMINATE, code=error.code or str(error.fault), detail="the target cannot be read")
    except Exception as error:  # noqa: BLE001 - a defect in an adapter: nobody knows, so it stays unknown
        return Outcome(Status.INDETERMINATE, code="unexpected", detail=f"unexpected {type(error).__name__}")


def _still_open(at: Connected, item: Unresolved, outcome: Outcome, now: dt.datetime) -> float:
    """Return the seconds after which "not applied" can be believed; 0 when it can be now."""
    if outcome.status is not Status.NOT_APPLIED or outcome.detail == NOTHING_SENT:
        return 0.0
    age = (now - dt.datetime.fromisoformat(item.time)).total_seconds()
    return max(0.0, settle_time(at) - max(age, 0.0))


def settle_time(at: Connected) -> float:
    """Return the seconds a lost call may take to show, from the target's `settleTime` or the adapter."""
    text = at.target.settings.get("settleTime")
    if text is None:
        return at.adapter.capabilities.settle
    return 0.0 if text == "0s" else float(duration_seconds(text))


def look(at: Connected, change: Change, operation: Operation) -> Outcome:
    """Read the object of a change again and say how the operation on it ended. Raises ProviderError."""
    if at.session is None:
        raise NhictlError(f"target {at.target.name} is not open")
    live = located(at, at.session, change)
    status = at.session.resolve(change, operation, live)
    native = live.native_id if live is not None and status is Status.APPLIED else ""
    return Outcome(status, native_id=native, detail="found by reading")


def located(at: Connected, session: Session, change: Change) -> Resource | None:
    """Read the object of a change again. Raises ProviderError.

    Where a name can change in place the object may have got another one, by its own rename or by that of something
    it is named after: then the whole kind is read to find its native id.
    """
    old = change.after.renamed_from if change.after is not None else None
    found = session.reread([change.address, *([old] if old else [])])
    here = found.get(change.address) or (found.get(old) if old else None)
    kind = at.adapter.capabilities.kinds.get(change.address.kind)
    if not change.native_id or kind is None or not kind.rename:
        return here
    if here is None or here.native_id != change.native_id:
        scope = Scope(frozenset({change.address.kind}), frozenset({change.address}))
        return next((r for r in session.read(scope) if r.native_id == change.native_id), here)
    return here


def ledger_only(at: Connected, change: Change) -> bool:
    """True when a change concerns what we record and not the live object."""
    kind = at.adapter.capabilities.kinds.get(change.address.kind)
    if change.action is Action.FORGET:
        return kind is None or Action.FORGET not in kind.actions or (change.before is None and not change.fingerprint)
    return change.action is Action.UPDATE and all(field.path.startswith("handling.") for field in change.fields)


def resolve_all(
    open_targets: Iterable[Connected],
    unresolved: Iterable[Unresolved],
    *,
    now: dt.datetime,
    sleep: Sleep,
    progress: Progress = lambda _target, _state: None,
) -> dict[str, Outcome]:
    """Return the outcome of each unresolved operation by its id, after one wait for the youngest of them.

    A target that is not configured stays unknown.
    """
    by_name = {at.target.name: at for at in open_targets}
    outcomes: dict[str, Outcome] = {}
    waiting: dict[str, tuple[Connected, Unresolved, float]] = {}
    for item in unresolved:
        at = by_name.get(item.address.target)
        if at is None:
            outcomes[item.operation.id] = Outcome(Status.INDETERMINATE, code="unknown-target", detail="no such target")
            continue
        outcomes[item.operation.id] = outcome = resolve_one(at, item)
        if seconds := _still_open(at, item, outcome, now):
            waiting[item.operation.id] = (at, item, seconds)
    if waiting:
        longest = max(seconds for _, _, seconds in waiting.values())
        for name in sorted({at.target.name for at, _, _ in waiting.values()}):
            progress(name, f"waiting {longest:.0f} s for calls whose reply was lost")
        sleep(longest)
        outcomes |= {id_: resolve_one(at, item) for id_, (at, item, _) in waiting.items()}
    return outcomes
