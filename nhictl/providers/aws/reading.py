"""Reading an account: few bulk calls, and one object by itself.

Rules enforced here:
- roles, users and policies come from GetAccountAuthorizationDetails; ListRoles adds what that leaves out;
- calls per object are made for objects in scope only: identity providers and access keys;
- with details, the credentials of all users come from the credential report, in two calls and those that wait for it;
  where it is refused, from one call for each user and one for each access key;
- a listing that is cut raises, and so does a reply without what every reply of its sort has: nothing is left out in
  silence, and a reply nobody expected is an error of the provider.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nhictl.model import Address, Attributes, Change, Fault, ProviderError, Resource
from nhictl.providers.aws import convert, federation, holders, iam_policy, iam_role, iam_user
from nhictl.providers.aws.calls import PAGE, Calls
from nhictl.providers.aws.names import GROUP, OIDC, POLICY, ROLE, SAML, USER, Account
from nhictl.providers.base import Scope

_FILTERS = {USER: "User", ROLE: "Role", POLICY: "LocalManagedPolicy", GROUP: "Group"}
_READS = {
    ROLE: "GetRole", USER: "GetUser", POLICY: "GetPolicy",
    OIDC: "GetOpenIDConnectProvider", SAML: "GetSAMLProvider",
}  # fmt: skip
_BULK_FROM = 5


def everything(calls: Calls, account: Account, scope: Scope) -> Iterator[Resource]:
    """Yield every live object in scope."""
    kinds = scope.kinds or frozenset((*_FILTERS, OIDC, SAML))
    if bulk := [k for k in _FILTERS if k in kinds]:
        with _understood("GetAccountAuthorizationDetails"):
            yield from _details(calls, account, bulk, scope=scope)
    for kind in (OIDC, SAML):
        if kind in kinds:
            with _understood(_READS[kind]):
                yield from _providers(calls, account, kind, scope=scope)


def again(
    calls: Calls, account: Account, addresses: Iterable[Address], *, policies: Mapping[str, Attributes]
) -> Iterator[Resource]:
    """Yield the objects at `addresses` read again, marks known. Many roles and users are read in bulk.

    `policies` are the facts of policies that were read before, by name; the ARNs of others are looked up.
    """
    wanted = sorted(set(addresses))
    principals = [a for a in wanted if a.kind in (ROLE, USER)]
    if len(principals) >= _BULK_FROM:
        among = set(principals)
        kinds = sorted({a.kind for a in principals})
        scope = Scope(frozenset(kinds), frozenset(among))
        with _understood("GetAccountAuthorizationDetails"):
            yield from (r for r in _details(calls, account, kinds, scope=scope) if r.address in among)
        wanted = [a for a in wanted if a not in among]
    arns = {name: str(facts["arn"]) for name, facts in policies.items()}
    if any(a.kind == POLICY and a.name not in arns for a in wanted):
        arns = policy_arns(calls)
    for address in wanted:
        with _understood(_READS.get(address.kind, "")):
            resource = _one(calls, account, address, arns)
        if resource is not None:
            yield holders.known(resource, policies.get(address.name, {})) if address.kind == POLICY else resource


def one(calls: Calls, account: Account, change: Change) -> Resource | None:
    """Return the live policy or identity provider a change is about, None when there is none."""
    with _understood(_READS.get(change.address.kind, "")):
        if change.address.kind == POLICY:
            return iam_policy.read(calls, account, iam_policy.arn_of(account, change))
        return federation.read(calls, account, change.address.kind, change.address.name)


def policy_arns(calls: Calls) -> dict[str, str]:
    """Return the ARN of every customer managed policy by name."""
    pages = calls.pages("ListPolicies", Scope="Local", MaxItems=PAGE)
    with _understood("ListPolicies"):
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


def _details(calls: Calls, account: Account, kinds: Collection[str], *, scope: Scope) -> Iterator[Resource]:
    """Yield roles, users and policies. For the holders of policies, everybody who can hold one is read with them."""
    wanted = list(dict.fromkeys([*(_FILTERS[k] for k in kinds), *(holders.FILTERS if POLICY in kinds else ())]))
    pages = list(calls.pages("GetAccountAuthorizationDetails", Filter=wanted, MaxItems=PAGE))
    roles = [r for page in pages for r in page.get("RoleDetailList") or ()] if ROLE in kinds else []
    users = [u for page in pages for u in page.get("UserDetailList") or ()] if USER in kinds else []
    yield from _roles(calls, account, roles, ids=_arns_by_id(pages))
    with _understood("GetCredentialReport"):
        report = iam_user.credential_report(calls) if scope.details and users else None
    for data in users:
        listed = (report or {}).get(data["Arn"])
        inside = account.address(USER, data["UserName"]) in scope.addresses or (scope.details and listed is None)
        keys = iam_user.access_keys(calls, data["UserName"]) if inside else None
        yield convert.user(account, data, keys, listed)
    if GROUP in kinds:
        yield from (convert.group(account, g) for page in pages for g in page.get("GroupDetailList") or ())
    held = holders.by_policy(pages) if POLICY in kinds else {}
    for data in (p for page in pages for p in page.get("Policies") or ()):
        policy = convert.policy(account, data, _default_document(data))
        yield holders.known(policy, {"holders": held.get(data["Arn"], {})})


def _arns_by_id(pages: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    lists = (("RoleDetailList", "RoleId"), ("UserDetailList", "UserId"))
    return {data[naming]: data["Arn"] for page in pages for key, naming in lists for data in page.get(key) or ()}


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


@contextmanager
def _understood(operation: str) -> Iterator[None]:
    """Turn what goes wrong with the shape of a reply into a ProviderError; no text of the reply goes on."""
    try:
        yield
    except (LookupError, ValueError) as error:
        why = f"no {error.args[0]}" if isinstance(error, KeyError) else type(error).__name__
        message = f"unexpected reply of iam:{operation}: {why}"
        raise ProviderError(Fault.INVALID, message, code="UnexpectedReply") from None
