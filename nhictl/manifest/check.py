"""Documents of a workspace, checked together: everything wrong with them, in source order. Pure.

Rules enforced here:
- a document that uses variables is checked as it is in every environment, and in every target when it depends on it:
  what a variable puts in must fit the schema like anything else;
- documents the reader refused parts of, or that do not fit their schema, count where others refer to them and are
  judged no further;
- every NHI is realised somewhere in each of its environments;
- what is told of one document and one file is bounded (`limits`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from nhictl.kinds.workspace import Environment, Workspace
from nhictl.manifest import ignoring, limits, placement, references, schema, variables
from nhictl.manifest.index import Index, build, whole
from nhictl.manifest.variables import Resolved
from nhictl.model import Diagnostic, Document, Severity, Span

_Bounds: TypeAlias = "tuple[limits.Tally, limits.Guesses]"


@dataclass(slots=True)
class _Shapes:
    """Which documents fit their schema, their resolved forms by environment, and what was wrong with the others."""

    good: list[Document] = field(default_factory=list)
    bad: list[Document] = field(default_factory=list)
    forms: dict[int, list[tuple[Environment, Resolved]]] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)


def check(
    documents: Iterable[Document], workspace: Workspace | None, today: dt.date, *, before: Iterable[Diagnostic] = ()
) -> list[Diagnostic]:
    """Return what is wrong with `documents` of a workspace, in source order, each problem once. Pure.

    Without a workspace (its file is broken) environments, targets and variables are not judged. `before` is what is
    wrong with their text: it counts where only so much is told of one file.
    """
    tally = limits.Tally()
    with limits.guessing() as guesses:
        found = [*before, *_everything(list(documents), workspace, today, (tally, guesses))]
    return limits.capped(_merged(found), tally)


def _everything(
    everything: list[Document], workspace: Workspace | None, today: dt.date, bounds: _Bounds
) -> list[Diagnostic]:
    tally, guesses = bounds
    shapes = _shapes(everything, workspace, bounds)
    index = build(everything, shapes.good, workspace, today)
    found = shapes.problems
    for document in shapes.good:
        guesses.file = document.file
        if not tally.full(document.file):
            wrong = _merged(_references(document, shapes.forms.get(id(document)), index))
            found += tally.limited(document.file, list(wrong))
    found += _loosely(shapes, index, bounds)
    found += whole(everything, index)
    if workspace is not None:
        found += ignoring.check(workspace, today)
        realised: dict[tuple[str, str], frozenset[str]] = {}
        for nhi in index.good["NHI"].values():
            found += _realised(nhi, workspace, index, realised)
    return found


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


def _shapes(documents: Iterable[Document], workspace: Workspace | None, bounds: _Bounds) -> _Shapes:
    tally, guesses = bounds
    shapes = _Shapes()
    scopes = {e.name: variables.trial(e) for e in workspace.environments.values()} if workspace else {}
    for document in documents:
        if not document.sound or tally.full(document.file):
            continue
        guesses.file = document.file
        problems = list(_merged(_shape(document, workspace, scopes, shapes)))
        shapes.problems += tally.limited(document.file, problems)
        fits = all(p.code[:2] == "E4" for p in problems)
        (shapes.good if fits else shapes.bad).append(document)
    return shapes


def _shape(
    document: Document, workspace: Workspace | None, scopes: Mapping[str, variables.Scope], shapes: _Shapes
) -> Iterator[Diagnostic]:
    """Return what is wrong with the shape of a document, in the forms it has in each environment."""
    if not document.has_variables or document.kind not in schema.WITH_VARIABLES:
        yield from variables.refused(document) if document.has_variables else ()
        yield from schema.check(document)
    elif workspace is None:
        yield from schema.check(document, skip=variables.places(document))
    else:
        forms = [(e, variables.resolve(document, scopes[e.name])) for e in environments_of(document, workspace)]
        shapes.forms[id(document)] = forms
        for _, form in forms:
            yield from (*form.problems, *schema.check(form.document, skip=form.unresolved))


def _loosely(shapes: _Shapes, index: Index, bounds: _Bounds) -> Iterator[Diagnostic]:
    """Return the reference errors of documents of a wrong shape, where nothing else is wrong with the value."""
    tally, guesses = bounds
    told = {d.span for d in shapes.problems}
    for document in shapes.bad:
        guesses.file = document.file
        if tally.errors[document.file] < limits.PER_FILE:
            found = [d for d in references.check_loosely(document, index) if d.span not in told]
            yield from tally.limited(document.file, found)


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
