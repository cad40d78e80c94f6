"""What nhictl needs to be allowed in an account, as data: the actions of a plan and of an apply.

Rules enforced here:
- a plan needs reading actions only;
- an apply that does not write an identity provider or a user need not be allowed to: actions are given by kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nhictl.providers.aws.names import OIDC, POLICY, ROLE, SAML, USER, Account
from nhictl.providers.aws.normalise import VERSION

_READ: Mapping[str, tuple[str, ...]] = {
    ROLE: (
        "iam:GetAccountAuthorizationDetails", "iam:ListRoles", "iam:GetRole", "iam:ListRolePolicies",
        "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
    ),
    USER: (
        "iam:GetAccountAuthorizationDetails", "iam:GetUser", "iam:ListUserPolicies", "iam:GetUserPolicy",
        "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed",
    ),
    POLICY: (
        "iam:GetAccountAuthorizationDetails", "iam:ListPolicies", "iam:GetPolicy", "iam:GetPolicyVersion",
    ),
    OIDC: ("iam:ListOpenIDConnectProviders", "iam:GetOpenIDConnectProvider"),
    SAML: ("iam:ListSAMLProviders", "iam:GetSAMLProvider"),
}  # fmt: skip
_WRITE: Mapping[str, tuple[str, ...]] = {
    ROLE: (
        "iam:CreateRole", "iam:UpdateRole", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:AttachRolePolicy",
        "iam:DetachRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary",
        "iam:DeleteRolePermissionsBoundary", "iam:TagRole", "iam:UntagRole", "iam:ListInstanceProfilesForRole",
    ),
    USER: (
        "iam:CreateUser", "iam:DeleteUser", "iam:AttachUserPolicy", "iam:DetachUserPolicy", "iam:PutUserPolicy",
        "iam:DeleteUserPolicy", "iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:TagUser",
        "iam:UntagUser", "iam:DeleteAccessKey", "iam:GetLoginProfile", "iam:DeleteLoginProfile",
        "iam:RemoveUserFromGroup", "iam:ListMFADevices", "iam:DeactivateMFADevice", "iam:ListSSHPublicKeys",
        "iam:DeleteSSHPublicKey", "iam:ListSigningCertificates", "iam:DeleteSigningCertificate",
        "iam:ListServiceSpecificCredentials", "iam:DeleteServiceSpecificCredential",
    ),
    POLICY: (
        "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions",
        "iam:ListEntitiesForPolicy", "iam:DeletePolicy", "iam:TagPolicy", "iam:UntagPolicy", "iam:DetachRolePolicy",
        "iam:DetachUserPolicy", "iam:GetRole", "iam:GetUser",
    ),
    OIDC: (
        "iam:CreateOpenIDConnectProvider", "iam:AddClientIDToOpenIDConnectProvider",
        "iam:RemoveClientIDFromOpenIDConnectProvider", "iam:UpdateOpenIDConnectProviderThumbprint",
        "iam:DeleteOpenIDConnectProvider", "iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider",
        "iam:ListRoles",
    ),
    SAML: (
        "iam:CreateSAMLProvider", "iam:UpdateSAMLProvider", "iam:DeleteSAMLProvider", "iam:TagSAMLProvider",
        "iam:UntagSAMLProvider", "iam:ListRoles",
    ),
}  # fmt: skip
WHOLE_ACCOUNT = frozenset(
    {
        "iam:GetAccountAuthorizationDetails", "iam:ListRoles", "iam:ListPolicies", "iam:ListOpenIDConnectProviders",
        "iam:ListSAMLProviders", "iam:GetAccessKeyLastUsed",
    }
)  # fmt: skip
DETAILS = ("iam:GenerateCredentialReport", "iam:GetCredentialReport")
"""What an inventory asks for besides a plan's actions, and can do without."""
_TYPES = ("role", "user", "group", "policy", "oidc-provider", "saml-provider")


def needs(kinds: Iterable[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the actions a plan needs and those an apply needs besides, for some kinds or all."""
    chosen = tuple(kinds) or tuple(_READ)
    reading = {action for kind in chosen for action in _READ[kind]}
    writing = {action for kind in chosen for action in _WRITE[kind]} - reading
    return tuple(sorted(reading)), tuple(sorted(writing))


def policy(account: Account, *, write: bool, path: str = "/", kinds: Iterable[str] = ()) -> dict[str, Any]:
    """Return the least-privilege policy for nhictl itself as plain JSON, writes limited to objects under `path`.

    `sts:GetCallerIdentity` needs no permission.
    """
    chosen = tuple(kinds) or tuple(_READ)
    reading, writing = needs(chosen)
    listing = [*(a for a in reading if a in WHOLE_ACCOUNT), *(DETAILS if USER in chosen else ())]
    single = [a for a in reading if a not in WHOLE_ACCOUNT]
    everywhere = [f"arn:{account.partition}:iam::{account.id}:{kind}/*" for kind in _TYPES]
    statements = [_allow("Plan", listing, ["*"]), _allow("ReadAgain", single, everywhere)]
    if write:
        own = [f"arn:{account.partition}:iam::{account.id}:{kind}{_below(kind, path)}*" for kind in _TYPES]
        statements.append(_allow("Apply", list(writing), own))
    return {"Version": VERSION, "Statement": statements}


def _below(kind: str, path: str) -> str:
    return path if kind in ("role", "user", "policy") else "/"


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
