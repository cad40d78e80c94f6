"""`nhictl report`: the inventory and what was changed lately as a file to hand on. Read-only but for that file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhictl import __version__
from nhictl.cli import options as o
from nhictl.cli import show
from nhictl.cli.app import new_app
from nhictl.model import Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.cli.context import Loaded
    from nhictl.model import Inventory
    from nhictl.render.html import Report
    from nhictl.render.html_changes import Happened

app = new_app()

DAYS = 30
STDOUT = "-"
_EPILOG = """\b
Examples:
  nhictl report --html report.html
  nhictl report -e prod --html - > report.html
"""


@app.command(epilog=_EPILOG)
def report(
    html: Annotated[str, o.option("--html", help="Write one self-contained page; - is stdout.", metavar="FILE")] = "",
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """Show coverage, owners, risks, credentials, unmanaged identities and recent changes in one page."""
    from nhictl.cli import context, taking
    from nhictl.cli.talk import out
    from nhictl.render.html import page

    if not html:
        raise NhictlError("which report?", hint="--html FILE writes a page", exit_code=Exit.USAGE)
    if html != STDOUT:
        _require_replaceable(Path(html))
    loaded = context.load(chdir, env, cache=not no_cache)
    taken = taking.taken(loaded, progress=not quiet and not no_progress)
    text = page(_report(loaded, taken.inventory))
    if html == STDOUT:
        out(text)
    else:
        show.write_private(Path(html), text.encode())
    _tell(taken.inventory, html, quiet=quiet)
    if taken.inventory.unreadable:
        raise typer.Exit(Exit.AUTH if taken.auth_failed else Exit.ERROR)


def _report(loaded: Loaded, inventory: Inventory) -> Report:
    from nhictl.cli import acting
    from nhictl.render.html import Report

    who = acting.actor("report", commit=loaded.commit)
    by = " on ".join(part for part in (who.name, who.host) if part)
    changes = _changes(loaded, dt.datetime.fromisoformat(inventory.time))
    return Report(inventory, changes, days=DAYS, commit=loaded.commit, tool=f"nhictl {__version__}", by=by)


def _changes(loaded: Loaded, now: dt.datetime) -> tuple[Happened, ...] | None:
    """Return what was changed in the last `DAYS` days; None when nothing was ever recorded."""
    from nhictl.cli import context
    from nhictl.ledger import query
    from nhictl.render.html_changes import happened

    ledger = context.ledger_of(loaded, "report")
    if not ledger.exists():
        return None
    return happened(query.log(ledger, query.Filters(since=now - dt.timedelta(days=DAYS))))


def _require_replaceable(path: Path) -> None:
    """Raise a usage error unless `path` is free or a regular file: nothing is written through a link or to a device."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise NhictlError(f"{path} is not a regular file", hint="--html - writes to stdout", exit_code=Exit.USAGE)


def _tell(inventory: Inventory, file: str, *, quiet: bool) -> None:
    from nhictl.cli.talk import say
    from nhictl.render.safe import visible
    from nhictl.render.text import count

    for target, reason in sorted(inventory.unreadable.items()):
        say(f"{visible(target)} could not be read: {visible(reason)}")
    if quiet or file == STDOUT:
        return
    share = inventory.total.percent
    parts = [count(len(inventory.items), "identity"), *([] if share is None else [f"{share}% managed"])]
    parts += [f"{count(len(inventory.unreadable), 'target')} unknown"] if inventory.unreadable else []
    say(f"wrote {visible(file)}: {', '.join(parts)}")
