"""SARIF 2.1.0 (OASIS), as GitHub code scanning and editors read it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import nhictl
from nhictl.model import Diagnostic, Severity, Span
from nhictl.render.gitlab import fingerprints
from nhictl.render.safe import visible

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def log(diagnostics: Sequence[Diagnostic]) -> dict[str, object]:
    """Return a SARIF log with one run as JSON data."""
    codes = sorted({d.code for d in diagnostics})
    index = {code: number for number, code in enumerate(codes)}
    results = [
        _result(d, index[d.code], print_) for d, print_ in zip(diagnostics, fingerprints(diagnostics), strict=True)
    ]
    driver = {
        "name": "nhictl",
        "version": nhictl.__version__,
        "informationUri": "https://nhictl.dev",
        "rules": [{"id": code, "shortDescription": {"text": _title(code)}} for code in codes],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _title(code: str) -> str:
    from nhictl.codes import CODES

    found = CODES.get(code)
    return found.title if found else code


def _result(diagnostic: Diagnostic, rule: int, fingerprint: str) -> dict[str, object]:
    parts = [diagnostic.summary, diagnostic.detail, diagnostic.hint and f"help: {diagnostic.hint}"]
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": "\n".join(visible(part) for part in parts if part)},
        "partialFingerprints": {"nhictl/v1": fingerprint},
    }
    if diagnostic.span:
        result["locations"] = [_location(diagnostic.span)]
    if diagnostic.related:
        result["relatedLocations"] = [
            {**_location(span), "id": number, "message": {"text": visible(label)}}
            for number, (span, label) in enumerate(diagnostic.related, 1)
        ]
    return result


def _location(span: Span) -> dict[str, object]:
    region = {
        "startLine": max(1, span.line),
        "startColumn": max(1, span.column),
        "endColumn": max(1, span.column) + max(1, span.width),
    }
    uri = quote(span.file.encode("utf-8", "surrogatepass"))
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
