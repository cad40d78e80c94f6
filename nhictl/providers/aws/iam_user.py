"""IAM users, for what cannot federate: create, update, delete, and reading one again.

Rules enforced here:
- nhictl makes users without any credential; the last one goes when the user goes;
- everything that hangs on a user is removed before the user, in the order AWS demands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nhictl.model import Attributes, Change, Fault, Operation, ProviderError, Resource
from nhictl.providers.aws import convert, marking, principal, report
from nhictl.providers.aws.calls import Calls, Steps
from nhictl.providers.aws.marking import Tagging, wanted
from nhictl.providers.aws.names import Account
from nhictl.providers.aws.principal import USERS

_IN_USE_TRIES = 4
_REPORT_TRIES = 20
_REPORT_WAIT = 2.0
_NO_REPORT = (Fault.DENIED, Fault.LIMIT)

_USUAL: Sequence[tuple[str, str, str, str]] = (
    ("ListAccessKeys", "AccessKeyMetadata", "DeleteAccessKey", "AccessKeyId"),
    ("ListGroupsForUser", "Groups", "RemoveUserFromGroup", "GroupName"),
)
_RARE: Sequence[tuple[str, str, str, str]] = (
    ("ListMFADevices", "MFADevices", "DeactivateMFADevice", "SerialNumber"),
    ("ListSSHPublicKeys", "SSHPublicKeys", "DeleteSSHPublicKey", "SSHPublicKeyId"),
    ("ListSigningCertificates", "Certificates", "DeleteSigningCertificate", "CertificateId"),
    (
        "ListServiceSpecificCredentials", "ServiceSpecificCredentials", "DeleteServiceSpecificCredential",
        "ServiceSpecificCredentialId",
    ),
)  # fmt: skip
"""What hangs on a user: how it is listed, where in the reply, how it is removed, and by which field."""


def read(calls: Calls, account: Account, name: str) -> Resource | None:
    """Return one user read by itself, with its access keys as facts; None when there is none."""
    reply = calls.found("GetUser", UserName=name)
    if reply is None:
        return None
    data: dict[str, Any] = dict(reply["User"])
    data["AttachedManagedPolicies"] = [{"PolicyArn": a} for a in principal.attached(calls, USERS, name)]
    data["UserPolicyList"] = principal.inline(calls, USERS, name)
    data["GroupList"] = [g["GroupName"] for g in calls.items("ListGroupsForUser", "Groups", UserName=name)]
    return convert.user(account, data, access_keys(calls, name))


def access_keys(calls: Calls, name: str) -> list[dict[str, Any]]:
    """Return the access keys of a user with their last use: ids and times, never a secret."""
    keys = calls.items("ListAccessKeys", "AccessKeyMetadata", UserName=name)
    return [{**k, **calls.read("GetAccessKeyLastUsed", AccessKeyId=k["AccessKeyId"])} for k in keys]


def credential_report(calls: Calls) -> dict[str, report.Told] | None:
    """Return the account's credential report by ARN; None where it is refused or not made in time."""
    try:
        for _ in range(_REPORT_TRIES):
            if calls.read("GenerateCredentialReport").get("State") == "COMPLETE":
                return report.told(calls.read("GetCredentialReport")["Content"].decode())
            calls.sleep(_REPORT_WAIT)
    except ProviderError as error:
        if error.fault not in _NO_REPORT and not error.code.startswith("Report"):
            raise
    return None


def tagging(account: Account, change: Change) -> Tagging:
    """Return how the user of a change is tagged."""
    return Tagging("User", USERS.named(change.address.name))


def check(calls: Calls, account: Account, change: Change) -> str:
    """Return the id of the live user after comparing it with the planned one. Raises ProviderError."""
    return marking.verified(change, calls.read("GetUser", UserName=change.address.name)["User"]["UserId"])


def create(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Create the user with its mark, then give it its policies."""
    name, after = change.address.name, wanted(change)
    tags = marking.tags_with_mark(change, operation)
    params: dict[str, Any] = {"Path": after["path"], "UserName": name, "Tags": tags}
    if after.get("boundary"):
        params["PermissionsBoundary"] = after["boundary"]
    before: Attributes = {"boundary": after.get("boundary", ""), "enabled": True}
    try:
        steps.native_id = steps.do("CreateUser", **params)["User"]["UserId"]
    except ProviderError as error:
        begun = read(steps.calls, account, name) if error.code == "EntityAlreadyExists" else None
        if begun is None or begun.mark != marking.mark(change, operation):
            raise
        steps.native_id, before = begun.native_id, begun.attributes
    steps.fresh = True
    principal.converge(steps, USERS, name, before=before, after=after, own=_nothing)


def update(steps: Steps, account: Account, change: Change, before: Attributes) -> None:
    """Bring the user from `before` to what the change says; its id has been compared."""
    principal.converge(steps, USERS, change.address.name, before=before, after=wanted(change), own=_nothing)
    marking.retag(steps, tagging(account, change), change)


def delete(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Delete the user: keys, login profile, groups and policies first; the rest when AWS says there is more."""
    at = USERS.named(change.address.name)
    _remove(steps, at, _USUAL[:1])
    if steps.calls.found("GetLoginProfile", **at):
        steps.do("DeleteLoginProfile", absent_ok=True, **at)
    _remove(steps, at, _USUAL[1:])
    principal.strip(steps, USERS, change.address.name)
    try:
        steps.do("DeleteUser", absent_ok=True, **at)
    except ProviderError as error:
        if error.code != "DeleteConflict":
            raise
        _remove(steps, at, _RARE)
        steps.do("DeleteUser", absent_ok=True, patience=_IN_USE_TRIES, **at)


def _remove(steps: Steps, at: Mapping[str, Any], belongings: Sequence[tuple[str, str, str, str]]) -> None:
    for listing, key, removal, field in belongings:
        for item in steps.calls.items(listing, key, **at):
            steps.do(removal, absent_ok=True, **at, **{field: item[field]})


def _nothing() -> None:
    """Make no call: a user has no settings of its own."""
