"""`nhictl adopt REF`: take an existing object under management, as a planned change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.apply import _may_ask
from nhictl.model import Exit, NhictlError

app = new_app()

_EPILOG = """\b
Examples:
  nhictl adopt nhi/payments-ci
  nhictl adopt aws-prod/iam-role/payments-ci --yes
  nhictl adopt nhi/payments-ci --from shop/staging
  nhictl adopt aws-prod
  nhictl adopt --all --exclude nhi/payments-ci
"""


@app.command(epilog=_EPILOG)
def adopt(
    refs: Annotated[
        list[str], typer.Argument(metavar="[REF]...", help="Targets, declared objects or addresses to take over.")
    ] = [],  # noqa: B006
    all_: Annotated[bool, o.option("--all", help="Everything declared that exists and is not managed yet.")] = False,
    from_: Annotated[
        str, o.option("--from", help="Take it from this owner (workspace/environment).", metavar="OWNER")
    ] = "",
    exclude: o.Excludes = [],  # noqa: B006
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    yes: o.Yes = False,
    expect_digest: o.ExpectDigest = "",
    override_safety: o.Override = "",
    output: o.ApplyOutput = o.ApplyFormat.TABLE,
    report: o.Report = [],  # noqa: B006
    no_input: o.NoInput = False,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    color: o.ColorOption = o.Color.AUTO,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """Show the takeover of declared objects that exist already, ask, and carry it out.

    A target, or --all, means everything declared there that exists and is not managed: nothing else is changed.
    """
    from nhictl.cli import context
    from nhictl.cli.applying import Flags, run_apply

    loaded = context.load(chdir, env, cache=False)
    if bool(refs) == all_:
        raise NhictlError("what is to be taken over?", hint="name a REF or a target, or --all", exit_code=Exit.USAGE)
    targets = {t.name for t in loaded.environment.targets}
    chosen = context.selection(loaded, targets=refs, excludes=exclude)
    chosen = replace(chosen, existing=set(refs) <= targets)
    flags = Flags(
        yes=yes, ask=_may_ask(no_input), expect_digest=expect_digest, override=override_safety,
        output=output.value, reports=tuple(report), color=color.value, verbose=verbose, quiet=quiet,
        progress=not no_progress,
    )  # fmt: skip
    raise typer.Exit(run_apply(loaded, chosen, None, flags, adopt=frozenset(refs or targets), adopt_from=from_))
