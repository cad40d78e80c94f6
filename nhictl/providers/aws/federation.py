"""OIDC and SAML identity providers: create, update, delete, and reading one again.

Rules enforced here:
- they have no unique id: ARN and creation time together are compared before anything is changed;
- AWS deletes one that roles still trust; nhictl does not: every role's trust is looked at first;
- thumbprints are written only where they are declared.
"""

from __future__ import annotations

from typing import Any

from nhictl.model import Attributes, Change, Fault, Operation, ProviderError, Resource
from nhictl.providers.aws import convert, marking, trust
from nhictl.providers.aws.calls import PAGE, Calls, Steps
from nhictl.providers.aws.marking import Tagging, mapping, texts, wanted
from nhictl.providers.aws.names import OIDC, Account


def read(calls: Calls, account: Account, kind: str, name: str) -> Resource | None:
    """Return one identity provider read by itself, None when there is none."""
    arn = account.arn(kind, name)
    data = _get(calls, kind, arn)
    if data is None:
        return None
    return convert.oidc(account, arn, data) if kind == OIDC else convert.saml(account, arn, data)


def listed(calls: Calls, kind: str) -> list[str]:
    """Return the ARNs of all identity providers of one kind."""
    if kind == OIDC:
        return [p["Arn"] for p in calls.read("ListOpenIDConnectProviders").get("OpenIDConnectProviderList") or ()]
    return [p["Arn"] for p in calls.read("ListSAMLProviders").get("SAMLProviderList") or ()]


def tagging(account: Account, change: Change) -> Tagging:
    """Return how the identity provider of a change is tagged."""
    arn = account.arn(change.address.kind, change.address.name)
    if change.address.kind == OIDC:
        return Tagging("OpenIDConnectProvider", {"OpenIDConnectProviderArn": arn})
    return Tagging("SAMLProvider", {"SAMLProviderArn": arn})


def check(calls: Calls, account: Account, change: Change) -> str:
    """Return the native id of the live provider after comparing it with the planned one. Raises ProviderError."""
    arn = account.arn(change.address.kind, change.address.name)
    data = _get(calls, change.address.kind, arn)
    if data is None:
        raise ProviderError(Fault.NOT_FOUND, f"{change.address} does not exist", code="NoSuchEntity")
    return marking.verified(change, convert.provider_id(arn, data))


def create(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Create the identity provider with its mark."""
    kind, after = change.address.kind, wanted(change)
    arn = account.arn(kind, change.address.name)
    tags = marking.tags_with_mark(change, operation)
    try:
        if kind == OIDC:
            steps.do("CreateOpenIDConnectProvider", Tags=tags, **_oidc_params(after))
        else:
            metadata = after["metadata"]
            steps.do("CreateSAMLProvider", Name=change.address.name, SAMLMetadataDocument=metadata, Tags=tags)
    except ProviderError as error:
        existing = _get(steps.calls, kind, arn) if error.code == "EntityAlreadyExists" else None
        if existing is None or not marking.made_by(existing, change, operation):
            raise
    steps.native_id = _native_id(steps, kind, arn)


def update(steps: Steps, account: Account, change: Change, before: Attributes) -> None:
    """Bring the provider from `before` to what the change says; its native id has been compared."""
    after, arn = wanted(change), account.arn(change.address.kind, change.address.name)
    if change.address.kind == OIDC:
        _update_oidc(steps, arn, before=before, after=after)
    elif before.get("metadata") != after["metadata"]:
        steps.do("UpdateSAMLProvider", SAMLProviderArn=arn, SAMLMetadataDocument=after["metadata"])
    marking.retag(steps, tagging(account, change), change)


def delete(steps: Steps, account: Account, change: Change, operation: Operation) -> None:
    """Delete the identity provider. Raises ProviderError IN_USE, naming them, while roles trust it."""
    kind = change.address.kind
    arn = account.arn(kind, change.address.name)
    if users := trusting_roles(steps.calls, arn):
        raise ProviderError(
            Fault.IN_USE, f"{change.address} is trusted by roles: {', '.join(users)}", code="DeleteConflict",
            hint="change their trust or remove them first; AWS itself would not refuse",
        )  # fmt: skip
    steps.do(f"Delete{tagging(account, change).noun}", absent_ok=True, **tagging(account, change).at)


def trusting_roles(calls: Calls, arn: str) -> list[str]:
    """Return the names of all roles of the account whose trust policy names `arn`, sorted."""
    roles = calls.items("ListRoles", "Roles", MaxItems=PAGE)
    return sorted(r["RoleName"] for r in roles if arn in trust.federated(r["AssumeRolePolicyDocument"]))


def _get(calls: Calls, kind: str, arn: str) -> dict[str, Any] | None:
    if kind == OIDC:
        return calls.found("GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    return calls.found("GetSAMLProvider", SAMLProviderArn=arn)


def _native_id(steps: Steps, kind: str, arn: str) -> str:
    """Return the native id of a provider just made; it may take a moment to be visible."""
    for wait in (0.5, 1.0, 2.0, 4.0, 0.0):
        if (data := _get(steps.calls, kind, arn)) is not None:
            return convert.provider_id(arn, data)
        steps.calls.sleep(wait)
    raise steps.partly(ProviderError(Fault.LOST, f"{arn} was created and cannot be read yet", code="NotVisible"))


def _oidc_params(after: Attributes) -> dict[str, Any]:
    params: dict[str, Any] = {"Url": after["url"], "ClientIDList": list(texts(after, "audiences"))}
    if thumbprints := _thumbprints(after):
        params["ThumbprintList"] = list(thumbprints)
    return params


def _update_oidc(steps: Steps, arn: str, *, before: Attributes, after: Attributes) -> None:
    at: dict[str, Any] = {"OpenIDConnectProviderArn": arn}
    was, now = set(texts(before, "audiences")), set(texts(after, "audiences"))
    for audience in sorted(now - was):
        steps.do("AddClientIDToOpenIDConnectProvider", **at, ClientID=audience)
    thumbprints = _thumbprints(after)
    if thumbprints and thumbprints != _thumbprints(before):
        steps.do("UpdateOpenIDConnectProviderThumbprint", **at, ThumbprintList=list(thumbprints))
    for audience in sorted(was - now):
        steps.do("RemoveClientIDFromOpenIDConnectProvider", absent_ok=True, **at, ClientID=audience)


def _thumbprints(attributes: Attributes) -> tuple[str, ...]:
    return texts(mapping(attributes, "pins"), "thumbprints")
