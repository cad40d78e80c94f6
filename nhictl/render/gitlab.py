"""GitLab: diagnostics as a code quality report.

A fingerprint does not hang on the line, so that a finding keeps its identity when the file grows above it; equal
findings of one file are told apart by their number.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from nhictl.model import Diagnostic, Severity
from nhictl.render.safe import visible

_SEVERITY = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def code_quality(diagnostics: Sequence[Diagnostic]) -> list[dict[str, object]]:
    """Return the report as JSON data (GitLab's subset of the Code Climate format)."""
    return [
        {
            "description": visible(f"{d.code} {d.summary}"),
            "check_name": d.code,
            "fingerprint": print_,
            "severity": _SEVERITY[d.severity],
            "location": {
                "path": d.span.file if d.span else "nhictl.yaml",
                "lines": {"begin": d.span.line if d.span else 1},
            },
        }
        for d, print_ in zip(diagnostics, fingerprints(diagnostics), strict=True)
    ]


def fingerprints(diagnostics: Sequence[Diagnostic]) -> Iterator[str]:
    """Yield a stable hexadecimal fingerprint for each diagnostic."""
    seen: Counter[str] = Counter()
    for d in diagnostics:
        key = "\0".join((d.code, d.span.file if d.span else "", d.summary))
        seen[key] += 1
        text = f"{key}\0{seen[key]}"
        yield hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
