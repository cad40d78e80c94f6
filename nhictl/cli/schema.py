"""`nhictl schema [KIND]`: print a published JSON Schema."""

from __future__ import annotations

from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out
from nhictl.model import Exit, NhictlError

app = new_app()


@app.command(epilog="\b\nExamples:\n  nhictl schema NHI\n  nhictl schema plan\n  nhictl schema > nhictl.json")
def schema(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help="A kind, `workspace`, `plan` or `inventory`; all kinds by default.")
    ] = "",
    debug: o.Debug = False,
) -> None:
    """Print the JSON Schema of a kind, or of every manifest."""
    from nhictl.manifest.schema_files import KINDS, text

    known = {**{name.lower(): name for name in KINDS}, "plan": "plan", "inventory": "inventory", "nhictl": "nhictl"}
    name = kind.lower() or "nhictl"
    if name not in known:
        raise NhictlError(f"no such kind: {kind}", hint=f"one of {', '.join(known.values())}", exit_code=Exit.USAGE)
    out(text(name))
