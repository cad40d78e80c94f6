"""Manifests for what is live and not managed: from live objects to texts, without writing any. Pure.

Rules enforced here:
- what is declared, managed, marked by somebody else, left alone by a rule, the provider's own or nhictl's own principal
  gets no manifest;
- every manifest was validated, compiled and compared with what is live, see `trial`;
- the same input gives the same bytes; what an earlier import made is declared by then, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from nhictl.importing import naming, trial
from nhictl.importing.compose import kept
from nhictl.importing.owners import owners
from nhictl.importing.said import said_already
from nhictl.importing.values import Given, Imported, Left, LiveTarget, Manifest, NoOwner, Sketch, importable
from nhictl.leaving import like, rule_for
from nhictl.model import Address, Resource
from nhictl.providers.base import Draft


@dataclass(slots=True)
class _Sorted:
    """The live objects of a target: those to import, and those that are left out, with the reason."""

    wanted: set[Address] = field(default_factory=set)
    ignored: list[Left] = field(default_factory=list)
    foreign: list[Left] = field(default_factory=list)


def imported(given: Given) -> Imported:
    """Return the manifests of everything that is asked for. Raises NoOwner when nobody answers for a part of it."""
    sorted_out = {at.target.name: _sort(given, at) for at in given.live}
    found = [(at, d) for at in given.live for d in _drafts(at, sorted_out[at.target.name].wanted)]
    already = {a: ref for at, d in found if (ref := said_already(given, at, d)) for a in d.addresses}
    given = replace(given, declared={**given.declared, **already})
    found = [(at, d) for at, d in found if d.addresses[0] not in already]
    drafts = [draft for _, draft in found]
    live = {address: resource for at in given.live for address, resource in at.resources.items()}
    answering = owners(given, drafts, live)
    called = naming.names(drafts, _taken(given))
    sketches = [
        Sketch(draft, at, name, owner) for (at, draft), name, owner in zip(found, called, answering, strict=True)
    ]
    tried = trial.settle(given, trial.files(given, sketches))
    original = trial.files(given, sketches)
    manifests = tuple(_manifest(path, tried) for path in sorted(tried.texts))
    refused = tuple(Left(original[path].main, why) for path, why in sorted(tried.refused.items()))
    return Imported(
        manifests,
        tuple(left for s in sorted_out.values() for left in s.ignored),
        tuple(left for s in sorted_out.values() for left in s.foreign),
        refused,
        sum(a in given.declared or a in given.managed for at in given.live for a in at.resources),
    )


def _manifest(path: str, tried: trial.Trial) -> Manifest:
    sketch = tried.sketches[path]
    own = tuple(a for a in sketch.draft.addresses if a in sketch.at.resources)
    return Manifest(path, tried.texts[path], sketch.ref, sketch.owner, own, kept(sketch))


def _taken(given: Given) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for document in given.checked.documents:
        found.setdefault(document.kind, set()).add(document.name)
    return {kind: frozenset(names) for kind, names in found.items()}


def _sort(given: Given, at: LiveTarget) -> _Sorted:
    workspace = given.checked.workspace
    rules = workspace.ignore if workspace else ()
    found = _Sorted()
    free: dict[Address, Resource] = {}
    for address, resource in sorted(at.resources.items()):
        if not importable(given, at, address):
            continue
        rule = rule_for(rules, resource, given.today)
        if rule is not None:
            found.ignored.append(Left(address, rule.reason))
        elif address in at.own:
            found.foreign.append(Left(address, "is the principal nhictl runs as, which it never changes by itself"))
        elif resource.mark is not None and resource.mark.owner != given.mark:
            found.foreign.append(Left(address, f"carries the mark of {resource.mark.owner}"))
        else:
            free[address] = resource
    found.wanted = _matching(given, at, free)
    return found


def _matching(given: Given, at: LiveTarget, free: Mapping[Address, Resource]) -> set[Address]:
    """Return what matches, what it has access through, and what hangs on the identities that match."""
    if not given.match:
        return set(free)
    proving = {name for name, kind in at.adapter.capabilities.kinds.items() if kind.identity}
    picked = {a for a in free if _matches(a, given.match)}
    identities = {a for a in picked if a.kind in proving}
    attached = {a for a, r in free.items() if a.kind not in proving and identities.intersection(r.depends_on)}
    queue = list(picked | attached)
    wanted: set[Address] = set()
    while queue:
        address = queue.pop()
        if address in free and address not in wanted:
            wanted.add(address)
            queue.extend(free[address].depends_on)
    return wanted


def _matches(address: Address, patterns: Iterable[str]) -> bool:
    texts = (address.name, f"{address.kind}/{address.name}", str(address))
    return any(like(text, pattern) for text in texts for pattern in patterns)


def _drafts(at: LiveTarget, wanted: set[Address]) -> list[Draft]:
    """Return the adapter's drafts in the order of what they stand for."""
    return sorted(at.adapter.drafts(at.resources, frozenset(wanted)), key=lambda d: (d.kind, d.addresses[0]))


__all__ = ["Given", "Imported", "Left", "LiveTarget", "Manifest", "NoOwner", "imported"]
