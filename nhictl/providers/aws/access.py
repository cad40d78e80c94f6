"""What a role or user may do, and who may become it, from resources alone. Pure.

Rules enforced here:
- a managed policy that is not among the known resources is opaque: `policy:<arn>`, never left out; so is a group;
- `NotAction`, `NotResource` and a permissions boundary are shown with a `not:` prefix, a boundary as a deny;
- a disabled principal has no access at all, and nobody becomes it;
- who is named by a trust gets in with that alone in the same account, and needs a permission, too, from another one
  (AWS STS API Reference, "AssumeRole"; AWS IAM User Guide, "Policy evaluation logic").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nhictl.model import Address, Permission, Resource, canonical
from nhictl.providers.aws import trust
from nhictl.providers.aws.names import GROUP, OIDC, POLICY, ROLE, SAML, Account, arn_name, joined
from nhictl.providers.base import Entrance

_PROVIDERS = {":oidc-provider/": OIDC, ":saml-provider/": SAML}


def permissions(resource: Resource, known: Mapping[Address, Resource]) -> Iterator[Permission]:
    """Yield the whole access of an identity: what it may do, and who may become it. Of a policy or group, its own."""
    address = resource.address
    if address.kind in (OIDC, SAML):
        return
    if address.kind == POLICY:
        yield from _of_policy(resource)
        return
    attributes: Mapping[str, Any] = resource.attributes
    if not attributes.get("enabled", True):
        return
    source = str(address)
    yield from _given(resource, known)
    if boundary := attributes.get("boundary"):
        bounding = _policy(boundary, address, known)
        told = str(bounding.address) if bounding else source
        yield Permission("allow", f"not:policy:{boundary}", "*", effect="deny", source=told)
    if address.kind == ROLE:
        for way in trust.assumptions(attributes["trust"], source):
            yield Permission(
                way.kind,
                way.action,
                way.resource,
                way.condition,
                way.effect,
                _connection(way.resource, address) or source,
            )


def entrance(identity: Resource, account: Account) -> Entrance:
    """Return how trusts name a role or user, and what becoming it takes."""
    kind, name = identity.address.kind, identity.address.name
    arn = account.arn(kind, name, str(identity.attributes.get("path", "/")))
    everybody = ("*", "AWS:*")
    root = f"AWS:arn:{account.partition}:iam::{account.id}:root"
    names = (f"AWS:{arn}", *((f"AWS:{identity.native_id}",) if identity.native_id else ()), *everybody)
    return Entrance(names, (root,), account.id, "sts:AssumeRole", arn, bounded=kind == ROLE)


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


def _given(holder: Resource, known: Mapping[Address, Resource]) -> Iterator[Permission]:
    """Yield what attached and inline policies give, and the groups of a user."""
    attributes: Mapping[str, Any] = holder.attributes
    for arn in attributes.get("policies") or ():
        policy = _policy(arn, holder.address, known)
        if policy is None:
            yield Permission("allow", f"policy:{arn}", "*", source=str(holder.address))
        else:
            yield from _of_policy(policy)
    for document in (attributes.get("inline") or {}).values():
        yield from statements(document, str(holder.address))
    for name in holder.facts.get("groups") or ():  # type: ignore[union-attr]
        group = known.get(Address(holder.address.target, GROUP, str(name)))
        if group is None:
            yield Permission("allow", f"group:{name}", "*", source=str(holder.address))
        else:
            yield from _given(group, known)


def _of_policy(policy: Resource) -> Iterator[Permission]:
    document = policy.attributes.get("document")
    if isinstance(document, Mapping):
        yield from statements(document, str(policy.address))


def _policy(arn: str, holder: Address, known: Mapping[Address, Resource]) -> Resource | None:
    """Return the customer managed policy with this ARN; None when it is not known."""
    address = Address(holder.target, POLICY, arn_name(arn))
    policy = known.get(address)
    path = "/" + arn.partition(":policy/")[2]
    local = ":iam::aws:policy/" not in arn
    if policy is None or not local or f"{policy.attributes.get('path')}{address.name}" != path:
        return None
    return policy


def _connection(who: str, holder: Address) -> str:
    """Return the address, as text, of the identity provider that a principal of a trust is; empty for another one."""
    if not who.startswith("Federated:arn:"):
        return ""
    found = ((kind, who.partition(sign)[2]) for sign, kind in _PROVIDERS.items() if sign in who)
    return next((str(Address(holder.target, kind, name)) for kind, name in found if name), "")


def _element(statement: Mapping[str, Any], name: str) -> list[str]:
    """Return the values of `Action` or `Resource`; of their negation with `not:`, as one item: they belong together."""
    if f"Not{name}" in statement:
        return [f"not:{joined(statement[f'Not{name}'])}"]
    return list(statement.get(name) or ("*",))
