"""What every kind does alike around its own calls: compare the native id, carry the mark, keep what others wrote.

Rules enforced here:
- a change without the live object's native id, or with another's, is refused before anything is sent;
- an object that exists is ours to go on with only when its mark says it was made by this very operation;
- only metadata keys the change names are removed: foreign keys on the same object stay.
"""

from __future__ import annotations

from collections.abc import Mapping

from nhictl.model import Action, Attributes, Change, Fault, Mark, Operation, ProviderError, Resource, Value
from nhictl.providers.vault import names


def wanted(change: Change) -> Attributes:
    """Return the desired attributes of a change."""
    if change.after is None:
        raise ProviderError(
            Fault.INVALID, f"{change.address}: a {change.action} without a desired state", code="NoState"
        )
    return change.after.attributes


def verified(change: Change, live: Resource) -> Resource:
    """Return the live object; refuse to go on when the change was not planned for it."""
    if live.native_id != change.native_id or not change.native_id:
        raise ProviderError(
            Fault.CONFLICT,
            f"{change.address} is another object now: planned {change.native_id or 'none'}, found {live.native_id}",
            code="NativeIdDiffers",
            hint="it was made again outside of nhictl; plan again",
        )
    return live


def occupied(change: Change) -> ProviderError:
    """Return the refusal of a create where something is already."""
    return ProviderError(
        Fault.CONFLICT, f"{change.address} exists already", code="Exists",
        hint=f"`nhictl adopt {change.subject}` to take it over, or choose another name",
    )  # fmt: skip


def fresh(change: Change, operation: Operation) -> Mark:
    """Return the mark that this operation puts on what it makes or adopts."""
    return Mark(operation.owner, change.subject, operation.id)


def carried(change: Change, operation: Operation, live: Resource) -> Mark | None:
    """Return the mark that an object has after a change."""
    if change.action is Action.FORGET:
        return None
    if change.action is Action.ADOPT or live.mark is None:
        return live.mark if change.action is Action.DISABLE else fresh(change, operation)
    ref = live.mark.ref if change.action is Action.DISABLE else change.subject
    return Mark(operation.owner, ref, live.mark.operation)


def metadata(change: Change, live: Resource | None, mark: Mark | None) -> dict[str, str]:
    """Return the whole metadata of an object after a change: others' keys, the declared ones and our mark."""
    kept = mapping(live.attributes, "metadata") if live is not None else {}
    gone = _removed(change)
    after = mapping(change.after.attributes, "metadata") if change.after is not None else {}
    whole = {k: str(v) for k, v in kept.items() if k not in gone} | {k: str(v) for k, v in after.items()}
    return whole | names.in_metadata(mark)


def _removed(change: Change) -> set[str]:
    found: set[str] = set()
    for field in change.fields:
        if field.path.startswith("metadata.") and field.after is None:
            found.add(field.path.removeprefix("metadata."))
        elif field.path == "metadata" and isinstance(field.before, Mapping):
            found |= set(field.before) - set(field.after if isinstance(field.after, Mapping) else ())
    return found


def mapping(attributes: Attributes, key: str) -> Mapping[str, Value]:
    """Return the mapping `key` of attributes, empty when there is none."""
    value = attributes.get(key)
    return value if isinstance(value, Mapping) else {}


def texts(attributes: Attributes, key: str) -> tuple[str, ...]:
    """Return the set `key` of attributes, empty when there is none."""
    value = attributes.get(key)
    return tuple(str(v) for v in value) if isinstance(value, tuple) else ()
