"""The saved plan: a Plan as JSON and back, its digest and its checksum.

Rules enforced here:
- reading refuses whatever writing would not have written: the bytes must be the canonical form, the checksum
  covers every field, the digest is that of the changes, unknown fields and wrong types are errors;
- the digest names what would be done and where (`digest_of`), so two plans with one digest do the same;
  it is not over times, commit, reasons, positions, principals and facts, which differ between equal plans;
- positions are kept once per change, not again in its resources;
- a plan holds no secret because attributes hold none; this module adds nothing to it.
The published schema is `schemas/plan.json`; a test keeps it and these tables the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from nhictl import codec as c
from nhictl.model import (
    AccessDelta,
    Action,
    Change,
    Direction,
    FieldChange,
    Finding,
    Handling,
    Identity,
    Mark,
    NhictlError,
    OnRemove,
    Permission,
    Plan,
    Resource,
    Span,
    StalePlan,
    canonical,
    digest,
)

FORMAT_VERSION = 1
MAX_BYTES = 64 * 1024 * 1024

_SPAN = c.record(
    Span,
    file=c.TEXT,
    line=c.COUNT,
    column=c.COUNT,
    width=c.COUNT,
)
_MARK = c.record(Mark, owner=c.TEXT, ref=c.TEXT, operation=c.TEXT)
_HANDLING = c.record(
    Handling,
    on_remove=c.enum(OnRemove),
    delete_after=c.COUNT,
    protect=c.FLAG,
)
_IDENTITY = c.record(
    Identity,
    provider=c.TEXT,
    scope=c.TEXT,
    principal=c.TEXT,
    own=c.each(c.ADDRESS),
)
_RESOURCE = c.record(
    Resource,
    address=c.ADDRESS,
    attributes=c.table(c.VALUE),
    subject=c.TEXT,
    depends_on=c.each(c.ADDRESS),
    native_id=c.TEXT,
    mark=c.optional(_MARK),
    mark_known=c.FLAG,
    handling=_HANDLING,
    adopt=c.FLAG,
    renamed_from=c.optional(c.ADDRESS),
    facts=c.table(c.VALUE),
    keep=c.each(c.TEXT),
)
_FIELD = c.record(
    FieldChange,
    path=c.TEXT,
    before=c.VALUE,
    after=c.VALUE,
    added=c.each(c.TEXT),
    removed=c.each(c.TEXT),
)
_CHANGE = c.record(
    Change,
    address=c.ADDRESS,
    action=c.enum(Action),
    subject=c.TEXT,
    reason=c.TEXT,
    native_id=c.TEXT,
    fields=c.each(_FIELD),
    before=c.optional(_RESOURCE),
    after=c.optional(_RESOURCE),
    fingerprint=c.TEXT,
    depends_on=c.each(c.ADDRESS),
    risk=c.enum(Direction),
    origin=c.optional(_SPAN),
)
_PERMISSION = c.record(
    Permission,
    kind=c.TEXT,
    action=c.TEXT,
    resource=c.TEXT,
    condition=c.TEXT,
    effect=c.TEXT,
    source=c.TEXT,
)
_ACCESS = c.record(
    AccessDelta,
    subject=c.TEXT,
    direction=c.enum(Direction),
    direct=c.FLAG,
    gained=c.each(_PERMISSION),
    lost=c.each(_PERMISSION),
)
_FINDING = c.record(
    Finding,
    rule=c.TEXT,
    level=c.TEXT,
    subject=c.TEXT,
    message=c.TEXT,
    hint=c.TEXT,
    span=c.optional(_SPAN),
)
_PLAN = c.record(
    Plan,
    workspace=c.TEXT,
    environment=c.TEXT,
    digest=c.TEXT,
    created=c.TEXT,
    expires=c.TEXT,
    commit=c.TEXT,
    tool=c.TEXT,
    adapters=c.table(c.TEXT),
    targets=c.table(_IDENTITY),
    partial=c.table(c.VALUE),
    changes=c.each(_CHANGE),
    access=c.each(_ACCESS),
    findings=c.each(_FINDING),
    safety=c.each(_FINDING),
    unreadable=c.table(c.TEXT),
    auth_failed=c.FLAG,
    unchanged=c.COUNT,
    unmanaged=c.table(c.COUNT),
)


def digest_of(plan: Plan) -> str:
    """Return `sha256:...` over what the plan would do and where. Order of changes does not matter."""
    return digest(
        {
            "formatVersion": FORMAT_VERSION,
            "workspace": plan.workspace,
            "environment": plan.environment,
            "targets": {name: [who.provider, who.scope] for name, who in plan.targets.items()},
            "tool": plan.tool,
            "adapters": dict(plan.adapters),
            "partial": {key: c.VALUE.encode(value) for key, value in plan.partial.items()},
            "changes": [_digested(change) for change in sorted(plan.changes, key=_order)],
            "access": [_ACCESS.encode(delta) for delta in sorted(plan.access, key=lambda d: d.subject)],
        }
    )


def _order(change: Change) -> tuple[object, str]:
    return change.address, change.action.value


def _digested(change: Change) -> dict[str, object]:
    return {
        "address": str(change.address),
        "action": change.action.value,
        "subject": change.subject,
        "nativeId": change.native_id,
        "fields": [_FIELD.encode(field) for field in change.fields],
        "before": _digested_resource(change.before),
        "after": _digested_resource(change.after),
        "dependsOn": sorted(map(str, change.depends_on)),
        "fingerprint": change.fingerprint,
    }


def _digested_resource(resource: Resource | None) -> dict[str, object] | None:
    if resource is None:
        return None
    return {
        "address": str(resource.address),
        "attributes": {key: c.VALUE.encode(value) for key, value in resource.attributes.items()},
        "handling": resource.handling.as_json(),
        "dependsOn": sorted(map(str, resource.depends_on)),
        "renamedFrom": str(resource.renamed_from) if resource.renamed_from else None,
    }


def sealed(plan: Plan) -> Plan:
    """Return the plan with its digest."""
    return replace(plan, digest=digest_of(plan))


def to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain JSON data, format version and checksum included."""
    data = _PLAN.encode(plan)
    assert isinstance(data, dict)
    body: dict[str, Any] = {"formatVersion": FORMAT_VERSION, **data}
    return {**body, "checksum": digest(body)}


