"""Fields that a manifest leaves as they are (`spec.keep`). Pure.

An entry is a field of the provider's object (`trust`), one key of a mapping (`inline.legacy`: all after the first dot
is the key), or either with the provider's kind before it (`iam-role/trust`).
Rules enforced here:
- a kept field has the live value in what is desired: no plan changes it, no adapter loses it, the access it gives
  counts;
- a field that no object of the manifest has is an error, not a typo that keeps nothing;
- where nothing is live there is nothing to keep: what the manifest does not say is not made up;
- what others made of a kept field since it was recorded is told by every plan, and recorded when it is adopted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from nhictl.ledger.fold import recorded
from nhictl.model import Address, Attributes, FieldChange, Finding, Managed, Resource, Value

_ENTRY = re.compile(r"(?:(?P<kind>[a-z0-9-]+)/)?(?P<field>[A-Za-z0-9_]+)(?:\.(?P<key>.+))?\Z", re.DOTALL)


class Kept(NamedTuple):
    """One entry of `keep`; empty `kind` is any, empty `key` the whole field."""

    text: str
    kind: str
    field: str
    key: str

    def about(self, resource: Resource) -> bool:
        """True when the entry is about objects of this resource's kind."""
        return self.kind in ("", resource.address.kind)

    def of(self, attributes: Attributes) -> Value:
        """Return the value of what the entry names; None where there is none."""
        value = attributes.get(self.field)
        return value if not self.key else value.get(self.key) if isinstance(value, Mapping) else None

    def within(self, attributes: Attributes) -> bool:
        """True when `attributes` have what the entry names."""
        value = attributes.get(self.field)
        return self.field in attributes and (not self.key or (isinstance(value, Mapping) and self.key in value))


def entry(text: str) -> Kept | None:
    """Return the parts of one entry, None when it is not one."""
    found = _ENTRY.match(text)
    return Kept(text, found["kind"] or "", found["field"], found["key"] or "") if found else None


def entries(resource: Resource) -> Iterator[Kept]:
    """Yield the entries of a desired resource that are about its kind."""
    for text in resource.keep:
        found = entry(text)
        if found is not None and found.about(resource):
            yield found


def filled(desired: Resource, live: Resource | None) -> Resource:
    """Return `desired` with the live value of each kept field; itself where nothing is live or kept."""
    if live is None or not desired.keep:
        return desired
    attributes: dict[str, Value] = dict(desired.attributes)
    for kept in entries(desired):
        if not kept.key:
            if kept.field in live.attributes:
                attributes[kept.field] = live.attributes[kept.field]
            continue
        there, own = live.attributes.get(kept.field), attributes.get(kept.field)
        if isinstance(there, Mapping) and kept.key in there:
            attributes[kept.field] = {**(own if isinstance(own, Mapping) else {}), kept.key: there[kept.key]}
    return replace(desired, attributes=attributes)


def unfounded(desired: Mapping[Address, Resource], live: Mapping[Address, Resource]) -> Iterator[Finding]:
    """Yield a finding for each desired resource whose manifest keeps what is nowhere."""
    groups: dict[str, list[Resource]] = {}
    for resource in desired.values():
        if resource.keep:
            groups.setdefault(resource.subject, []).append(resource)
    for subject, group in groups.items():
        for text in group[0].keep:
            yield from _unfounded(subject, text, group, live)


def _unfounded(subject: str, text: str, group: list[Resource], live: Mapping[Address, Resource]) -> Iterator[Finding]:
    kept = entry(text)
    about = [r for r in group if kept is not None and kept.about(r)]
    seen = [live[was].attributes for r in about if (was := r.renamed_from or r.address) in live]
    if kept is None or any(kept.within(attributes) for attributes in (*seen, *(r.attributes for r in about))):
        return
    if any(kept.field in attributes for attributes in seen):
        yield Finding(
            "kept", "warning", str(about[0].address), f"keeps {text}, and there is none",
            f"take it out of `keep` of {subject}, or write it as it is called there",
        )  # fmt: skip
        return
    why, hint = f"keeps {text}, which no object of {subject} has", "write it as `nhictl plan -v` shows it"
    if not seen:
        why, hint = f"keeps {text}, and nothing is there to keep it from", f"say it in {subject}, and do not keep it"
    for resource in about or group:
        yield Finding("kept", "error", str(resource.address), why, hint)


def accepted(desired: Resource, managed: Managed) -> list[FieldChange]:
    """Return, for a resource whose kept fields are `filled`, the change that records what others made of them."""
    changed = _changed(desired, managed)
    return [FieldChange("handling.kept", None, ", ".join(changed))] if changed else []


def outdated(
    desired: Mapping[Address, Resource], live: Mapping[Address, Resource], managed: Mapping[Address, Managed]
) -> Iterator[Finding]:
    """Yield a finding for each managed resource of which others changed what its manifest keeps, `filled` by now."""
    for address, resource in desired.items():
        was = resource.renamed_from or address
        record, there = managed.get(was), live.get(was)
        if record is None or there is None or record.native_id != there.native_id:
            continue
        if changed := _changed(resource, record):
            yield Finding(
                "kept", "warning", str(address), f"keeps {', '.join(changed)}, changed outside nhictl meanwhile",
                f"`nhictl drift` shows what changed, `nhictl adopt {resource.subject}` records it",
            )  # fmt: skip


def _changed(desired: Resource, managed: Managed) -> list[str]:
    """Return the entries of `keep` whose value, `filled` by now, is another than the recorded one."""
    if not desired.keep:
        return []
    last = recorded(managed)
    return [k.text for k in entries(desired) if k.field in last and k.of(last) != k.of(desired.attributes)]


def is_kept(resource: Resource | None, path: str) -> bool:
    """True when the field change at `path` is about what `resource`, the desired one, keeps."""
    if resource is None:
        return False
    kept = [f"{k.field}.{k.key}" if k.key else k.field for k in entries(resource)]
    return any(path == field or path.startswith(f"{field}.") for field in kept)
