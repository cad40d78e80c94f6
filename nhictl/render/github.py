"""GitHub Actions: diagnostics as annotations of the lines they concern (workflow commands on stdout)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nhictl.model import Diagnostic, Severity
from nhictl.render.safe import workflow_command

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def workflow_commands(diagnostics: Sequence[Diagnostic]) -> str:
    """Return one `::error file=...::message` line per diagnostic."""
    return "\n".join(map(_annotation, diagnostics))


def _annotation(diagnostic: Diagnostic) -> str:
    attributes = ",".join(f"{k}={workflow_command(v, attribute=True)}" for k, v in _attributes(diagnostic))
    parts = [diagnostic.summary, diagnostic.detail, diagnostic.hint and f"help: {diagnostic.hint}"]
    message = workflow_command("\n".join(part for part in parts if part))
    return f"::{_COMMAND[diagnostic.severity]} {attributes}::{message}"


def _attributes(diagnostic: Diagnostic) -> Iterable[tuple[str, str]]:
    if diagnostic.span:
        at = diagnostic.span
        yield "file", at.file
        yield "line", str(at.line)
        yield "col", str(at.column)
        yield "endColumn", str(at.column + at.width)
    yield "title", f"nhictl {diagnostic.code}"
