"""Manifests for live objects of a realm. Pure.

Rules enforced here:
- a client becomes an NHI; a realm or client role, and a client scope, become a Role; an identity provider a Connection;
- what a client holds and no manifest makes (built-in roles and scopes, those nobody wants) becomes a bundle of one;
- what the language cannot say is kept and said: other flows, groups, inline keys, scopes in two positions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nhictl.kinds.common import duration_text
from nhictl.model import Address, Resource
from nhictl.providers.base import Draft, Ref
from nhictl.providers.keycloak import brokering, mapping, names, proofs
from nhictl.providers.keycloak.desired import circle
from nhictl.providers.keycloak.names import CLIENT, CLIENT_ROLE, DEFAULT, IDP, OPTIONAL, REALM_ROLE, SCOPE

_METHODS = {"client-secret": "client-secret", "client-secret-jwt": "client-secret", "private-key-jwt": "private-key",
            "tls": "certificate"}  # fmt: skip
_PROOF = {
    "jwks_url": "jwksUrl",
    "certificate": "certificate",
    "subject_dn": "subjectDn",
    "ca_subject_dn": "caSubjectDn",
    "algorithm": "signingAlgorithm",
}
_NOT_READ = "its details were not read, so they are kept as they are"


@dataclass(slots=True)
class Drafting:
    """One drafting in progress. `bundles` are roles and scopes that need a manifest of their own to be granted."""

    live: Mapping[Address, Resource]
    wanted: frozenset[Address]
    bundles: dict[Address, str] = field(default_factory=dict)
    circles: frozenset[str] = frozenset()

    def stands(self, address: Address) -> bool:
        """True when a manifest makes the object at `address`, or will."""
        found = self.live.get(address)
        return found is not None and "builtin" not in found.facts and (address in self.wanted or found.mark is not None)


def drafts(live: Mapping[Address, Resource], wanted: Collection[Address]) -> Iterator[Draft]:
    """Yield manifests for the live objects `wanted`, built-in ones left out."""
    work = Drafting(live, frozenset(wanted))
    work.circles = _circles(live)
    found: list[Draft] = []
    for address in sorted(work.wanted & set(live)):
        resource = live[address]
        if "builtin" in resource.facts:
            continue
        if address.kind == CLIENT:
            found.append(_nhi(work, resource))
        elif address.kind in (REALM_ROLE, CLIENT_ROLE):
            found.append(_role(resource))
        elif address.kind == SCOPE:
            found.append(_scope(work, resource))
        elif address.kind == IDP:
            found.append(_connection(resource))
    yield from found
    yield from (_bundle(address, position) for address, position in sorted(work.bundles.items()))


def _circles(live: Mapping[Address, Resource]) -> frozenset[str]:
    holds = {
        address.name: {
            names.split_role(text.partition("/")[2])[0]
            for text in _texts(resource) if text.startswith(f"{CLIENT_ROLE}/")
        }
        for address, resource in live.items() if address.kind == CLIENT
    }  # fmt: skip
    return frozenset(name for name in holds if name in circle(name, holds))


def _texts(resource: Resource) -> tuple[str, ...]:
    found: Any = resource.attributes.get("roles") or ()
    return tuple(found)


def _nhi(work: Drafting, resource: Resource) -> Draft:
    attributes: Mapping[str, Any] = resource.attributes
    keep: list[str] = [name for name in ("flows", "groups") if attributes.get(name)]
    notes: list[str] = []
    identity: dict[str, Any] = {"clientId": resource.address.name}
    keep += _identity(identity, attributes)
    spec: dict[str, Any] = {"type": "service-account", "identity": {"keycloak": identity}}
    if attributes["description"]:
        spec["purpose"] = attributes["description"]
    else:
        spec["purpose"] = f"Client {resource.address.name}"
        keep.append("description")
    grants = _grants(work, resource, keep)
    if not attributes["enabled"]:
        spec["enabled"] = False
        keep += [name for name in ("roles", "scopes") if attributes.get(name) and name not in keep]
    if "roles" not in attributes and attributes["service_account"]:
        keep += ["roles", "groups"]
        notes.append(_NOT_READ)
    if not attributes["service_account"]:
        keep.append("service_account")
    if grants and attributes["enabled"]:
        spec["grants"] = grants
    if attributes["token_lifespan"] < 0:
        keep.append("token_lifespan")
        notes.append("its tokens last as long as a session may")
    elif attributes["token_lifespan"]:
        kind = _METHODS.get(str(attributes["auth"]), "token")
        spec["credentials"] = {"kind": kind, "maxTtl": duration_text(attributes["token_lifespan"])}
    if "full_scope_allowed" in resource.facts:
        notes.append("not every role comes into its tokens: full scope is off")
    return Draft("NHI", resource.address.name, spec, (resource.address,), tuple(dict.fromkeys(keep)), tuple(notes))


def _identity(identity: dict[str, Any], attributes: Mapping[str, Any]) -> list[str]:
    """Fill in how a client proves itself and its mappers; return what has to be kept."""
    keep: list[str] = []
    method, proof = str(attributes["auth"]), attributes.get("proof") or {}
    if method in _METHODS:
        identity["auth"] = method
        identity |= {_PROOF[key]: value for key, value in proof.items() if key in _PROOF and value}
        if set(proof) - set(_PROOF) or not _sayable(proof):
            for name in ("jwksUrl", "subjectDn", "caSubjectDn"):
                identity.pop(name, None)
            keep.append("proof")
    else:
        keep += ["auth", "proof"]
    _mappers(identity, attributes["mappers"])
    return keep


def _sayable(proof: Mapping[str, Any]) -> bool:
    """True when a manifest may hold all values of a proof."""
    subjects = [proof[key] for key in ("subject_dn", "ca_subject_dn") if proof.get(key)]
    return str(proof.get("jwks_url", "https://")).startswith("https://") and all(map(proofs.distinguished, subjects))


def _mappers(block: dict[str, Any], found: Mapping[str, Any]) -> None:
    """Put mappers into a block: as audiences where they are one, else written out."""
    audiences = [
        m["config"].get("included.custom.audience", "") for n, m in found.items()
        if mapping.audience(m["config"].get("included.custom.audience", "")) == (n, m)
    ]  # fmt: skip
    others = {n: _mapper(m) for n, m in found.items() if mapping.audience(str(n).removeprefix("audience ")) != (n, m)}
    if audiences:
        block["audiences"] = sorted(audiences)
    if others:
        block["mappers"] = others


def _mapper(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": found["type"]} | ({"config": dict(found["config"])} if found["config"] else {})


def _grants(work: Drafting, resource: Resource, keep: list[str]) -> list[dict[str, Any]]:
    target, found = resource.address.target, []
    if resource.address.name in work.circles:
        keep.append("roles")
    else:
        for text in _texts(resource):
            address = names.role_address(target, text)
            if not work.stands(address):
                work.bundles.setdefault(address, "")
            found.append({"role": Ref(address)})
    scopes: Any = resource.attributes.get("scopes") or {}
    if any(_position(work, Address(target, SCOPE, name)) != position for name, position in scopes.items()):
        keep.append("scopes")
        return found
    for name, position in scopes.items():
        address = Address(target, SCOPE, name)
        if not work.stands(address):
            work.bundles.setdefault(address, position)
        found.append({"role": Ref(address)})
    return found


def _position(work: Drafting, scope: Address) -> str:
    """Return the position in which a scope is granted: optional when all of its clients have it so."""
    held = {
        r.attributes["scopes"].get(scope.name)  # type: ignore[union-attr]
        for a, r in work.live.items() if a.kind == CLIENT and scope.name in r.attributes["scopes"]  # type: ignore[operator]
    }  # fmt: skip
    return OPTIONAL if held == {OPTIONAL} else DEFAULT


def _role(resource: Resource) -> Draft:
    address, block = resource.address, _included(_texts(resource))
    name = address.name
    if address.kind == CLIENT_ROLE:
        client, name = names.split_role(address.name)
        block = {"client": client, **block}
    unread = "roles" not in resource.attributes
    return Draft(
        "Role", name, _described(resource, {"keycloak": block}), (address,), ("roles",) if unread else (),
        (_NOT_READ,) if unread else (),
    )  # fmt: skip


def _described(resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
    said = resource.attributes.get("description")
    return {"description": said, **spec} if said else spec


def _included(texts: Collection[str]) -> dict[str, Any]:
    realm: list[str] = []
    clients: dict[str, list[str]] = {}
    for text in texts:
        kind, _, name = text.partition("/")
        if kind == REALM_ROLE:
            realm.append(name)
        else:
            client, role = names.split_role(name)
            clients.setdefault(client, []).append(role)
    return ({"realmRoles": realm} if realm else {}) | ({"clientRoles": clients} if clients else {})


def _scope(work: Drafting, resource: Resource) -> Draft:
    attributes: Mapping[str, Any] = resource.attributes
    scope: dict[str, Any] = {}
    _mappers(scope, attributes["mappers"])
    if not attributes["in_token_scope"]:
        scope["inTokenScope"] = False
    if _position(work, resource.address) == OPTIONAL:
        scope["optional"] = True
    keep = () if attributes["protocol"] == "openid-connect" else ("protocol",)
    spec = _described(resource, {"keycloak": {"bundle": True, "scope": scope}})
    return Draft("Role", resource.address.name, spec, (resource.address,), keep)


def _bundle(address: Address, position: str) -> Draft:
    """Return a Role that only gives what is there: it makes nothing."""
    if address.kind == SCOPE:
        key = "optionalScopes" if position == OPTIONAL else "scopes"
        return Draft("Role", address.name, {"keycloak": {"bundle": True, key: [address.name]}}, (address,))
    block = _included([names.role_text(address.kind, address.name)])
    name = address.name.replace("/", "-") if address.kind == CLIENT_ROLE else address.name
    return Draft("Role", name, {"keycloak": {"bundle": True, **block}}, (address,))


def _connection(resource: Resource) -> Draft:
    attributes: Mapping[str, Any] = resource.attributes
    config: dict[str, str] = dict(attributes["config"])
    block: dict[str, Any] = {"alias": resource.address.name}
    if attributes["display_name"]:
        block["displayName"] = attributes["display_name"]
    if not attributes["enabled"]:
        block["enabled"] = False
    block |= {key: True for key, name in brokering.FLAGS.items() if attributes.get(name)}
    keep = [] if "mappers" in attributes else ["mappers"]
    issuer: dict[str, Any] = {"saml": {}}
    usual = "saml"
    if attributes["provider"] == "saml":
        keep.append("config")
    else:
        usual, issuer = "oidc", {"oidc": {"url": _oidc(block, config, resource.address.name)}}
        if not str(attributes["config"].get("issuer", "")).startswith("https://"):
            keep.append("config")
    if attributes["provider"] != usual:
        block["provider"] = attributes["provider"]
    if attributes.get("mappers"):
        block["mappers"] = {name: _mapper(m) for name, m in attributes["mappers"].items()}
    notes = ("its metadata is not here: its configuration is kept",) if usual == "saml" else ()
    return Draft(
        "Connection",
        resource.address.name,
        {"issuer": issuer, "keycloak": block},
        (resource.address,),
        tuple(keep),
        notes,
    )


def _oidc(block: dict[str, Any], config: dict[str, str], alias: str) -> str:
    """Put an OIDC configuration into a block; return the issuer's URL, or one that says that there is none."""
    url = config.pop("issuer", "")
    there = {value: key for key, value in brokering.CLIENT_AUTH.items()}
    for key, name in brokering.ENDPOINTS.items():
        if key == "clientAuth" and config.get(name) in there:
            block[key] = there[config.pop(name)]
        elif (
            key != "clientAuth"
            and (key == "clientId" or config.get(name, "").startswith("https://"))
            and name in config
        ):
            block[key] = config.pop(name)
    checked = (config.get("useJwksUrl"), config.get("validateSignature")) == ("true", "true")
    if checked and config.get("jwksUrl", "").startswith("https://"):
        block["jwksUrl"] = config.pop("jwksUrl")
        del config["useJwksUrl"], config["validateSignature"]
    if config.pop(brokering.ASSERTIONS, "") == "true":
        block["clientAssertions"] = True
    if config:
        block["config"] = config
    return url if url.startswith("https://") else f"https://{alias}.invalid"
