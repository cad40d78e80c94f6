"""Live AWS objects to resources, and attributes to API parameters. Pure, both directions.

Rules enforced here:
- an attribute is read by name from an allow-list of fields: nothing else of a reply goes on;
- every legal object converts: no description, unknown policy elements, principals that were deleted;
- the deny-all inline policy `nhictl-disabled` is not an inline policy but `enabled: false`, as long as it denies all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nhictl.model import Address, Resource, Value, ordered_set
from nhictl.providers.aws import normalise, report
from nhictl.providers.aws.names import (
    DEFAULT_SESSION,
    DISABLED_POLICY,
    GROUP,
    OIDC,
    POLICY,
    ROLE,
    SAML,
    USER,
    Account,
    arn_name,
    builtin,
    mark_of,
    oidc_name,
    user_tags,
)

DENY_ALL: Mapping[str, Value] = {
    "Version": normalise.VERSION,
    "Statement": ({"Effect": "Deny", "Action": ("*",), "Resource": ("*",)},),
}
_GROUP = ("path", "policies", "inline")
_UNIQUE_IDS = ("AROA", "AIDA")
_TRACKED_DAYS = 400  # IAM user guide, "Last accessed information": the tracking period of roles.


def time_text(value: object) -> str:
    """Return a reply's time as RFC 3339 UTC in seconds; empty for none."""
    if not isinstance(value, dt.datetime):
        return str(value or "")
    at = value.astimezone(dt.UTC) if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def tags_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a reply as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in data.get("Tags") or ()}


def role(account: Account, data: Mapping[str, Any]) -> Resource:
    """Return a role from the shape of GetAccountAuthorizationDetails with Description and MaxSessionDuration added."""
    trust = normalise.document(data["AssumeRolePolicyDocument"], partition=account.partition)
    attributes = _principal(account, data, data.get("RolePolicyList") or ())
    attributes["description"] = data.get("Description") or ""
    attributes["max_session_duration"] = int(data.get("MaxSessionDuration") or DEFAULT_SESSION)
    attributes["trust"] = trust
    facts = _facts(data) | _role_use(data)
    if gone := deleted_principals(trust):
        facts["deleted_principals"] = gone
    if own := builtin(data["Path"]):
        facts["builtin"] = own
    return _resource(
        account.address(ROLE, data["RoleName"]), attributes, data,
        native_id=data["RoleId"], facts=facts, holds=_held(account, attributes),
    )  # fmt: skip


def _role_use(data: Mapping[str, Any]) -> dict[str, Value]:
    """Return the last use of a role; nothing where the reply does not speak of it."""
    if "RoleLastUsed" not in data:
        return {}
    used = data["RoleLastUsed"]
    facts: dict[str, Value] = {"last_used": time_text(used.get("LastUsedDate")), "tracked_days": _TRACKED_DAYS}
    return facts | ({"last_used_region": used["Region"]} if used.get("Region") else {})


def user(
    account: Account,
    data: Mapping[str, Any],
    keys: Sequence[Mapping[str, Any]] | None = None,
    listed: report.Told | None = None,
) -> Resource:
    """Return a user from the shape of GetAccountAuthorizationDetails, with its credentials as facts.

    `keys` are its access keys as ListAccessKeys shows them, None when it was not asked; `listed` is what
    the credential report tells. Keys alone do not say that there is nothing else: without both nothing is known.
    """
    attributes = _principal(account, data, data.get("UserPolicyList") or ())
    facts = _facts(data) | {"groups": ordered_set(data.get("GroupList") or ())}
    groups = [account.address(GROUP, name) for name in ordered_set(data.get("GroupList") or ())]
    told = tuple(_key(k) for k in sorted(keys or (), key=lambda k: str(k["AccessKeyId"])))
    if listed is not None:
        facts["credentials"] = (*(listed.keys if keys is None else told), *listed.others)
    elif told:
        facts["credentials"] = told
    return _resource(
        account.address(USER, data["UserName"]), attributes, data,
        native_id=data["UserId"], facts=facts, holds=tuple(sorted((*_held(account, attributes), *groups))),
    )  # fmt: skip


