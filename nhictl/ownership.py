"""Decide, per address, what desired state, live state, ledger and mark together mean.

Rules enforced here (the ownership table):
- what is live, not managed and not declared is unmanaged: counted, never in a plan;
- what is declared and live but not managed is taken over only when `adopt` says so;
- what is managed but not declared is removed only with the same native id and our mark where the kind carries one;
- a mark of ours that the ledger does not know is an orphan: reported, never deleted;
- protection, removal and grace period come from the ledger, so they survive the manifest;
- an object that got another name is still the object with its native id.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from nhictl.diff import declared_view, diff_mark, diff_resource
from nhictl.keeping import accepted
from nhictl.kinds.common import duration_text
from nhictl.model import (
    Action,
    Address,
    Change,
    FieldChange,
    Finding,
    Managed,
    OnRemove,
    Resource,
)
from nhictl.providers.base import Kind


@dataclass(frozen=True, slots=True)
class Rules:
    """What the decisions need to know: whose mark is ours, the kinds of the target's provider, and the time.

    `adopting` are references and addresses that a person asked to take over by name, now; `taking_from` the owner they
    may carry the mark of.
    """

    owner: str
    kinds: Mapping[str, Kind]
    now: dt.datetime
    adopting: frozenset[str] = frozenset()
    taking_from: str = ""


def blocked(rule: str, address: Address, message: str, hint: str) -> Finding:
    """Return a finding that keeps `address` out of the plan."""
    return Finding(rule, "error", str(address), message, hint)


def followed(
    kinds: Mapping[str, Kind], live: Mapping[Address, Resource], managed: Mapping[Address, Managed]
) -> tuple[Mapping[Address, Resource], Mapping[Address, Address]]:
    """Return what is live with renamed objects at the address recorded for them, and where they came from.

    The second value maps an address in the target to the recorded one. Only kinds that can be renamed in place count.
    """
    lost = {
        (a.kind, m.native_id): a
        for a, m in managed.items()
        if a not in live and m.native_id and a.kind in kinds and kinds[a.kind].rename
    }
    if not lost:
        return live, {}
    moved = {
        a: lost[a.kind, r.native_id] for a, r in live.items() if a not in managed and (a.kind, r.native_id) in lost
    }
    return {moved.get(a, a): r for a, r in live.items()}, moved


def occupied(desired: Resource) -> Finding:
    """Return the finding of a rename whose new name somebody else's object has."""
    return blocked(
        "exists", desired.address, "exists already, so nothing can be renamed to it",
        "choose another name, or rename the other object",
    )  # fmt: skip


def decide_declared(
    rules: Rules, desired: Resource, live: Resource | None, managed: Managed | None
) -> Change | Finding | None:
    """Return the change of a declared resource, a finding that blocks it, or None when it is as declared."""
    kind = rules.kinds[desired.address.kind]
    if live is None:
        reason = "declared" if managed is None else "missing in the target: deleted outside nhictl"
        return Change(desired.address, Action.CREATE, desired.subject, reason, after=desired, origin=desired.origin)
    if managed is None:
        return _take_over(rules, kind, desired, live)
    if managed.native_id != live.native_id:
        if {desired.subject, str(desired.address)} & rules.adopting:
            return _take_over(rules, kind, desired, live)
        return blocked(
            "conflict", desired.address, "was made again outside nhictl: its native id is not the recorded one",
            f"`nhictl adopt {desired.address}` to take over the new object, or delete it",
        )  # fmt: skip
    if _foreign(rules, live):
        return _foreign_owner(rules, desired, live)
    return update(rules, desired, live, managed)


