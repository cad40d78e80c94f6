"""`nhictl audit`: ask the ledger. Reading takes no lock and writes nothing but a disposable index."""

from __future__ import annotations

import json
import os
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, style
from nhictl.model import Action, Exit, NhictlError, Status

app = new_app(help="Ask the ledger: what happened, by whom, why; is it unaltered; take it out.")

Since = Annotated[str, o.option("--since", help="From this time on.", metavar="TIME")]
Until = Annotated[str, o.option("--until", help="Before this time.", metavar="TIME")]
Nhi = Annotated[str | None, o.option("--nhi", help="Only what concerns this NHI.", metavar="NHI")]
Address = Annotated[str | None, o.option("--address", help="Only this address.")]
Type = Annotated[str | None, o.option("--type", help="Only this type: intent, outcome, plan ...")]
Actor = Annotated[str | None, o.option("--actor", help="Only by this actor.")]
RunName = Annotated[str | None, o.option("--run", help="Only this run.")]
PlanDigest = Annotated[str | None, o.option("--plan", help="Only this plan's digest or its start.")]
ActionName = Annotated[str | None, o.option("--action", help="Only this action.")]
StatusName = Annotated[str | None, o.option("--status", help="Only this status.")]


class ExportFormat(StrEnum):
    """How the ledger is exported."""

    JSONL = "jsonl"
    CSV = "csv"


@app.command(
    epilog="\b\nExamples:\n  nhictl audit log --nhi payments-ci --since 2026-11-01\n"
    "  nhictl audit log --type plan -n 5 -o json"
)
def log(
    nhi: Nhi = None,
    address: Address = None,
    type_: Type = None,
    actor: Actor = None,
    since: Since = "",
    until: Until = "",
    run: RunName = None,
    plan: PlanDigest = None,
    action: ActionName = None,
    status: StatusName = None,
    limit: Annotated[int, o.option("-n", "--limit", help="The newest N; 0 for all.", min=0)] = 50,
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: o.Output = o.Format.TABLE,
    color: o.ColorOption = o.Color.AUTO,
    verbose: o.Verbose = 0,
    debug: o.Debug = False,
) -> None:
    """List entries, newest first."""
    from nhictl.cli import asking
    from nhictl.ledger import query
    from nhictl.ledger.chain import EntryType
    from nhictl.render import audit

    begin, end = _moments(since, until)
    wanted = query.Filters(
        nhi=nhi, address=address, type=_one_of("--type", type_, EntryType), actor=actor, since=begin, until=end,
        run=run, plan=plan, action=_one_of("--action", action, Action), limit=limit or None,
        status=_one_of("--status", {"unknown": Status.INDETERMINATE}.get(status or "", status), Status),
    )  # fmt: skip
    found = query.log(asking.ledger(chdir, env), wanted)
    if output is o.Format.JSON:
        out(audit.log_json(found))
        return
    out(audit.log(found, style(color.value, verbose=verbose)))


def _one_of(option: str, word: str | None, known: type[StrEnum]) -> str | None:
    """Return `word`, which must be one of `known`: what nobody ever records must not read as "nothing happened"."""
    import difflib

    words = [member.value for member in known]
    if word is None or word in words:
        return word
    near = difflib.get_close_matches(word, words, n=3, cutoff=0.55)
    hint = f"did you mean {' or '.join(near)}?" if near else f"one of: {', '.join(words)}"
    raise NhictlError(f"{option}: no entry has {word}", hint=hint, exit_code=Exit.USAGE)


def _moments(since: str, until: str) -> tuple[Any, Any]:
    from nhictl.cli import asking

    return asking.moment(since, "--since"), asking.moment(until, "--until")


