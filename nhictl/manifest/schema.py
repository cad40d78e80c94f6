"""Documents against their schemas: a fast verdict for all, an explanation for the few that fail.

Rules enforced here:
- every document has `apiVersion: nhictl.dev/v1alpha1` and a known `kind`; only `nhictl.yaml` is a Workspace;
- a document the fast validator passes is passed; one it refuses always gets at least one diagnostic;
- a document is checked with its variables resolved; `skip` names values already known to be wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from nhictl.manifest import schema_files
from nhictl.manifest.limits import may_guess
from nhictl.manifest.schema_files import API_VERSION, KINDS, OBJECT_KINDS
from nhictl.model import Diagnostic, Document, Path

WITH_VARIABLES = ("Role", "NHI", "Connection")


def check(document: Document, *, skip: Collection[Path] = (), workspace: bool = False) -> list[Diagnostic]:
    """Return what is wrong with a document's shape. `document.value` has no variables, except at `skip`."""
    value = document.value
    known = ("Workspace",) if workspace else OBJECT_KINDS
    if isinstance(value, dict) and value.get("kind") in known and _passes(value):
        return []
    envelope = _envelope(document, known)
    if envelope:
        return envelope
    return _explained(document, skip)


def _passes(value: Mapping[str, Any]) -> bool:
    try:
        return schema_files.fast(value["kind"]).is_valid(value)
    except ValueError:
        # A value with no JSON form (infinity, a lone surrogate): the explainer names it.
        return False


def _envelope(document: Document, known: tuple[str, ...]) -> list[Diagnostic]:
    value = document.value
    if not isinstance(value, dict):
        return [Diagnostic("E203", "a manifest must be a mapping", document.span())]
    found: list[Diagnostic] = []
    version, kind = value.get("apiVersion"), value.get("kind")
    if "apiVersion" not in value:
        found.append(
            Diagnostic("E208", "missing `apiVersion`", document.span(), hint=f"add `apiVersion: {API_VERSION}`")
        )
    elif version != API_VERSION:
        text = f"`apiVersion` must be `{API_VERSION}`"
        found.append(Diagnostic("E208", text, document.span("apiVersion")))
    if kind not in known:
        found.append(_kind_problem(document, known))
        return found
    return found if version != API_VERSION else []


def _kind_problem(document: Document, known: tuple[str, ...]) -> Diagnostic:
    kind = document.value.get("kind")
    choice = ", ".join(f"`{k}`" for k in known)
    if "kind" not in document.value:
        return Diagnostic("E209", "missing `kind`", document.span(), hint=f"one of {choice}")
    span = document.span("kind")
    if kind == "Workspace":
        return Diagnostic("E213", "a Workspace stands in `nhictl.yaml` only", span, hint="move it there")
    if isinstance(kind, str) and kind in KINDS:
        return Diagnostic("E213", "`nhictl.yaml` holds one Workspace and nothing else", span, hint="kind: Workspace")
    near = near_miss(str(kind), known)
    return Diagnostic("E209", "unknown kind", span, hint=near or f"one of {choice}")


def near_miss(word: str, known: Collection[str]) -> str:
    """Return `did you mean ...?` for the known word closest to `word`, or an empty text."""
    if not may_guess(word, known):
        return ""
    lower = {k.lower(): k for k in known}
    close = get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return f"did you mean `{lower[close[0]]}`?" if close else ""


def _explained(document: Document, skip: Collection[Path]) -> list[Diagnostic]:
    from nhictl.manifest.schema_errors import explain_errors

    kind = document.value["kind"]
    errors = list(schema_files.explainer(kind).iter_errors(document.value))
    found = explain_errors(document, errors, skip=frozenset(skip))
    if not found and not (errors and skip):
        text = f"this {kind} does not fit its schema"
        found = [Diagnostic("E200", text, document.span(), hint=f"see `nhictl explain {kind}`")]
    return found
