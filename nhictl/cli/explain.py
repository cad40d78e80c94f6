"""`nhictl explain TOPIC`: what a kind, a field or a code means. Offline, from the schemas and the code registry."""

from __future__ import annotations

from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, style

app = new_app()


@app.command(
    epilog="\b\nExamples:\n  nhictl explain NHI\n  nhictl explain NHI.lifecycle.onRemove\n  nhictl explain E201"
)
def explain(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="KIND, KIND.field.path or a CODE.")],
    color: o.ColorOption = o.Color.AUTO,
    debug: o.Debug = False,
) -> None:
    """Explain a kind, a field of it, or the code of a message."""
    from nhictl.manifest.explain import explain as look_up
    from nhictl.render.explain import render

    out(render(look_up(topic), style(color.value)))
