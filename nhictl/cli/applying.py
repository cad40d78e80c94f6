"""What `apply` and `adopt` share: plan with writing sessions, show, ask, carry out, report.

Rules enforced here:
- without a terminal nothing is applied unasked: a saved plan, `--yes` or `--expect-digest` is needed;
- what was shown is what is applied; nothing to do writes nothing.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nhictl.cli import context, show
from nhictl.cli.planning import planned
from nhictl.cli.talk import say, whoever_listens
from nhictl.model import Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.engine.execute import Executed
    from nhictl.model import Plan
    from nhictl.select import Selection

_NOT_CONFIRMED = "not confirmed: nothing was changed"


@dataclass(frozen=True, slots=True)
class Flags:
    """How to apply, from the command line. `ask` is true when there is somebody to ask."""

    yes: bool
    ask: bool
    expect_digest: str = ""
    override: str = ""
    output: str = "table"
    reports: tuple[str, ...] = ()
    color: str = "auto"
    verbose: int = 0
    quiet: bool = False
    progress: bool = True


def run_apply(
    loaded: context.Loaded,
    chosen: Selection,
    approved: Plan | None,
    flags: Flags,
    *,
    adopt: frozenset[str] = frozenset(),
    adopt_from: str = "",
) -> Exit:
    """Apply in one environment and return the exit code."""
    from nhictl.engine.apply import Order, carry_out, nothing_to_do, require_safe
    from nhictl.engine.approved import require_digest, require_same
    from nhictl.engine.execute import Executed

    with planned(
        loaded, chosen, write=True, progress=flags.progress and not flags.quiet, adopt=adopt, adopt_from=adopt_from
    ) as made:
        plan = made.prepared.plan
        if approved is not None:
            require_same(approved, made.prepared, now=made.request.now)
        if flags.expect_digest:
            require_digest(flags.expect_digest, plan)
        show.reports(plan, flags.reports)
        _show(plan, flags)
        if nothing_to_do(made.prepared):
            return _finish(Executed(()), plan, made.run, flags)
        require_safe(plan, flags.override)
        if plan.changes:
            _confirm(plan, flags)
        with stopping() as stop, whoever_listens(), show.applying(plan, made.run, flags) as on_event:
            digest = approved.digest if approved is not None else plan.digest
            order = Order(made.run, digest, flags.override, made.actor.trigger.as_json(), stop, on_event)
            executed = carry_out(made.request, made.ledger, made.targets, made.prepared, order=order)
    return _finish(executed, plan, made.run, flags)


def _show(plan: Plan, flags: Flags) -> None:
    if flags.output != "table":
        return
    try:
        show.plan(plan, as_json=False, color=flags.color, verbose=flags.verbose, applying=True)
        sys.stdout.flush()
    except BrokenPipeError:
        raise NhictlError("nobody reads the plan; nothing was changed") from None
    except OSError as error:
        raise NhictlError(f"cannot write the plan: {error.strerror}; nothing was changed") from None


def _confirm(plan: Plan, flags: Flags) -> None:
    if flags.yes or flags.expect_digest:
        return
    if not flags.ask:
        raise NhictlError(
            "nobody can be asked here",
            hint="apply a saved plan, or use --expect-digest DIGEST, or --yes",
            exit_code=Exit.USAGE,
        )
    if flags.output != "table":
        show.plan_to_approve(plan, color=flags.color, verbose=flags.verbose)
    say("")
    try:
        answer = input_line(f"Apply these {len(plan.changes)} changes to {plan.environment}? Only yes is accepted: ")
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise NhictlError(_NOT_CONFIRMED, exit_code=Exit.INTERRUPTED) from None
    if answer.strip() != "yes":
        raise NhictlError(_NOT_CONFIRMED, exit_code=Exit.ERROR)


def input_line(question: str) -> str:
    """Ask on stderr and return the answer; the end of input is no answer."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline()


def _finish(executed: Executed, plan: Plan, run: str, flags: Flags) -> Exit:
    from nhictl.cli.apply import exit_code

    code = exit_code(executed, plan)
    with whoever_listens():
        show.result(executed, plan, run, flags, code=code)
    return code


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Turn SIGINT, SIGTERM and SIGHUP into a request to stop handing out changes."""
    stop = threading.Event()

    def note(_number: int, _frame: object) -> None:
        if not stop.is_set():
            stop.set()
            say("\nstopping: no new change is started; waiting for those that run")

    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
