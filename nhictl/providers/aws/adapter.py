"""The AWS adapter: what nhictl knows about IAM. Pure; boto3 is imported only when a session is opened."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Permission, Resource
from nhictl.providers.aws import access, desired, drafting
from nhictl.providers.aws.calls import Sleep
from nhictl.providers.aws.names import OIDC, POLICY, ROLE, SAML, USER, Account
from nhictl.providers.base import Capabilities, Compiled, Draft, Entrance, Kind, Session

_ALL = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT, Action.FORGET})
_REPLACED = _ALL | {Action.REPLACE}
_TAGS = frozenset({"tags"})

CAPABILITIES = Capabilities(
    provider="aws",
    version="1",
    kinds={
        ROLE: Kind(
            "IAM role", _REPLACED | {Action.DISABLE}, immutable=frozenset({"path"}),
            partial=_TAGS, mark="bulk", identity=True,
        ),
        USER: Kind(
            "IAM user", _REPLACED | {Action.DISABLE}, immutable=frozenset({"path"}),
            partial=_TAGS, mark="bulk", identity=True,
        ),
        POLICY: Kind(
            "IAM customer managed policy", _REPLACED, immutable=frozenset({"path", "fixed"}),
            partial=frozenset({"fixed"}), mark="reread",
        ),
        OIDC: Kind(
            "OIDC identity provider", _ALL, partial=_TAGS | {"pins"}, mark="bulk",
        ),
        SAML: Kind("SAML identity provider", _ALL, partial=_TAGS, mark="bulk"),
    },
    workers=4,
    settle=30.0,
    fresh_for=30.0,
    whole=True,
    revoke="coarse",
    ignore_case=True,
    reads="GetAccountAuthorizationDetails, ListRoles, and one call per declared identity provider and user key; "
    "the credential report for an inventory",
)  # fmt: skip

SETTINGS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["account"],
    "properties": {
        "account": {
            "type": "string", "maxLength": 12, "pattern": "^[0-9]{12}$",
            "description": "The account, in quotes. A session in any other account is refused.",
        },
        "region": {
            "type": "string", "maxLength": 32, "pattern": "^[a-z]+-[a-z-]+-[0-9]+$",
            "description": "The region for `${env.region}` and for regional endpoints.",
        },
        "profile": {
            "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9_.+@/ -]+$",
            "description": "The profile of the AWS configuration to begin with.",
        },
        "assumeRole": {
            "type": "string", "maxLength": 600,
            "pattern": "^arn:[a-z0-9-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$",
            "description": "The role to assume in the account.",
        },
        "externalId": {
            "type": "string", "minLength": 2, "maxLength": 1224, "pattern": "^[A-Za-z0-9_+=,.@:/-]+$",
            "description": "The external id to send when assuming the role: a name agreed with a third party, not a "
            "secret.",
        },
        "settleTime": {
            "type": "string", "maxLength": 7, "pattern": "^[1-9][0-9]{0,5}[smhdw]$",
            "description": "How long AWS may take until a write whose reply was lost is visible.",
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AwsAdapter:
    """The provider `aws`. `sleep` waits between tries of changing calls."""

    name: str = "aws"
    capabilities: Capabilities = CAPABILITIES
    settings_schema: Mapping[str, Any] = None  # type: ignore[assignment]
    sleep: Sleep = time.sleep

    def desired(self, estate: Estate) -> Compiled:
        """Return what an estate means in the target's account."""
        return desired.compile_estate(estate)

    def permissions(self, resource: Resource, known: Mapping[Address, Resource]) -> Iterable[Permission]:
        """Return the whole access of a role or user, through the policies in `known`."""
        return tuple(access.permissions(resource, known))

    def entrance(self, identity: Resource, target: Target) -> Entrance:
        """Return how trust policies name a role or user, and what assuming it takes."""
        return access.entrance(identity, Account.of(target))

    def drafts(self, live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterable[Draft]:
        """Return manifests for live objects."""
        return tuple(drafting.drafts(live, wanted))

    def connect(self, target: Target, *, write: bool) -> AbstractContextManager[Session]:
        """Open a session to the target's account with the SDK's credential chain."""
        from nhictl.providers.aws import connect

        return connect.session(target, write=write, sleep=self.sleep)


adapter = replace(AwsAdapter(), settings_schema=SETTINGS_SCHEMA)
