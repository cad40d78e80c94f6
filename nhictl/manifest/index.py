"""All objects of a workspace by kind and name, and what can be wrong between them as a whole.

Rules enforced here:
- a name is used once in its kind; both places are named;
- a former name (`previously`) is no present name and belongs to one object;
- owners' backups and NHIs that assume each other form no circle; the circle is named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.workspace import Workspace
from nhictl.manifest.schema_files import OBJECT_KINDS
from nhictl.model import Diagnostic, Document

Objects = Mapping[str, Mapping[str, Document]]


@dataclass(frozen=True, slots=True)
class Index:
    """The objects of a workspace. `known` are all that have a name, `good` those whose shape is right.

    `workspace` is None when `nhictl.yaml` cannot be used. `departed` are the names of owners that are gone on
    `today`, `members` the people of all owners, with whether they are gone.
    """

    workspace: Workspace | None
    known: Objects
    good: Objects
    departed: frozenset[str]
    members: Mapping[str, bool]
    today: dt.date


def build(
    documents: Iterable[Document], good: Iterable[Document], workspace: Workspace | None, today: dt.date
) -> Index:
    """Return the index of `documents`, of which the `good` ones passed their schema. The first of two names wins."""
    fit = _by_kind(good)
    specs = {name: document.value["spec"] for name, document in fit["Owner"].items()}
    departed = frozenset(name for name, spec in specs.items() if _gone(spec, today))
    members = {
        m["name"]: _gone(m, today) or owner in departed
        for owner, spec in specs.items()
        for m in spec.get("members") or ()
    }
    return Index(workspace, _by_kind(documents), fit, departed, members, today)


def _gone(data: Mapping[str, Any], today: dt.date) -> bool:
    return "departed" in data and data["departed"] <= today.isoformat()


def _by_kind(documents: Iterable[Document]) -> Objects:
    found: dict[str, dict[str, Document]] = {kind: {} for kind in OBJECT_KINDS}
    for document in documents:
        if document.name and document.kind in found:
            found[document.kind].setdefault(document.name, document)
    return found


def whole(documents: Iterable[Document], index: Index) -> Iterator[Diagnostic]:
    """Return what is wrong between objects: duplicate names, clashing former names, circles."""
    yield from _duplicates(documents, index)
    yield from _former_names(index)
    yield from _circles(index.good["Owner"], _backups(index), "backup", ("spec", "backup"))
    yield from _circles(index.good["NHI"], _assumed(index), "assumed by", ("spec", "identity", "awsPrincipal"))


def _duplicates(documents: Iterable[Document], index: Index) -> Iterator[Diagnostic]:
    for document in documents:
        first = index.known.get(document.kind, {}).get(document.name)
        if first is not None and first is not document:
            text = f"{document.kind} `{document.name}` is declared twice"
            related = ((first.span("metadata", "name"), "first declared here"),)
            yield Diagnostic("E303", text, document.span("metadata", "name"), related=related)


def _former_names(index: Index) -> Iterator[Diagnostic]:
    for kind, objects in index.good.items():
        taken: dict[str, Document] = {}
        for document in objects.values():
            for place, name in enumerate(document.value["metadata"].get("previously") or ()):
                other = index.known[kind].get(name) or taken.get(name)
                taken.setdefault(name, document)
                if other is None or (other is document and name != document.name):
                    continue
                present = name in index.known[kind]
                what = "the name of an object now" if present else "a former name of another object"
                label = "called so now" if present else "claims it too"
                yield Diagnostic(
                    "E304",
                    f"`{name}` cannot be a former name of {document.ref}: it is {what}",
                    document.span("metadata", "previously", place),
                    related=((other.span("metadata", "name"), label),),
                )


def _backups(index: Index) -> Mapping[str, list[str]]:
    specs = {name: document.value["spec"] for name, document in index.good["Owner"].items()}
    return {name: [spec["backup"]] for name, spec in specs.items() if "backup" in spec}


def _assumed(index: Index) -> Mapping[str, list[str]]:
    """Return, for NHIs that another IAM role of the same account may assume, the NHI that is this role."""
    native: dict[str, str] = {}
    roles: dict[str, str] = {}
    for name, document in index.good["NHI"].items():
        spec = document.value["spec"]
        native.setdefault(spec.get("nativeName") or name, name)
        principal = spec["identity"].get("awsPrincipal") or {}
        if "role" in principal and "account" not in principal:
            roles[name] = principal["role"]
    return {name: [native[role]] for name, role in roles.items() if role in native}


def _circles(
    objects: Mapping[str, Document], edges: Mapping[str, list[str]], word: str, path: tuple[str, ...]
) -> Iterator[Diagnostic]:
    """Return one diagnostic for each circle: every object has at most one edge, so a walk finds them all."""
    done: set[str] = set()
    for start in edges:
        trail: list[str] = []
        at: str | None = start
        while at is not None and at not in done and at not in trail:
            trail.append(at)
            at = next(iter(edges.get(at, ())), None)
        if at is not None and at in trail:
            ring = trail[trail.index(at) :]
            document = objects[ring[0]]
            text = f"{document.kind} {word} forms a circle: " + " -> ".join([*ring, ring[0]])
            related = tuple((objects[n].span(*path), f"`{n}` is part of it") for n in ring[1:])
            yield Diagnostic("E305", text, document.span(*path), related=related)
        done.update(trail)
