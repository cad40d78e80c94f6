"""What AWS refuses and moto lets through, one function per family of operations.

Facts from the IAM user guide ("IAM and AWS STS quotas") and the API reference; a rule raises `Refused` with AWS's code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from tests.servers.strict_wire import Refused, Request, Upstream, texts

MANAGED, USER_INLINE, ROLE_INLINE, TRUST = 6144, 2048, 10240, 2048
VERSIONS, KEYS, TAGS, ATTACHED = 5, 2, 50, 10
_DESCRIPTION = re.compile("[\t\n\r\x20-\x7e\xa1-\xff]*")
_TAG = re.compile(r"[\w\s.:/=+\-@]*")
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PATH = re.compile("/|/[\x21-\x7e]+/")
_PRINCIPAL = re.compile(r"arn:aws[\w-]*:(iam|sts)::(\d{12}):(.+)")

Rule = Callable[[Request, Upstream], None]


def check(request: Request, upstream: Upstream) -> None:
    """Raise `Refused` when AWS would refuse this call."""
    _fields(request)
    for rule in RULES.get(request.action, ()):
        rule(request, upstream)


def size(document: str) -> int:
    """Return the size of a policy as AWS counts it: white space does not count."""
    return len(re.sub(r"\s", "", document))


def _fields(request: Request) -> None:
    if len(request.get("Description")) > 1000 or not _DESCRIPTION.fullmatch(request.get("Description")):
        raise Refused(
            "ValidationError", "1 validation error detected: Value at 'description' failed to satisfy constraint"
        )
    for field, longest in (("RoleName", 64), ("UserName", 64), ("PolicyName", 128)):
        value = request.get(field)
        if value and (len(value) > longest or not _NAME.fullmatch(value)):
            raise Refused("ValidationError", f"The specified value for {field} is invalid.")
    path = request.get("Path")
    if path and request.action.startswith("Create") and (len(path) > 512 or not _PATH.fullmatch(path)):
        raise Refused("ValidationError", "The specified value for path is invalid.")
    seconds = request.get("MaxSessionDuration")
    if seconds and not 3600 <= int(seconds) <= 43200:
        raise Refused("ValidationError", "Value at 'maxSessionDuration' failed to satisfy constraint: 3600 to 43200")
    _tags(request)


def _tags(request: Request) -> None:
    tags = request.tags()
    if len(tags) > TAGS:
        raise Refused("LimitExceeded", f"The number of tags has reached the maximum limit: {TAGS}", 409)
    if len({key.lower() for key, _ in tags}) < len(tags):
        raise Refused("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    for key, value in tags:
        if not key or len(key) > 128 or len(value) > 256 or not _TAG.fullmatch(key + value):
            raise Refused("ValidationError", "Value at 'tags' failed to satisfy constraint")
        if key.lower().startswith("aws:"):
            raise Refused("InvalidInput", "Tag keys beginning with aws: are reserved")


def _tags_in_all(request: Request, upstream: Upstream) -> None:
    noun = request.action.removeprefix("Tag")
    at = {
        k: v
        for k, v in request.params.items()
        if k in ("RoleName", "UserName", "PolicyArn", "OpenIDConnectProviderArn")
    }
    there = set(texts(upstream.ask(request, f"List{noun}Tags", **at), "Key"))
    if len(there | {key for key, _ in request.tags()}) > TAGS:
        raise Refused("LimitExceeded", f"Cannot exceed quota for TagsPer{noun}: {TAGS}", 409)


# Policies


def _managed_size(request: Request, upstream: Upstream) -> None:
    _parsed(request.get("PolicyDocument"))
    if size(request.get("PolicyDocument")) > MANAGED:
        raise Refused("LimitExceeded", f"Cannot exceed quota for PolicySize: {MANAGED}", 409)


def _inline_size(request: Request, upstream: Upstream) -> None:
    _parsed(request.get("PolicyDocument"))
    noun, limit = ("Role", ROLE_INLINE) if request.action == "PutRolePolicy" else ("User", USER_INLINE)
    holder = {f"{noun}Name": request.get(f"{noun}Name")}
    names = texts(upstream.ask(request, f"List{noun}Policies", **holder), "member")
    total = size(request.get("PolicyDocument"))
    for name in set(names) - {request.get("PolicyName")}:
        found = upstream.ask(request, f"Get{noun}Policy", PolicyName=name, **holder)
        total += sum(size(_unquoted(text)) for text in texts(found, "PolicyDocument"))
    if total > limit:
        raise Refused("LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {noun.lower()}", 409)


def _unquoted(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text)


def _versions(request: Request, upstream: Upstream) -> None:
    found = upstream.ask(request, "ListPolicyVersions", PolicyArn=request.get("PolicyArn"))
    if len(texts(found, "VersionId")) >= VERSIONS:
        raise Refused(
            "LimitExceeded",
            "A managed policy can have up to 5 versions. Before you create a new version, delete one.",
            409,
        )


def _default_version(request: Request, upstream: Upstream) -> None:
    found = upstream.ask(request, "GetPolicy", PolicyArn=request.get("PolicyArn"))
    if request.get("VersionId") in texts(found, "DefaultVersionId"):
        raise Refused("DeleteConflict", "Cannot delete the default version of a policy.", 409)


def _policy_unused(request: Request, upstream: Upstream) -> None:
    arn = request.get("PolicyArn")
    used = upstream.ask(request, "ListEntitiesForPolicy", PolicyArn=arn)
    if any(texts(used, name) for name in ("RoleName", "UserName", "GroupName")) or _is_boundary(request, upstream, arn):
        raise Refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(texts(upstream.ask(request, "ListPolicyVersions", PolicyArn=arn), "VersionId")) > 1:
        raise Refused("DeleteConflict", "This policy has more than one version. Delete its versions first.", 409)


def _is_boundary(request: Request, upstream: Upstream, arn: str) -> bool:
    return arn in texts(upstream.ask(request, "GetAccountAuthorizationDetails"), "PermissionsBoundaryArn")


def _attachable(request: Request, upstream: Upstream) -> None:
    noun = "Role" if request.action == "AttachRolePolicy" else "User"
    found = upstream.ask(request, f"ListAttached{noun}Policies", **{f"{noun}Name": request.get(f"{noun}Name")})
    if len(set(texts(found, "PolicyArn")) | {request.get("PolicyArn")}) > ATTACHED:
        raise Refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{noun}: {ATTACHED}", 409)


def _parsed(document: str) -> Mapping[str, object]:
    try:
        found = json.loads(document)
    except ValueError:
        raise Refused("MalformedPolicyDocument", "Syntax errors in policy.") from None
    if not isinstance(found, dict) or not found.get("Statement"):
        raise Refused("MalformedPolicyDocument", "Syntax errors in policy.")
    return found


# Deletes


def _empty(noun: str, questions: Mapping[str, tuple[str, str]]) -> Rule:
    def rule(request: Request, upstream: Upstream) -> None:
        holder = {f"{noun}Name": request.get(f"{noun}Name")}
        for action, (name, what) in questions.items():
            if texts(upstream.ask(request, action, **holder), name):
                raise Refused("DeleteConflict", f"Cannot delete entity, must {what} first.", 409)

    return rule


_ROLE_EMPTY = _empty(
    "Role",
    {
        "ListInstanceProfilesForRole": ("InstanceProfileName", "remove roles from instance profile"),
        "ListAttachedRolePolicies": ("PolicyArn", "detach all policies"),
        "ListRolePolicies": ("member", "delete policies"),
    },
)
_USER_EMPTY = _empty(
    "User",
    {
        "ListAccessKeys": ("AccessKeyId", "delete access keys"),
        "GetLoginProfile": ("LoginProfile", "delete login profile"),
        "ListMFADevices": ("SerialNumber", "deactivate MFA device"),
        "ListSSHPublicKeys": ("SSHPublicKeyId", "delete SSH public keys"),
        "ListSigningCertificates": ("CertificateId", "delete signing certificates"),
        "ListGroupsForUser": ("GroupName", "remove users from group"),
        "ListAttachedUserPolicies": ("PolicyArn", "detach all policies"),
        "ListUserPolicies": ("member", "delete policies"),
    },
)


def _two_keys(request: Request, upstream: Upstream) -> None:
    found = upstream.ask(request, "ListAccessKeys", UserName=request.get("UserName"))
    if len(texts(found, "AccessKeyId")) >= KEYS:
        raise Refused("LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {KEYS}", 409)


# Trust


def _trust(request: Request, upstream: Upstream) -> None:
    text = request.get("AssumeRolePolicyDocument") or request.get("PolicyDocument")
    document = _parsed(text)
    if size(text) > TRUST:
        raise Refused("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST}", 409)
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Resource" in statement or "NotResource" in statement:
            raise Refused("MalformedPolicyDocument", "Has prohibited field Resource")
        if "Principal" not in statement:
            raise Refused("MalformedPolicyDocument", "Missing required field Principal")
        _principals(statement["Principal"], request, upstream)


def _principals(principal: object, request: Request, upstream: Upstream) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not set(principal) <= {"AWS", "Federated", "Service", "CanonicalUser"}:
        raise Refused("MalformedPolicyDocument", f"Invalid principal in policy: {json.dumps(principal)}")
    for kind, values in principal.items():
        for value in values if isinstance(values, list) else [values]:
            if not _known(kind, str(value), request, upstream):
                raise Refused("MalformedPolicyDocument", f'Invalid principal in policy: "{kind.upper()}":"{value}"')


def _known(kind: str, value: str, request: Request, upstream: Upstream) -> bool:
    if kind == "Service":
        return re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", value) is not None
    if kind == "Federated":
        return ":oidc-provider/" in value or ":saml-provider/" in value or re.fullmatch(r"[a-z.-]+", value) is not None
    if value == "*" or re.fullmatch(r"\d{12}", value):
        return True
    found = _PRINCIPAL.fullmatch(value)
    return found is not None and _exists(found[2], found[3], request, upstream)


def _exists(account: str, rest: str, request: Request, upstream: Upstream) -> bool:
    noun, _, name = rest.partition("/")
    if rest == "root" or noun == "assumed-role":
        return True
    if noun not in ("role", "user"):
        return False
    asked = {f"{noun.capitalize()}Name": name.rpartition("/")[2]}
    found = upstream.ask(request, f"Get{noun.capitalize()}", account=account, **asked)
    return any(text.endswith(f":{rest}") for text in texts(found, "Arn"))


RULES: Mapping[str, tuple[Rule, ...]] = {
    "AttachRolePolicy": (_attachable,),
    "AttachUserPolicy": (_attachable,),
    "CreateAccessKey": (_two_keys,),
    "CreatePolicy": (_managed_size,),
    "CreatePolicyVersion": (_managed_size, _versions),
    "CreateRole": (_trust,),
    "DeletePolicy": (_policy_unused,),
    "DeletePolicyVersion": (_default_version,),
    "DeleteRole": (_ROLE_EMPTY,),
    "DeleteUser": (_USER_EMPTY,),
    "PutRolePolicy": (_inline_size,),
    "PutUserPolicy": (_inline_size,),
    "TagOpenIDConnectProvider": (_tags_in_all,),
    "TagPolicy": (_tags_in_all,),
    "TagRole": (_tags_in_all,),
    "TagUser": (_tags_in_all,),
    "UpdateAssumeRolePolicy": (_trust,),
}
