"""`nhictl history NHI`: everything that happened to one NHI: who, when, what, why."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, style
from nhictl.model import NhictlError

app = new_app()


@app.command(epilog="\b\nExamples:\n  nhictl history payments-ci\n  nhictl history nhi/payments-ci -e prod -o json")
def history(
    nhi: Annotated[str, typer.Argument(metavar="NHI", help="Name or reference of the NHI.")],
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: o.Output = o.Format.TABLE,
    color: o.ColorOption = o.Color.AUTO,
    verbose: o.Verbose = 0,
    debug: o.Debug = False,
) -> None:
    """Show who changed what about one NHI, when, why, by which plan and with which result."""
    from nhictl.cli import asking
    from nhictl.ledger import query
    from nhictl.render import audit

    ledger = asking.ledger(chdir, env)
    subject = nhi if "/" in nhi else f"nhi/{nhi}"
    found = query.history(ledger, subject)
    if not found:
        raise NhictlError(f"nothing is recorded about {subject}", hint="nhictl audit log shows what is")
    if output is o.Format.JSON:
        out(asking.text([dataclasses.asdict(event) for event in found]))
        return
    out(audit.history(subject, found, style(color.value, verbose=verbose)))
