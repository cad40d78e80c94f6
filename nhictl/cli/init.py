"""`nhictl init [DIR]`: make a workspace that validates and plans. Never overwrites."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, say

app = new_app()


class Ci(StrEnum):
    """Which CI files to write."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


@app.command(epilog="\b\nExamples:\n  nhictl init\n  nhictl init shop --ci github")
def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made when missing.")] = Path(),
    name: Annotated[str, o.option("--name", help="Name of the workspace; the directory's by default.")] = "",
    ci: Annotated[Ci, o.option("--ci", help="Pipeline files to write.")] = Ci.NONE,
    debug: o.Debug = False,
) -> None:
    """Make a workspace that validates and plans, on the embedded directory."""
    from nhictl.scaffold import scaffold

    made = scaffold(directory, name=name, ci=ci.value)
    for file in made.files:
        out(str(file))
    for file in made.kept:
        say(f"{file} was there already and stays as it is; see that Git ignores .nhictl/")
    say("\nNext:")
    for command in made.next_commands:
        say(f"  {command}")
