"""Who may become a live role, in the words of an identity block and a Connection. Pure.

Rules enforced here:
- a trust is said when composing the identity gives the very same document back; every other one is kept as it is,
  with a comment that says who may come in;
- a Connection trusts one GitHub organisation: the one most roles of the provider name;
- an account of others becomes a Connection when a role trusts a principal of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nhictl.model import Address, Resource, Value
from nhictl.providers.aws import trust
from nhictl.providers.aws.exact import Untrusted, principal_arn
from nhictl.providers.aws.federating import of_github
from nhictl.providers.aws.names import OIDC, SAML, arn_name, oidc_name
from nhictl.providers.base import Draft

_EXISTING: Mapping[str, Any] = {"existing": {}}
_GITHUB = re.compile(r"repo:([^:]+):(environment|ref|pull_request)(?::(.*))?\Z")
_GITLAB = re.compile(r"project_path:([^:]+):ref_type:(branch|tag):ref:([^:]+)\Z")
_KUBERNETES = re.compile(r"system:serviceaccount:([a-z0-9.-]+):([a-z0-9.-]+)\Z")
_PARTS = 6


@dataclass(frozen=True, slots=True)
class Proven:
    """The identity block of a role, the connection it comes through, and what is kept."""

    identity: Mapping[str, Any]
    via: Address | None = None
    keep: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Trusts:
    """The identity providers of an account, and the accounts that drafts of roles turned out to need."""

    live: Mapping[Address, Resource]
    organizations: Mapping[str, str]
    account: str
    partition: str
    needed: dict[Address, Draft] = field(default_factory=dict)

    def identity(self, resource: Resource) -> Proven:
        """Return what proves a role: said where it can be, kept otherwise."""
        document: Any = resource.attributes["trust"]
        statements: Any = document.get("Statement") or ()
        if len(statements) == 1 and isinstance(statements[0], Mapping):
            principal = statements[0].get("Principal")
            if isinstance(principal, Mapping) and len(principal) == 1:
                found = self._said(next(iter(principal)), principal, document)
                if found is not None:
                    return found
        ways = sorted({p.resource for p in trust.assumptions(document, "")})
        who = ", ".join(ways[:10]) + (f" and {len(ways) - 10} more" if len(ways) > 10 else "")
        return Proven(_EXISTING, keep=("trust",), notes=(f"May be assumed by {who or 'nobody'}.",))

    def accounts(self) -> Iterator[Draft]:
        """Yield the Connections to accounts that the roles need."""
        yield from (self.needed[a] for a in sorted(self.needed))

    def _said(self, kind: str, principal: Mapping[str, Any], document: Any) -> Proven | None:
        names: Any = principal[kind]
        if not isinstance(names, tuple) or len(names) != 1:
            return None
        conditions: Any = document["Statement"][0].get("Condition") or {}
        name = str(names[0])
        try:
            if kind == "Service":
                return _service(name, conditions, document)
            if kind == "AWS":
                return self._principal(name, conditions, document)
            return self._federated(name, conditions, document) if kind == "Federated" else None
        except Untrusted:
            return None

    def _principal(self, arn: str, conditions: Any, document: Mapping[str, Value]) -> Proven | None:
        account = principal_arn(arn, self.partition)
        external = conditions.get("StringEquals", {}).get("sts:ExternalId", ("",))[0]
        if trust.principal(arn, external_id=external, partition=self.partition) != document:
            return None
        if not external and account == self.account and not arn.endswith(":root"):
            return Proven({"awsPrincipal": {"arn": arn}})
        return Proven({"awsPrincipal": {"arn": arn}}, self._account(account, external))

    def _account(self, account: str, external: str) -> Address:
        target = next(iter(self.live)).target
        address = Address(target, "aws-account", f"{account}/{external}")
        issuer = {"account": account, **({"externalId": external} if external else {})}
        spec = {"issuer": {"awsAccount": issuer}, "aws": {}}
        self.needed.setdefault(address, Draft("Connection", "", spec, (address,), called=f"account-{account}"))
        return address

    def _federated(self, arn: str, conditions: Any, document: Mapping[str, Value]) -> Proven | None:
        target = next(iter(self.live)).target
        if ":saml-provider/" in arn:
            address = Address(target, SAML, arn_name(arn))
            return self._saml(arn, address, conditions, document=document) if address in self.live else None
        name = arn.partition(":oidc-provider/")[2]
        address = Address(target, OIDC, oidc_name(name))
        if not name or address not in self.live:
            return None
        return self._oidc(arn, address, conditions, document=document)

    def _oidc(self, arn: str, at: Address, conditions: Any, *, document: Mapping[str, Value]) -> Proven | None:
        equals = {key.partition(f"{at.name}:")[2]: value for key, value in conditions.get("StringEquals", {}).items()}
        subjects = equals.get("sub", ())
        if len(subjects) != 1:
            return None
        claims = {k: v[0] if len(v) == 1 else list(v) for k, v in equals.items() if k not in ("aud", "sub")}
        audiences: Any = self.live[at].attributes.get("audiences") or ()
        kind, identity = _by_subject(at.name, subjects[0], self.organizations.get(at.name, ""))
        identity = {**identity, **({"claims": claims} if claims and kind == "oidc" else {})}
        wanted = trust.subject(kind, identity)
        composed = trust.federated_oidc(arn, name=at.name, audiences=audiences, wanted=wanted, claims=claims)
        return Proven({kind: identity}, at) if composed == document and (kind == "oidc" or not claims) else None

    def _saml(self, arn: str, at: Address, conditions: Any, *, document: Mapping[str, Value]) -> Proven | None:
        equals = {key.removeprefix("SAML:"): value for key, value in conditions.get("StringEquals", {}).items()}
        usual = trust.SAML_AUDIENCES[self.partition]
        identity: dict[str, Any] = {}
        if equals.get("aud") != (usual,):
            identity["audience"] = (equals.get("aud") or ("",))[0]
        if "sub" in equals:
            identity["subject"] = equals["sub"][0]
        attributes = {k: v[0] if len(v) == 1 else list(v) for k, v in equals.items() if k not in ("aud", "sub")}
        identity |= {"attributes": attributes} if attributes else {}
        composed = trust.federated_saml(arn, audience=usual, identity=identity)
        return Proven({"saml": identity}, at) if composed == document else None


def survey(live: Mapping[Address, Resource], own: Mapping[Address, Resource]) -> Trusts:
    """Return the trusts of an account: which organisation each provider of GitHub is for, account and partition."""
    arns = [str(r.facts["arn"]) for r in live.values() if "arn" in r.facts]
    parts = arns[0].split(":") if arns else []
    account, partition = (parts[4], parts[1]) if len(parts) >= _PARTS else ("", "aws")
    counts: dict[str, Counter[str]] = {}
    for resource in live.values():
        for name, organization in _organizations(resource):
            counts.setdefault(name, Counter())[organization] += 1
    best = {name: min(found, key=lambda o: (-found[o], o)) for name, found in counts.items()}
    return Trusts(live, best, account, partition)


def _organizations(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield provider and organisation of each GitHub subject that a role trusts."""
    document: Any = resource.attributes.get("trust") or {}
    for statement in document.get("Statement") or ():
        for keys in (statement.get("Condition") or {}).values() if isinstance(statement, Mapping) else ():
            for key, values in keys.items() if isinstance(keys, Mapping) else ():
                name, _, claim = key.rpartition(":")
                if claim == "sub" and of_github(name):
                    found = (re.match(r"repo:([A-Za-z0-9-]+)", text) for text in values)
                    yield from ((name, match[1]) for match in found if match)


