"""`nhictl doctor`: look at everything nhictl depends on, each part by itself. Reads only, and no secret is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, style
from nhictl.model import Exit

if TYPE_CHECKING:
    from nhictl.render.doctor import Check

app = new_app()

_EPILOG = """\b
Examples:
  nhictl doctor
  nhictl doctor -e prod
  nhictl doctor -o json
"""


@app.command(epilog=_EPILOG)
def doctor(
    ctx: typer.Context,
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: o.Output = o.Format.TABLE,
    color: o.ColorOption = o.Color.AUTO,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Check configuration and where it came from, credentials, missing permissions, ledger, cache and versions.

    Every environment is looked at, or the one that -e names. Exit code 1 when something is wrong, 4 when that is
    authentication.
    """
    from nhictl.render.doctor import render, render_json

    sources = {name: source.name for name in ctx.params if (source := ctx.get_parameter_source(name))}
    found = list(_everything(chdir, env, sources))
    if quiet:
        found = [check for check in found if check.state not in ("ok", "note")]
    if output is o.Format.JSON:
        out(render_json(found))
    elif found:
        out(render(found, style(color.value)))
    raise typer.Exit(exit_code(found))


def _everything(chdir: Path, env: str, sources: dict[str, str]) -> Iterator[Check]:
    from nhictl.cli import checks, checks_of_environment

    yield from checks.configuration(chdir, env, sources)
    yield from checks.manifests(chdir)
    yield from checks_of_environment.all_of(chdir, env)
    yield from checks.cache()
    yield from checks.versions()


def exit_code(checks: Iterable[Check]) -> Exit:
    """Return the exit code of what was found: authentication first."""
    states = {check.state for check in checks}
    if "auth" in states:
        return Exit.AUTH
    return Exit.ERROR if "error" in states else Exit.DONE
