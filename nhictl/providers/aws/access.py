"""What a role or user may do, and who may become it, from resources alone. Pure.

Rules enforced here:
- a managed policy that is not among the known resources is opaque: `policy:<arn>`, never left out;
- `NotAction`, `NotResource` and a permissions boundary are shown with a `not:` prefix, a boundary as a deny;
- a disabled principal has no access at all, and nobody becomes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nhictl.model import Address, Permission, Resource, canonical
from nhictl.providers.aws import trust
from nhictl.providers.aws.names import POLICY, ROLE, arn_name


def permissions(resource: Resource, known: Mapping[Address, Resource]) -> Iterator[Permission]:
    """Yield the whole access of an identity: what it may do, and who may become it."""
    attributes: Mapping[str, Any] = resource.attributes
    if not attributes.get("enabled", True):
        return
    source = str(resource.address)
    for arn in attributes.get("policies") or ():
        yield from _attached(arn, resource.address, known)
    for document in (attributes.get("inline") or {}).values():
        yield from statements(document, source)
    for group in resource.facts.get("groups") or ():  # type: ignore[union-attr]
        yield Permission("allow", f"group:{group}", "*", source=source)
    if boundary := attributes.get("boundary"):
        yield Permission("allow", f"not:policy:{boundary}", "*", effect="deny", source=source)
    if resource.address.kind == ROLE:
        yield from trust.assumptions(attributes["trust"], source)


def statements(document: Mapping[str, Any], source: str) -> Iterator[Permission]:
    """Yield one permission for each action and resource of each statement of a normalised document."""
    for statement in document.get("Statement") or ():
        if not isinstance(statement, Mapping):
            continue
        condition = canonical(statement["Condition"]).decode() if statement.get("Condition") else ""
        effect = "deny" if statement.get("Effect") == "Deny" else "allow"
        resources = _element(statement, "Resource")
        for action in _element(statement, "Action"):
            yield from (Permission("allow", action, r, condition, effect, source) for r in resources)


def _attached(arn: str, holder: Address, known: Mapping[Address, Resource]) -> Iterator[Permission]:
    address = Address(holder.target, POLICY, arn_name(arn))
    policy = known.get(address)
    path = "/" + arn.partition(":policy/")[2]
    local = ":iam::aws:policy/" not in arn
    if policy is None or not local or f"{policy.attributes.get('path')}{address.name}" != path:
        yield Permission("allow", f"policy:{arn}", "*", source=str(holder))
        return
    document = policy.attributes["document"]
    if isinstance(document, Mapping):
        yield from statements(document, str(address))


def _element(statement: Mapping[str, Any], name: str) -> list[str]:
    """Return the values of `Action` or `Resource`; of their negation with `not:`, as one item: they belong together."""
    if f"Not{name}" in statement:
        return ["not:" + ",".join(statement[f"Not{name}"])]
    return list(statement.get(name) or ("*",))
