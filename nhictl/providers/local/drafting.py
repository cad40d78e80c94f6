"""Manifests for what lives in the embedded directory. Pure.

Rules enforced here:
- an identity takes its grants along; a grant by itself is no manifest;
- everything the directory holds is accepted: what the language cannot say is named in `keep`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nhictl.kinds.common import duration_text
from nhictl.model import Address, Resource
from nhictl.providers.base import Draft, Ref

_TYPES = ("workload", "service-account", "third-party", "break-glass")


def drafts(live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterator[Draft]:
    """Yield a draft for each identity, role and connection in `wanted`."""
    grants: dict[str, list[Resource]] = defaultdict(list)
    for address, resource in sorted(live.items()):
        if address.kind == "grant" and address in wanted:
            grants[str(resource.attributes["identity"])].append(resource)
    for address in sorted(wanted):
        match address.kind:
            case "identity":
                yield _identity(live[address], grants[address.name])
            case "role":
                yield _role(live[address])
            case "connection":
                yield _connection(live[address])


def _identity(resource: Resource, grants: list[Resource]) -> Draft:
    a = resource.attributes
    spec: dict[str, Any] = {"type": a["type"] if a["type"] in _TYPES else "workload"}
    if a["purpose"]:
        spec["purpose"] = a["purpose"]
    if a["service"]:
        spec["service"] = a["service"]
    proof = a["proof"] if isinstance(a["proof"], Mapping) else {}
    if len(proof) == 1:
        spec["identity"] = _plain(proof)
    if not a["enabled"]:
        spec["enabled"] = False
    if grants:
        spec["grants"] = [_grant(grant) for grant in grants]
    credentials = _credentials(a["credentials"])
    if credentials:
        spec["credentials"] = credentials
    labels = a["labels"] if isinstance(a["labels"], Mapping) else {}
    return Draft(
        "NHI", resource.address.name, spec, (resource.address, *(g.address for g in grants)),
        keep=() if "identity" in spec else ("proof",),
        labels={k: v for k, v in labels.items() if isinstance(v, str)},
    )  # fmt: skip


def _grant(grant: Resource) -> dict[str, Any]:
    a, target = grant.attributes, grant.address.target
    entry: dict[str, Any] = {"role": Ref(Address(target, "role", str(a["role"])))}
    if a["connection"]:
        entry["via"] = Ref(Address(target, "connection", str(a["connection"])))
    if a["expires"]:
        entry["expires"] = a["expires"]
    return entry


def _credentials(found: Any) -> dict[str, Any]:
    known = found if isinstance(found, Mapping) else {}
    said: dict[str, Any] = {"kind": known["kind"]} if known.get("kind") else {}
    if isinstance(known.get("max_ttl"), int) and known["max_ttl"] > 0:
        said["maxTtl"] = duration_text(known["max_ttl"])
    return said


def _role(resource: Resource) -> Draft:
    a = resource.attributes
    spec: dict[str, Any] = {"description": a["description"]} if a["description"] else {}
    rows: Any = a["permissions"]
    spec["local"] = {"permissions": list(_permissions(rows))}
    return Draft("Role", resource.address.name, spec, (resource.address,))


def _permissions(rows: Any) -> Iterator[dict[str, Any]]:
    """Yield the permissions with one entry for all actions on the same resources under the same condition."""
    actions: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        actions[row["resource"], row["condition"]].append(row["action"])
    resources: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for (resource, condition), names in actions.items():
        resources[tuple(names), condition].append(resource)
    for (names_, condition), where in sorted(resources.items()):
        entry: dict[str, Any] = {"actions": list(names_), "resources": sorted(where)}
        yield entry | ({"condition": json.loads(condition)} if _is_object(condition) else {})


def _is_object(text: str) -> bool:
    try:
        return bool(text) and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _connection(resource: Resource) -> Draft:
    a = resource.attributes
    block = {"audiences": list(a["audiences"])} if a["audiences"] else {}  # type: ignore[arg-type]
    spec = {"issuer": _plain(a["issuer"]), "local": block}
    return Draft("Connection", resource.address.name, spec, (resource.address,))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
