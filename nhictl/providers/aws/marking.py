"""What every kind does alike around its own calls: compare the native id, put and take the mark, keep the tags.

Rules enforced here:
- a change without the live object's native id, or with another's, is refused before anything is sent;
- an object that exists is ours to go on with only when its mark says it was made by this very operation;
- only tag keys the change names are removed: foreign tags on the same object stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.model import Attributes, Change, Fault, Mark, Operation, ProviderError, Value
from nhictl.providers.aws import convert
from nhictl.providers.aws.calls import Steps
from nhictl.providers.aws.names import MARK_TAGS, mark_of, mark_tags, wire_tags


@dataclass(frozen=True, slots=True)
class Tagging:
    """How one object is tagged: the operation without `Tag` and `Untag` (`Role`), and the parameters that name it."""

    noun: str
    at: Mapping[str, Any]


def wanted(change: Change) -> Attributes:
    """Return the desired attributes of a change."""
    if change.after is None:
        raise ProviderError(
            Fault.INVALID, f"{change.address}: a {change.action} without a desired state", code="NoState"
        )
    return change.after.attributes


def verified(change: Change, native_id: str) -> str:
    """Return `native_id`; refuse to go on when the change was not planned for the object that has it."""
    if native_id != change.native_id:
        planned = change.native_id or "none"
        raise ProviderError(
            Fault.CONFLICT,
            f"{change.address} is another object now: planned {planned}, found {native_id}",
            code="NativeIdDiffers",
            hint="it was made again outside of nhictl; plan again",
        )
    return native_id


def mark(change: Change, operation: Operation) -> Mark:
    """Return the mark that this operation puts on its object."""
    return Mark(operation.owner, change.subject, operation.id)


def made_by(data: Mapping[str, Any], change: Change, operation: Operation) -> bool:
    """True when a live object, as a reply shows it, was made by this very operation: an earlier try of it."""
    return mark_of(convert.tags_of(data)) == mark(change, operation)


def tags_with_mark(change: Change, operation: Operation) -> list[dict[str, str]]:
    """Return the tags of a create call: the user's and ours."""
    own = {k: str(v) for k, v in mapping(wanted(change), "tags").items()}
    return wire_tags({**own, **mark_tags(mark(change, operation))})


def adopt(steps: Steps, tagging: Tagging, change: Change, operation: Operation) -> None:
    """Put our mark on an object."""
    steps.do(f"Tag{tagging.noun}", **tagging.at, Tags=wire_tags(mark_tags(mark(change, operation))))


def forget(steps: Steps, tagging: Tagging) -> None:
    """Take our mark from an object and leave the rest as it is."""
    steps.do(f"Untag{tagging.noun}", absent_ok=True, **tagging.at, TagKeys=list(MARK_TAGS))


def retag(steps: Steps, tagging: Tagging, change: Change) -> None:
    """Bring the user's tags, and the reference in our mark, to what the change says."""
    after = mapping(wanted(change), "tags")
    before = mapping(change.before.attributes, "tags") if change.before else {}
    changed = {k: str(v) for k, v in after.items() if before.get(k) != v}
    live = change.before.mark if change.before else None
    if live is not None and live.ref != change.subject:
        changed["nhictl:ref"] = change.subject
    if changed:
        steps.do(f"Tag{tagging.noun}", **tagging.at, Tags=wire_tags(changed))
    if gone := sorted(removed_tags(change) - set(after)):
        steps.do(f"Untag{tagging.noun}", **tagging.at, TagKeys=gone)


def removed_tags(change: Change) -> set[str]:
    """Return the tag keys that the fields of a change remove."""
    gone: set[str] = set()
    for field in change.fields:
        if field.path.startswith("tags.") and field.after is None:
            gone.add(field.path.removeprefix("tags."))
        elif field.path == "tags" and isinstance(field.before, Mapping):
            gone |= set(field.before) - set(field.after if isinstance(field.after, Mapping) else ())
    return {key for key in gone if not key.startswith(("nhictl:", "aws:"))}


def mapping(attributes: Attributes, key: str) -> Mapping[str, Value]:
    """Return the mapping `key` of attributes, empty when there is none."""
    value = attributes.get(key)
    return value if isinstance(value, Mapping) else {}


def texts(attributes: Attributes, key: str) -> tuple[str, ...]:
    """Return the set `key` of attributes, empty when there is none."""
    value = attributes.get(key)
    return tuple(str(v) for v in value) if isinstance(value, tuple) else ()