def update(rules: Rules, desired: Resource, live: Resource, managed: Managed) -> Change | Finding | None:
    """Return the change that brings a managed object to its declared state; None when nothing differs.

    A finding is returned when a protected object would have to be made anew.
    """
    kind = rules.kinds[desired.address.kind]
    fields = list(diff_resource(kind, desired, live, managed.attributes))
    if kind.mark != "none" and live.mark_known:
        fields += diff_mark(live.mark, rules.owner, desired.subject)
    elif managed.subject != desired.subject:
        fields.append(FieldChange("subject", managed.subject, desired.subject))
    if managed.handling != desired.handling:
        before, after = managed.handling.as_json(), desired.handling.as_json()
        fields += [FieldChange(f"handling.{k}", str(before[k]), str(after[k])) for k in before if before[k] != after[k]]
    if managed.disabled_at:
        fields.append(FieldChange("handling.disabledAt", managed.disabled_at, None))
    if {desired.subject, str(desired.address)} & rules.adopting:
        fields += accepted(desired, managed)
    was = desired.renamed_from or live.address
    if was != desired.address:
        fields.append(FieldChange("name", was.name, desired.address.name))
    elif managed.depends_on != desired.depends_on and set(managed.depends_on) != set(desired.depends_on):
        fields.append(FieldChange("handling.dependsOn", _names(managed.depends_on), _names(desired.depends_on)))
    if not fields:
        return None
    replaces = sorted({f.path.split(".")[0] for f in fields} & kind.immutable)
    if replaces and managed.handling.protect:
        return Finding(
            "protected", "error", str(desired.address),
            f"is protected; {', '.join(replaces)} cannot be changed in place",
            "restore what the manifest said, or first apply it with `protect: false`",
        )  # fmt: skip
    restored = live.attributes.get("enabled") is False and desired.attributes.get("enabled") is True
    return Change(
        desired.address,
        Action.REPLACE if replaces else Action.UPDATE,
        desired.subject,
        _reason(replaces, restored, was, desired),
        native_id=live.native_id,
        fields=tuple(fields),
        before=declared_view(kind, live, desired.attributes, managed.attributes),
        after=desired,
        fingerprint=live.fingerprint(),
        origin=desired.origin,
    )


def _names(addresses: tuple[Address, ...]) -> tuple[str, ...]:
    return tuple(sorted(str(a) for a in addresses))


def _reason(replaces: list[str], restored: bool, was: Address, desired: Resource) -> str:
    if replaces:
        return f"{', '.join(replaces)} cannot be changed in place"
    if desired.renamed_from is not None:
        return f"renamed from {was.name}"
    if was != desired.address:
        return f"was renamed to {was.name} outside nhictl"
    return "enabled again" if restored else "differs from the manifest"


def _foreign(rules: Rules, live: Resource) -> bool:
    return live.mark_known and live.mark is not None and live.mark.owner != rules.owner


def _foreign_owner(rules: Rules, desired: Resource, live: Resource) -> Finding:
    other = live.mark.owner if live.mark else ""
    same = other.partition("/")[0] == rules.owner.partition("/")[0]
    who = "another environment of this workspace" if same else "another workspace"
    return blocked(
        "conflict", desired.address, f"carries the mark of {other}: {who} manages it",
        f"to move it here: `nhictl ledger forget` it there, then `nhictl adopt {desired.subject} --from {other}`",
    )  # fmt: skip


def _take_over(rules: Rules, kind: Kind, desired: Resource, live: Resource) -> Change | Finding:
    if _foreign(rules, live) and (live.mark is None or live.mark.owner != rules.taking_from):
        return _foreign_owner(rules, desired, live)
    if not desired.adopt:
        ours = live.mark is not None and live.mark.owner == rules.owner
        what = "carries our mark but the ledger does not know it" if ours else "exists already and is not managed"
        return blocked(
            "exists", desired.address, what,
            f"set `adopt: true` on {desired.subject} or run `nhictl adopt {desired.subject}`, or choose another name",
        )  # fmt: skip
    if Action.ADOPT not in kind.actions:
        return blocked(
            "exists",
            desired.address,
            "exists already and this kind cannot be adopted",
            "rename one of the two",
        )
    fields = (*diff_resource(kind, desired, live), *diff_mark(live.mark, rules.owner, desired.subject))
    return Change(
        desired.address, Action.ADOPT, desired.subject, "taken under management", native_id=live.native_id,
        fields=fields, before=declared_view(kind, live, desired.attributes), after=desired,
        fingerprint=live.fingerprint(), origin=desired.origin,
    )  # fmt: skip


