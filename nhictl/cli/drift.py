"""`nhictl drift`: compare live systems with what was last applied. Read-only; exit code 2 when something drifted."""

from __future__ import annotations

from pathlib import Path

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, style
from nhictl.model import Exit

app = new_app()

_EPILOG = """\b
Examples:
  nhictl drift
  nhictl drift -e prod -o json
  nhictl drift -e prod --target aws-prod
"""


@app.command(epilog=_EPILOG)
def drift(
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: o.Output = o.Format.TABLE,
    target: o.Targets = [],  # noqa: B006
    exclude: o.Excludes = [],  # noqa: B006
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    color: o.ColorOption = o.Color.AUTO,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """Name what was changed in the targets since nhictl last applied, field by field."""
    from nhictl.cli import context
    from nhictl.cli.planning import planned
    from nhictl.engine import drift as compare
    from nhictl.render.drift import render, render_json

    loaded = context.load(chdir, env, cache=not no_cache)
    chosen = context.selection(loaded, targets=target, excludes=exclude)
    with planned(loaded, chosen, progress=not quiet and not no_progress) as work:
        found = compare.drift(work.prepared, work.targets, chosen)
    if output is o.Format.JSON:
        out(render_json(found))
    else:
        out(render(found, style(color.value, verbose=verbose)))
    if found.unreadable:
        raise typer.Exit(Exit.AUTH if work.prepared.plan.auth_failed else Exit.ERROR)
    raise typer.Exit(Exit.CHANGES if found.drifted else Exit.DONE)