def group(account: Account, data: Mapping[str, Any]) -> Resource:
    """Return a group from the shape of GetAccountAuthorizationDetails: what it gives its members. It has no tags."""
    attributes = {k: v for k, v in _principal(account, data, data.get("GroupPolicyList") or ()).items() if k in _GROUP}
    return _resource(
        account.address(GROUP, data["GroupName"]), attributes, data,
        native_id=data["GroupId"], facts=_facts(data), holds=_held(account, {**attributes, "boundary": ""}),
    )  # fmt: skip


def policy(account: Account, data: Mapping[str, Any], document: Any) -> Resource:
    """Return a customer managed policy with its default version. Without `Tags` in the reply the mark is unknown."""
    attributes: dict[str, Value] = {
        "path": data["Path"],
        "document": normalise.document(document, partition=account.partition),
        "fixed": {"description": data.get("Description") or ""},
    }
    facts = _facts(data) | {"attachments": int(data.get("AttachmentCount") or 0)}
    address = account.address(POLICY, data["PolicyName"])
    known = "Tags" in data
    return _resource(address, attributes, data, native_id=data["PolicyId"], facts=facts, known=known)


def oidc(account: Account, arn: str, data: Mapping[str, Any]) -> Resource:
    """Return an OIDC provider from GetOpenIDConnectProvider."""
    name = oidc_name(data["Url"])
    attributes: dict[str, Value] = {
        "url": f"https://{name}",
        "audiences": ordered_set(data.get("ClientIDList") or ()),
        "pins": {"thumbprints": ordered_set(t.lower() for t in data.get("ThumbprintList") or ())},
        "tags": user_tags(tags_of(data)),
    }
    native = provider_id(arn, data)
    facts = _facts({**data, "Arn": arn})
    return _resource(account.address(OIDC, name), attributes, data, native_id=native, facts=facts)


def saml(account: Account, arn: str, data: Mapping[str, Any]) -> Resource:
    """Return a SAML provider from GetSAMLProvider."""
    attributes: dict[str, Value] = {
        "metadata": str(data.get("SAMLMetadataDocument") or "").strip(),
        "tags": user_tags(tags_of(data)),
    }
    facts = _facts({**data, "Arn": arn}) | {"valid_until": time_text(data.get("ValidUntil"))}
    address = account.address(SAML, arn_name(arn))
    return _resource(address, attributes, data, native_id=provider_id(arn, data), facts=facts)


def listed(account: Account, kind: str, arn: str) -> Resource:
    """Return an identity provider of which only the ARN was read: it exists, its mark is unknown."""
    name = arn.split(":oidc-provider/", 1)[1] if kind == OIDC else arn_name(arn)
    return Resource(account.address(kind, name), {}, mark_known=False, facts={"arn": arn})


def provider_id(arn: str, data: Mapping[str, Any]) -> str:
    """Return the native id of an identity provider: it has no unique id, so ARN and creation time."""
    return f"{arn}#{time_text(data.get('CreateDate'))}"


def is_deny_all(document: Mapping[str, Value]) -> bool:
    """True when a normalised document denies everything to everybody, without condition."""
    statements = document.get("Statement")
    bare = [{k: v for k, v in s.items() if k != "Sid"} for s in statements or ()]  # type: ignore[union-attr]
    return {"Effect": "Deny", "Action": ("*",), "Resource": ("*",)} in bare