def decide_removed(rules: Rules, managed: Managed, live: Resource | None) -> Change | Finding:
    """Return what happens to a managed object that no manifest declares any more."""
    decision = _decide_removed(rules, managed, live)
    if isinstance(decision, Finding) or decision.before is None:
        return decision
    kind = rules.kinds[decision.address.kind]
    before = declared_view(kind, decision.before, managed.attributes)
    after = declared_view(kind, decision.after, managed.attributes) if decision.after else None
    return replace(decision, before=before, after=after)


def _decide_removed(rules: Rules, managed: Managed, live: Resource | None) -> Change | Finding:
    address = managed.address
    if live is None:
        return Change(
            address,
            Action.FORGET,
            managed.subject,
            "gone from the target already",
            native_id=managed.native_id,
        )
    kind = rules.kinds[address.kind]
    if live.native_id != managed.native_id:
        return blocked(
            "conflict", address, "was made again outside nhictl and is no longer declared",
            f"`nhictl ledger forget {address}` to leave it alone",
        )  # fmt: skip
    if managed.handling.protect:
        return Finding(
            "protected", "error", str(address), "is protected and no longer declared",
            "restore its manifest, or first apply it with `protect: false`",
        )  # fmt: skip
    if managed.handling.on_remove is OnRemove.RETAIN:
        return _retain(rules, managed, live)
    if kind.mark != "none" and (live.mark is None or live.mark.owner != rules.owner):
        return blocked(
            "unmarked", address, "our mark is gone from it, so it is not removed",
            f"declare it again to have it marked again, or `nhictl ledger forget {address}` to leave it alone",
        )  # fmt: skip
    if managed.handling.on_remove is OnRemove.DISABLE and Action.DISABLE in kind.actions:
        return _disable_then_delete(rules, managed, live)
    return _removal(Action.DELETE, "no longer declared", managed, live)


def _retain(rules: Rules, managed: Managed, live: Resource) -> Change:
    change = _removal(Action.FORGET, "retained: stays in the target, no longer managed", managed, live)
    if _foreign(rules, live):
        # Only recorded: the mark on it is somebody else's by now.
        return replace(change, before=None, fingerprint="")
    return change


def _disable_then_delete(rules: Rules, managed: Managed, live: Resource) -> Change | Finding:
    grace = dt.timedelta(seconds=managed.handling.delete_after)
    again = bool(managed.disabled_at) and live.attributes.get("enabled") is True
    if again or not managed.disabled_at:
        on = f"{(rules.now + grace):%Y-%m-%d}"
        why = "was enabled again outside nhictl" if again else "no longer declared"
        reason = f"{why}: disabled now, deleted after {duration_text(managed.handling.delete_after)}, on {on}"
        change = _removal(Action.DISABLE, reason, managed, live)
        after = replace(live, attributes={**live.attributes, "enabled": False}, handling=managed.handling)
        fields = (FieldChange("enabled", live.attributes.get("enabled"), False),)
        return replace(change, after=replace(after, depends_on=managed.depends_on), fields=fields)
    due = dt.datetime.fromisoformat(managed.disabled_at) + grace
    if rules.now < due:
        return Finding("waiting", "info", str(managed.address), f"disabled, will be deleted on {due:%Y-%m-%d}")
    return _removal(Action.DELETE, f"disabled since {managed.disabled_at[:10]}, grace period over", managed, live)


def _removal(action: Action, reason: str, managed: Managed, live: Resource) -> Change:
    return Change(
        managed.address, action, managed.subject, reason,
        native_id=live.native_id, before=live, fingerprint=live.fingerprint(),
    )  # fmt: skip
