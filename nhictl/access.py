"""What each NHI gains and loses by a plan, in permissions rather than in fields.

Rules enforced here:
- only NHIs that a change touches, directly or through what they depend on, are computed;
- who may assume an identity counts as access to it;
- an NHI whose own resources do not change is listed as touched indirectly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nhictl.model import AccessDelta, Action, Address, Change, Direction, Managed, Permission, Resource
from nhictl.providers.base import Adapter

World = Mapping[Address, Resource]


@dataclass(frozen=True, slots=True)
class Worlds:
    """One target before and after a plan: the managed and declared resources, each with subject and dependencies."""

    before: World
    after: World


def worlds(desired: World, live: World, managed: Mapping[Address, Managed], changes: Sequence[Change]) -> Worlds:
    """Return what is managed or declared in one target now, and what will be once `changes` are applied.

    An object whose manifest object is renamed counts for the new name before, too. Facts stay: no
    change touches them.
    """
    called = {managed[was].subject: change.subject for change in changes if (was := _was(change)) in managed}
    before = {
        address: replace(
            live[address], subject=called.get(record.subject, record.subject), depends_on=record.depends_on
        )
        for address, record in managed.items()
        if address in live
    }
    after = dict(before)
    for change in changes:
        if change.action is Action.ADOPT and change.before is not None:
            before[change.address] = replace(
                change.before, subject=change.subject, depends_on=desired[change.address].depends_on
            )
        if change.after is not None:
            facts = change.before.facts if change.before is not None else change.after.facts
            after[change.address] = replace(change.after, subject=change.subject, facts=facts)
            if change.after.renamed_from is not None:
                after.pop(change.after.renamed_from, None)
        elif change.action is Action.DELETE:
            after.pop(change.address, None)
    return Worlds(before, after)


def _was(change: Change) -> Address:
    return (change.after.renamed_from if change.after is not None else None) or change.address


def deltas(adapter: Adapter, world: Worlds, changes: Sequence[Change]) -> tuple[AccessDelta, ...]:
    """Return the access delta of every NHI that `changes` touch in one target, NHIs without any left out."""
    before, after = Index.of(world.before), Index.of(world.after)
    direct = {c.subject for c in changes if c.subject.startswith("nhi/")}
    addresses = [change.address for change in changes]
    touched = direct | before.users(addresses) | after.users(addresses)
    result = [
        moved(s, reach(adapter, before, s), reach(adapter, after, s), direct=s in direct) for s in sorted(touched)
    ]
    return tuple(d for d in result if d.gained or d.lost or not d.direct)


def permissions_of(adapter: Adapter, resources: World, subjects: Iterable[str]) -> Mapping[str, frozenset[Permission]]:
    """Return everything each of some NHIs can do in one target, trust included."""
    index = Index.of(resources)
    return {subject: reach(adapter, index, subject) for subject in subjects}


def all_permissions(adapter: Adapter, resources: World) -> Mapping[str, frozenset[Permission]]:
    """Return the permissions of every NHI of one target."""
    index = Index.of(resources)
    return {s: reach(adapter, index, s) for s in index.by_subject if s.startswith("nhi/")}


def merged(found: Iterable[AccessDelta]) -> tuple[AccessDelta, ...]:
    """Return one delta per NHI over all targets, by name."""
    by_subject: dict[str, AccessDelta] = {}
    for delta in found:
        other = by_subject.get(delta.subject)
        if other is None:
            by_subject[delta.subject] = delta
            continue
        gained, lost = (*other.gained, *delta.gained), (*other.lost, *delta.lost)
        direct = other.direct or delta.direct
        by_subject[delta.subject] = AccessDelta(delta.subject, gained, lost, direct, direction(gained, lost))
    return tuple(by_subject[subject] for subject in sorted(by_subject))


def direction(gained: Iterable[Permission], lost: Iterable[Permission]) -> Direction:
    """Say how access moves. A gained deny narrows, a lost deny widens."""
    up = {p.effect for p in gained}
    down = {p.effect for p in lost}
    wider, narrower = "allow" in up or "deny" in down, "allow" in down or "deny" in up
    if wider and narrower:
        return Direction.CHANGED
    return Direction.WIDER if wider else Direction.NARROWER if narrower else Direction.NONE


@dataclass(frozen=True, slots=True)
class Index:
    """The resources of one target, found by manifest object and by what depends on them. `put` and `drop` change it.

    The keys of the inner mappings are what is found, in order; a list would be searched for each one dropped.
    """

    resources: dict[Address, Resource]
    by_subject: dict[str, dict[Address, None]]
    dependents: dict[Address, dict[Address, None]]

    @staticmethod
    def of(resources: World) -> Index:
        """Return the index of some resources."""
        index = Index({}, defaultdict(dict), defaultdict(dict))
        for resource in resources.values():
            index.put(resource)
        return index

    def put(self, resource: Resource) -> None:
        """Take in a resource; the one at its address goes."""
        self.drop(resource.address)
        self.resources[resource.address] = resource
        self.by_subject[resource.subject][resource.address] = None
        for target in resource.depends_on:
            self.dependents[target][resource.address] = None

    def drop(self, address: Address) -> None:
        """Let go of a resource."""
        resource = self.resources.pop(address, None)
        if resource is None:
            return
        self.by_subject[resource.subject].pop(address, None)
        for target in resource.depends_on:
            self.dependents[target].pop(address, None)

    def users(self, addresses: Iterable[Address]) -> set[str]:
        """NHIs that depend on any of `addresses`, through however many steps."""
        seen: set[Address] = set()
        queue = list(addresses)
        subjects: set[str] = set()
        while queue:
            for user in self.dependents.get(queue.pop(), ()):
                if user not in seen:
                    seen.add(user)
                    queue.append(user)
                    subjects.add(self.resources[user].subject)
        return {s for s in subjects if s.startswith("nhi/")}

    def around(self, subject: str) -> dict[Address, Resource]:
        """The resources of `subject` and everything they depend on."""
        found: dict[Address, Resource] = {}
        queue = list(self.by_subject.get(subject, ()))
        while queue:
            address = queue.pop()
            if address in found or address not in self.resources:
                continue
            found[address] = self.resources[address]
            queue.extend(self.resources[address].depends_on)
        return found


def reach(adapter: Adapter, index: Index, subject: str) -> frozenset[Permission]:
    """Return everything one NHI can do, trust included."""
    known = index.around(subject)
    result: set[Permission] = set()
    for resource in known.values():
        kind = adapter.capabilities.kinds.get(resource.address.kind)
        if kind is not None and kind.identity and resource.subject == subject:
            result.update(adapter.permissions(resource, known))
    return frozenset(result)


def moved(subject: str, old: frozenset[Permission], new: frozenset[Permission], *, direct: bool) -> AccessDelta:
    """Return how the access of an NHI moves from `old` to `new`. A first access is wider, whatever it denies."""
    gained, lost = _beyond(new - old, old), _beyond(old - new, new)
    first = not old and any(p.effect == "allow" for p in gained)
    return AccessDelta(subject, gained, lost, direct, Direction.WIDER if first else direction(gained, lost))


def _beyond(some: frozenset[Permission], others: frozenset[Permission]) -> tuple[Permission, ...]:
    """Return the permissions of `some` that no wildcard of `others` covers, sorted."""
    wide = [p for p in others if any(c in "*?" for c in p.action + p.resource)]
    return tuple(sorted(p for p in some if not any(covers(w, p) for w in wide)))


def covers(wide: Permission, other: Permission) -> bool:
    """True when `wide`, by its wildcards (`*` and `?`), gives or denies everything that `other` does."""
    if (wide.kind, wide.effect) != (other.kind, other.effect) or wide.condition not in ("", other.condition):
        return False
    return _matches(wide.action, other.action) and _matches(wide.resource, other.resource)


def _matches(pattern: str, text: str) -> bool:
    """Say whether `pattern` covers `text`, maybe a pattern itself, in at most len(pattern) * len(text) steps."""
    if pattern in (text, "*"):
        return True
    at = place = 0
    star, retry = -1, 0
    while place < len(text):
        sign = pattern[at] if at < len(pattern) else ""
        if sign == "*":
            star, retry = at, place
            at += 1
        elif sign and (sign == text[place] or (sign == "?" and text[place] != "*")) and text[place] != "*":
            at, place = at + 1, place + 1
        elif star >= 0:
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return all(sign == "*" for sign in pattern[at:])
