"""Which connection an NHI comes through, and the trust document that follows. Pure.

Rules enforced here:
- a federated identity needs exactly one connection whose issuer fits: the grants' `via`, or the only one there is;
- a GitHub repository belongs to the organisation its connection trusts, and no `oidc` identity gets round that: the
  issuers of GitHub, GitLab and clusters carry their own identity blocks only;
- a principal of another account needs a connection that trusts that account, and sends its external id;
- a whole account, this one too, is trusted only where a connection says so;
- an `existing` identity has no trust of its own: the live one is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nhictl.kinds.common import keeps
from nhictl.kinds.connection import Connection
from nhictl.kinds.nhi import NHI, Grant
from nhictl.model import Address, Value
from nhictl.providers.aws import trust
from nhictl.providers.aws.exact import Untrusted, principal_arn
from nhictl.providers.aws.federating import issuer_name, of_github, same_issuer
from nhictl.providers.aws.names import OIDC, ROLE, SAML, split_name

if TYPE_CHECKING:
    from nhictl.providers.aws.desired import Composition

_FITTING: Mapping[str, frozenset[str]] = {
    "githubActions": frozenset({"githubActions"}),
    "gitlab": frozenset({"gitlab", "oidc"}),
    "kubernetes": frozenset({"kubernetes", "oidc"}),
    "oidc": frozenset({"oidc"}),
    "spiffe": frozenset({"oidc"}),
    "saml": frozenset({"saml"}),
    "awsPrincipal": frozenset({"awsAccount"}),
}
_WITH_RULES = frozenset({"githubActions", "gitlab", "kubernetes"})
_ARN_PARTS = 6


@dataclass(frozen=True, slots=True)
class Trusted:
    """A composed trust document and the resources it needs first."""

    document: Mapping[str, Value]
    depends_on: tuple[Address, ...] = ()


def compose(work: Composition, nhi: NHI, grants: tuple[Grant, ...]) -> Trusted:
    """Return the trust of an NHI's role. Raises Untrusted when its identity has no place in AWS."""
    kind = nhi.identity_kind
    if kind == "existing" and keeps(nhi.keep, ROLE, "trust"):
        return Trusted({})
    if kind == "awsService":
        return Trusted(trust.service(nhi.identity))
    if kind == "awsPrincipal":
        return _principal(work, nhi, grants)
    if kind not in _FITTING:
        raise Untrusted(
            "E501", f"an identity of kind {kind or 'none'} cannot become an IAM role",
            hint="use githubActions, gitlab, kubernetes, oidc, spiffe, saml, awsPrincipal, awsService, awsUser, or"
            " existing with `keep: [trust]`",
        )  # fmt: skip
    connection = _connection(work, nhi, grants)
    if connection is None:
        raise Untrusted(
            "E502", f"no connection to this target has an issuer for {kind}",
            hint=f"add a Connection with issuer {kind} and an aws block, and name it in the grant's via",
        )  # fmt: skip
    return _federated(work, nhi, connection)


def _federated(work: Composition, nhi: NHI, connection: Connection) -> Trusted:
    provider = work.providers.get(connection.meta.name)
    if provider is None:
        raise Untrusted("E502", f"{connection.ref} could not be made here", hint="see the errors about it")
    address = provider.address
    if nhi.identity_kind == "saml":
        audience = trust.SAML_AUDIENCES[work.account.partition]
        arn = work.account.arn(SAML, address.name)
        return Trusted(trust.federated_saml(arn, audience=audience, identity=nhi.identity), (address,))
    _check_organization(nhi, connection)
    _check_issuer(work, nhi, connection)
    audiences = tuple(connection.block.get("audiences") or (trust.DEFAULT_AUDIENCE,))
    document = trust.federated_oidc(
        work.account.arn(OIDC, address.name),
        name=address.name,
        audiences=audiences,
        wanted=trust.subject(nhi.identity_kind, nhi.identity),
        claims=nhi.identity.get("claims") or {},
    )
    return Trusted(document, (address,))


def _check_organization(nhi: NHI, connection: Connection) -> None:
    if nhi.identity_kind != "githubActions" or connection.issuer_kind != "githubActions":
        return
    wanted = str(connection.issuer.get("organization", ""))
    found = str(nhi.identity["repository"]).partition("/")[0].partition("@")[0]
    if not wanted or found.lower() != wanted.lower():
        raise Untrusted(
            "E504", f"{connection.ref} trusts the organisation {wanted or '(none)'}, the repository belongs to {found}",
            path=("repository",), hint="use a repository of that organisation, or another connection",
        )  # fmt: skip


