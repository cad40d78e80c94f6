"""Documents of a workspace, checked together: everything wrong with them, in source order. Pure.

Rules enforced here:
- a document that uses variables is checked as it is in every environment, and in every target when it depends on it:
  what a variable puts in must fit the schema like anything else;
- documents the reader refused parts of, or that do not fit their schema, count where others refer to them and are
  judged no further;
- every NHI is realised somewhere in each of its environments.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nhictl.kinds.workspace import Environment, Workspace
from nhictl.manifest import placement, references, schema, variables
from nhictl.manifest.index import Index, build, whole
from nhictl.manifest.variables import Resolved
from nhictl.model import Diagnostic, Document, Severity, Span


@dataclass(slots=True)
class _Shapes:
    """Which documents fit their schema, their resolved forms by environment, and what was wrong with the others."""

    good: list[Document] = field(default_factory=list)
    bad: list[Document] = field(default_factory=list)
    forms: dict[int, list[tuple[Environment, Resolved]]] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)


def check(documents: Iterable[Document], workspace: Workspace | None, today: dt.date) -> list[Diagnostic]:
    """Return everything wrong with `documents` of a workspace, in source order, each problem once. Pure.

    Without a workspace (its file is broken) environments, targets and variables are not judged.
    """
    everything = list(documents)
    shapes = _shapes(everything, workspace)
    index = build(everything, shapes.good, workspace, today)
    found = shapes.problems
    for document in shapes.good:
        found += _references(document, shapes.forms.get(id(document)), index)
    found += _loosely(shapes, index)
    found += whole(everything, index)
    if workspace is not None:
        realised: dict[tuple[str, str], frozenset[str]] = {}
        for nhi in index.good["NHI"].values():
            found += _realised(nhi, workspace, index, realised)
    return sorted(_merged(found), key=lambda d: d.sort_key)


def _merged(found: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """Return each problem once; what several environments say about one place becomes one diagnostic."""
    kept: dict[tuple[str, Span | None, str], Diagnostic] = {}
    for item in found:
        key = (item.code, item.span, item.summary)
        before = kept.get(key)
        if before is None:
            kept[key] = item
        elif item.detail not in before.detail:
            kept[key] = replace(before, detail=f"{before.detail}; {item.detail}")
    return kept.values()


def _shapes(documents: Iterable[Document], workspace: Workspace | None) -> _Shapes:
    shapes = _Shapes()
    scopes = {e.name: variables.trial(e) for e in workspace.environments.values()} if workspace else {}
    for document in documents:
        if not document.sound:
            continue
        problems: list[Diagnostic] = []
        if not document.has_variables or document.kind not in schema.WITH_VARIABLES:
            problems += variables.refused(document) if document.has_variables else ()
            problems += schema.check(document)
        elif workspace is None:
            problems += schema.check(document, skip=variables.places(document))
        else:
            forms = [(e, variables.resolve(document, scopes[e.name])) for e in environments_of(document, workspace)]
            shapes.forms[id(document)] = forms
            for _, form in forms:
                problems += [*form.problems, *schema.check(form.document, skip=form.unresolved)]
        shapes.problems += problems
        fits = all(p.code[:2] == "E4" for p in problems)
        (shapes.good if fits else shapes.bad).append(document)
    return shapes


def _loosely(shapes: _Shapes, index: Index) -> Iterator[Diagnostic]:
    """Return the reference errors of documents of a wrong shape, where nothing else is wrong with the value."""
    told = {d.span for d in shapes.problems}
    for document in shapes.bad:
        yield from (d for d in references.check_loosely(document, index) if d.span not in told)


def environments_of(document: Document, workspace: Workspace) -> list[Environment]:
    """Return the environments in which a document of any shape exists, as far as it can be told."""
    spec: Any = document.value.get("spec")
    listed = spec.get("environments") if isinstance(spec, dict) else None
    every = list(workspace.environments.values())
    if not isinstance(listed, list):
        return every
    return [e for e in every if e.name in listed] or every


def _references(
    document: Document, forms: list[tuple[Environment, Resolved]] | None, index: Index
) -> Iterator[Diagnostic]:
    if forms is None:
        yield from references.check(document, index)
        return
    for environment, form in forms:
        targets = placement.place(document, environment, index.good["Role"]).targets if form.by_target else ()
        for target in targets:
            exact = variables.resolve(document, variables.scope(environment, target))
            yield from exact.problems
            wrong = schema.check(exact.document, skip=exact.unresolved)
            yield from wrong or references.check(exact.document, index)
        if not targets:
            yield from references.check(form.document, index)


def _realised(
    nhi: Document, workspace: Workspace, index: Index, cache: dict[tuple[str, str], frozenset[str]]
) -> Iterator[Diagnostic]:
    """Return an error where the NHI has no target or no certain one, a warning for grants that give nothing there."""
    spec = nhi.value["spec"]
    for place, name in enumerate(spec["environments"]):
        environment = workspace.environments.get(name)
        if environment is None:
            continue
        placed = placement.place(nhi, environment, index.good["Role"])
        if placed.ambiguous:
            able = [t.name for t in environment.targets if t.provider == placed.ambiguous]
            text = f"{nhi.ref} could be in any of {len(able)} {placed.ambiguous} targets of environment {name}"
            hint = "say which with `targets`: " + ", ".join(able)
            yield Diagnostic("E581", text, nhi.span("spec", "environments", place), hint=hint)
        elif not placed.targets and not _names_unknown_target(spec, workspace):
            text = f"{nhi.ref} is realised nowhere in environment {name}"
            hint = "its identity block and its roles fit no target there; list `targets`, or leave the environment out"
            yield Diagnostic("E580", text, nhi.span("spec", "environments", place), hint=hint)
        elif placed.targets:
            yield from _empty_grants(nhi, environment, {t.name for t in placed.targets}, (index, cache))


def _names_unknown_target(spec: Mapping[str, Any], workspace: Workspace) -> bool:
    """True when a listed target is in none of the NHI's environments: that is told where it is listed."""
    own = [e for e in workspace.environments.values() if e.name in spec["environments"]]
    known = {t.name for e in own for t in e.targets}
    return not known.issuperset(spec.get("targets") or ())


def _empty_grants(
    nhi: Document,
    environment: Environment,
    targets: set[str],
    known: tuple[Index, dict[tuple[str, str], frozenset[str]]],
) -> Iterator[Diagnostic]:
    index, cache = known
    for place, grant in enumerate(nhi.value["spec"].get("grants") or ()):
        role = index.good["Role"].get(grant["role"])
        if role is None or not placement.exists_in(grant, environment.name):
            continue
        there = _targets_of(role, environment, cache)
        if not there & targets and placement.exists_in(role.value["spec"], environment.name):
            if not any(_targets_of(role, e, cache) for e in _all(index)):
                continue
            text = (
                f"{role.ref} gives nothing to {nhi.ref} in environment {environment.name}: it is in none of its targets"
            )
            span = nhi.span("spec", "grants", place, "role")
            hint = "narrow the grant with `environments`, or list `targets`"
            yield Diagnostic("W605", text, span, hint=hint, severity=Severity.WARNING)


def _all(index: Index) -> Iterable[Environment]:
    return index.workspace.environments.values() if index.workspace else ()


def _targets_of(
    role: Document, environment: Environment, cache: dict[tuple[str, str], frozenset[str]]
) -> frozenset[str]:
    key = (role.name, environment.name)
    if key not in cache:
        cache[key] = frozenset(t.name for t in placement.place(role, environment, {}).targets)
    return cache[key]
