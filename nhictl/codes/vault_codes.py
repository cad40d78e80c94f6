"""Codes E520 to E528: what the Vault adapter cannot express."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E520",
        "Vault cannot prove the identity",
        "A login to Vault is an AppRole, a token of an issuer that an auth mount trusts, or a Kubernetes service"
        " account. A password of a database or an AWS principal proves nothing to the auth mounts nhictl manages.",
        "identity: {postgres: {login: exporter}}",
        "identity: {approle: {}}",
    ),
    Code(
        "E521",
        "No connection carries the identity to Vault",
        "A federated identity needs a Connection of this environment with a fitting issuer and a `vault` block; the"
        " grant names it in `via`, or it is the only one that fits. It trusts one organisation's workloads, no others.",
        "grants: [{role: secrets-read, via: github-to-aws}]",
        "grants: [{role: secrets-read, via: github-to-vault}]",
    ),
    Code(
        "E522",
        "The logins of an identity have no name",
        "Vault names a login by one claim of its token, and the entity with its roles hangs on that name. A claim that"
        " the identity does not pin to one value would let another identity have it, or none.",
        "vault: {mount: jwt, userClaim: email}  # and identity: {oidc: {subject: a}}",
        "vault: {mount: jwt, userClaim: sub}",
    ),
    Code(
        "E523",
        "A trust is not exact",
        "Whoever matches a pattern takes the identity: a pull request, another environment, a repository with a"
        " similar name.",
        "identity: {oidc: {subject: 'repo:example/*'}}",
        "identity: {oidc: {subject: 'repo:example/payments:environment:prod'}}",
    ),
    Code(
        "E524",
        "A connection does not say what the mount needs",
        "A jwt mount needs audiences and one way to the issuer's keys, a Kubernetes mount the cluster's API. They are"
        " reached over TLS, or somebody on the way decides who gets in; plain HTTP is for tests on one machine.",
        "issuer: {oidc: {url: 'http://127.0.0.1:8080/realms/shop'}}  # without `vault.allowHttp`",
        "issuer: {oidc: {url: 'https://sso.example.com/realms/shop'}}",
    ),
    Code(
        "E525",
        "The policy cannot be written",
        "`default`, `root` and the like are Vault's own. A policy as text must be HCL or JSON that Vault reads.",
        "vault: {policy: 'path kv/data/payments {'}",
        "vault: {paths: [{path: kv/data/payments, capabilities: [read]}]}",
    ),
    Code(
        "E526",
        "Without an entity there are no groups",
        "A role that is a group has entities as its members. An NHI with `entity: false` can only have roles whose"
        " policies go to its tokens.",
        "identity: {approle: {entity: false}}  # with a role without `attach: token`",
        "identity: {approle: {}}",
    ),
    Code(
        "E527",
        "The auth role has no such setting",
        "`settings` are those of the auth method, by Vault's own names; the deprecated ones without `token_` are not"
        " among them, for they say the same a second time.",
        "identity: {approle: {settings: {policies: [a]}}}",
        "identity: {approle: {settings: {token_policies: [a]}}}",
    ),
    Code(
        "E528",
        "Two manifests mean the same object of Vault",
        "Names of mounts, policies, groups and entities are unique in a namespace, and a name that logs in at a mount"
        " belongs to one entity.",
        "nativeName: payments  # on two NHIs",
        "nativeName: payments-batch",
    ),
)
