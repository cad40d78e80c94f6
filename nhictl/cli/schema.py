"""`nhictl schema [KIND]`: print a published JSON Schema."""

from __future__ import annotations

from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out

app = new_app()


@app.command(epilog="\b\nExamples:\n  nhictl schema NHI\n  nhictl schema plan\n  nhictl schema > nhictl.json")
def schema(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help="A kind, `workspace` or `plan`; all kinds by default.")
    ] = "",
    debug: o.Debug = False,
) -> None:
    """Print the JSON Schema of a kind, or of every manifest."""
    from nhictl.manifest.schema_files import text

    out(text(kind.lower() or "nhictl"))