def _check_issuer(work: Composition, nhi: NHI, connection: Connection) -> None:
    """Raise Untrusted for a free subject of an issuer whose tokens have an identity block with rules of its own."""
    if nhi.identity_kind != "oidc":
        return
    same = [c for c in work.estate.connections.values() if same_issuer(c, connection)]
    known = sorted(c.issuer_kind for c in same if c.issuer_kind in _WITH_RULES)
    if of_github(issuer_name(connection)):
        known = ["githubActions"]
    if known:
        raise Untrusted(
            "E504", f"{connection.ref} has the issuer of {known[0]}: a free subject gets round its rules",
            path=("subject",), hint=f"use the identity block {known[0]}, through a connection with that issuer",
        )  # fmt: skip


def _principal(work: Composition, nhi: NHI, grants: tuple[Grant, ...]) -> Trusted:
    if "arn" in nhi.identity:
        principal_arn(str(nhi.identity["arn"]), work.account.partition)
    connection = _connection(work, nhi, grants)
    account = _account_of(nhi.identity) or (str(connection.issuer["account"]) if connection else work.account.id)
    matching = connection if connection and str(connection.issuer["account"]) == account else None
    if account != work.account.id and matching is None:
        raise Untrusted(
            "E503", f"the principal lives in account {account}, which no connection trusts",
            hint=f'add a Connection with issuer awsAccount: {{account: "{account}"}} and an aws block',
        )  # fmt: skip
    if matching is None and str(nhi.identity.get("arn", "")).endswith(":root"):
        raise Untrusted(
            "E505", f"everybody in account {account} could take it", path=("arn",),
            hint="name a role or user, or add a Connection with issuer awsAccount that says the account is trusted",
        )  # fmt: skip
    arn, depends = _principal_arn(work, nhi.identity, account)
    external = str(matching.issuer.get("externalId", "")) if matching else ""
    document = trust.principal(arn, external_id=external, partition=work.account.partition)
    return Trusted(document, depends)


def _account_of(identity: Mapping[str, Any]) -> str:
    if "arn" in identity:
        parts = str(identity["arn"]).split(":", _ARN_PARTS - 1)
        return parts[4] if len(parts) == _ARN_PARTS else ""
    return str(identity.get("account", ""))


def _principal_arn(work: Composition, identity: Mapping[str, Any], account: str) -> tuple[str, tuple[Address, ...]]:
    """Return the ARN of a principal, and its address when it is an NHI of this estate, which then comes first."""
    if "arn" in identity:
        return str(identity["arn"]), ()
    noun = "role" if "role" in identity else "user"
    name = str(identity[noun])
    kind = f"iam-{noun}"
    if account == work.account.id:
        for nhi in work.estate.nhis:
            own = "iam-user" if nhi.identity_kind == "awsUser" else ROLE
            path, default = split_name(nhi.native_name or nhi.meta.name, "/")
            physical = work.estate.name(nhi.ref, own, default)
            if own == kind and name in (physical, nhi.meta.name):
                return work.account.arn(kind, physical, path), (work.account.address(kind, physical),)
    return f"arn:{work.account.partition}:iam::{account}:{noun}/{name}", ()


def _connection(work: Composition, nhi: NHI, grants: tuple[Grant, ...]) -> Connection | None:
    fitting = _FITTING[nhi.identity_kind]
    here = work.estate.connections
    named = [g for g in grants if g.via]
    for grant in named:
        found = here.get(grant.via)
        if found is None or found.issuer_kind not in fitting:
            why = "does not lead to this target" if found is None else f"has the issuer {found.issuer_kind}"
            raise Untrusted(
                "E502", f"connection/{grant.via} {why}, so it cannot carry {nhi.identity_kind}",
                path=("grants", grant.index, "via"), hint=_hint(nhi.identity_kind, found),
            )  # fmt: skip
    chosen = {g.via: here[g.via] for g in named} or {n: c for n, c in here.items() if _alone(c, nhi)}
    if len(chosen) > 1:
        raise Untrusted(
            "E508", f"several connections fit: {', '.join(sorted(chosen))}", hint="name one in the grant's via"
        )
    return next(iter(chosen.values()), None)


def _hint(wanted: str, found: Connection | None) -> str:
    if wanted == "oidc" and found is not None and found.issuer_kind in _WITH_RULES:
        return f"use the identity block {found.issuer_kind}: its rules hold for every token of that issuer"
    return f"name a connection with the issuer {'oidc' if wanted == 'spiffe' else wanted}"


def _alone(connection: Connection, nhi: NHI) -> bool:
    """True when an NHI that names no connection may come through this one: same sort of issuer, same account."""
    wanted = nhi.identity_kind
    if wanted == "awsPrincipal":
        account = _account_of(nhi.identity)
        return connection.issuer_kind == "awsAccount" and bool(account) and str(connection.issuer["account"]) == account
    return connection.issuer_kind == ("oidc" if wanted == "spiffe" else wanted)
