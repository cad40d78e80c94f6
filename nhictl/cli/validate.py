"""`nhictl validate`: check configuration and manifests, all errors in one run, in source order."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, say, sources, style
from nhictl.model import Exit

if TYPE_CHECKING:
    from nhictl.manifest.validate import Checked
    from nhictl.model import Diagnostic
    from nhictl.render.diagnostics import Sources

app = new_app()


class Shape(StrEnum):
    """How diagnostics are written."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"


_EPILOG = """\b
Examples:
  nhictl validate
  nhictl validate manifests/payments.yaml
  nhictl validate -o sarif > nhictl.sarif
"""


@app.command(epilog=_EPILOG)
def validate(
    paths: o.Paths = [],  # noqa: B006
    chdir: o.Chdir = Path(),
    output: Annotated[
        Shape | None,
        o.option("-o", "--output", help="Format; full, or github in GitHub Actions."),
    ] = None,
    report: o.Report = [],  # noqa: B006
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    color: o.ColorOption = o.Color.AUTO,
    no_cache: o.NoCache = False,
) -> None:
    """Check manifests and configuration. Nothing outside the workspace is read."""
    from nhictl.cli.context import checked_workspace
    from nhictl.manifest.workspace import find
    from nhictl.render.diagnostics import render

    checked = checked_workspace(chdir, cache=not no_cache, compiled=True, paths=paths)
    shown = checked.diagnostics
    shape = output or (Shape.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Shape.FULL)
    lines = sources(find(chdir))
    _reports(shown, report, lines)
    out(render(shown, fmt=shape.value, sources=lines, style=style(color.value, verbose=verbose)))
    if not quiet:
        say(_ending(checked))
    raise typer.Exit(Exit.INVALID if checked.errors else Exit.DONE)


def _ending(checked: Checked) -> str:
    """Say how it went; never that all is good while something is wrong that was not asked about."""
    from nhictl.render.diagnostics import summary
    from nhictl.render.text import count

    lines = [summary(checked.diagnostics)] if checked.diagnostics else []
    if checked.elsewhere:
        lines.append(f"{count(checked.elsewhere, 'error')} in other files; nhictl validate shows all")
    return "\n".join(lines or [f"All good: {count(checked.files, 'file')}."])


def _reports(diagnostics: tuple[Diagnostic, ...], wanted: list[str], lines: Sources) -> None:
    from nhictl.cli.show import split_report, write_report
    from nhictl.render.diagnostics import render
    from nhictl.render.text import Style

    for text in wanted:
        shape, path = split_report(text, tuple(s.value for s in Shape))
        form: Any = shape
        write_report(path, render(diagnostics, fmt=form, sources=lines, style=Style()))
