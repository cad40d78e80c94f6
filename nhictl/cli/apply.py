"""`nhictl apply`: carry out a plan, the one shown or a saved one, and record every change."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.model import Exit, NhictlError, StalePlan, Status

if TYPE_CHECKING:
    from nhictl.engine.execute import Executed
    from nhictl.model import Plan
    from nhictl.select import Selection

app = new_app()

_EPILOG = """\b
Examples:
  nhictl apply                               plan, show, ask, apply what was shown
  nhictl apply plan.json                     apply exactly that plan, or refuse
  nhictl apply -e prod --yes --expect-digest sha256:...
"""


@app.command(epilog=_EPILOG)
def apply(
    saved: Annotated[Path | None, typer.Argument(metavar="[PLAN]", help="A plan saved by `plan --out`.")] = None,
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    yes: o.Yes = False,
    expect_digest: o.ExpectDigest = "",
    override_safety: o.Override = "",
    output: o.ApplyOutput = o.ApplyFormat.TABLE,
    report: o.Report = [],  # noqa: B006
    target: o.Targets = [],  # noqa: B006
    exclude: o.Excludes = [],  # noqa: B006
    kind: o.Kinds = [],  # noqa: B006
    owner: o.Owners = [],  # noqa: B006
    selector: o.Selectors = [],  # noqa: B006
    no_input: o.NoInput = False,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    color: o.ColorOption = o.Color.AUTO,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """Plan, show, ask, and apply what was shown; or apply exactly a saved plan."""
    from nhictl.cli import context
    from nhictl.cli.applying import Flags, run_apply

    approved = _read(saved)
    if approved is not None:
        _require_fit(approved, env, bool(target or exclude or kind or owner or selector))
    loaded = context.load(chdir, env or (approved.environment if approved else ""), cache=False)
    chosen = (
        _selection_of(approved)
        if approved
        else context.selection(loaded, targets=target, excludes=exclude, kinds=kind, owners=owner, selectors=selector)
    )
    flags = Flags(
        yes=yes or approved is not None,
        ask=_may_ask(no_input),
        expect_digest=expect_digest,
        override=override_safety,
        output=output.value,
        reports=tuple(report),
        color=color.value,
        verbose=verbose,
        quiet=quiet,
        progress=not no_progress,
    )
    raise typer.Exit(run_apply(loaded, chosen, approved, flags))


def _require_fit(approved: Plan, environment: str, selecting: bool) -> None:
    if selecting:
        raise NhictlError("a saved plan has its own selection", hint="plan again with it", exit_code=Exit.USAGE)
    if environment and environment != approved.environment:
        raise StalePlan(f"the plan is for environment {approved.environment}, not {environment}")


def _may_ask(no_input: bool) -> bool:
    import os

    return not no_input and not os.environ.get("CI") and sys.stdin.isatty() and sys.stderr.isatty()


def _read(path: Path | None) -> Plan | None:
    if path is None:
        return None
    if not path.exists():
        raise NhictlError(f"there is no plan {path}", hint="nhictl plan --out FILE saves one", exit_code=Exit.USAGE)
    from nhictl.plan_file import load

    return load(path)


def _selection_of(plan: Plan) -> Selection:
    from nhictl.select import Selection, parse_labels

    part = plan.partial
    return Selection(
        tuple(part.get("targets") or ()),
        tuple(part.get("excludes") or ()),
        tuple(part.get("kinds") or ()),
        tuple(part.get("owners") or ()),
        parse_labels(part.get("labels") or ()),
    )


def exit_code(executed: Executed, plan: Plan) -> Exit:
    """Return the exit code of an apply: complete, partly applied, interrupted, or why nothing was applied."""
    if executed.stopped == "interrupted":
        return Exit.INTERRUPTED
    statuses = {receipt.status for receipt in executed.receipts}
    refused = any(finding.level == "error" for finding in plan.findings)
    incomplete = bool(plan.unreadable) or refused or not statuses <= {Status.APPLIED}
    if statuses & {Status.APPLIED, Status.INDETERMINATE}:
        return Exit.PARTIAL if incomplete else Exit.DONE
    if plan.auth_failed:
        return Exit.AUTH
    if plan.unreadable or statuses:
        return Exit.ERROR
    return Exit.STALE if refused else Exit.DONE
