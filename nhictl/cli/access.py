"""`nhictl access`: what an NHI can do, and who can do something, each with the chain that gives it. Read-only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, style
from nhictl.model import Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.chains import World
    from nhictl.cli.context import Loaded
    from nhictl.engine.access import Seen

app = new_app()

_EPILOG = """\b
Examples:
  nhictl access payments-ci
  nhictl access aws-prod/iam-user/old-deploy -e prod
  nhictl access --who-can s3:GetObject 'arn:aws:s3:::ledger/*' -e prod
  nhictl access --who-can 'iam:*' '*' --declared -o json
"""


@app.command(epilog=_EPILOG)
def access(
    nhi: Annotated[
        str, typer.Argument(metavar="NHI", help="Name or reference of the NHI, or address of an unmanaged identity.")
    ] = "",
    who_can: Annotated[
        tuple[str, str] | None,
        o.option("--who-can", metavar="ACTION RESOURCE", help="Tell who can do this; `*` may stand for anything."),
    ] = None,
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    declared: Annotated[bool, o.option("--declared", help="Ask the manifests instead of the targets.")] = False,
    target: Annotated[list[str], o.option("--target", metavar="NAME", help="Only this target.")] = [],  # noqa: B006
    output: o.Output = o.Format.TABLE,
    color: o.ColorOption = o.Color.AUTO,
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """Show what an NHI can do, or who can do something, through which roles, groups, trust and connections.

    Conditions are shown, never evaluated. Policies on resources themselves, and limits above an account, are not read.
    """
    from nhictl import chains
    from nhictl.cli import context
    from nhictl.render import access_json, access_tree

    if bool(nhi) == (who_can is not None):
        raise NhictlError(
            "name an NHI, or ask --who-can ACTION RESOURCE", hint="nhictl access --help", exit_code=Exit.USAGE
        )
    loaded = context.load(chdir, env, cache=not no_cache)
    seen = _seen(loaded, tuple(target), declared=declared, progress=not quiet and not no_progress)
    as_json, look = output is o.Format.JSON, style(color.value, verbose=verbose)
    view = access_tree.View(loaded.environment.name, declared, seen.unreadable)
    if who_can is not None:
        answer = chains.who_can(seen.world, chains.Question(*who_can))
        out(access_json.answer(answer, view) if as_json else access_tree.answer(answer, view, look))
    else:
        found = chains.access(seen.world, nhi if "/" in nhi else f"nhi/{nhi}")
        if found is None and not seen.unreadable:
            raise _nobody(nhi, seen.world, loaded, declared=declared)
        if found is None:
            found = chains.Access(nhi if "/" in nhi else f"nhi/{nhi}", (), (), (), ())
        out(access_json.access(found, view) if as_json else access_tree.access(found, view, look))
    raise typer.Exit(Exit.AUTH if seen.auth_failed else Exit.ERROR if seen.unreadable else Exit.DONE)


def _seen(loaded: Loaded, targets: tuple[str, ...], *, declared: bool, progress: bool) -> Seen:
    """Return what is live, or declared, in the environment's targets or in some of them."""
    from nhictl.cli import acting, context, show
    from nhictl.engine import access as looking
    from nhictl.engine.live import connected
    from nhictl.engine.prepare import adapters_of
    from nhictl.select import Selection

    pairs = adapters_of(loaded.environment, context.adapters(loaded.environment))
    known = {t.name for t, _ in pairs}
    for name in targets:
        if name not in known:
            raise NhictlError(
                f"no target is named {name}", hint=f"one of: {', '.join(sorted(known))}", exit_code=Exit.USAGE
            )
    pairs = [(t, a) for t, a in pairs if not targets or t.name in targets]
    with context.below(loaded.workspace.root):
        if declared:
            return looking.declared(context.request(loaded, Selection()), pairs)
        ledger = context.ledger_of(loaded, acting.typed())
        with connected(pairs, write=False) as opened, show.reading(enabled=progress) as note:
            request = context.request(loaded, Selection(), progress=note)
            return looking.live(request, ledger.entries() if ledger.exists() else (), opened)


def _nobody(nhi: str, world: World, loaded: Loaded, *, declared: bool) -> NhictlError:
    """Return the error for a name that no identity has, with the way out."""
    from nhictl.manifest.schema import near_miss

    reference = nhi if "/" in nhi else f"nhi/{nhi}"
    if not declared and any(d.ref == reference for d in loaded.checked.documents):
        return NhictlError(
            f"{reference} is declared and not live in {loaded.environment.name}",
            hint="nhictl plan shows what is missing; --declared tells what the manifests mean",
        )
    names = sorted({p.name for p in world.parties.values()} | {str(p.main) for p in world.parties.values()})
    hint = near_miss(reference, names) or "nhictl inventory lists every identity"
    return NhictlError(f"no identity is named {reference}", hint=hint, exit_code=Exit.USAGE)
