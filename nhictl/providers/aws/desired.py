"""What an estate means in one AWS account: roles, users, policies and identity providers. Pure.

Rules enforced here:
- a Role becomes one customer managed policy, or with `inline` an inline policy of each NHI that has it;
- an NHI becomes an IAM role, or with `awsUser` an IAM user; disabled or expired, it stays without any grant;
- what `keep` names need not be said: a role's statements, an NHI's trust, a SAML provider's metadata;
- trust, boundary and session length follow from all grants an NHI has here, so that an expired grant does not change
  who may become it; permissions follow from the standing ones alone;
- everything refused is a diagnostic with position; nothing half-composed is returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nhictl.kinds.common import duration_seconds, keeps
from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI, Grant
from nhictl.kinds.role import Role
from nhictl.model import Address, Diagnostic, Document, Resource, Severity, Value, ordered_set
from nhictl.providers.aws import limits, normalise, trusting
from nhictl.providers.aws.exact import Untrusted
from nhictl.providers.aws.federating import provider
from nhictl.providers.aws.names import DEFAULT_SESSION, POLICY, ROLE, USER, Account, split_name
from nhictl.providers.base import Compiled


@dataclass(slots=True)
class Composition:
    """One compile in progress: the estate, its account, what was said, and policies by role name."""

    estate: Estate
    account: Account
    policies: Mapping[str, Resource] = field(default_factory=dict)
    providers: Mapping[str, Resource] = field(default_factory=dict)
    said: list[Diagnostic] = field(default_factory=list)

    def say(self, document: Document, *path: str | int, code: str, summary: str, hint: str = "") -> None:
        """Add an error about a place in a manifest."""
        self.said.append(Diagnostic(code, summary, document.span(*path), hint=hint))


def compile_estate(estate: Estate) -> Compiled:
    """Return the AWS resources of an estate, sorted, with the diagnostics for what cannot be expressed."""
    work = Composition(estate, Account.of(estate.target))
    roles = sorted(estate.roles.items())
    work.policies = {name: _policy(work, role) for name, role in roles if _has_policy(role)}
    made = ((name, provider(work, c)) for name, c in sorted(estate.connections.items()))
    work.providers = {name: resource for name, resource in made if resource is not None}
    work.providers = _shared(work)
    principals = [p for nhi in estate.nhis if (p := _principal(work, nhi)) is not None]
    resources = {id(r): r for r in (*work.policies.values(), *work.providers.values(), *principals)}
    limits.check(work, list(resources.values()))
    unique = {r.address: r for r in resources.values()}
    return Compiled(tuple(unique[a] for a in sorted(unique)), tuple(work.said))


def _shared(work: Composition) -> dict[str, Resource]:
    """Return the providers with those of one issuer made one: AWS has one OIDC provider for each URL.

    It belongs to the connection whose name comes first, whatever part of the estate a plan is for.
    """
    first: dict[Address, str] = {}
    result: dict[str, Resource] = {}
    for name, resource in work.providers.items():
        holder = first.setdefault(resource.address, name)
        result[name] = resource
        if holder == name:
            continue
        _say_shared(work, holder, name)
        merged = _merged(result[holder], resource)
        result |= {n: merged for n in result if result[n].address == resource.address}
    return result


def _say_shared(work: Composition, holder: str, name: str) -> None:
    one, other = work.estate.connections[holder], work.estate.connections[name]
    work.said.append(
        Diagnostic(
            "W606", f"{one.ref} and {other.ref} share one identity provider: {work.providers[name].address.name}",
            other.document.span("metadata", "name"), severity=Severity.WARNING,
            hint=f"it belongs to {one.ref}, and tokens for the audiences of either come in; make them one",
            related=((one.document.span("metadata", "name"), "the other"),),
        )
    )  # fmt: skip


def _merged(one: Resource, other: Resource) -> Resource:
    attributes: dict[str, Any] = dict(one.attributes)
    if "audiences" in attributes:
        attributes["audiences"] = ordered_set((*attributes["audiences"], *other.attributes["audiences"]))  # type: ignore[misc]
        attributes["pins"] = {**other.attributes["pins"], **attributes["pins"]}  # type: ignore[dict-item]
    attributes["tags"] = {**other.attributes["tags"], **attributes["tags"]}  # type: ignore[dict-item]
    protect = one.handling.protect or other.handling.protect
    return replace(one, attributes=attributes, handling=replace(one.handling, protect=protect))


def _policy(work: Composition, role: Role) -> Resource:
    path, default = split_name(role.native_name or role.meta.name, str(role.block.get("path", "/")))
    name = work.estate.name(role.ref, POLICY, default)
    attributes: dict[str, Value] = {"path": path}
    if _statements(role):
        attributes["document"] = document(role)
    if role.block.get("tags"):
        work.say(
            role.document, "spec", "aws", "tags", code="E513",
            summary=f"{role.ref}: tags of a customer managed policy cannot be kept",
            hint="set `inline: true`, which puts them on the roles that hold it, or leave them out",
        )  # fmt: skip
    described = role.block.get("description")
    attributes["fixed"] = {"description": described} if described else {}
    return Resource(
        work.account.address(POLICY, name), attributes, subject=role.ref, handling=role.handling,
        adopt=role.adopt, place=role.document.place("metadata", "name"),
    )  # fmt: skip


def document(role: Role) -> Mapping[str, Value]:
    """Return the normalised policy document of a role's statements."""
    statements = [_statement(s) for s in _statements(role)]
    return normalise.document({"Version": normalise.VERSION, "Statement": statements})


