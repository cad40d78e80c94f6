"""Customer managed policies: create, update by version, delete, and reading one again.

Rules enforced here:
- at most five versions: the oldest that is not the default goes before a new one comes;
- a policy attached to something that does not carry our mark is in use: it is not deleted;
- a policy that must be made anew is given back to those who had it.
"""

from __future__ import annotations

from typing import Any

from nhictl.model import Attributes, Change, Fault, Operation, ProviderError, Resource
from nhictl.providers.aws import convert, marking, normalise
from nhictl.providers.aws.calls import Calls, Steps
from nhictl.providers.aws.marking import Tagging, wanted
from nhictl.providers.aws.names import POLICY, Account, mark_of
from nhictl.providers.aws.principal import ROLES, USERS, Sort

_VERSIONS = 5
_IN_USE_TRIES = 4


def read(calls: Calls, account: Account, arn: str) -> Resource | None:
    """Return one policy with its default version and its mark, None when there is none."""
    reply = calls.found("GetPolicy", PolicyArn=arn)
    if reply is None:
        return None
    data = reply["Policy"]
    version = calls.read("GetPolicyVersion", PolicyArn=arn, VersionId=data["DefaultVersionId"])
    return convert.policy(account, {"Tags": [], **data}, version["PolicyVersion"]["Document"])


def arn_of(account: Account, change: Change) -> str:
    """Return the ARN of the live policy a change is about, from its path as it was read or is wanted."""
    known = change.before or change.after
    path = str(known.attributes.get("path", "/")) if known else "/"
    return account.arn(POLICY, change.address.name, path)


def tagging(account: Account, change: Change) -> Tagging:
    """Return how the policy of a change is tagged."""
    return Tagging("Policy", {"PolicyArn": arn_of(account, change)})


def check(calls: Calls, account: Account, change: Change) -> str:
    """Return the id of the live policy after comparing it with the planned one. Raises ProviderError."""
    return marking.verified(change, calls.read("GetPolicy", PolicyArn=arn_of(account, change))["Policy"]["PolicyId"])


def create(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Create the policy with its mark."""
    after = wanted(change)
    try:
        reply = steps.do(
            "CreatePolicy",
            PolicyName=change.address.name,
            Path=after["path"],
            PolicyDocument=normalise.wire(marking.mapping(after, "document")),
            Description=marking.mapping(after, "fixed").get("description") or f"{change.subject} of {operation.owner}",
            Tags=marking.tags_with_mark(change, operation),
        )
    except ProviderError as error:
        if error.code != "EntityAlreadyExists":
            raise
        arn = account.arn(POLICY, change.address.name, str(after["path"]))
        found = steps.calls.found("GetPolicy", PolicyArn=arn)
        if found is None or not marking.made_by(found["Policy"], change, operation):
            raise
        reply = found
    steps.native_id = reply["Policy"]["PolicyId"]


def update(steps: Steps, account: Account, change: Change, before: Attributes) -> None:
    """Make the wanted document the default version; the policy's id has been compared."""
    document, arn = marking.mapping(wanted(change), "document"), arn_of(account, change)
    if before["document"] != document:
        _make_room(steps, arn)
        text = normalise.wire(document)
        steps.do("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
    marking.retag(steps, tagging(account, change), change)


def delete(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Delete the policy: take it from what is ours, old versions, then the policy.

    Raises ProviderError IN_USE, naming the users, when something that is not ours has it.
    """
    arn = arn_of(account, change)
    users = _users(steps.calls, arn)
    foreign = [
        text for text, sort, name in users if sort is None or not _ours(steps.calls, sort, name, operation.owner)
    ]
    if foreign:
        raise ProviderError(
            Fault.IN_USE, f"{change.address} is used by: {', '.join(foreign)}", code="DeleteConflict",
            hint="detach it there first: nhictl does not manage them",
        )  # fmt: skip
    for _, sort, name in users:
        if sort is not None:
            steps.do(f"Detach{sort.noun}Policy", absent_ok=True, **sort.named(name), PolicyArn=arn)
    for version in _old_versions(steps.calls, arn):
        steps.do("DeletePolicyVersion", absent_ok=True, PolicyArn=arn, VersionId=version)
    steps.do("DeletePolicy", absent_ok=True, patience=_IN_USE_TRIES, PolicyArn=arn)


def holders(calls: Calls, account: Account, change: Change) -> list[tuple[Sort, str]]:
    """Return the roles and users that have the policy of a change; nobody has one that is gone."""
    arn = arn_of(account, change)
    if calls.found("GetPolicy", PolicyArn=arn) is None:
        return []
    return [(sort, name) for _, sort, name in _users(calls, arn) if sort is not None]


def attach(steps: Steps, account: Account, change: Change, to: list[tuple[Sort, str]]) -> None:
    """Give a policy that was made anew back to those who had it."""
    arn = account.arn(POLICY, change.address.name, str(wanted(change)["path"]))
    for sort, name in to:
        steps.do(f"Attach{sort.noun}Policy", **sort.named(name), PolicyArn=arn)


def _users(calls: Calls, arn: str) -> list[tuple[str, Sort | None, str]]:
    """Return who uses a policy: text, sort, name. Boundaries and groups have no sort: nhictl never detaches them."""
    found = _entities(calls, arn, "PermissionsPolicy", sorts=(ROLES, USERS))
    if calls.read("GetPolicy", PolicyArn=arn)["Policy"].get("PermissionsBoundaryUsageCount"):
        found += _entities(calls, arn, "PermissionsBoundary", sorts=(None, None))
    return sorted(found, key=lambda row: row[0])


def _entities(
    calls: Calls, arn: str, usage: str, *, sorts: tuple[Sort | None, Sort | None]
) -> list[tuple[str, Sort | None, str]]:
    found: list[tuple[str, Sort | None, str]] = []
    for page in calls.pages("ListEntitiesForPolicy", PolicyArn=arn, PolicyUsageFilter=usage):
        found += [_user("role", r["RoleName"], sorts[0]) for r in page.get("PolicyRoles") or ()]
        found += [_user("user", u["UserName"], sorts[1]) for u in page.get("PolicyUsers") or ()]
        found += [_user("group", g["GroupName"], None) for g in page.get("PolicyGroups") or ()]
    return found


def _user(kind: str, name: str, sort: Sort | None) -> tuple[str, Sort | None, str]:
    boundary = " (as boundary)" if sort is None and kind != "group" else ""
    return f"{kind} {name}{boundary}", sort, name


def _ours(calls: Calls, sort: Sort, name: str, owner: str) -> bool:
    data = calls.read(f"Get{sort.noun}", **sort.named(name))[sort.noun]
    mark = mark_of(convert.tags_of(data))
    return mark is not None and mark.owner == owner


def _make_room(steps: Steps, arn: str) -> None:
    versions = steps.calls.items("ListPolicyVersions", "Versions", PolicyArn=arn)
    old = sorted((v for v in versions if not v["IsDefaultVersion"]), key=_number)
    if len(versions) >= _VERSIONS:
        steps.do("DeletePolicyVersion", absent_ok=True, PolicyArn=arn, VersionId=old[0]["VersionId"])


def _old_versions(calls: Calls, arn: str) -> list[str]:
    versions = calls.items("ListPolicyVersions", "Versions", PolicyArn=arn)
    return [v["VersionId"] for v in sorted(versions, key=_number) if not v["IsDefaultVersion"]]


def _number(version: dict[str, Any]) -> int:
    return int(str(version["VersionId"]).removeprefix("v"))
