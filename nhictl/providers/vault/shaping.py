"""A Role as objects of Vault: an ACL policy, and an identity group that has it. Pure.

Rules enforced here:
- with `attach` token or entity the policies go to auth roles or entities instead, and there is no group;
- a policy as text is the same as one in rules when rules can say it; what they cannot say stays as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI
from nhictl.kinds.role import Role
from nhictl.model import Address, Diagnostic, Document, Resource, Value, ordered_set
from nhictl.providers.vault import hcl, names
from nhictl.providers.vault.names import GROUP, POLICY


@dataclass(frozen=True, slots=True)
class Shape:
    """What a Role is here: its policies by name, how they are attached, and the objects it has."""

    role: Role
    attach: str
    policies: tuple[str, ...]
    policy: Resource | None = None
    group: Resource | None = None

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The objects of the role."""
        return tuple(r for r in (self.policy, self.group) if r is not None)


@dataclass(slots=True)
class Composition:
    """One compile in progress."""

    estate: Estate
    shapes: dict[str, Shape] = field(default_factory=dict)
    mounts: dict[str, Resource] = field(default_factory=dict)
    aliases: dict[tuple[str, str], NHI] = field(default_factory=dict)
    said: list[Diagnostic] = field(default_factory=list)
    own_policies: frozenset[str] | None = None

    def say(self, document: Document, *path: str | int, code: str, summary: str, hint: str = "") -> None:
        """Add an error about a place in a manifest."""
        self.said.append(Diagnostic(code, summary, document.span(*path), hint=hint))

    def at(self, kind: str, name: str) -> Address:
        """Return an address in the target."""
        return Address(self.estate.target.name, kind, name)


def shape(work: Composition, role: Role) -> Shape:
    """Return what a role is here."""
    policy = _policy(work, role)
    listed = [str(p).lower() for p in role.block.get("policies") or ()]
    policies = ordered_set((*([policy.address.name] if policy else []), *listed))
    attach = str(role.block.get("attach", "group"))
    return Shape(role, attach, policies, policy, _group(work, role, policies) if attach == "group" else None)


def physical_name(work: Composition, item: NHI | Role, kind: str, default: str = "") -> str:
    """Return the physical name of an object of a manifest."""
    return work.estate.name(item.ref, kind, default or item.native_name or item.meta.name)


def _policy(work: Composition, role: Role) -> Resource | None:
    block = role.block
    if "paths" not in block and "policy" not in block:
        return None
    name = physical_name(work, role, POLICY).lower()
    if name in names.BUILT_IN_POLICIES:
        work.say(
            role.document, "metadata", "name", code="E525", summary=f"{role.ref}: {name} is a policy of Vault's own",
            hint="choose another name",
        )  # fmt: skip
        return None
    said = _rules(work, role)
    return _of_role(role, work.at(POLICY, name), said)


def _rules(work: Composition, role: Role) -> dict[str, Value]:
    if "policy" not in role.block:
        rules: dict[str, set[str]] = {}
        for index, rule in enumerate(role.block["paths"]):
            if not hcl.sayable(str(rule["path"])):
                work.say(
                    role.document, "spec", "vault", "paths", index, "path", code="E525",
                    summary=f"{role.ref}: a path of a policy cannot have `${{`: Vault would read on behind its end",
                    hint="Vault's templates are written {{identity.entity.name}}",
                )  # fmt: skip
            rules.setdefault(str(rule["path"]), set()).update(rule["capabilities"])
        return {"rules": {path: ordered_set(rules[path]) for path in sorted(rules)}, "text": ""}
    text = str(role.block["policy"])
    try:
        hcl.parsed(text)
    except hcl.NotUnderstood as error:
        work.say(
            role.document, "spec", "vault", "policy", code="E525",
            summary=f"{role.ref}: the policy is not understood: {error}", hint="check it with `vault policy fmt`",
        )  # fmt: skip
    found = hcl.rules(text)
    return {"rules": found or {}, "text": "" if found is not None else hcl.normal_text(text)}


def _group(work: Composition, role: Role, policies: tuple[str, ...]) -> Resource:
    name = physical_name(work, role, GROUP)
    said: dict[str, Value] = {"policies": policies, "metadata": metadata(role.meta.labels)}
    return _of_role(role, work.at(GROUP, name), said, declared(work, policies))


def _of_role(role: Role, address: Address, said: Mapping[str, Value], depends_on: tuple[Address, ...] = ()) -> Resource:
    return Resource(
        address, said, subject=role.ref, depends_on=depends_on, handling=role.handling, adopt=role.adopt,
        place=role.document.place("metadata", "name"),
    )  # fmt: skip


def declared(work: Composition, policies: Iterable[str]) -> tuple[Address, ...]:
    """Return the addresses of those policies that roles of this estate have."""
    if work.own_policies is None:
        roles = (r for r in work.estate.roles.values() if "paths" in r.block or "policy" in r.block)
        work.own_policies = frozenset(physical_name(work, r, POLICY).lower() for r in roles)
    return tuple(work.at(POLICY, p) for p in sorted(work.own_policies.intersection(policies)))


def metadata(labels: Mapping[str, str]) -> dict[str, Value]:
    """Return the labels of a manifest object as metadata."""
    return {names.metadata_key(key): str(labels[key]) for key in sorted(labels)}
