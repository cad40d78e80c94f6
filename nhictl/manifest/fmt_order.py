"""Put the keys of a manifest in the order of its kind's schema.

Rules enforced here:
- the envelope comes first: apiVersion, kind, metadata, spec;
- only mappings whose keys a schema names are ordered; keys it does not name keep their order, after the others;
- a mapping with a comment that stands apart from the key below it (a heading) keeps its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nhictl.manifest.fmt_tree import Collection, Node, Page, Scalar

ENVELOPE: Mapping[str, Any] = {"properties": {"apiVersion": {}, "kind": {}, "metadata": {}, "spec": {}}}
_COMBINED = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("then", "else")


@dataclass(frozen=True, slots=True)
class _Place:
    """A schema and the document its local references point into."""

    schema: Mapping[str, Any]
    root: Mapping[str, Any]


def ordered(page: Page, schemas: Mapping[str, Mapping[str, Any]]) -> Page:
    """Return the document with its keys in order. `schemas` are JSON Schemas by kind."""
    if not isinstance(page.root, Collection):
        return page
    schema = schemas.get(_kind(page.root), ENVELOPE)
    properties = {**ENVELOPE["properties"], **schema.get("properties", {})}
    place = _Place({**schema, "properties": properties}, schema)
    return replace(page, root=_ordered(page.root, [place]))


def _kind(root: Collection) -> str:
    for entry in root.entries:
        if entry.name == "kind" and isinstance(entry.value, Scalar):
            return entry.value.lines[0].strip("\"'")
    return ""


def _ordered(node: Node, places: list[_Place]) -> Node:
    if isinstance(node, Scalar) or not places:
        return node
    flat = [part for place in places for part in _parts(place)]
    if not node.mapping:
        inner = [_Place(p.schema["items"], p.root) for p in flat if isinstance(p.schema.get("items"), Mapping)]
        entries = [replace(e, value=_ordered(e.value, inner)) for e in node.entries]
        return replace(node, entries=tuple(entries))
    entries = [replace(e, value=_ordered(e.value, _under(flat, e.name))) for e in node.entries]
    if not any(entry.before and not entry.before[-1] and any(entry.before) for entry in node.entries[1:]):
        rank = _rank(flat)
        entries.sort(key=lambda entry: rank.get(entry.name, len(rank)))
    return replace(node, entries=tuple(entries))


def _rank(places: list[_Place]) -> dict[str, int]:
    names = dict.fromkeys(name for place in places for name in place.schema.get("properties", {}))
    return {name: number for number, name in enumerate(names)}


def _under(places: list[_Place], name: str) -> list[_Place]:
    found = []
    for place in places:
        inner = place.schema.get("properties", {}).get(name, place.schema.get("additionalProperties"))
        if isinstance(inner, Mapping):
            found.append(_Place(inner, place.root))
    return found


def _parts(place: _Place, depth: int = 0) -> list[_Place]:
    """Return a schema and all it is combined of, references followed. Recursion ends at depth 16."""
    if depth > 16:
        return []
    others = [_Place(part, place.root) for word in _COMBINED for part in place.schema.get(word, ())]
    others += [_Place(place.schema[word], place.root) for word in _BRANCHES if word in place.schema]
    if "$ref" in place.schema and (referred := _referred(place)):
        others.append(referred)
    return [place, *(part for other in others for part in _parts(other, depth + 1))]


def _referred(place: _Place) -> _Place | None:
    found: Any = place.root
    for step in str(place.schema["$ref"]).removeprefix("#/").split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return _Place(found, place.root) if isinstance(found, Mapping) else None
