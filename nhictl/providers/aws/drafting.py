"""Manifests for what lives in an AWS account. Pure.

A customer managed policy becomes a Role, an inline policy a Role with `inline`; what a principal has besides (a managed
policy of AWS, a boundary, a session length) becomes a Role that says just that and is shared by all who have it.
Rules enforced here:
- every legal object is accepted; what the language cannot say is named in `keep` and told in a comment;
- a statement, a trust or a policy counts as said only when composing it gives the live one back;
- AWS's own objects get no manifest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nhictl.model import Address, Resource, Value, digest
from nhictl.model.secret import holds_secret
from nhictl.providers.aws import drafting_trust, statements
from nhictl.providers.aws.drafting_trust import Trusts
from nhictl.providers.aws.names import (
    DEFAULT_SESSION,
    POLICY,
    USER,
    arn_name,
    bad_path,
    service_linked,
)
from nhictl.providers.base import Draft, Ref

_HOUR = 3600
_PURPOSE = 1000


@dataclass(slots=True)
class _Work:
    """One account being drafted; `shared` are the drafts of what is no object by itself, by made-up address."""

    live: Mapping[Address, Resource]
    wanted: Collection[Address]
    trusts: Trusts
    by_arn: Mapping[str, Address]
    shared: dict[Address, Draft] = field(default_factory=dict)


def drafts(live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterator[Draft]:
    """Yield a draft for each role, user, policy and identity provider in `wanted`, and for what they share."""
    by_arn = {str(r.facts["arn"]): a for a, r in live.items() if a.kind == POLICY and "arn" in r.facts}
    own = {a: r for a, r in live.items() if a in wanted and not service_linked(str(r.attributes.get("path", "/")))}
    work = _Work(live, wanted, drafting_trust.survey(live, own), by_arn)
    for address, resource in sorted(own.items()):
        match address.kind:
            case "iam-role" | "iam-user":
                yield _principal(work, resource)
            case "iam-policy":
                yield _policy(resource)
            case "oidc-provider":
                yield drafting_trust.oidc(work.trusts, resource)
            case "saml-provider":
                yield drafting_trust.saml(resource)
    yield from (work.shared[a] for a in sorted(work.shared))
    yield from work.trusts.accounts()


def _policy(resource: Resource) -> Draft:
    a = resource.attributes
    said = statements.spoken(a["document"])
    block: dict[str, Any] = {} if said is None else {"statements": said}
    keep = ["document"] if said is None else []
    path = str(a["path"])
    if path != "/":
        if _sayable_path(path):
            block["path"] = path
        else:
            keep.append("path")
    described = _described(a)
    if described:
        block["description"] = described
    return Draft("Role", resource.address.name, {"aws": block}, (resource.address,), tuple(keep))


def _described(attributes: Mapping[str, Value]) -> str:
    fixed = attributes.get("fixed")
    return str(fixed.get("description") or "") if isinstance(fixed, Mapping) else ""


def _sayable_path(path: str) -> bool:
    return not bad_path(path) and statements.PATH.match(path) is not None


def _principal(work: _Work, resource: Resource) -> Draft:
    a, address = resource.attributes, resource.address
    spec: dict[str, Any] = {"type": "service-account" if address.kind == USER else "workload"}
    keep: list[str] = []
    notes: list[str] = []
    spec |= _about(resource, keep)
    name = _native(resource, keep)
    grants = [*_policies(work, resource), *_inline(work, resource, keep), *_settings(work, resource, keep)]
    if address.kind == USER:
        spec["identity"] = {"awsUser": {}}
        notes += _of_user(resource)
    else:
        proven = work.trusts.identity(resource)
        spec["identity"] = proven.identity
        grants = [{**g, **({"via": Ref(proven.via)} if proven.via else {})} for g in grants]
        keep += proven.keep
        notes += proven.notes
    if a["enabled"] is False:
        spec["enabled"] = False
        keep += [f for f in ("policies", "inline") if a[f]]
    if grants:
        spec["grants"] = grants
    tags = a["tags"] if isinstance(a["tags"], Mapping) else {}
    return Draft(
        "NHI", name, spec, (address,), tuple(keep), tuple(notes), called=address.name,
        labels={k: str(v) for k, v in tags.items()},
    )  # fmt: skip


def _about(resource: Resource, keep: list[str]) -> dict[str, Any]:
    """Return the purpose of a principal; a role without a fitting description keeps the one it has."""
    if resource.address.kind == USER:
        return {}
    text = str(resource.attributes["description"])
    if text and text == text.strip() and len(text) <= _PURPOSE and not holds_secret(text):
        return {"purpose": text}
    keep.append("description")
    return {}


def _native(resource: Resource, keep: list[str]) -> str:
    """Return the native name of a principal: with its path, where a name can say that."""
    path, name = str(resource.attributes["path"]), resource.address.name
    if path == "/":
        return name
    if _sayable_path(path) and len(path) + len(name) <= 255:
        return f"{path[1:]}{name}"
    keep.append("path")
    return name


def _policies(work: _Work, resource: Resource) -> list[dict[str, Any]]:
    """Return grants for the attached policies: those that have a manifest, and one Role for each of the others."""
    found = []
    attached: Any = resource.attributes["policies"]
    for arn in attached:
        address = work.by_arn.get(arn)
        if address is None or address not in work.wanted:
            address = _share(work, "managed-policy", arn, {"managedPolicies": [arn]}, called=arn_name(arn))
        found.append({"role": Ref(address)})
    return found


def _inline(work: _Work, resource: Resource, keep: list[str]) -> list[dict[str, Any]]:
    """Return grants for the inline policies that can be said; the others are kept."""
    found = []
    inline: Any = resource.attributes["inline"]
    for name, document in sorted(inline.items()):
        said = statements.spoken(document)
        if said is None:
            keep.append(f"inline.{name}")
            continue
        address = Address(resource.address.target, "inline-policy", f"{name}/{digest(document)}")
        if address not in work.shared:
            spec = {"aws": {"statements": said, "inline": True}}
            work.shared[address] = Draft(
                "Role", name, spec, (address,), called=f"{resource.address.name}-{name}",
            )  # fmt: skip
        found.append({"role": Ref(address)})
    return found


def _settings(work: _Work, resource: Resource, keep: list[str]) -> list[dict[str, Any]]:
    """Return grants for boundary and session length where they are not AWS's defaults."""
    a = resource.attributes
    found = []
    if boundary := str(a["boundary"]):
        named = {"permissionsBoundary": boundary}
        found.append({"role": Ref(_share(work, "boundary", boundary, named, called=f"boundary-{arn_name(boundary)}"))})
    seconds = int(str(a.get("max_session_duration", DEFAULT_SESSION)))
    if seconds != DEFAULT_SESSION:
        text = _session(seconds)
        if not text:
            keep.append("max_session_duration")
        else:
            block = {"maxSessionDuration": text}
            found.append({"role": Ref(_share(work, "session", text, block, called=f"session-{text}"))})
    return found


def _session(seconds: int) -> str:
    """Return a session length as the language says it, empty when it cannot."""
    if seconds % _HOUR == 0:
        return f"{seconds // _HOUR}h"
    return f"{seconds // 60}m" if seconds % 60 == 0 else ""


def _share(work: _Work, kind: str, name: str, block: Mapping[str, Any], *, called: str) -> Address:
    """Return the made-up address of a Role that says `block`, drafted once."""
    target = next(iter(work.live)).target
    address = Address(target, kind, name)
    work.shared.setdefault(address, Draft("Role", "", {"aws": block}, (address,), called=called))
    return address


def _of_user(resource: Resource) -> list[str]:
    groups: Any = resource.facts.get("groups") or ()
    return [f"Is in the groups {', '.join(groups)}, which no manifest says: what they give stays."] if groups else []
