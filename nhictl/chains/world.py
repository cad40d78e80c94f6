"""What is known of all targets together: identities with their parts, what hangs on what, and the way to each thing.

Rules enforced here:
- an identity's surroundings are what it depends on, and what is no identity and refers to it (a grant), with what that
  depends on: the work for one identity is what it has access through;
- of several ways the one through fewest other identities counts, then through fewest grants, then the shortest.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nhictl.chains.patterns import Rules
from nhictl.kinds.workspace import Target
from nhictl.model import Address, Permission, Resource
from nhictl.providers.base import Adapter

Way = tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class At:
    """One target and its adapter."""

    target: Target
    adapter: Adapter

    @property
    def rules(self) -> Rules:
        """How its permissions are compared."""
        able = self.adapter.capabilities
        return Rules(able.patterns, able.ignore_case)


@dataclass(frozen=True, slots=True)
class Party:
    """One identity of one target: `main` and its other parts. `subject` is its manifest object, maybe empty."""

    main: Address
    parts: tuple[Address, ...]
    subject: str = ""

    @property
    def name(self) -> str:
        """The manifest object, else the address."""
        return self.subject or str(self.main)


@dataclass(frozen=True, slots=True)
class World:
    """The resources of several targets, each with `subject` and `place` where a manifest says it."""

    targets: Mapping[str, At]
    resources: Mapping[Address, Resource]
    parties: Mapping[Address, Party]
    users: Mapping[Address, tuple[Address, ...]]
    permissions: dict[Address, tuple[Permission, ...]] = field(default_factory=dict)
    found_ways: dict[Address, Mapping[Address, Way]] = field(default_factory=dict)

    @staticmethod
    def of(targets: Iterable[At], resources: Iterable[Resource]) -> World:
        """Return the world of some resources; those of other targets are left out."""
        at = {one.target.name: one for one in targets}
        known = {r.address: r for r in sorted(resources, key=lambda r: r.address) if r.address.target in at}
        users: dict[Address, list[Address]] = defaultdict(list)
        for address, found in known.items():
            for other in dict.fromkeys(found.depends_on):
                users[other].append(address)
        parties = {p.main: p for p in _parties(at, known)}
        return World(at, known, parties, {a: tuple(u) for a, u in users.items()})

    def is_identity(self, address: Address) -> bool:
        """True for an object of a kind that is an NHI."""
        return _is_identity(self.targets, address)

    def named(self, reference: str) -> tuple[Party, ...]:
        """Return the identities called by a manifest object or an address, sorted."""
        return tuple(p for p in self.parties.values() if reference == p.subject or reference in map(str, p.parts))

    def may(self, party: Party) -> tuple[Permission, ...]:
        """Return all permissions of an identity, trust included, sorted, one for each source; found once."""
        if party.main not in self.permissions:
            known = self._around(party)
            adapter = self.targets[party.main.target].adapter
            found = {(p, p.source) for part in party.parts for p in adapter.permissions(self.resources[part], known)}
            self.permissions[party.main] = tuple(p for p, _ in sorted(found))
        return self.permissions[party.main]

    def by_itself(self, address: Address) -> tuple[Permission, ...]:
        """Return what one object that is no identity gives by itself."""
        resource = self.resources.get(address)
        if resource is None or self.is_identity(address):
            return ()
        known = {a: self.resources[a] for a in (address, *resource.depends_on) if a in self.resources}
        return tuple(self.targets[address.target].adapter.permissions(resource, known))

    def ways(self, party: Party) -> Mapping[Address, Way]:
        """Return the way from an identity to each object around it: its own address first, the object's last."""
        if party.main not in self.found_ways:
            self.found_ways[party.main] = self._ways(party)
        return self.found_ways[party.main]

    def _ways(self, party: Party) -> Mapping[Address, Way]:
        first: list[tuple[int, int, int, Way]] = [(0, 0, 1, (part,)) for part in party.parts]
        heapq.heapify(first)
        found: dict[Address, Way] = {}
        while first:
            passes, back, steps, way = heapq.heappop(first)
            if way[-1] in found:
                continue
            found[way[-1]] = way
            through = passes + (self.is_identity(way[-1]) and way[-1] not in party.parts)
            for other, against in self._beside(way[-1], party):
                if other not in found:
                    heapq.heappush(first, (through, back + against, steps + 1, (*way, other)))
        return found

    def _beside(self, address: Address, party: Party) -> Iterator[tuple[Address, int]]:
        """Yield what an object leads to, and 1 where it is not the object but the other that says so."""
        yield from ((other, 0) for other in self.resources[address].depends_on if other in self.resources)
        if address in party.parts:
            yield from ((user, 1) for user in self.users.get(address, ()) if not self.is_identity(user))

    def _around(self, party: Party) -> dict[Address, Resource]:
        found: dict[Address, Resource] = {}
        hanging = [u for part in party.parts for u in self.users.get(part, ()) if not self.is_identity(u)]
        queue = [*party.parts, *hanging]
        while queue:
            address = queue.pop()
            if address in found or address not in self.resources:
                continue
            found[address] = self.resources[address]
            queue.extend(self.resources[address].depends_on)
        return found


def _is_identity(targets: Mapping[str, At], address: Address) -> bool:
    at = targets.get(address.target)
    kind = at.adapter.capabilities.kinds.get(address.kind) if at is not None else None
    return kind is not None and kind.identity


def _parties(targets: Mapping[str, At], known: Mapping[Address, Resource]) -> Iterator[Party]:
    """Yield the identities: objects of one NHI in one target, and those that are part of another one, are one."""
    groups: dict[tuple[str, str], list[Address]] = defaultdict(list)
    for address, resource in known.items():
        if _is_identity(targets, address):
            groups[address.target, _whole(known, resource)].append(address)
    for parts in groups.values():
        ordered = sorted(parts, key=lambda a: (bool(known[a].facts.get("part_of")), a))
        yield Party(ordered[0], tuple(ordered), known[ordered[0]].subject)


def _whole(known: Mapping[Address, Resource], resource: Resource) -> str:
    if resource.subject:
        return resource.subject
    whole = parsed(str(resource.facts.get("part_of") or ""))
    main = known.get(whole) if whole is not None else None
    return (main.subject or str(whole)) if main is not None else str(resource.address)


def parsed(text: str) -> Address | None:
    """Return the address printed as `text`; None when it is none."""
    try:
        return Address.parse(text)
    except ValueError:
        return None