def oidc(trusts: Trusts, resource: Resource) -> Draft:
    """Return the Connection of an OIDC provider."""
    a, name = resource.attributes, resource.address.name
    issuer: dict[str, Any] = {"oidc": {"url": f"https://{name}"}}
    notes: list[str] = []
    organization = trusts.organizations.get(name, "")
    if of_github(name) and organization:
        usual = name == oidc_name(trust.GITHUB)
        issuer = {"githubActions": {"organization": organization, **({} if usual else {"url": f"https://{name}"})}}
    elif of_github(name):
        notes.append("Say which organisation of GitHub is trusted: issuer githubActions instead of oidc.")
    elif name == oidc_name(trust.GITLAB):
        issuer = {"gitlab": {}}
    elif _cluster(name):
        issuer = {"kubernetes": {"url": f"https://{name}"}}
    block: dict[str, Any] = {}
    audiences: Any = a["audiences"]
    keep = () if audiences else ("audiences",)
    if audiences and audiences != (trust.DEFAULT_AUDIENCE,):
        block["audiences"] = list(audiences)
    tags = a["tags"] if isinstance(a["tags"], Mapping) else {}
    labels = {k: str(v) for k, v in tags.items()}
    spec = {"issuer": issuer, "aws": block}
    return Draft("Connection", "", spec, (resource.address,), keep, tuple(notes), called=_host(name), labels=labels)


