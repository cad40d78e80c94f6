"""Where an object is realised: which targets of an environment it leads to. Pure, on documents as written.

Rules enforced here:
- a Role or Connection is realised in every target of its block's provider, or in the one `target` names;
- an NHI is realised in `targets` when it lists them; else where its identity block (awsX is aws, local is local) and
  its granted roles lead; else in the environment's only target;
- where that leaves two targets of one provider, nothing is guessed: the NHI must list `targets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.role import PROVIDER_BLOCKS
from nhictl.kinds.workspace import Environment, Target
from nhictl.manifest.variables import resolve_text, without_target
from nhictl.model import Document

_PROVES = {
    "local": "local", "awsPrincipal": "aws", "awsService": "aws", "awsUser": "aws",
    "approle": "vault", "vaultRole": "vault", "vaultEntity": "vault",
    "postgres": "postgres", "keycloak": "keycloak",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """The targets of an object in one environment. `ambiguous` names a provider of which two would do."""

    targets: tuple[Target, ...]
    ambiguous: str = ""


def provider_of(spec: Mapping[str, Any]) -> str:
    """Return the provider of a Role's or Connection's spec: the name of its block, empty when there is none."""
    return next((key for key in spec if key in PROVIDER_BLOCKS), "")


def exists_in(spec: Mapping[str, Any], environment: str) -> bool:
    """True when an object with this spec exists in `environment`; none listed means in all."""
    listed = spec.get("environments")
    return not listed or environment in listed


def place(document: Document, environment: Environment, roles: Mapping[str, Document]) -> Placed:
    """Return the targets of `environment` in which a Role, Connection or NHI is realised. `roles` are all, by name."""
    spec = document.value["spec"]
    if document.kind == "NHI":
        return _place_nhi(spec, environment, roles)
    return Placed(_fitting(spec, environment))


def _fitting(spec: Mapping[str, Any], environment: Environment) -> tuple[Target, ...]:
    provider, named = provider_of(spec), _named(spec.get("target", ""), environment)
    return tuple(t for t in environment.targets if t.provider == provider and named in ("", t.name))


def _named(name: Any, environment: Environment) -> str:
    if not isinstance(name, str):
        return ""
    return resolve_text(name, without_target(environment)) if "${" in name else name


def _place_nhi(spec: Mapping[str, Any], environment: Environment, roles: Mapping[str, Document]) -> Placed:
    listed = spec.get("targets")
    if listed:
        return Placed(tuple(t for t in environment.targets if t.name in listed))
    if len(environment.targets) == 1:
        return Placed(environment.targets)
    fixed: set[str] = set()
    providers = {_PROVES.get(next(iter(spec.get("identity") or {}), ""), "")}
    for grant in spec.get("grants") or ():
        role = roles.get(_named(grant.get("role"), environment))
        if role is None or not exists_in(grant, environment.name):
            continue
        leads = role.value.get("spec") or {}
        if exists_in(leads, environment.name):
            providers.add(provider_of(leads))
            if "target" in leads:
                fixed |= {t.name for t in _fitting(leads, environment)}
    return _chosen(environment, providers, fixed)


def _chosen(environment: Environment, providers: set[str], fixed: set[str]) -> Placed:
    chosen, ambiguous = set(fixed), ""
    for provider in sorted(providers):
        able = [t.name for t in environment.targets if t.provider == provider]
        if not fixed.intersection(able):
            chosen.update(able[:1])
            ambiguous = ambiguous or (provider if len(able) > 1 else "")
    return Placed(tuple(t for t in environment.targets if t.name in chosen), ambiguous)
