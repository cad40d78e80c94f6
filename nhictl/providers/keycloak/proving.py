"""How an NHI proves itself to the realm: a secret, a key, a certificate, or a token of an issuer it trusts. Pure.

Rules enforced here:
- a `keycloak` identity says it itself; a workload's identity (GitHub Actions, GitLab, Kubernetes, OIDC) proves itself
  with its own token, through the one Connection of this realm with that issuer, and one exact subject;
- what Keycloak does not compare (further claims, an environment of GitLab) is refused, never left out;
- without a key in the manifest the key is registered elsewhere: it is not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nhictl.kinds.connection import Connection
from nhictl.kinds.nhi import NHI
from nhictl.model import Address, Value
from nhictl.providers.keycloak import proofs

if TYPE_CHECKING:
    from nhictl.providers.keycloak.desired import Composition

_FEDERATED = frozenset({"githubActions", "gitlab", "kubernetes", "oidc"})
_FIELDS = {"jwksUrl": "jwks_url", "certificate": "certificate", "subjectDn": "subject_dn",
           "caSubjectDn": "ca_subject_dn", "signingAlgorithm": "algorithm"}  # fmt: skip
_USED = {
    "private-key-jwt": frozenset({"jwksUrl", "certificate", "signingAlgorithm"}),
    "tls": frozenset({"subjectDn", "caSubjectDn"}),
    "client-secret-jwt": frozenset({"signingAlgorithm"}),
    "client-secret": frozenset[str](),
}


@dataclass(frozen=True, slots=True)
class Proved:
    """How a client authenticates. `proof` is None where the manifest leaves it to Keycloak."""

    method: str
    proof: dict[str, Value] | None
    depends_on: tuple[Address, ...] = ()


def prove(work: Composition, nhi: NHI) -> Proved | None:
    """Return how an NHI's client authenticates, None after saying why it cannot."""
    if nhi.identity_kind == "keycloak":
        return _own(work, nhi)
    if nhi.identity_kind in _FEDERATED:
        return _federated(work, nhi)
    _refuse(work, nhi, "its identity cannot become a client of a realm", "use a `keycloak` identity")
    return None


def _own(work: Composition, nhi: NHI) -> Proved:
    method = str(nhi.identity.get("auth", "private-key-jwt"))
    given = {key: nhi.identity[key] for key in _FIELDS if key in nhi.identity}
    for key in sorted(set(given) - _USED[method]):
        _refuse_key(work, nhi, key, f"{key} means nothing with {method}", "leave it out, or change `auth`")
    _check_names(work, nhi, given)
    proof: dict[str, Value] = {_FIELDS[key]: value for key, value in given.items()}
    if "certificate" in proof:
        proof["certificate"] = proofs.certificate(str(proof["certificate"]))
    known = bool(proof) or method in ("client-secret", "client-secret-jwt")
    return Proved(method, proof if known else None)


def _check_names(work: Composition, nhi: NHI, given: Mapping[str, Value]) -> None:
    """Report subjects of certificates with which the server could let nobody in, and an authority without a subject."""
    for key in ("subjectDn", "caSubjectDn"):
        if not proofs.distinguished(str(given.get(key, "CN=a"))):
            _refuse_key(work, nhi, key, f"{key} is no distinguished name", "write it like CN=payments,O=Example")
    if "caSubjectDn" in given and "subjectDn" not in given:
        _refuse_key(work, nhi, "caSubjectDn", "caSubjectDn alone lets no certificate in", "add `subjectDn`")


def _refuse_key(work: Composition, nhi: NHI, key: str, why: str, hint: str) -> None:
    at = ("spec", "identity", "keycloak", key)
    work.say(nhi.document, *at, code="E535", summary=f"{nhi.ref}: {why}", hint=hint)


def _federated(work: Composition, nhi: NHI) -> Proved | None:
    connection = _connection(work, nhi)
    if connection is None:
        return None
    subject = _subject(nhi)
    if not subject:
        _refuse(
            work, nhi, "Keycloak compares the subject of a token and nothing else",
            "name what is in the subject: a branch, a tag, an environment of GitHub",
        )  # fmt: skip
        return None
    made = work.providers.get(connection.meta.name)
    alias = made.address.name if made is not None else str(connection.block["alias"])
    proof: dict[str, Value] = {"issuer": alias, "subject": subject}
    return Proved("federated-jwt", proof, (made.address,) if made is not None else ())


def _connection(work: Composition, nhi: NHI) -> Connection | None:
    named = {g.via for g in nhi.grants if g.via}
    fitting = [
        c for name, c in sorted(work.estate.connections.items())
        if c.issuer_kind == nhi.identity_kind and (not named or name in named)
    ]  # fmt: skip
    if len(fitting) == 1:
        return fitting[0]
    many = ", ".join(c.ref for c in fitting)
    work.say(
        nhi.document, "spec", "identity", nhi.identity_kind, code="E544",
        summary=f"{nhi.ref}: {f'several connections fit: {many}' if fitting else 'no connection leads to the realm'}",
        hint="name one in `via`" if fitting else "declare a Connection with this issuer and a `keycloak` block",
    )  # fmt: skip
    return None


def _subject(nhi: NHI) -> str:
    given: Any = nhi.identity
    match nhi.identity_kind:
        case "githubActions":
            return f"repo:{given['repository']}:{_github(given)}"
        case "gitlab" if "ref" in given:
            return f"project_path:{given['project']}:ref_type:{given.get('refType', 'branch')}:ref:{given['ref']}"
        case "kubernetes":
            return f"system:serviceaccount:{given['namespace']}:{given['serviceAccount']}"
        case "oidc" if not given.get("claims"):
            return str(given["subject"])
    return ""


def _github(given: Any) -> str:
    if "environment" in given:
        return f"environment:{given['environment']}"
    if "pullRequest" in given:
        return "pull_request"
    if "ref" in given:
        return f"ref:{given['ref']}"
    return f"ref:refs/heads/{given['branch']}" if "branch" in given else f"ref:refs/tags/{given['tag']}"


def _refuse(work: Composition, nhi: NHI, why: str, hint: str) -> None:
    work.say(
        nhi.document, "spec", "identity", nhi.identity_kind, code="E535", summary=f"{nhi.ref}: {why}", hint=hint
    )  # fmt: skip
