"""From a sketch to the text of its manifest. Pure.

Stages, each saying less than the one before: everything; without the connections of grants and without grants that lead
nowhere, all that is live kept; without grants; with nothing but what it is. A stage above 0 keeps every live field that
the manifest would change.
Rules enforced here:
- a reference to something that has no manifest is left out with a comment, never written down as a guess;
- what a manifest means is limited to the environment and target that it was read from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from nhictl.importing.values import Given, Sketch
from nhictl.manifest.emit import literal, page, said
from nhictl.manifest.text import hidden
from nhictl.model import Address
from nhictl.model.secret import holds_secret, named_secret
from nhictl.providers.base import Ref

API_VERSION = "nhictl.dev/v1alpha1"
_LABEL_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}\Z")
_LABEL_VALUE = 256
LAST_STAGE = {"NHI": 3, "Role": 1, "Connection": 1}
Lookup = Callable[[Address], str]


def text(given: Given, sketch: Sketch, lookup: Lookup) -> str:
    """Return the text of a sketch's manifest. `lookup` gives the manifest name of a live object, empty for none."""
    lost: list[Address] = []
    spec = literal(_spec(given, sketch, lookup, lost))
    keep = kept(sketch)
    if keep:
        spec["keep"] = list(keep)
    metadata: dict[str, Any] = {"name": sketch.name}
    if labels := {k: v for k, v in sorted(sketch.draft.labels.items()) if sayable(k, v)}:
        metadata["labels"] = labels
    value = {"apiVersion": API_VERSION, "kind": sketch.draft.kind, "metadata": metadata, "spec": spec}
    return page(value, comments=_comments(sketch, lost), kept=_kept_comments(sketch, keep))


def sayable(key: str, value: str) -> bool:
    """True for a label that a manifest can have: others stay where they are, nobody removes them."""
    plain = bool(_LABEL_KEY.match(key)) and len(value) <= _LABEL_VALUE and not hidden(value)
    return plain and "${" not in value and not named_secret(key) and not holds_secret(value)


def kept(sketch: Sketch) -> tuple[str, ...]:
    """Return the fields that a sketch's manifest keeps: those found out, else the draft's, else all that are live."""
    if sketch.keep is not None:
        return sketch.keep
    if sketch.whole:
        return sketch.draft.keep
    found: dict[str, None] = dict.fromkeys(sketch.draft.keep)
    kinds = sketch.at.adapter.capabilities.kinds
    for address in sketch.draft.addresses:
        live = sketch.at.resources.get(address)
        partial = kinds[address.kind].partial if live is not None and address.kind in kinds else frozenset()
        found |= dict.fromkeys(f for f in (live.attributes if live is not None else ()) if f not in partial)
    return tuple(found)


def _spec(given: Given, sketch: Sketch, lookup: Lookup, lost: list[Address]) -> dict[str, Any]:
    draft = sketch.draft
    said_by = _resolved(staged(sketch), lookup, lost)
    spec: dict[str, Any] = {"owner": sketch.owner, **said_by}
    if not spec.get("grants", True):
        del spec["grants"]
    if draft.name and draft.name != sketch.name:
        spec["nativeName"] = draft.name
    environments = given.checked.workspace.environments if given.checked.workspace else {}
    targets = given.environment.targets
    if draft.kind == "NHI":
        spec = {"type": "workload", "purpose": _purpose(sketch), **spec, "environments": [given.environment.name]}
        spec.setdefault("identity", {"existing": {}})
        return spec | ({"targets": [sketch.at.target.name]} if len(targets) > 1 else {})
    if len(environments) > 1:
        spec["environments"] = [given.environment.name]
    if sum(t.provider == sketch.at.target.provider for t in targets) > 1:
        spec["target"] = sketch.at.target.name
    return spec


def _purpose(sketch: Sketch) -> str:
    return f"Imported from {sketch.at.target.name}; say what it is for"