@app.command(epilog="\b\nExamples:\n  nhictl audit show 12\n  nhictl audit show 3fa9")
def show(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="A sequence number, or the start of a hash.")],
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: o.Output = o.Format.TABLE,
    color: o.ColorOption = o.Color.AUTO,
    verbose: o.Verbose = 0,
    debug: o.Debug = False,
) -> None:
    """Show one entry with everything in it."""
    from nhictl.cli import asking
    from nhictl.ledger import query
    from nhictl.render import audit

    found = query.show(asking.ledger(chdir, env), entry)
    if output is o.Format.JSON:
        out(asking.text(audit.as_json(found)))
        return
    out(audit.show(found, style(color.value, verbose=verbose)))


@app.command(
    epilog="\b\nExamples:\n  nhictl audit verify\n  nhictl audit verify --anchor "
    "1200:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    "\n  nhictl audit verify --key ledger.pub"
)
def verify(
    anchor: Annotated[
        str,
        o.option(
            "--anchor",
            help="SEQ:HASH noted elsewhere; the log must contain it.",
            metavar="SEQ:HASH",
        ),
    ] = "",
    key: Annotated[
        list[Path],
        o.option(
            "--key",
            help="Trust the Ed25519 public keys in this file; NHICTL_LEDGER_KEY's is trusted anyway. May be repeated.",
            metavar="FILE",
        ),
    ] = [],  # noqa: B006 - typer makes its own
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: o.Output = o.Format.TABLE,
    color: o.ColorOption = o.Color.AUTO,
    debug: o.Debug = False,
) -> None:
    """Check that nothing was altered, inserted, dropped or reordered, and that checkpoints have trusted signatures."""
    from nhictl.cli import asking
    from nhictl.ledger import signing
    from nhictl.ledger import verify as check
    from nhictl.render import audit

    seen, keys = _anchor(anchor), signing.trusted(os.environ, key)
    ledger = asking.ledger(chdir, env)
    problems = check.verify(ledger, seen, keys=keys)
    bad = any(p.level == "error" for p in problems)
    head = None if bad else ledger.head()
    entries = head.seq + 1 if head else max((p.seq for p in problems), default=-1) + 1
    at = f"{head.seq}:{head.hash}" if head else ""
    if output is o.Format.JSON:
        out(audit.verification_json(problems, entries=entries, head=at))
    else:
        out(audit.verification(problems, style(color.value), entries=entries, head=at))
    raise typer.Exit(Exit.ERROR if bad else Exit.DONE)


def _anchor(text: str) -> Any:
    from nhictl.ledger import Head

    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not re.fullmatch("[0-9]{1,18}", seq) or not re.fullmatch("[0-9a-f]{64}", digest):
        hint = "SEQ is the entry's number, HASH its 64 hexadecimal digits, as `nhictl audit verify` prints its head"
        raise NhictlError(f"not an anchor (SEQ:HASH): {text}", hint=hint, exit_code=Exit.USAGE)
    return Head(int(seq), digest)


@app.command(
    epilog="\b\nExamples:\n  nhictl audit export > ledger.jsonl\n"
    "  nhictl audit export -o csv --since 2026-11-01 > november.csv"
)
def export(
    output: Annotated[
        ExportFormat, o.option("-o", "--output", help="jsonl keeps each line as recorded.")
    ] = ExportFormat.JSONL,
    nhi: Nhi = None,
    since: Since = "",
    until: Until = "",
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    debug: o.Debug = False,
) -> None:
    """Write entries to stdout, oldest first."""
    from nhictl.cli import asking
    from nhictl.ledger import query

    begin, end = _moments(since, until)
    wanted = query.Filters(nhi=nhi, since=begin, until=end) if nhi or begin or end else None
    shown = _harmless if output is ExportFormat.JSONL and sys.stdout.isatty() else str
    for line in query.export(asking.ledger(chdir, env), output.value, wanted):
        out(shown(line))


def _harmless(line: str) -> str:
    """Return a recorded line as a terminal may see it: the same JSON, more of it escaped."""
    from nhictl.render.safe import json_text

    return json_text(json.loads(line), indent=None)
