"""Compare a desired resource with a live one. Knows no provider: what a kind's fields are comes from `Kind`.

Terms: *recorded* is what we last applied, from the ledger.
Rules enforced here:
- only fields that the desired side names are compared;
- equality first; deepdiff runs only on a field that differs;
- sorted tuples of distinct strings are sets and differ by elements, whatever their order was;
- of a `partial` mapping only the keys desired now or recorded before are compared: foreign keys stay, and go into
  no plan and no record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from nhictl.model import Attributes, FieldChange, Mark, Resource, Value
from nhictl.providers.base import Kind


def diff_resource(
    kind: Kind, desired: Resource, live: Resource, recorded: Attributes | None = None
) -> tuple[FieldChange, ...]:
    """Return the field changes that make `live` equal to `desired`, by path; empty when nothing differs."""
    changes: list[FieldChange] = []
    for name, after in desired.attributes.items():
        before = live.attributes.get(name)
        if before == after:
            continue
        wanted = merged_partial(after, before, (recorded or {}).get(name)) if name in kind.partial else after
        changes.extend(diff_value(name, before, wanted))
    return tuple(sorted(changes, key=lambda c: c.path))


def merged_partial(after: Value, before: Value, recorded: Value) -> Value:
    """Return what a partial mapping will be: declared keys, plus live keys that neither manifest nor record knows."""
    ours = set(after if isinstance(after, Mapping) else ()) | set(recorded if isinstance(recorded, Mapping) else ())
    foreign = {k: v for k, v in (before.items() if isinstance(before, Mapping) else ()) if k not in ours}
    return {**foreign, **(after if isinstance(after, Mapping) else {})}


def declared_view(kind: Kind, live: Resource, *known: Attributes | None) -> Resource:
    """Return `live` without the keys of its partial mappings that none of `known` has: they are somebody else's.

    Plans and ledger carry this view: what others keep in a tag may be a secret.
    """
    own = {**live.attributes}
    for name in kind.partial & set(own):
        value = own[name]
        if isinstance(value, Mapping):
            keys = {key for attributes in known if attributes for key in _keys(attributes.get(name))}
            own[name] = {key: item for key, item in value.items() if key in keys}
    return replace(live, attributes=own)


def _keys(value: Value) -> Iterable[str]:
    return value if isinstance(value, Mapping) else ()


def diff_mark(live: Mark | None, owner: str, subject: str) -> tuple[FieldChange, ...]:
    """Return the change of the owner mark; the operation in it is not compared."""
    if live is not None and (live.owner, live.ref) == (owner, subject):
        return ()
    before = f"{live.owner} {live.ref}" if live else None
    return (FieldChange("mark", before, f"{owner} {subject}"),)


def diff_value(path: str, before: Value, after: Value) -> tuple[FieldChange, ...]:
    """Return the changes between two values of one field, as small as they can be said."""
    if before == after:
        return ()
    if not _nested(before) or not _nested(after) or type(before) is not type(after):
        return (FieldChange(path, before, after),)
    if _is_set(before) and _is_set(after):
        return (_set_change(path, before, after),)
    if _is_rows(before) and _is_rows(after):
        return (_set_change(path, _texts(before), _texts(after)),)
    return _deep(path, before, after)


def _nested(value: Value) -> bool:
    return isinstance(value, (tuple, Mapping))


def _is_set(value: Value) -> bool:
    if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
        return False
    return all(a < b for a, b in pairwise(value))  # type: ignore[operator]


def _is_rows(value: Value) -> bool:
    """True for a sorted tuple of distinct flat mappings: a set of rows, such as permissions."""
    if not isinstance(value, tuple) or not all(
        isinstance(i, Mapping) and not any(map(_nested, i.values())) for i in value
    ):
        return False
    return len(set(_texts(value))) == len(value)


def _texts(rows: Value) -> tuple[str, ...]:
    """Return each row as text: its values, the names of those that are empty left out."""
    found = rows if isinstance(rows, tuple) else ()
    return tuple(" ".join(f"{k}={v}" for k, v in row.items() if v != "") for row in found if isinstance(row, Mapping))


def _set_change(path: str, before: Any, after: Any) -> FieldChange:
    old, new = set(before), set(after)
    return FieldChange(path, before, after, tuple(sorted(new - old)), tuple(sorted(old - new)))


def _with_sets(value: Value) -> Any:
    if _is_set(value) and value:
        return frozenset(value)  # type: ignore[arg-type]
    if isinstance(value, tuple):
        return [_with_sets(item) for item in value]
    if isinstance(value, Mapping):
        return {k: _with_sets(v) for k, v in value.items()}
    return value


def _without_sets(value: Any) -> Value:
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(value))
    if isinstance(value, list):
        return tuple(_without_sets(item) for item in value)
    if isinstance(value, Mapping):
        return {k: _without_sets(v) for k, v in value.items()}
    return value  # type: ignore[no-any-return]


def _deep(path: str, before: Value, after: Value) -> tuple[FieldChange, ...]:
    from deepdiff import DeepDiff

    tree = DeepDiff(_with_sets(before), _with_sets(after), view="tree", ignore_private_variables=False)
    changes: list[FieldChange] = []
    elements: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for report, levels in tree.items():
        for level in levels:
            if report in ("set_item_added", "set_item_removed"):
                where = ".".join([path, *map(str, level.up.path(output_format="list"))])
                elements[where][report == "set_item_removed"].add(level.t2 if report == "set_item_added" else level.t1)
                continue
            where = ".".join([path, *map(str, level.path(output_format="list"))])
            old = None if report.endswith("_added") else _without_sets(level.t1)
            new = None if report.endswith("_removed") else _without_sets(level.t2)
            changes.append(FieldChange(where, old, new))
    for where, (added, removed) in elements.items():
        changes.append(FieldChange(where, added=tuple(sorted(added)), removed=tuple(sorted(removed))))
    return tuple(sorted(changes, key=lambda c: c.path)) or (FieldChange(path, before, after),)
