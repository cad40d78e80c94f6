"""Reading an account: few bulk calls, and one object by itself.

Rules enforced here:
- roles, users and policies come from GetAccountAuthorizationDetails; ListRoles adds what that leaves out;
- calls per object are made for objects in scope only: identity providers and access keys;
- a listing that is cut raises; nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nhictl.model import Address, Change, Fault, ProviderError, Resource
from nhictl.providers.aws import convert, federation, iam_policy, iam_role, iam_user
from nhictl.providers.aws.calls import PAGE, Calls
from nhictl.providers.aws.names import OIDC, POLICY, ROLE, SAML, USER, Account
from nhictl.providers.base import Scope

_FILTERS = {USER: "User", ROLE: "Role", POLICY: "LocalManagedPolicy"}
_BULK_FROM = 5


def everything(calls: Calls, account: Account, scope: Scope) -> Iterator[Resource]:
    """Yield every live object in scope."""
    kinds = scope.kinds or frozenset((*_FILTERS, OIDC, SAML))
    if bulk := [k for k in _FILTERS if k in kinds]:
        yield from _details(calls, account, bulk, scope=scope)
    for kind in (OIDC, SAML):
        if kind in kinds:
            yield from _providers(calls, account, kind, scope=scope)


def again(
    calls: Calls, account: Account, addresses: Iterable[Address], *, arns: Mapping[str, str]
) -> Iterator[Resource]:
    """Yield the objects at `addresses` read again, marks known. Many roles and users are read in bulk.

    `arns` are those of policies that were read before, by name; the others are looked up.
    """
    wanted = sorted(set(addresses))
    principals = [a for a in wanted if a.kind in (ROLE, USER)]
    if len(principals) >= _BULK_FROM:
        among = set(principals)
        kinds = sorted({a.kind for a in principals})
        scope = Scope(frozenset(kinds), frozenset(among))
        yield from (r for r in _details(calls, account, kinds, scope=scope) if r.address in among)
        wanted = [a for a in wanted if a not in among]
    if any(a.kind == POLICY and a.name not in arns for a in wanted):
        arns = policy_arns(calls)
    for address in wanted:
        if (resource := _one(calls, account, address, arns)) is not None:
            yield resource


def one(calls: Calls, account: Account, change: Change) -> Resource | None:
    """Return the live policy or identity provider a change is about, None when there is none."""
    if change.address.kind == POLICY:
        return iam_policy.read(calls, account, iam_policy.arn_of(account, change))
    return federation.read(calls, account, change.address.kind, change.address.name)


def policy_arns(calls: Calls) -> dict[str, str]:
    """Return the ARN of every customer managed policy by name."""
    pages = calls.pages("ListPolicies", Scope="Local", MaxItems=PAGE)
    return {p["PolicyName"]: p["Arn"] for page in pages for p in page.get("Policies") or ()}


def _one(calls: Calls, account: Account, address: Address, arns: Mapping[str, str]) -> Resource | None:
    match address.kind:
        case "iam-role":
            return iam_role.read(calls, account, address.name)
        case "iam-user":
            return iam_user.read(calls, account, address.name)
        case "iam-policy":
            arn = arns.get(address.name)
            return iam_policy.read(calls, account, arn) if arn else None
        case "oidc-provider" | "saml-provider":
            return federation.read(calls, account, address.kind, address.name)
    raise ProviderError(Fault.INVALID, f"{address}: aws has no kind {address.kind}", code="UnknownKind")


def _details(calls: Calls, account: Account, kinds: Iterable[str], *, scope: Scope) -> Iterator[Resource]:
    wanted = [_FILTERS[k] for k in kinds]
    pages = list(calls.pages("GetAccountAuthorizationDetails", Filter=wanted, MaxItems=PAGE))
    roles = [r for page in pages for r in page.get("RoleDetailList") or ()]
    users = [u for page in pages for u in page.get("UserDetailList") or ()]
    yield from _roles(calls, account, roles, ids=_arns_by_id(roles, users) if ROLE in kinds else {})
    for data in users:
        inside = account.address(USER, data["UserName"]) in scope.addresses
        yield convert.user(account, data, iam_user.access_keys(calls, data["UserName"]) if inside else ())
    for data in (p for page in pages for p in page.get("Policies") or ()):
        yield convert.policy(account, data, _default_document(data))


def _arns_by_id(roles: Iterable[Mapping[str, Any]], users: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {r["RoleId"]: r["Arn"] for r in roles} | {u["UserId"]: u["Arn"] for u in users}


def _roles(
    calls: Calls, account: Account, details: list[dict[str, Any]], *, ids: Mapping[str, str]
) -> Iterator[Resource]:
    if not details:
        return
    listed = {r["RoleId"]: r for r in calls.items("ListRoles", "Roles", MaxItems=PAGE)}
    for data in details:
        extra = listed.get(data["RoleId"])
        if extra is None:
            reply = calls.found("GetRole", RoleName=data["RoleName"])
            if reply is None or reply["Role"]["RoleId"] != data["RoleId"]:
                continue
            extra = reply["Role"]
        data["Description"] = extra.get("Description")
        data["MaxSessionDuration"] = extra.get("MaxSessionDuration")
        yield convert.with_known_principals(convert.role(account, data), ids)


def _default_document(data: Mapping[str, Any]) -> Any:
    for version in data.get("PolicyVersionList") or ():
        if version.get("IsDefaultVersion"):
            return version["Document"]
    raise ProviderError(
        Fault.UNREACHABLE, f"{data['Arn']}: the default version is missing from the reply", code="CutPage"
    )


def _providers(calls: Calls, account: Account, kind: str, *, scope: Scope) -> Iterator[Resource]:
    for arn in sorted(federation.listed(calls, kind)):
        short = convert.listed(account, kind, arn)
        if scope.addresses and short.address not in scope.addresses:
            yield short
        elif (resource := federation.read(calls, account, kind, short.address.name)) is not None:
            yield resource
