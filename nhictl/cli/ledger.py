"""`nhictl ledger`: look after the ledger: who holds its lock, take the lock away, give an object up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, say
from nhictl.model import Exit, NhictlError

app = new_app(help="Look after the ledger: its lock, and objects to give up.")
lock = new_app(help="Who holds the lock; take it away from a run that is gone.")
app.add_typer(lock, name="lock")


@lock.command("list", epilog="\b\nExamples:\n  nhictl ledger lock list -e prod")
def list_(chdir: o.Chdir = Path(), env: o.Env = "", output: o.Output = o.Format.TABLE, debug: o.Debug = False) -> None:
    """Show who holds the lock."""
    import dataclasses

    from nhictl.cli import asking
    from nhictl.render.safe import visible

    ledger = asking.ledger(chdir, env, missing_ok=True)
    held = ledger.lock_state() if ledger.exists() else None
    if output is o.Format.JSON:
        out(asking.text([{**dataclasses.asdict(held), "gone": ledger.gone(held)}] if held else []))
        return
    if held is None:
        out("not locked")
        return
    ended = asking.taken_over(ledger, held)
    out(
        f"{visible(held.holder)} on {visible(held.host)} (process {held.pid}), run {visible(held.run)}\n"
        f"  command  {visible(held.command)}\n  since    {held.since}\n  expires  {held.expires}"
        + (f"\n  {ended}" if ended else "")
    )


@lock.command("break", epilog='\b\nExamples:\n  nhictl ledger lock break -e prod --reason "runner was deleted"')
def break_(
    reason: Annotated[str, o.option("--reason", help="Why; goes into the ledger.")],
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    debug: o.Debug = False,
) -> None:
    """Take the lock from whoever holds it; that run can record, and so do, nothing more."""
    from nhictl.cli import asking

    if not reason.strip():
        raise NhictlError("a reason is needed", exit_code=Exit.USAGE)
    entry = asking.ledger(chdir, env, read_only=False).break_lock(reason.strip()[:1000])
    say(f"the lock is broken, recorded as entry {entry.seq}")


@app.command(
    "forget", epilog="\b\nExamples:\n  nhictl ledger forget aws-prod/iam-role/old --reason 'moved to another workspace'"
)
def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A managed address, or a target for all of it.")],
    reason: Annotated[str, o.option("--reason", help="Why; goes into the ledger.")],
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    debug: o.Debug = False,
) -> None:
    """Stop managing an object, or a whole target. The objects themselves, and their marks, stay as they are."""
    from nhictl.cli import asking
    from nhictl.engine.forget import forget as give_up

    given_up = give_up(asking.ledger(chdir, env, read_only=False), name, reason.strip()[:1000])
    for address in given_up:
        out(str(address))
    say(f"{len(given_up)} no longer managed")