def from_json(data: object) -> Plan:
    """Return the plan of `data` as `to_json` gave it.

    Raises NhictlError (exit 1) when it is no plan of this format, StalePlan (exit 6) when it was edited.
    """
    try:
        return _checked(data)
    except (c.Malformed, RecursionError) as error:
        what = error if isinstance(error, c.Malformed) else "nested too deep"
        raise NhictlError(f"not a saved plan: {what}", hint="make a new one: nhictl plan --out FILE") from None


def _checked(data: object) -> Plan:
    if type(data) is not dict:
        raise c.Malformed("must be an object")
    body = dict(data)
    version = body.pop("formatVersion", None)
    if type(version) is not int or version != FORMAT_VERSION:
        raise c.Malformed(f"must be {FORMAT_VERSION}, the format this version reads").under("formatVersion")
    checksum = body.pop("checksum", None)
    plan = _PLAN.decode(body)
    if checksum != _checksum({"formatVersion": version, **body}):
        raise _edited("its checksum does not match")
    if plan.digest != digest_of(plan):
        raise _edited("its digest is not that of its changes")
    return plan


def _checksum(body: dict[str, Any]) -> str:
    try:
        return digest(body)
    except UnicodeEncodeError:
        raise c.Malformed("text with lone surrogates") from None


def _edited(why: str) -> StalePlan:
    return StalePlan(
        f"the saved plan was changed after it was made: {why}", hint="make a new one: nhictl plan --out FILE"
    )


def dumps(plan: Plan) -> bytes:
    """Return the bytes of the saved plan: canonical JSON and a newline."""
    return canonical(to_json(plan)) + b"\n"


def loads(raw: bytes) -> Plan:
    """Return the plan `dumps` wrote. Raises NhictlError (exit 1) or StalePlan (exit 6) on any other bytes."""
    if len(raw) > MAX_BYTES:
        raise NhictlError(f"not a saved plan: larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        data = c.parse(raw)
    except c.Malformed as error:
        raise NhictlError(f"not a saved plan: {error}", hint="make a new one: nhictl plan --out FILE") from None
    plan = from_json(data)
    if canonical(data) + b"\n" != raw:
        raise _edited("it was formatted anew")
    return plan


def load(path: Path) -> Plan:
    """Return the plan saved at `path`. Raises NhictlError also when the file cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NhictlError(f"cannot read {path}: {error.strerror}") from None
    return loads(raw)
