"""What AWS would refuse later, said early and with a position. Pure.

Rules enforced here (AWS "IAM and STS quotas", hard limits only: quotas an account can raise are left to AWS):
- names, paths and sizes of what would be created; names are unique ignoring case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nhictl.model import Diagnostic, Resource
from nhictl.providers.aws import normalise
from nhictl.providers.aws.names import POLICY, ROLE, USER, bad_name, bad_path

if TYPE_CHECKING:
    from nhictl.providers.aws.desired import Composition

_MANAGED = 6144
_INLINE = {ROLE: 10240, USER: 2048}
_TRUST = 8192
_ATTACHED = 20
_TAGS = 47
_DESCRIPTION = 1000


def check(work: Composition, resources: list[Resource]) -> None:
    """Say everything about `resources` that AWS would refuse."""
    for resource in resources:
        for code, text in problems(resource):
            work.said.append(Diagnostic(code, f"{resource.subject}: {text}", resource.origin, hint=_HINTS[code]))
    _same_names(work, resources)


def problems(resource: Resource) -> list[tuple[str, str]]:
    """Return code and text of each thing wrong with one resource."""
    kind, name = resource.address.kind, resource.address.name
    found: list[tuple[str, str]] = []
    if why := bad_name(kind, name):
        found.append(("E510", f"{name} cannot be the name of an {kind}: {why}"))
    path = resource.attributes.get("path")
    if isinstance(path, str) and (why := bad_path(path)):
        found.append(("E510", f"{path} cannot be a path: {why}"))
    return found + [("E511", text) for text in _too_much(resource)]


def _too_much(resource: Resource) -> list[str]:
    a, kind = resource.attributes, resource.address.kind
    counted = [
        ("policy document", _size(a.get("document")), _MANAGED, "characters"),
        ("trust policy", _size(a.get("trust")), _TRUST, "characters"),
        ("inline policies", _sizes(a.get("inline")), _INLINE.get(kind, 0), "characters"),
        ("attached policies", _count(a.get("policies")), _ATTACHED, "policies"),
        ("tags", _count(a.get("tags")), _TAGS, "tags besides nhictl's own"),
        ("description", _count(a.get("description")), _DESCRIPTION, "characters"),
    ]
    return [f"its {what}: {n} {unit}, AWS allows {most}" for what, n, most, unit in counted if n > most]


def _size(document: object) -> int:
    return normalise.size(document) if isinstance(document, Mapping) else 0


def _sizes(documents: object) -> int:
    return sum(_size(d) for d in documents.values()) if isinstance(documents, Mapping) else 0


def _count(items: object) -> int:
    return len(items) if isinstance(items, (tuple, Mapping, str)) else 0


def _same_names(work: Composition, resources: list[Resource]) -> None:
    first: dict[tuple[str, str], Resource] = {}
    for resource in resources:
        if resource.address.kind not in (ROLE, USER, POLICY):
            continue
        key = (resource.address.kind, resource.address.name.lower())
        other = first.setdefault(key, resource)
        if other is not resource:
            related = ((other.origin, "the other"),) if other.origin else ()
            text = f"{resource.subject} and {other.subject} would both be {resource.address.kind} {other.address.name}"
            work.said.append(Diagnostic("E512", text, resource.origin, hint=_HINTS["E512"], related=related))


_HINTS = {
    "E510": "give it another nativeName",
    "E511": "split it: fewer statements, several roles, or wildcards that are still exact enough",
    "E512": "IAM names are unique, upper and lower case alike: give one of them another nativeName",
}
