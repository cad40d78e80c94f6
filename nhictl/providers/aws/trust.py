"""Trust policies: composed from an identity and its connection, and read back as who may become a role.

Rules enforced here:
- a federated statement pins audience and subject with `StringEquals`, both; every value is exact, see `exact`;
- a SAML trust names a subject or an attribute: the audience is the same for everybody;
- GitHub's subject has the environment, or the reference, never both; ids in `org@1/name@2` make it immutable;
- claims that AWS does not look at are refused, not left out;
- composing raises `Untrusted` with the field it is about; the caller turns it into a diagnostic.
Sources: docs.github.com "OpenID Connect reference", docs.gitlab.com "ID tokens", AWS "IAM roles for service accounts"
and "Available keys for AWS web identity federation".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nhictl.model import Permission, Value, canonical
from nhictl.providers.aws import normalise
from nhictl.providers.aws.exact import Untrusted, exact, source_arn
from nhictl.providers.aws.names import joined

DEFAULT_AUDIENCE = "sts.amazonaws.com"
GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
SAML_AUDIENCES = {
    "aws": "https://signin.aws.amazon.com/saml",
    "aws-cn": "https://signin.amazonaws.cn/saml",
    "aws-us-gov": "https://signin.amazonaws-us-gov.com/saml",
}


def subject(kind: str, identity: Mapping[str, Any]) -> str:
    """Return the token subject of an OIDC identity block, exact. Raises Untrusted."""
    text = _SUBJECTS[kind](identity)
    exact(text, _WILDCARD_FIELDS.get(kind, ""), what="the subject")
    return text


def federated_oidc(
    arn: str, *, name: str, audiences: tuple[str, ...], wanted: str, claims: Mapping[str, Any]
) -> Mapping[str, Value]:
    """Return the trust document for tokens of the OIDC provider `arn`, whose conditions are named by `name`."""
    if unknown := sorted(set(claims) - _CLAIMS):
        raise Untrusted(
            "E506", f"AWS does not look at the claim {unknown[0]}", path=("claims", unknown[0]),
            hint=f"it looks at aud, sub and {', '.join(sorted(_CLAIMS))}",
        )  # fmt: skip
    for claim, value in claims.items():
        exact(value, "claims", claim, what=f"the claim {claim}")
    exact(audiences, what="the audience")
    equals = {f"{name}:{claim}": value for claim, value in claims.items()}
    equals |= {f"{name}:aud": audiences, f"{name}:sub": wanted}
    return _document({"Federated": arn}, "sts:AssumeRoleWithWebIdentity", {"StringEquals": equals})


def federated_saml(arn: str, *, audience: str, identity: Mapping[str, Any]) -> Mapping[str, Value]:
    """Return the trust document for assertions of the SAML provider `arn`. Raises Untrusted."""
    attributes: Mapping[str, Any] = identity.get("attributes") or {}
    if "subject" not in identity and not any(a.lower() not in _OF_EVERYBODY for a in attributes):
        raise Untrusted(
            "E505", "everybody of the identity provider could take it",
            hint="name the subject, or attributes that only this workload has",
        )  # fmt: skip
    for attribute, value in attributes.items():
        exact(value, "attributes", attribute, what=f"the attribute {attribute}")
    for field in ("subject", "audience"):
        if field in identity:
            exact(identity[field], field, what=f"the {field}")
    equals: dict[str, Any] = {f"SAML:{k}": v for k, v in attributes.items()}
    equals["SAML:aud"] = identity.get("audience", audience)
    if "subject" in identity:
        equals["SAML:sub"] = identity["subject"]
    return _document({"Federated": arn}, "sts:AssumeRoleWithSAML", {"StringEquals": equals})


def principal(arn: str, *, external_id: str = "", partition: str = "aws") -> Mapping[str, Value]:
    """Return the trust document for another AWS principal: an ARN. Raises Untrusted."""
    exact(arn, what="the principal")
    if external_id:
        exact(external_id, what="the external id")
    condition = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    return _document({"AWS": arn}, "sts:AssumeRole", condition, partition=partition)


def service(identity: Mapping[str, Any]) -> Mapping[str, Value]:
    """Return the trust document for an AWS service, bound to a source when the identity names one. Raises Untrusted."""
    exact(identity["service"], "service", what="the service")
    condition: dict[str, Any] = {}
    if "sourceAccount" in identity:
        exact(identity["sourceAccount"], "sourceAccount", what="the source account")
        condition["StringEquals"] = {"aws:SourceAccount": str(identity["sourceAccount"])}
    if "sourceArn" in identity:
        arn = str(identity["sourceArn"])
        source_arn(arn, str(identity.get("sourceAccount", "")))
        operator = "ArnLike" if "*" in arn or "?" in arn else "ArnEquals"
        condition[operator] = {"aws:SourceArn": arn}
    return _document({"Service": identity["service"]}, "sts:AssumeRole", condition)


def federated(document: str | Mapping[str, Any]) -> frozenset[str]:
    """Return the ARNs of identity providers that a trust policy names, in any statement."""
    found: set[str] = set()
    for statement in _statements(normalise.document(document)):
        named = statement.get("Principal")
        if isinstance(named, Mapping):
            found |= set(named.get("Federated") or ())
    return frozenset(found)


def assumptions(document: Mapping[str, Value], source: str) -> Iterator[Permission]:
    """Yield who may become the role, one permission for each principal of each statement of a normalised trust."""
    for statement in _statements(document):
        condition = canonical(statement["Condition"]).decode() if statement.get("Condition") else ""
        effect = "deny" if statement.get("Effect") == "Deny" else "allow"
        for who in _principals(statement):
            for action in _actions(statement):
                yield Permission("assume", action, who, condition, effect, source)


def _document(
    who: Mapping[str, Any], action: str, condition: Mapping[str, Any], *, partition: str = "aws"
) -> Mapping[str, Value]:
    statement = {"Effect": "Allow", "Principal": who, "Action": action, "Condition": condition}
    return normalise.document({"Version": normalise.VERSION, "Statement": [statement]}, partition=partition)


def _statements(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple(s for s in document.get("Statement") or () if isinstance(s, Mapping))


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    for element, prefix in (("Principal", ""), ("NotPrincipal", "not:")):
        value = statement.get(element)
        if isinstance(value, str):
            yield prefix + value
        elif isinstance(value, Mapping):
            named = [f"{kind}:{name}" for kind, names in sorted(value.items()) for name in names]
            yield from [f"{prefix}{joined(named)}"] if prefix else named


def _actions(statement: Mapping[str, Any]) -> list[str]:
    if "NotAction" in statement:
        return [f"not:{joined(statement['NotAction'])}"]
    actions = statement.get("Action") or ()
    assuming = any(a.lower().startswith("sts:assume") or "*" in a for a in actions)
    return ["assume"] if assuming else list(actions)


def _github(identity: Mapping[str, Any]) -> str:
    repository = str(identity["repository"])
    owner, _, name = repository.partition("/")
    if ("@" in owner) != ("@" in name):
        raise Untrusted(
            "E506", f"{repository} has the id of one part only", path=("repository",),
            hint="GitHub's immutable subject has both: organisation@1234/name@5678",
        )  # fmt: skip
    return f"repo:{repository}:{_github_context(identity)}"


def _github_context(identity: Mapping[str, Any]) -> str:
    if environment := identity.get("environment"):
        return "environment:" + str(environment).replace("%", "%25").replace(":", "%3A")
    for field, prefix in (("branch", "ref:refs/heads/"), ("tag", "ref:refs/tags/"), ("ref", "ref:")):
        if identity.get(field):
            return f"{prefix}{identity[field]}"
    return "pull_request" if identity.get("pullRequest") else "*"


def _gitlab(identity: Mapping[str, Any]) -> str:
    if "ref" not in identity:
        raise Untrusted(
            "E506", "GitLab's subject does not have the deployment environment", path=("environment",),
            hint="AWS sees audience and subject only: use ref, with a protected branch",
        )  # fmt: skip
    return f"project_path:{identity['project']}:ref_type:{identity.get('refType', 'branch')}:ref:{identity['ref']}"


def _kubernetes(identity: Mapping[str, Any]) -> str:
    return f"system:serviceaccount:{identity['namespace']}:{identity['serviceAccount']}"


_SUBJECTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "githubActions": _github,
    "gitlab": _gitlab,
    "kubernetes": _kubernetes,
    "oidc": lambda identity: str(identity["subject"]),
    "spiffe": lambda identity: str(identity["id"]),
}
_WILDCARD_FIELDS = {"githubActions": "repository", "gitlab": "ref", "oidc": "subject", "spiffe": "id"}
_CLAIMS = frozenset({"amr", "email", "oaud"})
_OF_EVERYBODY = frozenset({"aud", "doc", "iss", "namequalifier", "sub_type"})
