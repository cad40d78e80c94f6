"""Who holds customer managed policies: roles, users and groups, as one bulk reply shows them. Pure.

Rules enforced here:
- a holder is named `iam-role/NAME`, `iam-user/NAME` or `iam-group/NAME`; one that is only bounded by the policy has
  ` (boundary)` behind its name;
- each has the owner of its mark, empty for what nobody marked: the planner says which are not its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from nhictl.model import Attributes, Resource
from nhictl.providers.aws import convert
from nhictl.providers.aws.names import ROLE, USER, mark_of

FILTERS = ("User", "Role", "Group")
_LISTS = ((ROLE, "RoleDetailList", "RoleName"), (USER, "UserDetailList", "UserName"),
          ("iam-group", "GroupDetailList", "GroupName"))  # fmt: skip


def by_policy(pages: Iterable[Mapping[str, Any]]) -> Mapping[str, Mapping[str, str]]:
    """Return the owner of each holder by name, for each ARN of a policy."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for page in pages:
        for kind, key, naming in _LISTS:
            for data in page.get(key) or ():
                mark = mark_of(convert.tags_of(data))
                for arn, suffix in _held(data):
                    found[arn][f"{kind}/{data[naming]}{suffix}"] = mark.owner if mark else ""
    return {arn: dict(sorted(holders.items())) for arn, holders in found.items()}


def known(policy: Resource, facts: Attributes) -> Resource:
    """Return a policy read again with the holders that `facts` of its last bulk read have."""
    if "holders" not in facts:
        return policy
    return replace(policy, facts={**policy.facts, "holders": facts["holders"]})


def _held(data: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for policy in data.get("AttachedManagedPolicies") or ():
        yield policy["PolicyArn"], ""
    if boundary := (data.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"):
        yield boundary, " (boundary)"
