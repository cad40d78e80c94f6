"""One target as an inventory sees it: what is live, what the ledger and the manifests say of it, what hangs on what.

Rules enforced here:
- access is what is live: what an identity depends on, and what hangs on it (a grant); never another identity's;
- the work for one identity is what it has access through, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nhictl.access import Index
from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI
from nhictl.ledger.fold import Folded, Unresolved, recorded
from nhictl.model import Address, Managed, Permission, Resource, Snapshot
from nhictl.ownership import followed
from nhictl.providers.base import Adapter, Kind


@dataclass(frozen=True, slots=True)
class Source:
    """One target: its adapter, what was read from it, what is declared for it and the estate that comes from."""

    name: str
    adapter: Adapter
    snapshot: Snapshot
    desired: Mapping[Address, Resource] = field(default_factory=dict)
    estate: Estate | None = None


@dataclass(frozen=True, slots=True)
class World:
    """One readable target, indexed. `records` are by live address, objects made again by hand (`remade`) left out."""

    source: Source
    records: Mapping[Address, Managed]
    remade: frozenset[Address]
    pending: Mapping[str, Unresolved]
    nhis: Mapping[str, NHI]
    plain: frozenset[str]
    index: Index
    through: dict[Address, frozenset[str]]

    @staticmethod
    def of(source: Source, folded: Folded) -> World:
        """Return a target's world."""
        live = source.snapshot.resources
        managed = {a: m for a, m in folded.managed.items() if a.target == source.name}
        moved = followed(source.adapter.capabilities.kinds, live, managed)[1]
        found = {a: managed[moved.get(a, a)] for a in live if moved.get(a, a) in managed}
        remade = frozenset(a for a, record in found.items() if record.native_id != live[a].native_id)
        realised = {r.subject for r in source.desired.values()}
        return World(
            source,
            {a: record for a, record in found.items() if a not in remade},
            remade,
            {item.operation.id: item for item in folded.unresolved},
            {nhi.ref: nhi for nhi in source.estate.nhis} if source.estate else {},
            frozenset(f"role/{name}" for name in (source.estate.roles if source.estate else ())) - realised,
            Index.of(live),
            {},
        )

    @property
    def live(self) -> Mapping[Address, Resource]:
        """What is live, by address."""
        return self.source.snapshot.resources

    def is_identity(self, address: Address) -> bool:
        """True for objects of a kind that is an NHI."""
        kind: Kind | None = self.source.adapter.capabilities.kinds.get(address.kind)
        return kind is not None and kind.identity

    def ours(self, resource: Resource) -> str:
        """Return the manifest object that the ledger knows a live object as; empty when it does not."""
        record = self.records.get(resource.address)
        if record is not None:
            return record.subject
        begun = self.pending.get(resource.mark.operation) if resource.mark is not None else None
        return str(begun.data["subject"]) if begun is not None and begun.address == resource.address else ""

    def subject(self, resource: Resource) -> str:
        """Return the manifest object of a live object: as the ledger knows it, else as it is declared."""
        declared = self.source.desired.get(resource.address)
        return self.ours(resource) or (declared.subject if declared is not None else "")

    def identities(self) -> Iterator[tuple[Resource, ...]]:
        """Yield every identity as its objects, the main one first, by address: what the parts prove is one NHI."""
        groups: dict[str, list[Resource]] = {}
        order = {kind: n for n, kind in enumerate(self.source.adapter.capabilities.kinds)}
        for address in sorted(a for a in self.live if self.is_identity(a)):
            groups.setdefault(self._whole(self.live[address]), []).append(self.live[address])
        for parts in groups.values():
            yield tuple(sorted(parts, key=lambda r: (bool(r.facts.get("part_of")), order[r.address.kind], r.address)))

    def _whole(self, resource: Resource) -> str:
        """Return what a live identity object is a part of: its NHI, another object, or itself alone."""
        if subject := self.ours(resource):
            return subject
        whole = str(resource.facts.get("part_of") or "")
        if whole.count("/") > 1 and (main := self.live.get(Address.parse(whole))) is not None:
            return self.ours(main) or whole
        return str(resource.address)

    def hanging(self, parts: Iterable[Resource]) -> list[Address]:
        """Return what is no identity and refers to one of `parts`: what somebody gave them."""
        users = [u for part in parts for u in self.index.dependents.get(part.address, ())]
        return [u for u in dict.fromkeys(users) if not self.is_identity(u)]

    def around(self, parts: Iterable[Resource]) -> dict[Address, Resource]:
        """Return everything that some objects of one identity have access through, themselves included."""
        own = [part.address for part in parts]
        found: dict[Address, Resource] = {}
        self._walk(own, found)
        self._walk([a for a in self.hanging(parts) if a not in found], found, identities=False)
        return found

    def _walk(self, starts: Iterable[Address], found: dict[Address, Resource], *, identities: bool = True) -> None:
        queue = list(starts)
        while queue:
            address = queue.pop()
            resource = self.live.get(address)
            if resource is None or address in found or (not identities and self.is_identity(address)):
                continue
            found[address] = resource
            queue.extend(resource.depends_on)

    def permissions(self, parts: Iterable[Resource]) -> frozenset[Permission]:
        """Return the whole access of an identity, trust included."""
        parts = tuple(parts)
        known = self.around(parts)
        return frozenset(p for part in parts for p in self.source.adapter.permissions(part, known))

    @property
    def own(self) -> tuple[Address, ...]:
        """Nhictl's own principal here, under every name it has."""
        identity = self.source.snapshot.identity
        return identity.own if identity is not None else ()

    def kept(self, parts: Iterable[Resource]) -> tuple[str, ...]:
        """Return the fields of an identity that its manifest leaves as they are."""
        desired = self.source.desired
        return tuple(sorted({field for p in parts if p.address in desired for field in desired[p.address].keep}))

    def roles(self, parts: tuple[Resource, ...], permissions: Iterable[Permission]) -> tuple[str, ...]:
        """Return the roles an identity has: manifest references, else addresses; no trust and no boundary is one."""
        permissions = tuple(permissions)
        giving = {p.source for p in permissions if p.kind != "assume" and not p.boundary}
        bounding = {p.source for p in permissions if p.boundary} - giving
        subject, itself = self.subject(parts[0]), {part.address for part in parts}
        found = set(self._declared_only(parts[0]))
        for holder in (*itself, *self.hanging(parts)):
            own = self.is_identity(holder) or (subject and self.subject(self.live[holder]) == subject)
            for address in self.live[holder].depends_on:
                role = self.live.get(address)
                if role is None or address in itself or str(address) in bounding:
                    continue
                name = self.subject(role)
                if (own and name.startswith("role/")) or not giving.isdisjoint(self._through(address)):
                    found.add(name or str(address))
        return tuple(sorted(found))

    def _through(self, address: Address) -> frozenset[str]:
        """Return the addresses of an object and of all it depends on, as text; found once for each object."""
        known = self.through.get(address)
        if known is None:
            reached: dict[Address, Resource] = {}
            self._walk([address], reached)
            known = self.through[address] = frozenset(map(str, reached))
        return known

    def _declared_only(self, resource: Resource) -> Iterator[str]:
        """Yield the granted roles that are no object of their own here, once they are applied as declared."""
        nhi = self.nhis.get(self.subject(resource))
        if nhi is None or self.source.estate is None or not self.plain:
            return
        granted = {f"role/{g.role}" for g in self.source.estate.standing(nhi)} & self.plain
        record, declared = self.records.get(resource.address), self.source.desired.get(resource.address)
        if granted and record is not None and declared is not None:
            yield from granted if recorded(record) == dict(declared.attributes) else ()
