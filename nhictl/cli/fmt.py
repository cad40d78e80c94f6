"""`nhictl fmt`: lay manifests out the one way, every comment kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import diagnostics_to_stderr, out, say
from nhictl.model import Exit

app = new_app()


@app.command(epilog="\b\nExamples:\n  nhictl fmt\n  nhictl fmt --check\n  nhictl fmt --diff manifests/payments.yaml")
def fmt(
    paths: o.Paths = [],  # noqa: B006
    chdir: o.Chdir = Path(),
    check: Annotated[bool, o.option("--check", help="Write nothing; exit 2 when a file would change.")] = False,
    diff: Annotated[bool, o.option("--diff", help="Write nothing; show the difference.")] = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Format manifests in place. Values and comments stay; a file that cannot be formatted safely is left alone."""
    from nhictl.cli import context
    from nhictl.manifest import fmt_files
    from nhictl.render.mask import masked
    from nhictl.render.safe import visible

    root, files = context.files_to_format(chdir, paths)
    found = fmt_files.look(files, root=root)
    problems = tuple(d for f in found for d in f.diagnostics)
    changed = [f for f in found if f.changed]
    for file in changed:
        if diff:
            out("\n".join(visible(line) for line in fmt_files.difference(file, masked).splitlines()))
        elif check:
            out(file.file)
        else:
            fmt_files.write(file)
            out(file.file)
    if problems:
        diagnostics_to_stderr(problems, root)
    if not quiet:
        verb = "would change" if check or diff else "formatted"
        refused = len({d.span.file for d in problems if d.span})
        say(f"{len(changed)} {verb}, {len(found) - len(changed) - refused} unchanged")
    if problems:
        raise typer.Exit(Exit.INVALID)
    raise typer.Exit(Exit.CHANGES if changed and (check or diff) else Exit.DONE)
