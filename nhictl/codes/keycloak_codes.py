"""Codes E535 to E544: what the Keycloak adapter cannot express."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E535",
        "The identity cannot become a Keycloak client",
        "A client proves itself with a secret, a signed assertion, a TLS certificate or a token of an issuer that the"
        " realm trusts, of which Keycloak compares issuer and subject. What it does not look at would be a condition"
        " that nobody enforces.",
        "identity: {awsService: {service: ecs-tasks.amazonaws.com}}",
        "identity: {keycloak: {clientId: payments, auth: private-key-jwt}}",
    ),
    Code(
        "E536",
        "Keycloak does not allow the name",
        "Client ids, aliases and the names of roles and client scopes have at most 255 characters.",
        "identity: {keycloak: {clientId: ppp...}}  # 300 characters",
        "identity: {keycloak: {clientId: payments}}",
    ),
    Code(
        "E537",
        "The name belongs to Keycloak itself",
        "Built-in clients, roles and client scopes are made with every realm, change with its releases and hold the"
        " administration together. They can be granted; they are not nhictl's to make or delete.",
        "metadata: {name: offline_access}  # of a Role with `keycloak: {}`",
        "keycloak: {bundle: true, realmRoles: [offline_access]}",
    ),
    Code(
        "E538",
        "Every client has the scope",
        "Keycloak gives some scopes to every new client. They are its baseline: nhictl neither adds nor removes them.",
        "scopes: [email]",
        "scopes: [orders]",
    ),
    Code(
        "E539",
        "A bundle gives nothing",
        "A Role with `bundle: true` makes no role of its own. Without roles and scopes a grant of it means nothing.",
        "keycloak: {bundle: true}",
        "keycloak: {bundle: true, clientRoles: {realm-management: [view-users]}}",
    ),
    Code(
        "E540",
        "There is a secret in a configuration",
        "Manifests hold no secrets. What stands in Keycloak stays there when nhictl updates the object.",
        "config: {clientSecret: hunter2}",
        "clientAuth: private-key-jwt",
    ),
    Code(
        "E541",
        "Clients hold roles of each other",
        "A client's roles can be granted once the client exists, and an NHI's client is made with its grants: neither"
        " of the two could be made first.",
        "two NHIs, each granted a Role with `client:` of the other",
        "keycloak: {}  # one of the roles is a realm role",
    ),
    Code(
        "E542",
        "A realm cannot trust the issuer",
        "An identity provider of a realm is an OpenID Connect issuer or a SAML identity provider.",
        'issuer: {awsAccount: {account: "333333333333"}}',
        "issuer: {oidc: {url: https://login.partner.example.com}}",
    ),
    Code(
        "E543",
        "The SAML metadata cannot be used",
        "The metadata document is a file inside the workspace, symbolic links resolved, in UTF-8, up to 10 MB, without"
        " a document type and without a private key, and describes an identity provider.",
        "issuer: {saml: {metadataFile: ../elsewhere/metadata.xml}}",
        "issuer: {saml: {metadataFile: connections/metadata.xml}}",
    ),
    Code(
        "E544",
        "No connection, or several, carry the identity to the realm",
        "A workload proves itself to a realm with a token of an issuer that an identity provider of the realm stands"
        " for; the grant names the Connection in `via`, or it is the only one that fits.",
        "identity: {githubActions: {repository: example/payments, branch: main}}  # and no such Connection",
        "grants: [{role: deployer, via: github-to-keycloak}]",
    ),
)
