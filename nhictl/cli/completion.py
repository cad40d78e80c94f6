"""`nhictl completion SHELL`: the completion script of a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import VARIABLE, new_app, root
from nhictl.cli.talk import out
from nhictl.model import Exit, NhictlError

app = new_app()


class Shell(StrEnum):
    """Shells a script can be made for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command(
    epilog="\b\nExamples:\n  nhictl completion bash > ~/.local/share/bash-completion/completions/nhictl\n"
    "  nhictl completion zsh > ~/.zfunc/_nhictl\n  nhictl completion fish > ~/.config/fish/completions/nhictl.fish"
)
def completion(
    shell: Annotated[Shell, typer.Argument(help="The shell to complete in.")], debug: o.Debug = False
) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell.value)
    if kind is None:
        raise NhictlError(f"no completion for {shell.value}", exit_code=Exit.USAGE)
    out(kind(root(), {}, "nhictl", VARIABLE).source())
