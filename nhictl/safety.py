"""Limits that keep one plan from being an outage. They look at the plan as a value, over every kind of change.

Rules enforced here:
- a percentage limit and an absolute limit on deletes, and on NHIs that lose access; one object is always allowed;
- everything to nothing is never silent: a target, or all declared objects;
- nhictl's own principal and protected objects are never touched, whatever is overridden;
- the last administrator of a target does not lose that access.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nhictl.kinds.workspace import Limits
from nhictl.model import AccessDelta, Action, Address, Change, Direction, Finding, Permission

ABSOLUTE = frozenset({"own-principal", "protected"})
_REMOVING = frozenset({Action.DELETE, Action.REPLACE})
_ENDING = frozenset({Action.DELETE, Action.REPLACE, Action.DISABLE})


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """One target's part of a plan, as the limits need it. `subjects` maps managed addresses to manifest objects;
    `own` are the addresses of nhictl's principal and of what gives it its access, `protected` those the ledger says are
    protected; `remaining_admins` is asked only when somebody loses administration.
    """

    name: str
    changes: tuple[Change, ...]
    deltas: tuple[AccessDelta, ...]
    subjects: Mapping[Address, str]
    own: tuple[Address, ...]
    remaining_admins: int | None
    protected: frozenset[Address] = frozenset()


def judge(target: TargetPlan, limits: Limits, *, declared: int) -> tuple[Finding, ...]:
    """Return the violations of one target's plan. `declared` counts the resources declared for it."""
    return (
        *_deletes(target, limits),
        *_revokes(target, limits),
        *_wiped(target, declared),
        *_own(target),
        *_last_admin(target),
        *_protected(target),
    )


def stricter(limits: Limits, recorded: Mapping[str, int]) -> Limits:
    """Return the stricter of the limits given now and those the last applied plan was made under.

    A plan that raises the limits is still judged by the old ones; they count from the next plan on.
    """
    now = limits.as_json()
    return Limits(*(min(value, recorded.get(name, value)) for name, value in now.items()))


def is_admin(permissions: Iterable[Permission]) -> bool:
    """True when everything on everything is allowed, unconditionally, and not denied again."""
    total = {p.effect for p in permissions if _is_total(p)}
    return total == {"allow"}


def _is_total(permission: Permission) -> bool:
    everything = permission.action in ("*", "*:*") and permission.resource == "*"
    return permission.kind == "allow" and everything and not permission.condition


def loses(delta: AccessDelta) -> bool:
    """True when an NHI loses access: an allow goes or a deny comes, other than with its first access."""
    denied = any(p.effect == "deny" for p in delta.gained) and delta.direction is not Direction.WIDER
    return denied or any(p.effect == "allow" for p in delta.lost)


def loses_admin(delta: AccessDelta) -> bool:
    """True when full administration goes, or a deny on everything comes."""
    return is_admin(delta.lost) or any(_is_total(p) and p.effect == "deny" for p in delta.gained)


def _allowed(percent: int, absolute: int, total: int) -> int:
    return min(absolute, max(1, total * percent // 100))


def _deletes(target: TargetPlan, limits: Limits) -> Iterable[Finding]:
    objects = set(target.subjects.values())
    deleted = {c.subject for c in target.changes if c.action in _REMOVING and not _is_grant(c)}
    allowed = _allowed(limits.delete_percent, limits.delete_max, len(objects))
    if len(deleted) > allowed:
        yield Finding(
            "delete-limit", "error", target.name,
            f"deletes {len(deleted)} of {len(objects)} managed objects; the limit is {allowed} "
            f"(deletePercent {limits.delete_percent}, deleteMax {limits.delete_max})",
            ", ".join(sorted(deleted)[:10]),
        )  # fmt: skip


def _is_grant(change: Change) -> bool:
    return change.address.kind == "grant"


def _revokes(target: TargetPlan, limits: Limits) -> Iterable[Finding]:
    nhis = {s for s in target.subjects.values() if s.startswith("nhi/")}
    losing = {d.subject for d in target.deltas if loses(d) and d.subject in nhis}
    allowed = _allowed(limits.revoke_percent, limits.revoke_max, len(nhis))
    if len(losing) > allowed:
        yield Finding(
            "revoke-limit", "error", target.name,
            f"takes access from {len(losing)} of {len(nhis)} NHIs; the limit is {allowed} "
            f"(revokePercent {limits.revoke_percent}, revokeMax {limits.revoke_max})",
            ", ".join(sorted(losing)[:10]),
        )  # fmt: skip


def _wiped(target: TargetPlan, declared: int) -> Iterable[Finding]:
    gone = {c.address for c in target.changes if c.action in (Action.DELETE, Action.DISABLE, Action.FORGET)}
    everything = set(target.subjects)
    nhis = {a for a, subject in target.subjects.items() if subject.startswith("nhi/")}
    if gone and (gone >= everything or declared == 0):
        what = f"nothing of what is managed in this target ({len(everything)} objects)"
    elif nhis and gone >= nhis:
        what = f"no NHI of those managed in this target ({len({target.subjects[a] for a in nhis})})"
    else:
        return
    yield Finding(
        "wipe", "error", target.name, f"{what} is declared any more",
        "check that you are in the right directory and on the right branch",
    )  # fmt: skip


def _own(target: TargetPlan) -> Iterable[Finding]:
    own = {address for address in target.own if address in target.subjects or _touches(target, address)}
    subjects = {target.subjects.get(address, "") for address in own} - {""}
    for change in target.changes:
        if change.address in own and (change.fields or change.action in _REMOVING):
            yield _own_finding(str(change.address))
    for delta in target.deltas:
        if delta.subject in subjects and loses(delta):
            yield _own_finding(delta.subject)


def _touches(target: TargetPlan, address: Address) -> bool:
    return any(change.address == address for change in target.changes)


def _own_finding(subject: str) -> Finding:
    return Finding(
        "own-principal", "error", subject, "is the principal nhictl runs as; its access is never changed by itself",
        "apply this change as another principal",
    )  # fmt: skip


def _protected(target: TargetPlan) -> Iterable[Finding]:
    """A protected object is not switched off, and its protection is lowered by a plan that does nothing else to it."""
    for change in target.changes:
        if _was(change) not in target.protected:
            continue
        paths = {field.path for field in change.fields}
        off = change.after is not None and change.after.attributes.get("enabled") is False and "enabled" in paths
        lowered = "handling.protect" in paths and paths != {"handling.protect"}
        if change.action in _ENDING or off or lowered:
            yield Finding(
                "protected", "error", str(change.address), "is protected: not deleted, replaced, disabled or given up",
                "first apply it with `protect: false` and no other change",
            )  # fmt: skip


def _was(change: Change) -> Address:
    return (change.after.renamed_from if change.after is not None else None) or change.address


def _last_admin(target: TargetPlan) -> Iterable[Finding]:
    losing = [d.subject for d in target.deltas if loses_admin(d)]
    if losing and target.remaining_admins == 0:
        yield Finding(
            "last-admin", "error", target.name,
            f"{', '.join(losing)} loses full administration and no managed NHI keeps it",
            "grant it to another NHI first",
        )  # fmt: skip