def deleted_principals(trust: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the unique ids that stand in a trust policy where an ARN was: their principals no longer exist."""
    return ordered_set(name for name in _aws_principals(trust) if name.startswith(_UNIQUE_IDS))


def with_known_principals(resource: Resource, arns: Mapping[str, str]) -> Resource:
    """Return a role whose trust names existing principals by ARN where AWS still shows their unique id.

    `arns` maps unique ids of this account to ARNs. A fresh principal can read back as its id for a while.
    """
    ids = resource.facts.get("deleted_principals")
    if not isinstance(ids, tuple) or not any(i in arns for i in ids):
        return resource
    trust = normalise.document(_renamed(resource.attributes["trust"], arns))
    facts = {k: v for k, v in resource.facts.items() if k != "deleted_principals"}
    if gone := deleted_principals(trust):
        facts["deleted_principals"] = gone
    return _with(resource, {**resource.attributes, "trust": trust}, facts)


def _with(resource: Resource, attributes: Mapping[str, Value], facts: Mapping[str, Value]) -> Resource:
    return Resource(
        resource.address, attributes, native_id=resource.native_id, mark=resource.mark, facts=facts,
        mark_known=resource.mark_known,
    )  # fmt: skip


def _renamed(value: Any, arns: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {k: _renamed(v, arns) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_renamed(v, arns) for v in value]
    return arns.get(value, value) if isinstance(value, str) else value


def _aws_principals(trust: Mapping[str, Any]) -> Iterable[str]:
    for statement in trust.get("Statement") or ():
        principal = statement.get("Principal")
        if isinstance(principal, Mapping):
            yield from principal.get("AWS") or ()


def _principal(account: Account, data: Mapping[str, Any], listed_inline: Iterable[Any]) -> dict[str, Value]:
    inline: dict[str, Value] = {}
    enabled = True
    for entry in listed_inline:
        document = normalise.document(entry["PolicyDocument"], partition=account.partition)
        if entry["PolicyName"] == DISABLED_POLICY and is_deny_all(document):
            enabled = False
        else:
            inline[entry["PolicyName"]] = document
    boundary = data.get("PermissionsBoundary") or {}
    return {
        "path": data["Path"],
        "policies": ordered_set(p["PolicyArn"] for p in data.get("AttachedManagedPolicies") or ()),
        "inline": inline,
        "boundary": boundary.get("PermissionsBoundaryArn") or "",
        "tags": user_tags(tags_of(data)),
        "enabled": enabled,
    }


def _facts(data: Mapping[str, Any]) -> dict[str, Value]:
    own = {key: value for key, value in tags_of(data).items() if key.startswith("aws:")}
    found: dict[str, Value] = {"arn": data["Arn"], "created": time_text(data.get("CreateDate"))}
    return found | ({"tags": own} if own else {})


def _key(data: Mapping[str, Any]) -> Mapping[str, Value]:
    used = data.get("AccessKeyLastUsed") or {}
    return {
        "kind": "access-key",
        "id": data["AccessKeyId"],
        "status": str(data.get("Status", "")).lower(),
        "created": time_text(data.get("CreateDate")),
        "last_used": time_text(used.get("LastUsedDate")),
        "expires": "",
    }


def _resource(
    address: Address,
    attributes: Mapping[str, Value],
    data: Mapping[str, Any],
    *,
    native_id: str,
    facts: Mapping[str, Value],
    known: bool = True,
    holds: tuple[Address, ...] = (),
) -> Resource:
    mark = mark_of(tags_of(data)) if known else None
    return Resource(
        address, attributes, depends_on=holds, native_id=native_id, mark=mark, mark_known=known, facts=facts
    )


def _held(account: Account, attributes: Mapping[str, Value]) -> tuple[Address, ...]:
    """Return the addresses of the customer managed policies that a principal holds or is bounded by."""
    ours = f"arn:{account.partition}:iam::{account.id}:policy/"
    policies = attributes["policies"]
    named = [*(policies if isinstance(policies, tuple) else ()), attributes["boundary"]]
    return tuple(
        sorted({account.address(POLICY, arn.rsplit("/", 1)[1]) for arn in map(str, named) if arn.startswith(ours)})
    )
