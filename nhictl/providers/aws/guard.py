"""What may leave a read-only session, and what botocore may log.

Rules enforced here:
- an operation that is not listed as reading is refused before a request is made, for every client of the session;
- botocore's debug log prints new secret keys: its loggers never go below INFO.
"""

from __future__ import annotations

import logging
from typing import Any

from nhictl.model import Fault, ProviderError

READS = frozenset(
    {
        "iam:GetAccountAuthorizationDetails", "iam:ListRoles", "iam:ListOpenIDConnectProviders",
        "iam:GetOpenIDConnectProvider", "iam:ListSAMLProviders", "iam:GetSAMLProvider",
        "iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:GetUser", "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:ListAttachedUserPolicies",
        "iam:ListGroupsForUser", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:GetLoginProfile",
        "iam:ListMFADevices", "iam:ListSSHPublicKeys", "iam:ListServiceSpecificCredentials",
        "iam:ListSigningCertificates",
        "iam:ListPolicies", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions",
        "iam:ListEntitiesForPolicy",
        "iam:SimulatePrincipalPolicy", "iam:GenerateCredentialReport", "iam:GetCredentialReport",
        "sts:GetCallerIdentity",
    }
)  # fmt: skip
"""Operations that change nothing."""

CREDENTIALS = frozenset(
    {
        "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sso:GetRoleCredentials",
        "sso-oidc:CreateToken", "signin:CreateOAuth2Token",
    }
)  # fmt: skip
"""Operations the credential chain itself makes; they give a session, they change nothing that exists."""

_NOISY = ("botocore", "boto3", "urllib3", "s3transfer")


def refuse_changes(**event: Any) -> None:
    """Refuse a call that is not known to read only. A handler of botocore's `before-call` event."""
    model = event["model"]
    operation = f"{model.service_model.signing_name}:{model.name}"
    service = f"{model.service_model.service_name}:{model.name}"
    if not {operation, service} & (READS | CREDENTIALS):
        raise ProviderError(Fault.READ_ONLY, f"{operation} refused: this session only reads", code="ReadOnly")


def quiet_logs() -> None:
    """Keep botocore and what it uses from logging requests and replies, whatever level the process asked for."""
    known = [n for n in logging.Logger.manager.loggerDict if n.split(".", 1)[0] in _NOISY]
    for name in {*known, *_NOISY}:
        logger = logging.getLogger(name)
        if logger.level < logging.INFO and (logger.level or name in _NOISY):
            logger.setLevel(logging.INFO)
