"""`nhictl plan`: show what apply would change. Read-only: no lock, no write, no file of the workspace changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.model import Exit

if TYPE_CHECKING:
    from nhictl.model import Plan

app = new_app()

_EPILOG = """\b
Examples:
  nhictl plan
  nhictl plan -e prod --out plan.json
  nhictl plan -e prod --target nhi/payments-ci
  nhictl plan -e prod --report markdown=plan.md --detailed-exitcode
"""


@app.command(epilog=_EPILOG)
def plan(
    paths: o.Paths = [],  # noqa: B006
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    out: Annotated[Path | None, o.option("--out", help="Save the plan for `apply`.", metavar="FILE")] = None,
    output: o.Output = o.Format.TABLE,
    report: o.Report = [],  # noqa: B006
    detailed_exitcode: Annotated[
        bool,
        o.option("--detailed-exitcode", help="Exit 2 when there are changes."),
    ] = False,
    target: o.Targets = [],  # noqa: B006
    exclude: o.Excludes = [],  # noqa: B006
    kind: o.Kinds = [],  # noqa: B006
    owner: o.Owners = [],  # noqa: B006
    selector: o.Selectors = [],  # noqa: B006
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    color: o.ColorOption = o.Color.AUTO,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """Show what apply would change, in every target of the environment."""
    from nhictl.cli import context, show
    from nhictl.cli.planning import planned

    loaded = context.load(chdir, env, cache=not no_cache)
    chosen = context.selection(
        loaded, targets=target, excludes=exclude, kinds=kind, owners=owner, selectors=selector, paths=paths
    )
    with planned(loaded, chosen, progress=not quiet and not no_progress) as work:
        made = work.prepared.plan
    if out is not None:
        show.save(made, out)
    show.reports(made, report, out)
    show.plan(made, as_json=output is o.Format.JSON, color=color.value, verbose=verbose, saved=out)
    raise typer.Exit(exit_code(made, detailed=detailed_exitcode))


def exit_code(made: Plan, *, detailed: bool) -> Exit:
    """Return the exit code of a plan: the worst that stands in the way of applying it, or whether there are changes."""
    if made.auth_failed:
        return Exit.AUTH
    if made.unreadable:
        return Exit.ERROR
    if made.safety:
        return Exit.SAFETY
    if any(f.level == "error" for f in made.findings):
        return Exit.STALE
    return Exit.CHANGES if made.changes and detailed else Exit.DONE
