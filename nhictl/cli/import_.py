"""`nhictl import [TARGET]`: manifests for what is live and not managed. Without `--write` nothing is written."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.model import Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.cli.context import Loaded
    from nhictl.engine.importing import Wish
    from nhictl.importing import Imported

app = new_app()

_EPILOG = """\b
Examples:
  nhictl import aws-prod --owner payments
  nhictl import aws-prod --match 'payments-*' --owner payments --write manifests
  nhictl import --group-by provider --owner platform --write manifests
"""


class GroupBy(StrEnum):
    """The first folder of each manifest."""

    OWNER = "owner"
    PROVIDER = "provider"


@app.command(name="import", epilog=_EPILOG)
def import_(
    target: Annotated[str, typer.Argument(metavar="[TARGET]", help="Only this target.", show_default=False)] = "",
    match: Annotated[
        list[str],
        o.option(
            "--match", help="Only names, KIND/NAME or addresses that fit; * and ? stand for others.", metavar="GLOB"
        ),
    ] = [],  # noqa: B006
    write: Annotated[
        Path | None, o.option("--write", help="Write the manifests below this folder.", metavar="DIR")
    ] = None,
    owner: Annotated[
        str, o.option("--owner", help="Owner of what has no tag or attribute that names one.", metavar="NAME")
    ] = "",
    group_by: Annotated[
        GroupBy | None, o.option("--group-by", help="Put the manifests into a folder for each.")
    ] = None,
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """Write manifests for what is live and not managed, without changing anything in the targets."""
    from nhictl.cli import context
    from nhictl.cli.talk import out, say
    from nhictl.engine.importing import Wish
    from nhictl.render.importing import files, summary
    from nhictl.scaffold.writing import placed, write_new

    loaded = context.load(chdir, env, cache=not no_cache)
    if target and target not in {t.name for t in loaded.environment.targets}:
        known = ", ".join(sorted(t.name for t in loaded.environment.targets))
        raise NhictlError(f"no target is named {target}", hint=f"one of: {known}", exit_code=Exit.USAGE)
    wish = Wish(tuple(match), owner, group_by.value if group_by else "")
    found = _read(loaded, target, wish, progress=not quiet and not no_progress)
    if write is None:
        if found.manifests:
            out(files(found))
        made: list[Path] = []
    else:
        made = write_new(write, placed(write, {m.path: m.text for m in found.manifests}))
        for file in made:
            out(str(file))
    if not quiet or found.refused:
        say(summary(found, written=len(made) if write is not None else None, next_commands=_next(loaded, write, found)))
    raise typer.Exit(Exit.PARTIAL if found.refused else Exit.DONE)


def _read(loaded: Loaded, target: str, wish: Wish, *, progress: bool) -> Imported:
    from nhictl.cli import context, show
    from nhictl.engine.importing import take
    from nhictl.engine.live import connected
    from nhictl.engine.prepare import adapters_of
    from nhictl.select import Selection

    ledger = context.ledger_of(loaded, "import")
    with context.below(loaded.workspace.root):
        pairs = adapters_of(loaded.environment, context.adapters(loaded.environment))
        chosen = [pair for pair in pairs if target in ("", pair[0].name)]
        with connected(chosen, write=False) as targets, show.reading(enabled=progress) as note:
            request = context.request(loaded, Selection(), progress=note)
            entries = ledger.entries() if ledger.exists() else ()
            return take(request, loaded.checked, entries, targets, wish=wish)


def _next(loaded: Loaded, write: Path | None, found: Imported) -> list[str]:
    """Return what to run next, and where the files must lie to be seen."""
    if not found.manifests:
        return []
    env = f" -e {loaded.environment.name}" if len(loaded.workspace.environments) > 1 else ""
    if write is None:
        return [f"the same with --write {loaded.workspace.manifests[0]}"]
    root = loaded.workspace.root.resolve()
    entries = [(root / entry).resolve() for entry in loaded.workspace.manifests]
    if not any(write.resolve().is_relative_to(entry) for entry in entries):
        return [f"move them below {', '.join(loaded.workspace.manifests)}: no command reads them where they are"]
    return ["nhictl validate", f"nhictl adopt{env} --all", f"nhictl plan{env}"]
