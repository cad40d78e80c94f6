"""Choose a part of a plan: by target, address, manifest object, kind, owner or label.

Rules enforced here:
- a selected object brings along what it depends on, but never what is excluded;
- removals happen only to what the selection names itself: by address, reference, target or kind, never by label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.model import Address, Exit, NhictlError, Resource


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection as given by the user. References are `target`, `target/kind/name`, or `nhi/name`, `role/name` ...

    `facts` maps a manifest reference to its kind, owner and labels, for the selectors. `existing` picks only what is
    live and not managed yet, for taking it over; nothing is removed then.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    existing: bool = False

    @property
    def partial(self) -> bool:
        """True when anything is left out."""
        return bool(self.targets or self.excludes or self.kinds or self.owners or self.labels or self.existing)

    def leaves_out(self, address: Address, subject: str) -> bool:
        """True when the resource is excluded by name."""
        return any(named_by(reference, address, subject) for reference in self.excludes)

    def as_json(self) -> dict[str, Any]:
        """Return what a plan says about its selection; empty for a whole plan."""
        named = {
            "targets": list(self.targets),
            "excludes": list(self.excludes),
            "kinds": list(self.kinds),
            "owners": list(self.owners),
            "labels": [f"{k}={v}" for k, v in self.labels],
            "existing": ["and not managed"] if self.existing else [],
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What selectors may ask about a manifest object."""

    owner: str
    labels: Mapping[str, str]


def parse_labels(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return `k=v` pairs, several of them in one text separated by commas. Raises a usage error on anything else."""
    pairs = []
    for text in texts:
        for part in text.split(","):
            key, sign, value = part.partition("=")
            if not sign or not key:
                raise NhictlError(f"not a selector (key=value): {part}", exit_code=Exit.USAGE)
            pairs.append((key.strip(), value.strip()))
    return tuple(pairs)


def named_by(reference: str, address: Address, subject: str) -> bool:
    """True when `reference` names the target, the address or the manifest object."""
    return reference in (address.target, str(address), subject)


def selects(selection: Selection, address: Address, subject: str, facts: ObjectFacts | None) -> bool:
    """True when the selection itself picks this resource. `facts` is None for an object no manifest declares."""
    if selection.leaves_out(address, subject):
        return False
    if selection.targets and not any(named_by(ref, address, subject) for ref in selection.targets):
        return False
    if selection.kinds and subject.partition("/")[0] not in {kind.lower() for kind in selection.kinds}:
        return False
    if not selection.owners and not selection.labels:
        return True
    if facts is None:
        return False
    if selection.owners and facts.owner not in selection.owners:
        return False
    return all(facts.labels.get(key) == value for key, value in selection.labels)


def with_dependencies(chosen: Iterable[Address], declared: Mapping[Address, Resource]) -> frozenset[Address]:
    """Return `chosen` and everything declared that they depend on."""
    found: set[Address] = set()
    queue = list(chosen)
    while queue:
        address = queue.pop()
        if address in found or address not in declared:
            continue
        found.add(address)
        queue.extend(declared[address].depends_on)
    return frozenset(found)


def check_known(selection: Selection, addresses: Iterable[tuple[Address, str]]) -> None:
    """Raise a usage error for a reference in the selection that names nothing."""
    known: set[str] = set()
    for address, subject in addresses:
        known |= {address.target, str(address), subject}
    for ref in (*selection.targets, *selection.excludes):
        if ref not in known:
            hint = (
                _near(ref, known) or "references are TARGET, TARGET/KIND/NAME or nhi/NAME, role/NAME, connection/NAME"
            )
            raise NhictlError(f"nothing is named {ref}", hint=hint, exit_code=Exit.USAGE)


def _near(ref: str, known: Iterable[str]) -> str:
    """Return the known references that end as `ref` does, manifest objects first; then the most alike."""
    from difflib import get_close_matches

    names = sorted(known, key=lambda name: (name.count("/"), name))
    found = [name for name in names if name.rpartition("/")[2] == ref]
    found = found or get_close_matches(ref, names, n=3, cutoff=0.75)
    return f"did you mean {' or '.join(found[:3])}?" if found else ""


def check_declared(selection: Selection, facts: Mapping[str, ObjectFacts]) -> None:
    """Raise a usage error for a kind, an owner or a label that no declared object has: a typo is not "no changes"."""
    kinds = {"connection", "nhi", "role"}
    owners = {fact.owner for fact in facts.values()}
    labels = {pair for fact in facts.values() for pair in fact.labels.items()}
    for kind in selection.kinds:
        if kind.lower() not in kinds:
            raise NhictlError(f"no objects of kind {kind} are applied", hint=_one_of(kinds), exit_code=Exit.USAGE)
    for owner in selection.owners:
        if owner not in owners:
            raise NhictlError(f"nothing is owned by {owner}", hint=_one_of(owners), exit_code=Exit.USAGE)
    for key, value in selection.labels:
        if (key, value) not in labels:
            known = {f"{k}={v}" for k, v in labels}
            raise NhictlError(f"nothing is labelled {key}={value}", hint=_one_of(known), exit_code=Exit.USAGE)


def _one_of(words: Iterable[str]) -> str:
    known = sorted(word for word in words if word)
    more = f" and {len(known) - 10} more" if len(known) > 10 else ""
    return f"one of {', '.join(known[:10])}{more}" if known else ""
