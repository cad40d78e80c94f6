"""Results and talk of plan and apply: plans, progress, receipts, report files."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhictl.cli.context import now
from nhictl.cli.talk import out, say, style
from nhictl.model import Exit, NhictlError
from nhictl.plan import timestamp
from nhictl.safety import ABSOLUTE

if TYPE_CHECKING:
    from nhictl.cli.applying import Flags
    from nhictl.engine.execute import Event, Executed
    from nhictl.model import Plan
    from nhictl.render.text import Style


@contextlib.contextmanager
def reading(*, enabled: bool, color: str = "auto") -> Iterator[Callable[[str, str], None]]:
    """Show how far reading the targets is, on stderr."""
    from nhictl.render.progress import reporter

    with reporter(sys.stderr, style(color, err=True), enabled=enabled) as note:
        yield note.reading


def plan(
    made: Plan, *, as_json: bool, color: str, verbose: int, saved: Path | None = None, applying: bool = False
) -> None:
    """Write a plan to stdout; when it is applied, without the command that applies it."""
    if as_json:
        from nhictl.render.plan_json import render as json_of

        out(json_of(made))
        return
    command = "" if applying or not made.changes else _apply_command(made, saved)
    out(_text(made, style(color, verbose=verbose), command, saved))


def plan_to_approve(made: Plan, *, color: str, verbose: int) -> None:
    """Write the plan that somebody is asked about to stderr, beside the question."""
    say(_text(made, style(color, verbose=verbose, err=True), "", None))


def _text(made: Plan, look: Style, command: str, saved: Path | None) -> str:
    from nhictl.render.plan_text import render

    lifted = "" if any(f.rule in ABSOLUTE for f in made.safety) else _override_command(made, saved)
    shown = _without_expiry(made, saved)
    return render(shown, look, apply_command=command, override_command=lifted)


def _without_expiry(made: Plan, saved: Path | None) -> Plan:
    """Return the plan as it is told: only a saved plan expires, a digest does not."""
    return made if saved is not None else replace(made, expires="")


def _override_command(made: Plan, saved: Path | None) -> str:
    if "existing" in made.partial:
        refs = [shlex.quote(str(ref)) for ref in made.partial.get("targets", ())] or ["--all"]
        return " ".join(["nhictl adopt", f"-e {made.environment}", *refs, f"--override-safety {made.digest}"])
    what = [str(saved)] if saved is not None else _selected(made)
    return " ".join(["nhictl apply", *what, f"--override-safety {made.digest}"])


def _apply_command(made: Plan, saved: Path | None) -> str:
    if saved is not None:
        return f"nhictl apply {saved}"
    return " ".join(["nhictl apply", *_selected(made), f"--expect-digest {made.digest}"])


def _selected(made: Plan) -> list[str]:
    """Return the options that make this plan again."""
    options = {"targets": "--target", "excludes": "--exclude", "kinds": "--kind", "owners": "--owner", "labels": "-l"}
    chosen = [f"{options[name]} {shlex.quote(value)}" for name, values in made.partial.items() for value in values]
    return [f"-e {made.environment}", *chosen]


def save(made: Plan, path: Path) -> None:
    """Write the plan for `apply`, readable by its owner only."""
    from nhictl.plan_file import dumps

    write_private(path, dumps(made))


def write_private(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only. Raises NhictlError when it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise NhictlError(f"cannot write {path}: {error.strerror}") from None


def split_report(text: str, formats: Sequence[str]) -> tuple[str, Path]:
    """Return format and file of `FORMAT=FILE`. Raises a usage error."""
    form, sign, file = text.partition("=")
    if not sign or not file or form not in formats:
        raise NhictlError(
            f"not a report (FORMAT=FILE): {text}", hint=f"formats: {', '.join(formats)}", exit_code=Exit.USAGE
        )
    return form, Path(file)


def write_report(path: Path, text: str) -> None:
    """Write a report file. Raises NhictlError when it cannot be written."""
    try:
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    except OSError as error:
        raise NhictlError(f"cannot write {path}: {error.strerror}") from None


def reports(made: Plan, wanted: Sequence[str], saved: Path | None = None) -> None:
    """Write the reports asked for by `--report FORMAT=FILE`."""
    for text in wanted:
        form, path = split_report(text, ("markdown", "json"))
        if form == "json":
            from nhictl.render.plan_json import render as json_of

            write_report(path, json_of(made))
        else:
            from nhictl.render.plan_markdown import render

            write_report(path, render(_without_expiry(made, saved), apply_command=_apply_command(made, saved)))


@contextlib.contextmanager
def applying(made: Plan, run: str, flags: Flags) -> Iterator[Callable[[Event], None]]:
    """Show each change as it ends: events on stdout for jsonl, else talk on stderr."""
    from nhictl.render import apply_text, events
    from nhictl.render.progress import reporter

    if flags.output == "jsonl":
        out(events.jsonl(events.plan_event(made, timestamp(now()), run)), now=True)
        yield lambda event: out(events.jsonl(_as_event(event, run)), now=True)
        return
    look = style(flags.color, err=True)
    with reporter(sys.stderr, look, enabled=flags.progress and not flags.quiet) as note:
        note.begin(len(made.changes))
        yield (
            lambda event: (
                note.finished(apply_text.line(event.receipt, event.seconds, look))
                if event.receipt is not None
                else None
            )
        )


def _as_event(event: Event, run: str) -> dict[str, Any]:
    from nhictl.render import events

    moment = timestamp(now())
    if event.receipt is None:
        return events.intent_event(event.change, moment, run)
    return events.outcome_event(event.receipt, moment, run, seconds=event.seconds)


def result(executed: Executed, made: Plan, run: str, flags: Flags, *, code: int) -> None:
    """Write how an apply ended: by name what was applied, failed, skipped, unknown."""
    from nhictl.render import apply_text, events

    receipts, stopped = executed.receipts, executed.stopped
    if flags.output == "json":
        out(apply_text.render_json(receipts, plan=made.digest, run=run, exit_code=code, stopped=stopped))
    elif flags.output == "jsonl":
        out(events.jsonl(events.summary_event(receipts, timestamp(now()), run, exit_code=code, stopped=stopped)))
    elif receipts:
        out("\n" + apply_text.result(receipts, style(flags.color, verbose=flags.verbose), stopped=stopped))


__all__ = [
    "applying",
    "plan",
    "plan_to_approve",
    "reading",
    "reports",
    "result",
    "save",
    "say",
    "split_report",
    "write_report",
]
