"""Make an inventory out of what was read, declared and recorded. Pure: the clock comes in as a value.

Rules enforced here:
- a target that could not be read is unknown: none of its identities is told, and it has no coverage;
- what the ledger knows by native id is managed; our mark alone makes an orphan, another's mark no more than a reason;
- what is the provider's own, or left alone by a rule, is listed and does not count against coverage;
- times, owners and uses that nobody told are not known: they are never derived from anything else.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nhictl.inventory.risks import risks
from nhictl.inventory.times import DAY, age
from nhictl.inventory.world import Source, World
from nhictl.kinds.owner import Owner
from nhictl.kinds.workspace import Ignore
from nhictl.leaving import rule_for, tags_of
from nhictl.ledger.fold import Folded
from nhictl.ledger.touched import Touch, Touched
from nhictl.model import Coverage, Credential, Inventory, Item, Resource, Standing
from nhictl.model.secret import HIDDEN, named_secret, without_secrets
from nhictl.plan import timestamp


@dataclass(frozen=True, slots=True)
class Given:
    """Everything an inventory is made from. `owners` are by name; `ignore` are rules that leave objects alone."""

    workspace: str
    environment: str
    now: dt.datetime
    sources: tuple[Source, ...]
    folded: Folded
    touched: Touched = field(default_factory=Touched)
    owners: Mapping[str, Owner] = field(default_factory=dict)
    ignore: tuple[Ignore, ...] = ()

    @property
    def owner(self) -> str:
        """Whose mark is ours: `workspace/environment`."""
        return f"{self.workspace}/{self.environment}"


def build(given: Given) -> Inventory:
    """Return every identity of every readable target, by address, with the coverage of each target."""
    readable = [s for s in sorted(given.sources, key=lambda s: s.name) if s.snapshot.complete]
    found = {source.name: _items(given, source) for source in readable}
    return Inventory(
        given.workspace,
        given.environment,
        timestamp(given.now),
        tuple(sorted((i for items in found.values() for i in items), key=lambda i: i.address)),
        tuple(coverage(name, items) for name, items in found.items()),
        {s.name: s.snapshot.error for s in given.sources if not s.snapshot.complete},
    )


def coverage(target: str, items: Iterable[Item]) -> Coverage:
    """Return how much of a target is governed, from its identities."""
    n = Counter(item.standing for item in items)
    return Coverage(
        target, n[Standing.MANAGED] + n[Standing.ADOPTED], n[Standing.UNMANAGED] + n[Standing.ORPHAN],
        n[Standing.IGNORED], n[Standing.BUILTIN],
    )  # fmt: skip


def _items(given: Given, source: Source) -> list[Item]:
    world = World.of(source, given.folded)
    return [_item(given, world, parts) for parts in world.identities()]


def _item(given: Given, world: World, parts: tuple[Resource, ...]) -> Item:
    main, source = parts[0], world.source
    subject = world.subject(main)
    standing, reason, until = _standing(given, world, main)
    permissions = world.permissions(parts)
    touch = _touch(given, world, parts, subject)
    credentials = _credentials(parts)
    item = Item(
        main.address, source.adapter.name, standing, native_id=main.native_id, environment=given.environment,
        subject=subject, enabled=_enabled(main), roles=world.roles(parts, permissions),
        permissions=tuple(sorted(p for p in permissions if p.kind != "assume")),
        trust=tuple(sorted(p for p in permissions if p.kind == "assume")),
        credentials=credentials, created=_told(main, "created") or None, last_used=_last_used(parts, credentials),
        changed=touch.time, changed_by=touch.actor, reason=reason, until=until, labels=_labels(main),
        tracked_days=_tracked_days(main, given.now), kept=world.kept(parts),
    )  # fmt: skip
    item = _with_manifest(world, item)
    return replace(item, risks=risks(item, given.owners, given.now))


def _labels(resource: Resource) -> dict[str, str]:
    """Return the tags and labels of a live object. What people keep in a tag may be a secret: that is cut out."""
    return {k: HIDDEN if named_secret(k) else without_secrets(v) for k, v in tags_of(resource).items()}


def _with_manifest(world: World, item: Item) -> Item:
    """Return the identity with what its manifest says of it."""
    nhi = world.nhis.get(item.subject)
    if nhi is None:
        return item
    return replace(
        item, owner=nhi.owner, type=nhi.type, tier=nhi.tier, service=nhi.service, labels=dict(nhi.meta.labels),
        position=nhi.document.span("metadata", "name"),
    )  # fmt: skip


def _standing(given: Given, world: World, main: Resource) -> tuple[Standing, str, str]:
    """Return whose an identity is, with a reason and its end where there is one."""
    record, mark = world.records.get(main.address), main.mark
    if world.ours(main):
        adopted = record is not None and record.address in given.touched.adopted
        return (Standing.ADOPTED if adopted else Standing.MANAGED), "", ""
    if builtin := main.facts.get("builtin"):
        return Standing.BUILTIN, str(builtin), ""
    if main.address in world.own:
        return Standing.IGNORED, "is the principal nhictl runs as, which it never changes by itself", ""
    rule = rule_for(given.ignore, main, given.now.date())
    if rule is not None:
        return Standing.IGNORED, rule.reason, rule.expires.isoformat() if rule.expires else ""
    if main.address in world.remade:
        return Standing.UNMANAGED, "was made again outside nhictl: its native id is not the recorded one", ""
    if mark is not None and mark.owner == given.owner and main.address not in given.folded.forgotten:
        return Standing.ORPHAN, f"carries our mark for {mark.ref} but the ledger does not know it", ""
    if mark is not None and mark.owner != given.owner:
        return Standing.UNMANAGED, f"carries the mark of {mark.owner}", ""
    return Standing.UNMANAGED, "", ""


def _touch(given: Given, world: World, parts: Iterable[Resource], subject: str) -> Touch:
    """Return the ledger's last word on an identity: on any of its objects, or on its access in this target."""
    addresses = {p.address for p in parts}
    recorded = {world.records[a].address for a in addresses if a in world.records}
    found = [t for a in addresses | recorded if (t := given.touched.by_address.get(a)) is not None]
    by_subject = given.touched.by_subject.get((world.source.name, subject)) if recorded else None
    return max([*found, *([by_subject] if by_subject else [])], default=Touch("", "", ""))