def saml(resource: Resource) -> Draft:
    """Return the Connection of a SAML provider; its metadata document stays in AWS."""
    tags = resource.attributes["tags"]
    labels = {k: str(v) for k, v in tags.items()} if isinstance(tags, Mapping) else {}
    note = "To manage the metadata, save the document as a file of the workspace and name it in metadataFile."
    spec: dict[str, Any] = {"issuer": {"saml": {}}, "aws": {}}
    at = resource.address
    return Draft("Connection", at.name, spec, (at,), ("metadata",), (note,), labels=labels)


def _host(name: str) -> str:
    """Return what a provider is called by: GitHub and GitLab by their names, a cluster by its last part."""
    if name == oidc_name(trust.GITHUB):
        return "github"
    return "gitlab" if name == oidc_name(trust.GITLAB) else name


def _cluster(name: str) -> bool:
    """True for the issuer of a cluster of EKS: its subjects are service accounts of Kubernetes."""
    return name.startswith("oidc.eks.")


def _by_subject(name: str, subject: str, organization: str) -> tuple[str, dict[str, Any]]:
    """Return the identity block for a subject of the provider `name`."""
    if of_github(name) and organization:
        return "githubActions", _github(subject, organization)
    if name == oidc_name(trust.GITLAB):
        found = _GITLAB.match(subject)
        if not found:
            raise Untrusted("E506", "not a subject of GitLab")
        kind = {"refType": "tag"} if found[2] == "tag" else {}
        return "gitlab", {"project": found[1], "ref": found[3], **kind}
    if _cluster(name):
        cluster = _KUBERNETES.match(subject)
        if not cluster:
            raise Untrusted("E506", "not a subject of Kubernetes")
        return "kubernetes", {"namespace": cluster[1], "serviceAccount": cluster[2]}
    return "oidc", {"subject": subject}


def _github(subject: str, organization: str) -> dict[str, Any]:
    found = _GITHUB.match(subject)
    owner = found[1].partition("/")[0].partition("@")[0] if found else ""
    if not found or owner.lower() != organization.lower():
        raise Untrusted("E504", "not of the organisation")
    said: dict[str, Any] = {"repository": found[1]}
    rest = found[3] or ""
    if found[2] == "environment":
        return said | {"environment": rest.replace("%3A", ":").replace("%25", "%")}
    if found[2] == "pull_request":
        return said | {"pullRequest": True}
    for prefix, field_ in (("refs/heads/", "branch"), ("refs/tags/", "tag")):
        if rest.startswith(prefix):
            return said | {field_: rest.removeprefix(prefix)}
    return said | {"ref": rest}


def _service(service: str, conditions: Any, document: Mapping[str, Value]) -> Proven | None:
    identity: dict[str, Any] = {"service": service}
    if account := conditions.get("StringEquals", {}).get("aws:SourceAccount"):
        identity["sourceAccount"] = account[0]
    for operator in ("ArnLike", "ArnEquals"):
        if source := conditions.get(operator, {}).get("aws:SourceArn"):
            identity["sourceArn"] = source[0]
    return Proven({"awsService": identity}) if trust.service(identity) == document else None


__all__ = ["Proven", "Trusts", "oidc", "saml", "survey"]
