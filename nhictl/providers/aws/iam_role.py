"""IAM roles: create, update, delete, and reading one again.

Rules enforced here:
- the create call carries the mark; who exists with another mark is a conflict, with ours the create goes on;
- a role that an instance profile holds is in use: it is not deleted;
- a role that belongs to AWS is never changed.
"""

from __future__ import annotations

from typing import Any

from nhictl.model import Attributes, Change, Fault, Operation, ProviderError, Resource
from nhictl.providers.aws import convert, marking, normalise, principal
from nhictl.providers.aws.calls import Calls, Steps
from nhictl.providers.aws.marking import Tagging, wanted
from nhictl.providers.aws.names import Account, service_linked
from nhictl.providers.aws.principal import ROLES

_PRINCIPAL_TRIES = 16
_IN_USE_TRIES = 4


def read(calls: Calls, account: Account, name: str) -> Resource | None:
    """Return one role read by itself, None when there is none."""
    reply = calls.found("GetRole", RoleName=name)
    if reply is None:
        return None
    data: dict[str, Any] = dict(reply["Role"])
    data["AttachedManagedPolicies"] = [{"PolicyArn": a} for a in principal.attached(calls, ROLES, name)]
    data["RolePolicyList"] = principal.inline(calls, ROLES, name)
    return convert.role(account, data)


def tagging(account: Account, change: Change) -> Tagging:
    """Return how the role of a change is tagged."""
    return Tagging("Role", ROLES.named(change.address.name))


def check(calls: Calls, account: Account, change: Change) -> str:
    """Return the id of the live role after comparing it with the planned one. Raises ProviderError."""
    data = calls.read("GetRole", RoleName=change.address.name)["Role"]
    if service_linked(data["Path"]):
        raise ProviderError(Fault.DENIED, f"{change.address} belongs to AWS and is not changed", code="ServiceLinked")
    return marking.verified(change, data["RoleId"])


def create(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Create the role with its mark, then give it its policies."""
    after = wanted(change)
    params: dict[str, Any] = {
        "Path": after["path"],
        "RoleName": change.address.name,
        "AssumeRolePolicyDocument": normalise.wire(marking.mapping(after, "trust")),
        "MaxSessionDuration": after["max_session_duration"],
        "Tags": marking.tags_with_mark(change, operation),
    }
    if after.get("description"):
        params["Description"] = after["description"]
    if after.get("boundary"):
        params["PermissionsBoundary"] = after["boundary"]
    before: Attributes = {"boundary": after.get("boundary", ""), "enabled": True}
    try:
        steps.native_id = steps.do("CreateRole", patience=_PRINCIPAL_TRIES, **params)["Role"]["RoleId"]
    except ProviderError as error:
        begun = read(steps.calls, account, change.address.name) if error.code == "EntityAlreadyExists" else None
        if begun is None or begun.mark != marking.mark(change, operation):
            raise
        steps.native_id, before = begun.native_id, begun.attributes
    steps.fresh = True
    _converge(steps, change, before)


def update(steps: Steps, account: Account, change: Change, before: Attributes) -> None:
    """Bring the role from `before` to what the change says; its id has been compared."""
    _converge(steps, change, before)
    marking.retag(steps, tagging(account, change), change)


def delete(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Delete the role: policies first. Raises ProviderError IN_USE while an instance profile holds it."""
    name = change.address.name
    profiles = steps.calls.items("ListInstanceProfilesForRole", "InstanceProfiles", RoleName=name)
    if profiles:
        held = ", ".join(sorted(p["InstanceProfileName"] for p in profiles))
        raise ProviderError(
            Fault.IN_USE, f"{change.address} is used by instance profiles: {held}", code="DeleteConflict",
            hint="take the role out of them first",
        )  # fmt: skip
    principal.strip(steps, ROLES, name)
    steps.do("DeleteRole", absent_ok=True, patience=_IN_USE_TRIES, RoleName=name)


def _converge(steps: Steps, change: Change, before: Attributes) -> None:
    name, after = change.address.name, wanted(change)

    def own() -> None:
        _settings(steps, name, before=before, after=after)

    principal.converge(steps, ROLES, name, before=before, after=after, own=own)


def _settings(steps: Steps, name: str, *, before: Attributes, after: Attributes) -> None:
    fields = ("description", "max_session_duration")
    if any(f in before and before[f] != after.get(f) for f in fields):
        steps.do(
            "UpdateRole", RoleName=name, Description=after.get("description", ""),
            MaxSessionDuration=after["max_session_duration"],
        )  # fmt: skip
    if "trust" in before and before["trust"] != after["trust"]:
        text = normalise.wire(marking.mapping(after, "trust"))
        steps.do("UpdateAssumeRolePolicy", patience=_PRINCIPAL_TRIES, RoleName=name, PolicyDocument=text)