_ELEMENTS = {
    "sid": "Sid", "actions": "Action", "notActions": "NotAction", "resources": "Resource",
    "notResources": "NotResource", "conditions": "Condition",
}  # fmt: skip


def _statement(data: Mapping[str, Any]) -> dict[str, Any]:
    named = {_ELEMENTS[key]: value for key, value in data.items() if key in _ELEMENTS}
    return {"Effect": data.get("effect", "allow"), **named}


def _statements(role: Role) -> list[Mapping[str, Any]]:
    found = role.block.get("statements") or []
    return [found] if isinstance(found, Mapping) else list(found)


def _inline(role: Role) -> bool:
    return role.block.get("inline") is True


def _has_policy(role: Role) -> bool:
    """True for a role that is a customer managed policy."""
    return not _inline(role) and (bool(_statements(role)) or keeps(role.keep, POLICY, "document"))


def _inline_policies(work: Composition, nhi: NHI, granted: list[Role]) -> dict[str, Value]:
    """Return the inline policies of an NHI by name: `nativeName`, or else the name, of each inline role."""
    found: dict[str, Value] = {}
    for role in granted:
        if not _inline(role) or not _statements(role):
            continue
        name = role.native_name or role.meta.name
        if name in found:
            work.say(
                nhi.document, "spec", "grants", code="E512",
                summary=f"{nhi.ref}: two of its roles would be the inline policy {name}",
                hint="give one of them another nativeName",
            )  # fmt: skip
        found[name] = document(role)
    return found


def _principal(work: Composition, nhi: NHI) -> Resource | None:
    kind = USER if nhi.identity_kind == "awsUser" else ROLE
    path, default = split_name(nhi.native_name or nhi.meta.name, "/")
    name = work.estate.name(nhi.ref, kind, default)
    enabled = nhi.enabled and not work.estate.expired(nhi)
    granted = _roles(work, work.estate.standing(nhi) if nhi.enabled else ())
    reach = _roles(work, tuple(_reaching(work.estate, nhi)))
    boundary, needs = _boundary(work, nhi, reach)
    attributes: dict[str, Value] = {
        "path": path,
        "policies": ordered_set(a for role in granted for a in _arns(work, role)),
        "inline": _inline_policies(work, nhi, granted),
        "boundary": boundary,
        "tags": _tags(nhi, reach),
        "enabled": enabled,
    }
    depends = [*needs, *(work.policies[r.meta.name].address for r in granted if r.meta.name in work.policies)]
    if kind == ROLE:
        trusted = _trust(work, nhi)
        if trusted is None:
            return None
        if trusted.document and keeps(nhi.keep, ROLE, "trust"):
            work.said.append(_without_effect(nhi))
        attributes |= {"description": nhi.purpose, "max_session_duration": _session(reach)}
        attributes |= {"trust": trusted.document} if trusted.document else {}
        depends += trusted.depends_on
    address = work.account.address(kind, name)
    return Resource(
        address, attributes, subject=nhi.ref, handling=nhi.handling, adopt=nhi.adopt,
        depends_on=tuple(sorted(set(depends) - {address})), place=nhi.document.place("metadata", "name"),
    )  # fmt: skip


