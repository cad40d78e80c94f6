"""What an identity proves to an auth mount: the bounds of a jwt or Kubernetes auth role. Pure.

Rules enforced here:
- every bound is exact: a subject or claim with a wildcard is refused, for whoever matches it takes the identity;
- the claim that names the login (`userClaim`) must be one that the identity pins, or two identities could share a name;
- a jwt role always names audiences: a token for somebody else is refused;
- a client of a Keycloak realm is known by `azp`: its subject is made up by Keycloak, and another one in a new realm.
Sources: docs.github.com "OpenID Connect reference", docs.gitlab.com "ID tokens", Vault "JWT/OIDC auth method".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhictl.kinds.connection import Connection
from nhictl.model import Value, ordered_set
from nhictl.providers.vault import fields

FEDERATED = frozenset({"githubActions", "gitlab", "keycloak", "kubernetes", "oidc", "spiffe"})
DEFAULT_CLAIM = "sub"
CLIENT_CLAIM = "azp"


class Untrusted(ValueError):
    """An identity cannot log in through a mount as it is written. `path` is below the identity block."""

    def __init__(self, code: str, message: str, *, path: tuple[str | int, ...] = (), hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.hint = hint


def fits(identity_kind: str, connection: Connection) -> bool:
    """Return whether identities of this kind can come through a connection to Vault."""
    kind = str(connection.block.get("type", "jwt"))
    if kind == "kubernetes":
        return identity_kind == "kubernetes"
    if kind not in ("jwt", "oidc") or identity_kind not in FEDERATED:
        return False
    return connection.issuer_kind in (identity_kind, "oidc", "")


def bounds(kind: str, identity: Mapping[str, Any], connection: Connection) -> dict[str, Value]:
    """Return the fields of the auth role that only this identity can log in through. Raises Untrusted."""
    if connection.block.get("type") == "kubernetes":
        return _kubernetes_role(identity, connection)
    audiences = connection.block.get("audiences") or ()
    if not audiences:
        raise Untrusted(
            "E524", f"{connection.ref} names no audience", hint="set `vault.audiences`: whom its tokens are for"
        )
    _organisation(kind, identity, connection)
    subject, known = _claims(kind, identity)
    bound = {str(k): fields.claims({k: v})[str(k)] for k, v in (identity.get("claims") or {}).items()}
    claim = str(connection.block.get("userClaim", CLIENT_CLAIM if kind == "keycloak" else DEFAULT_CLAIM))
    if claim not in ("sub", *bound) and claim in known:
        bound[claim] = (known[claim],)
    if not subject:
        bound |= {key: (value,) for key, value in known.items()}
    found: dict[str, Value] = {
        "role_type": "jwt", "bound_audiences": ordered_set(map(str, audiences)), "bound_subject": subject,
        "bound_claims": {key: bound[key] for key in sorted(bound)}, "user_claim": claim,
    }  # fmt: skip
    _exact(subject, bound)
    if not fields.alias_name({"method": "jwt", **found}):
        raise Untrusted(
            "E522", f"its tokens are named by the claim {claim}, which the identity does not pin to one value",
            hint=f"set `userClaim` of {connection.ref} to a claim it pins: {', '.join(sorted({*known, *bound}))}",
        )  # fmt: skip
    return found


def _exact(subject: str, bound: Mapping[str, Value]) -> None:
    if "*" in subject:
        raise Untrusted("E523", "the subject has a wildcard", path=("subject",), hint="name the exact subject")
    for claim, values in bound.items():
        if any("*" in str(v) for v in (values if isinstance(values, tuple) else ())):
            hint = "name the exact values"
            raise Untrusted("E523", f"the claim {claim} has a wildcard", path=("claims", claim), hint=hint)


def _organisation(kind: str, identity: Mapping[str, Any], connection: Connection) -> None:
    wanted = str(connection.issuer.get("organization", ""))
    if kind != "githubActions" or not wanted:
        return
    owner = str(identity["repository"]).partition("/")[0].partition("@")[0]
    if owner.lower() != wanted.lower():
        raise Untrusted(
            "E521", f"{identity['repository']} is not of {wanted}, which {connection.ref} trusts",
            path=("repository",), hint="use a connection for its organisation",
        )  # fmt: skip


def _claims(kind: str, identity: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the exact subject of an identity's tokens, empty when it is not known, and other claims it pins."""
    if kind == "githubActions":
        return _github(identity)
    if kind == "gitlab":
        return _gitlab(identity)
    if kind == "kubernetes":
        return f"system:serviceaccount:{identity['namespace']}:{identity['serviceAccount']}", {}
    if kind == "spiffe":
        return str(identity["id"]), {}
    if kind == "keycloak":
        return "", {CLIENT_CLAIM: str(identity["clientId"])}
    return str(identity["subject"]), {}


def _github(identity: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    repository = str(identity["repository"])
    known = {"repository": repository} if "@" not in repository else {}
    if environment := identity.get("environment"):
        escaped = str(environment).replace("%", "%25").replace(":", "%3A")
        return f"repo:{repository}:environment:{escaped}", {**known, "environment": str(environment)}
    for field, prefix in (("branch", "refs/heads/"), ("tag", "refs/tags/"), ("ref", "")):
        if identity.get(field):
            ref = f"{prefix}{identity[field]}"
            return f"repo:{repository}:ref:{ref}", {**known, "ref": ref}
    if identity.get("pullRequest"):
        return f"repo:{repository}:pull_request", known
    raise Untrusted(
        "E523", f"any workflow of {repository} could log in", path=("repository",),
        hint="name an environment, branch, tag or ref",
    )  # fmt: skip


def _gitlab(identity: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    known = {"project_path": str(identity["project"])}
    if environment := identity.get("environment"):
        known["environment"] = str(environment)
    if "ref" not in identity:
        return "", known
    kind = str(identity.get("refType", "branch"))
    subject = f"project_path:{identity['project']}:ref_type:{kind}:ref:{identity['ref']}"
    return subject, {**known, "ref": str(identity["ref"]), "ref_type": kind}


def _kubernetes_role(identity: Mapping[str, Any], connection: Connection) -> dict[str, Value]:
    audiences = [str(a) for a in connection.block.get("audiences") or ()]
    if len(audiences) > 1:
        raise Untrusted("E524", f"{connection.ref} names several audiences", hint="a Kubernetes auth role takes one")
    return {
        "bound_service_account_names": (str(identity["serviceAccount"]),),
        "bound_service_account_namespaces": (str(identity["namespace"]),),
        "audience": audiences[0] if audiences else "",
        "alias_name_source": "serviceaccount_name",
    }
