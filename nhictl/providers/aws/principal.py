"""What roles and users have in common: attachments, inline policies, boundary, tags, the disabling policy.

Rules enforced here:
- inside one update what grants comes before what revokes; only a disabling deny comes first, and goes last;
- a boundary is set before anything is attached and removed after everything else;
- only what differs is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nhictl.model import Attributes
from nhictl.providers.aws import normalise
from nhictl.providers.aws.calls import Calls, Steps
from nhictl.providers.aws.convert import DENY_ALL
from nhictl.providers.aws.marking import mapping, texts
from nhictl.providers.aws.names import DISABLED_POLICY


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of principal as the API spells it: `Role` or `User`."""

    noun: str

    def named(self, name: str) -> dict[str, Any]:
        """Return the parameter that names the principal."""
        return {f"{self.noun}Name": name}


ROLES = Sort("Role")
USERS = Sort("User")


def converge(
    steps: Steps, sort: Sort, name: str, *, before: Attributes, after: Attributes, own: Callable[[], None]
) -> None:
    """Bring a principal from `before` to `after`. `own` makes the calls its kind alone has, between both."""
    off, was_off = not after.get("enabled", True), not before.get("enabled", True)
    if off and not was_off:
        disable(steps, sort, name)
    widen(steps, sort, name, before=before, after=after)
    own()
    narrow(steps, sort, name, before=before, after=after)
    if was_off and not off:
        enable(steps, sort, name)


def widen(steps: Steps, sort: Sort, name: str, *, before: Attributes, after: Attributes) -> None:
    """Make the calls that grant: boundary first, then attachments, inline policies."""
    at = sort.named(name)
    boundary = after.get("boundary", "")
    if boundary and boundary != before.get("boundary", ""):
        steps.do(f"Put{sort.noun}PermissionsBoundary", **at, PermissionsBoundary=boundary)
    for arn in _minus(after, before, "policies"):
        steps.do(f"Attach{sort.noun}Policy", **at, PolicyArn=arn)
    was = mapping(before, "inline")
    for policy, document in sorted(mapping(after, "inline").items()):
        if was.get(policy) != document:
            put_inline(steps, sort, name, policy=policy, document=document)


def narrow(steps: Steps, sort: Sort, name: str, *, before: Attributes, after: Attributes) -> None:
    """Make the calls that revoke: detach, inline policies, and the boundary last."""
    at = sort.named(name)
    for arn in _minus(before, after, "policies"):
        steps.do(f"Detach{sort.noun}Policy", absent_ok=True, **at, PolicyArn=arn)
    for policy in sorted(set(mapping(before, "inline")) - set(mapping(after, "inline"))):
        steps.do(f"Delete{sort.noun}Policy", absent_ok=True, **at, PolicyName=policy)
    if before.get("boundary") and not after.get("boundary"):
        steps.do(f"Delete{sort.noun}PermissionsBoundary", absent_ok=True, **at)


def disable(steps: Steps, sort: Sort, name: str) -> None:
    """Deny everything to the principal: at once, for sessions that exist too, and reversible."""
    put_inline(steps, sort, name, policy=DISABLED_POLICY, document=DENY_ALL)


def enable(steps: Steps, sort: Sort, name: str) -> None:
    """Take the disabling deny away."""
    steps.do(f"Delete{sort.noun}Policy", absent_ok=True, **sort.named(name), PolicyName=DISABLED_POLICY)


def put_inline(steps: Steps, sort: Sort, name: str, *, policy: str, document: Any) -> None:
    """Write one inline policy."""
    text = normalise.wire(document)
    steps.do(f"Put{sort.noun}Policy", **sort.named(name), PolicyName=policy, PolicyDocument=text)


def attached(calls: Calls, sort: Sort, name: str) -> list[str]:
    """Return the ARNs of the managed policies attached to a principal."""
    found = calls.items(f"ListAttached{sort.noun}Policies", "AttachedPolicies", **sort.named(name))
    return [str(p["PolicyArn"]) for p in found]


def inline(calls: Calls, sort: Sort, name: str) -> list[dict[str, Any]]:
    """Return the inline policies of a principal as GetAccountAuthorizationDetails shows them."""
    at = sort.named(name)
    names = calls.items(f"List{sort.noun}Policies", "PolicyNames", **at)
    return [calls.read(f"Get{sort.noun}Policy", **at, PolicyName=policy) for policy in names]


def strip(steps: Steps, sort: Sort, name: str) -> None:
    """Take every policy from a principal that is about to be deleted."""
    at = sort.named(name)
    for arn in attached(steps.calls, sort, name):
        steps.do(f"Detach{sort.noun}Policy", absent_ok=True, **at, PolicyArn=arn)
    for policy in steps.calls.items(f"List{sort.noun}Policies", "PolicyNames", **at):
        steps.do(f"Delete{sort.noun}Policy", absent_ok=True, **at, PolicyName=policy)


def _minus(left: Attributes, right: Attributes, key: str) -> list[str]:
    return sorted(set(texts(left, key)) - set(texts(right, key)))