def _without_effect(nhi: NHI) -> Diagnostic:
    return Diagnostic(
        "W617", f"{nhi.ref} keeps its trust, so what `identity` says has no effect once it exists",
        nhi.document.span("spec", "identity"), severity=Severity.WARNING,
        hint="take `trust` out of `keep`, or write `identity: {existing: {}}`",
    )  # fmt: skip


def _trust(work: Composition, nhi: NHI) -> trusting.Trusted | None:
    try:
        return trusting.compose(work, nhi, tuple(_reaching(work.estate, nhi)))
    except Untrusted as error:
        at = (
            ("spec", *error.path)
            if error.path[:1] == ("grants",)
            else ("spec", "identity", nhi.identity_kind, *error.path)
        )
        work.say(nhi.document, *at, code=error.code, summary=f"{nhi.ref}: {error.message}", hint=error.hint)
        return None


def _reaching(estate: Estate, nhi: NHI) -> Iterator[Grant]:
    """Yield the grants of an NHI that concern this target, standing or not, expired or not."""
    for grant in nhi.grants:
        here = not grant.environments or estate.environment.name in grant.environments
        if here and grant.role in estate.roles:
            yield grant


def _roles(work: Composition, grants: tuple[Grant, ...]) -> list[Role]:
    return [work.estate.roles[name] for name in sorted({g.role for g in grants})]


def _arns(work: Composition, role: Role) -> list[str]:
    own = work.policies.get(role.meta.name)
    ours = [work.account.arn(POLICY, own.address.name, str(own.attributes["path"]))] if own else []
    return ours + list(role.block.get("managedPolicies") or ())


def _session(roles: list[Role]) -> int:
    lengths = [duration_seconds(r.block["maxSessionDuration"]) for r in roles if "maxSessionDuration" in r.block]
    return min(lengths, default=DEFAULT_SESSION)


def _tags(nhi: NHI, roles: list[Role]) -> dict[str, Value]:
    inherited = {k: str(v) for role in roles if _inline(role) for k, v in (role.block.get("tags") or {}).items()}
    return {**inherited, **{k: str(v) for k, v in nhi.meta.labels.items()}}


def _boundary(work: Composition, nhi: NHI, roles: list[Role]) -> tuple[str, list[Address]]:
    """Return the ARN of an NHI's permissions boundary, and the policy it depends on when that is ours."""
    named = {str(r.block["permissionsBoundary"]): r for r in roles if "permissionsBoundary" in r.block}
    if len(named) > 1:
        work.say(
            nhi.document, "spec", "grants", code="E507",
            summary=f"{nhi.ref}: its roles want different permissions boundaries: {', '.join(sorted(named))}",
            hint="an IAM principal has one boundary: give the roles the same",
        )  # fmt: skip
    if not named:
        return "", []
    wanted = min(named)
    if wanted.startswith("arn:"):
        ours = [p for p in work.policies.values() if _arn(work, p) == wanted]
        return wanted, [p.address for p in ours]
    ours = [p for n, p in work.policies.items() if wanted in (n, p.address.name)]
    if ours:
        return _arn(work, ours[0]), [ours[0].address]
    return work.account.arn(POLICY, wanted), []


def _arn(work: Composition, policy: Resource) -> str:
    return work.account.arn(POLICY, policy.address.name, str(policy.attributes["path"]))