def staged(sketch: Sketch) -> dict[str, Any]:
    """Return the draft's spec with what its stage leaves out taken away."""
    spec = _without(dict(sketch.draft.spec), sketch.without, sketch.at.target.provider)
    if sketch.stage == 0:
        return spec
    if sketch.draft.kind != "NHI":
        block = next((k for k in spec if k == sketch.at.target.provider), "")
        return {**spec, **({block: {}} if block else {})}
    if sketch.stage == 1 and "grants" in spec:
        spec["grants"] = [{k: v for k, v in grant.items() if k != "via"} for grant in spec["grants"]]
    if sketch.stage > 1:
        spec.pop("grants", None)
    if sketch.stage in (1, 3) and not _named_by(sketch):
        spec["identity"] = {"existing": {}}
    return spec


def _without(spec: dict[str, Any], fields: frozenset[tuple[str, ...]], block: str) -> dict[str, Any]:
    """Return `spec` without some fields; the block of the provider stays, however empty."""
    for first, *more in sorted(fields):
        if more and isinstance(spec.get(first), Mapping):
            spec[first] = {k: v for k, v in spec[first].items() if k != more[0]}
        elif first == block and first in spec:
            spec[first] = {}
        else:
            spec.pop(first, None)
    return spec


def _named_by(sketch: Sketch) -> bool:
    """True when the identity block decides which kind of object this is."""
    return any(block in sketch.draft.spec.get("identity", {}) for block in ("awsUser",))


def _resolved(value: Any, lookup: Lookup, lost: list[Address]) -> Any:
    """Return `value` with references filled in; entries of lists and fields that refer to nothing are left out."""
    if isinstance(value, Mapping):
        found = {k: _resolved(v, lookup, lost) for k, v in value.items()}
        return {k: v for k, v in found.items() if v is not _NOTHING}
    if isinstance(value, (list, tuple)) and not isinstance(value, Ref):
        return [item for item in (_item(v, lookup, lost) for v in value) if item is not _NOTHING]
    if isinstance(value, Ref):
        name = lookup(value.address)
        if not name:
            lost.append(value.address)
        return name or _NOTHING
    return value


_NOTHING: Any = object()


def _item(value: Any, lookup: Lookup, lost: list[Address]) -> Any:
    """Return one item of a list; nothing when it refers to what has no manifest: a grant of no role is none."""
    before = len(lost)
    found = _resolved(value, lookup, lost)
    return found if len(lost) == before or not isinstance(value, Mapping) else _NOTHING


def _comments(sketch: Sketch, lost: list[Address]) -> list[str]:
    found = [f"Imported from {sketch.main}." if sketch.main in sketch.at.resources else ""]
    found += [f"{address} has no manifest and is left out." for address in dict.fromkeys(lost)]
    if not sketch.whole:
        found.append("Some of it cannot be said in a manifest: it is kept as it is.")
    if silent := sorted(k for k, v in sketch.draft.labels.items() if not sayable(k, v)):
        found.append(f"Labels that a manifest cannot have stay as they are: {', '.join(silent)}.")
    return [note for note in (*found, *sketch.draft.notes) if note]


def _kept_comments(sketch: Sketch, keep: tuple[str, ...]) -> list[str]:
    found = []
    for name in keep:
        value = _live_value(sketch, name)
        found.append(f"{name} stays as it is: {said(value)}" if value is not None else f"{name} stays as it is")
    return found


def _live_value(sketch: Sketch, name: str) -> Any:
    kind, _, rest = name.rpartition("/") if "/" in name.partition(".")[0] else ("", "", name)
    field, _, key = rest.partition(".")
    for address in sketch.draft.addresses:
        live = sketch.at.resources.get(address)
        if live is None or (kind and kind != address.kind) or field not in live.attributes:
            continue
        value = live.attributes[field]
        return value.get(key) if key and isinstance(value, Mapping) else value
    return None
