"""Results and talk of plan and apply: plans, progress, receipts, report files."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nhictl.cli.talk import out, say, style
from nhictl.model import Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.cli.applying import Flags
    from nhictl.engine.execute import Event, Executed
    from nhictl.model import Plan


def json_text(data: object) -> str:
    """Return JSON with every character outside ASCII escaped: safe on any terminal."""
    return json.dumps(data, indent=2, ensure_ascii=True)


@contextlib.contextmanager
def reading(*, quiet: bool, no_progress: bool) -> Iterator[Callable[[str, str], None]]:
    """Show how far reading the targets is, on stderr."""
    from nhictl.render.progress import reading as progress

    with progress(enabled=not quiet and not no_progress) as note:
        yield note


def plan(
    made: Plan, *, as_json: bool, color: str, verbose: int, saved: Path | None = None, applying: bool = False
) -> None:
    """Write a plan to stdout."""
    if as_json:
        from nhictl.plan_file import to_json

        out(json_text(to_json(made)))
        return
    from nhictl.render.plan_text import render

    command = "" if applying or not made.changes else _apply_command(made, saved)
    out(render(made, style(color, verbose=verbose), apply_command=command))


def _apply_command(made: Plan, saved: Path | None) -> str:
    if saved is not None:
        return f"nhictl apply {saved}"
    return f"nhictl apply -e {made.environment} --expect-digest {made.digest}"


def save(made: Plan, path: Path) -> None:
    """Write the plan for `apply`, readable by its owner only, whole or not at all."""
    from nhictl.plan_file import dumps

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(dumps(made))
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


def reports(made: Plan, wanted: Sequence[str]) -> None:
    """Write the reports asked for by `--report FORMAT=FILE`."""
    for text in wanted:
        form, path = split_report(text, ("markdown", "json"))
        if form == "json":
            from nhictl.plan_file import to_json

            write_report(path, json_text(to_json(made)))
        else:
            from nhictl.render.plan_markdown import render

            write_report(path, render(made))


@contextlib.contextmanager
def applying(made: Plan, flags: Flags) -> Iterator[Callable[[Event], None]]:
    """Show each change as it ends: events on stdout for jsonl, else talk on stderr."""
    if flags.output == "jsonl":
        from nhictl.render import events

        out(events.plan_line(made))
        yield lambda event: out(events.change_line(event))
        return
    from nhictl.render.progress import applying as progress

    with progress(
        len(made.changes), enabled=flags.progress and not flags.quiet, style=style(flags.color, err=True)
    ) as note:
        yield note


def result(executed: Executed, made: Plan, flags: Flags) -> None:
    """Write how an apply ended: by name what was applied, failed, skipped, unknown."""
    from nhictl.render import apply_text, events

    if flags.output == "json":
        out(json_text(events.result_json(executed, made)))
    elif flags.output == "jsonl":
        out(events.summary_line(executed, made))
    else:
        out(apply_text.render(executed, made, style(flags.color, verbose=flags.verbose)))


__all__ = [
    "applying",
    "json_text",
    "plan",
    "reading",
    "reports",
    "result",
    "save",
    "say",
    "split_report",
    "write_report",
]