def _enabled(resource: Resource) -> bool | None:
    value = resource.attributes.get("enabled")
    return value if isinstance(value, bool) else None


def _told(resource: Resource, name: str) -> str | None:
    value = resource.facts.get(name)
    return value if isinstance(value, str) else None


def _tracked_days(main: Resource, now: dt.datetime) -> int:
    """Return how many days back uses are known; 0 for all time, as for what is younger than that."""
    told = int(str(main.facts.get("tracked_days") or 0))
    old = age(_told(main, "created"), now)
    return 0 if old is not None and old <= told * DAY else told


def _credentials(parts: Iterable[Resource]) -> tuple[Credential, ...] | None:
    told: list[Any] = [p.facts["credentials"] for p in parts if "credentials" in p.facts]
    if not told:
        return None
    return tuple(_credential(data) for found in told for data in found)


def _credential(data: Mapping[str, Any]) -> Credential:
    return Credential(
        str(data.get("kind", "")), str(data.get("id", "")), str(data.get("status", "")),
        data.get("created") or None, data.get("expires"), data.get("last_used"),
    )  # fmt: skip


def _last_used(parts: Iterable[Resource], credentials: tuple[Credential, ...] | None) -> str | None:
    """Return the last use of an identity: told of it, or of every credential it has; None when it is not known."""
    told = [t for p in parts if (t := _told(p, "last_used")) is not None]
    used = [c.last_used for c in credentials or ()]
    every = told + [t for t in used if t is not None]
    if any(every):
        return max(every)
    return "" if told or (used and None not in used) else None
