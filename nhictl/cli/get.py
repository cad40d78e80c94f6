"""`nhictl get nhi`: the declared NHIs; with `--live` the inventory of what really exists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.inventory import InventoryFormat, Matches, Output, Stale, Standings, Tiers, Types, inventory
from nhictl.cli.inventory import Providers as ProviderNames
from nhictl.cli.talk import out, style
from nhictl.model import Exit, NhictlError

app = new_app(help="List objects by kind: nhi.")

Live = Annotated[bool, o.option("--live", help="What exists in the targets, not what is declared.")]


@app.callback()
def _get() -> None:
    pass


@app.command(epilog="\b\nExamples:\n  nhictl get nhi\n  nhictl get nhi --live\n  nhictl get nhi --live --stale 90d")
def nhi(
    live: Live = False,
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: Output = InventoryFormat.TABLE,
    target: o.Targets = [],  # noqa: B006
    exclude: o.Excludes = [],  # noqa: B006
    owner: o.Owners = [],  # noqa: B006
    type_: Types = [],  # noqa: B006
    standing: Standings = [],  # noqa: B006
    provider: ProviderNames = [],  # noqa: B006
    tier: Tiers = [],  # noqa: B006
    match: Matches = [],  # noqa: B006
    selector: o.Selectors = [],  # noqa: B006
    stale: Stale = "",
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    color: o.ColorOption = o.Color.AUTO,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """List the NHIs that the manifests declare; with --live the same as `nhictl inventory`."""
    if live:
        inventory(
            chdir, env, output, target, exclude, owner, type_, standing, provider, tier, match, selector, stale,
            verbose, quiet, debug, color, no_progress, no_cache,
        )  # fmt: skip
        return
    wanted = {
        "--target": target, "--exclude": exclude, "--standing": standing, "--provider": provider, "--stale": stale,
    }  # fmt: skip
    if asked := [name for name, value in wanted.items() if value]:
        raise NhictlError(f"{asked[0]} is about what exists", hint="add --live", exit_code=Exit.USAGE)
    from nhictl.cli import context
    from nhictl.render import declared
    from nhictl.select import parse_labels

    loaded = context.load(chdir, env, cache=not no_cache)
    fits = declared.Wanted(tuple(owner), tuple(type_), tuple(tier), tuple(match), parse_labels(selector))
    found = declared.rows(loaded.checked.documents, loaded.environment.name, fits)
    if output is InventoryFormat.TABLE:
        out(declared.table(found, style(color.value, verbose=verbose)))
    else:
        out(declared.as_csv(found) if output is InventoryFormat.CSV else declared.as_json(found))
