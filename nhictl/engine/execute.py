"""Carry out a plan: intent, call, outcome, in dependency order and in parallel within each adapter's limits.

Rules enforced here:
- the intent is durable before the call; when it cannot be written, nothing more is called anywhere;
- a change that fails skips its dependents, the rest goes on;
- a lost reply is settled by reading; what reading cannot tell stays unknown;
- a stop request hands out nothing more, waits for what runs, and records it;
- an object is read again, and must be as planned, before it is written, unless the adapter says that the plan's
  reading is fresh enough (`Capabilities.fresh_for`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Protocol

from nhictl.diff import declared_view
from nhictl.engine.live import Connected
from nhictl.engine.record import intent_data, outcome_data
from nhictl.engine.recover import Sleep, ledger_only, located, look, settle_time
from nhictl.failpoints import failpoint
from nhictl.model import (
    AccessDelta,
    Address,
    Change,
    Entry,
    Fault,
    LedgerError,
    LockHeld,
    Operation,
    Outcome,
    Plan,
    ProviderError,
    Receipt,
    Resource,
    Status,
)


class Writer(Protocol):
    """The ledger as apply needs it: durable on return, or an exception."""

    def append(self, kind: str, data: Mapping[str, object], /) -> Entry:
        """Record one entry. Raises LedgerError or LockHeld: then nobody may act."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """What happens while a plan runs: a change started, or ended with `receipt` after `seconds`."""

    change: Change
    receipt: Receipt | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """How to run a plan. `name` prefixes operation ids; `read_at` is the monotonic time of the plan's reading.

    `causes` says which access each change gives or takes.
    """

    name: str
    owner: str
    writer: Writer
    read_at: float
    stop: threading.Event = field(default_factory=threading.Event)
    on_event: Callable[[Event], None] = lambda _event: None
    sleep: Sleep = time.sleep
    causes: Mapping[Address, Sequence[AccessDelta]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Executed:
    """How a run ended: one receipt per change, in plan order. `stopped` says why it ended early, or is empty."""

    receipts: tuple[Receipt, ...]
    stopped: str = ""


def execute(plan: Plan, open_targets: Iterable[Connected], run: Run) -> Executed:
    """Carry out every change of `plan` that can be, and say how each ended."""
    state = _State(plan, {at.target.name: at for at in open_targets}, run)
    workers = {name: max(1, at.adapter.capabilities.workers) for name, at in state.targets.items()}
    with ThreadPoolExecutor(max_workers=max(1, sum(workers.values()))) as pool:
        running: dict[Future[Receipt], Change] = {}
        while True:
            for change in state.ready(running.values(), workers):
                running[pool.submit(state.carry_out, change)] = change
            if not running:
                break
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                running.pop(future)
                state.finish(future.result())
    return state.executed()


class _State:
    """Which changes are waiting, done or given up. Only the scheduling thread touches it; `carry_out` sets `broken`."""

    def __init__(self, plan: Plan, targets: Mapping[str, Connected], run: Run) -> None:
        self.plan = plan
        self.targets = targets
        self.run = run
        self.receipts: dict[Address, Receipt] = {}
        self.started: dict[Address, float] = {}
        self.waiting: dict[Address, Change] = {c.address: c for c in plan.changes}
        self.needs = {c.address: {a for a in c.depends_on if a in self.waiting} for c in plan.changes}
        self.users: dict[Address, list[Address]] = {}
        for address, needs in self.needs.items():
            for needed in needs:
                self.users.setdefault(needed, []).append(address)
        self.queue: dict[str, deque[Change]] = {}
        for change in plan.changes:
            if not self.needs[change.address]:
                self.queue.setdefault(change.address.target, deque()).append(change)
        self.renaming = {c.address.target for c in plan.changes if any(f.path == "name" for f in c.fields)}
        self.numbers = {c.address: number for number, c in enumerate(plan.changes, 1)}
        self.stopped = ""
        self.broken = ""

    def ready(self, running: Iterable[Change], workers: Mapping[str, int]) -> list[Change]:
        """Take the next changes that may start now."""
        if not self.stopped:
            self.stopped = self.broken or ("interrupted" if self.run.stop.is_set() else "")
        if self.stopped:
            return []
        busy: dict[str, int] = {}
        for change in running:
            busy[change.address.target] = busy.get(change.address.target, 0) + 1
        taken = []
        for name, queue in self.queue.items():
            room = workers.get(name, 0) - busy.get(name, 0)
            taken += [queue.popleft() for _ in range(min(room, len(queue)))]
        for change in taken:
            del self.waiting[change.address]
            self.started[change.address] = time.monotonic()
            self.run.on_event(Event(change))
        return taken

    def finish(self, receipt: Receipt) -> None:
        """Note how a change ended and let its dependents go on, or give them up."""
        address = receipt.change.address
        self.receipts[address] = receipt
        took = time.monotonic() - self.started.get(address, time.monotonic())
        self.run.on_event(Event(receipt.change, receipt, took))
        if receipt.operation == "" and receipt.status is Status.SKIPPED:
            self.stopped = self.stopped or receipt.detail
        if receipt.status is Status.APPLIED:
            for user in self.users.get(address, ()):
                self.needs[user].discard(address)
                if not self.needs[user] and user in self.waiting:
                    self.queue.setdefault(user.target, deque()).append(self.waiting[user])
            return
        self._skip_dependents(address)

    def _skip_dependents(self, address: Address) -> None:
        for user in self.users.get(address, ()):
            change = self.waiting.pop(user, None)
            if change is not None:
                receipt = Receipt(change, Status.SKIPPED, f"waits for {address}")
                self.receipts[user] = receipt
                self.run.on_event(Event(change, receipt))
                self._skip_dependents(user)

    def executed(self) -> Executed:
        """Return all receipts in plan order; what never started is skipped."""
        why = self.stopped or "not started"
        receipts = (self.receipts.get(c.address) or Receipt(c, Status.SKIPPED, why) for c in self.plan.changes)
        return Executed(tuple(receipts), self.stopped)

    def carry_out(self, change: Change) -> Receipt:
        """Do one change, from intent to outcome. Runs in a worker thread."""
        at = self.targets[change.address.target]
        stale = _stale(change, at, self.run, renaming=change.address.target in self.renaming)
        if stale is not None:
            return stale
        operation = Operation(f"{self.run.name}-{self.numbers[change.address]}", self.run.owner)
        failpoint("before-intent")
        try:
            data = intent_data(change, operation, plan=self.plan.digest, access=self.run.causes.get(change.address, ()))
            self.run.writer.append("intent", data)
        except (LedgerError, LockHeld) as error:
            return Receipt(change, Status.SKIPPED, f"the ledger cannot be written: {error.message}")
        failpoint("after-intent")
        outcome = _call(change, operation, at, self.run)
        failpoint("after-call")
        try:
            self.run.writer.append("outcome", outcome_data(change, operation, outcome))
        except (LedgerError, LockHeld) as error:
            self.broken = f"the outcome of {change.address} cannot be recorded: {error.message}"
            return Receipt(change, Status.INDETERMINATE, self.broken, operation.id)
        failpoint("after-outcome")
        return Receipt(change, outcome.status, outcome.detail, operation.id)


def _stale(change: Change, at: Connected, run: Run, *, renaming: bool) -> Receipt | None:
    """Read the object again when the plan's reading is old; return a receipt when it is not as planned.

    With `renaming` a rename of this run may have changed what is named after its object: then the native id decides.
    """
    if at.session is None or time.monotonic() - run.read_at < at.adapter.capabilities.fresh_for:
        return None
    try:
        live = located(at, at.session, change)
    except ProviderError as error:
        return Receipt(change, Status.FAILED, f"cannot be read before the change: {error.message}")
    except Exception as error:  # noqa: BLE001 - a defect in an adapter: nothing was sent yet, so this change failed
        return Receipt(change, Status.FAILED, f"unexpected {type(error).__name__} while reading before the change")
    same = live is not None and change.before is not None and live.native_id == change.native_id
    if (renaming and same) or _as_planned(change, live, at):
        return None
    return Receipt(change, Status.FAILED, "changed in the target since it was planned; plan again")


def _as_planned(change: Change, live: Resource | None, at: Connected) -> bool:
    """True when each attribute is as it was planned from, or already as planned to: a rename carries over to users."""
    if (live.fingerprint() if live is not None else "") == change.fingerprint:
        return True
    if live is None or change.before is None or change.after is None or live.native_id != change.native_id:
        return False
    before, after = change.before.attributes, change.after.attributes
    live = declared_view(at.adapter.capabilities.kinds[change.address.kind], live, before, after)
    return all(live.attributes.get(k) in (before.get(k), after.get(k)) for k in {*before, *live.attributes})


def _call(change: Change, operation: Operation, at: Connected, run: Run) -> Outcome:
    if ledger_only(at, change):
        return Outcome(Status.APPLIED, native_id=change.native_id, detail="recorded only")
    if at.session is None:
        return Outcome(Status.NOT_APPLIED, code="unreadable", detail=at.error)
    sent = time.monotonic()
    try:
        return at.session.apply(change, operation)
    except ProviderError as error:
        if error.fault is not Fault.LOST:
            return _failed(error)
        return _settle(change, operation, at, run=run, sent=sent, error=error)
    except Exception as error:  # noqa: BLE001 - a defect in an adapter: nobody knows what happened, so it is unknown
        detail = f"unexpected {type(error).__name__} in the {at.adapter.name} adapter"
        return Outcome(Status.INDETERMINATE, code="unexpected", detail=detail)


def _failed(error: ProviderError) -> Outcome:
    detail = f"{error.message} ({error.hint})" if error.hint else error.message
    return Outcome(Status.FAILED, error.native_id, error.request_ids, error.code or str(error.fault), detail)


def _settle(
    change: Change, operation: Operation, at: Connected, *, run: Run, sent: float, error: ProviderError
) -> Outcome:
    """Read until the settle time has passed to learn how a call with a lost reply ended."""
    unknown = Outcome(Status.INDETERMINATE, "", error.request_ids, "lost", "the reply was lost")
    settle = settle_time(at)
    try:
        outcome = look(at, change, operation)
        waited = time.monotonic() - sent
        if outcome.status is not Status.APPLIED and waited < settle:
            run.sleep(settle - waited)
            outcome = look(at, change, operation)
    except ProviderError:
        return unknown
    except Exception as defect:  # noqa: BLE001 - a defect in an adapter's reading: nobody knows, so it is unknown
        return replace(unknown, detail=f"the reply was lost; unexpected {type(defect).__name__} while reading")
    if outcome.status is Status.NOT_APPLIED:
        return Outcome(
            Status.FAILED,
            "",
            error.request_ids,
            "lost",
            "the reply was lost; reading shows it did not happen",
        )
    return outcome
