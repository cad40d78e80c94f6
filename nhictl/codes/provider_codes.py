"""Codes E5xx: what an adapter cannot express, and W606, what it says about it."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E501",
        "The identity cannot become an IAM role",
        "An IAM role is taken by a token, an assertion, another AWS principal or an AWS service. A password login"
        " or a client of another provider proves nothing to AWS.",
        "identity: {postgres: {login: exporter}}",
        "identity: {githubActions: {repository: example/payments, environment: prod}}",
    ),
    Code(
        "E502",
        "No connection carries the identity to AWS",
        "A federated identity needs a Connection of this environment with a fitting issuer and an `aws` block; the"
        " grant names it in `via`, or it is the only one that fits.",
        "grants: [{role: deployer, via: keycloak-to-vault}]",
        "grants: [{role: deployer, via: github-to-aws}]",
    ),
    Code(
        "E503",
        "The principal lives in an account that no connection trusts",
        "Trust to another AWS account is an enterprise connection: it has an owner and often an external id.",
        'identity: {awsPrincipal: {account: "333333333333", role: deploy}}',
        'issuer: {awsAccount: {account: "333333333333", externalId: agreed-name}}',
    ),
    Code(
        "E504",
        "The repository is not of the organisation that the connection trusts",
        "A connection says whose workloads may come through it. A repository elsewhere is a mistake or an attack, and"
        " an `oidc` identity with a subject of GitHub's, GitLab's or a cluster's issuer would get round that.",
        "identity: {githubActions: {repository: somebody/payments, branch: main}}",
        "identity: {githubActions: {repository: example/payments, branch: main}}",
    ),
    Code(
        "E505",
        "A trust is not exact",
        "Whoever matches a pattern takes the identity: a pull request, another environment, a repository with a"
        " similar name. A policy variable (`${...}`) in a trust matches itself, so everybody; a SAML trust without"
        " subject and attributes, or the root of an account without its Connection, is everybody there.",
        "identity: {oidc: {subject: 'repo:example/*'}}",
        "identity: {oidc: {subject: 'repo:example/payments:environment:prod'}}",
    ),
    Code(
        "E506",
        "AWS cannot check what the identity asks for",
        "AWS compares the audience, the subject and very few other claims of a token. What it does not look at"
        " would be a condition that nobody enforces.",
        "identity: {gitlab: {project: example/payments, environment: prod}}",
        "identity: {gitlab: {project: example/payments, ref: main}}",
    ),
    Code(
        "E507",
        "Roles of one NHI want different permissions boundaries",
        "An IAM principal has one permissions boundary. Which of two would hold is not nhictl's to guess.",
        "permissionsBoundary: bounds-a  # the NHI's other role has bounds-b",
        "permissionsBoundary: bounds-a  # in both roles",
    ),
    Code(
        "E508",
        "Several connections fit",
        "Without `via` the only fitting connection is taken; with two, the trust would depend on chance.",
        "grants: [{role: deployer}]",
        "grants: [{role: deployer, via: github-to-aws}]",
    ),
    Code(
        "E509",
        "The SAML metadata cannot be read",
        "The metadata document is a file inside the workspace, symbolic links resolved, in UTF-8, up to 10 MB,"
        " without a private key.",
        "issuer: {saml: {metadataFile: ../elsewhere/metadata.xml}}",
        "issuer: {saml: {metadataFile: connections/metadata.xml}}",
    ),
    Code(
        "E510",
        "AWS does not allow the name or path",
        "Role and user names have up to 64 characters, policy names up to 128, of letters, digits and _+=,.@-; paths"
        " begin and end with a slash; /aws-service-role/ and /aws-reserved/ belong to AWS.",
        "spec: {nativeName: 'payments ci'}",
        "spec: {nativeName: payments-ci}",
    ),
    Code(
        "E511",
        "Too large for AWS",
        "Hard limits of IAM: 6,144 characters in a managed policy, 10,240 in all inline policies of a role and 2,048"
        " of a user, 8,192 in a trust policy, 20 attached policies, 50 tags.",
        "statements: [...]  # 7,000 characters in one role",
        "grants: [{role: deployer-read}, {role: deployer-write}]",
    ),
    Code(
        "E512",
        "Two objects would share one name in AWS",
        "Names of roles, users and policies are unique in an account, and upper and lower case count as the same.",
        "spec: {nativeName: Payments-CI}  # payments-ci exists already",
        "spec: {nativeName: payments-ci-two}",
    ),
    Code(
        "E513",
        "Tags of a customer managed policy cannot be kept",
        "AWS shows the tags of managed policies one policy at a time only, so nhictl could not tell in its bulk reads"
        " whether they are as declared.",
        "aws: {statements: [...], tags: {cost-center: '4711'}}",
        "aws: {inline: true, statements: [...], tags: {cost-center: '4711'}}",
    ),
    Code(
        "E570",
        "The directory cannot hold a name",
        "A name in the embedded directory has at most 128 characters; an identity's has no colon and a"
        " role's no at sign, because a grant is called identity:role@connection.",
        "spec: {nativeName: 'payments:ci'}",
        "spec: {nativeName: payments-ci}",
    ),
    Code(
        "E571",
        "Two objects would share one name in the directory",
        "Names are unique in a directory: two objects with the same name, or two grants of one role to one"
        " NHI through the same connection, would overwrite each other.",
        "grants: [{role: deployer}, {role: deployer, expires: 2027-03-31}]",
        "grants: [{role: deployer, expires: 2027-03-31}]",
    ),
    Code(
        "E572",
        "A grant goes through a connection that is not in the directory",
        "A grant can only go through a connection that exists in the same target: one with a `local` block,"
        " in the same environment.",
        "grants: [{role: deployer, via: github-to-aws}]",
        "grants: [{role: deployer, via: github-to-directory}]",
    ),
    Code(
        "W606",
        "Connections that share one identity provider",
        "AWS has one OIDC provider for each issuer URL. It belongs to the connection whose name comes first, and has"
        " the audiences of all of them.",
        "two Connections with the issuer https://gitlab.com in one account",
        "one Connection, with the audiences of both",
    ),
    Code(
        "E590",
        "Two manifest objects are one object of the provider",
        "Each would undo what the other says. Names that differ in a manifest can be the same in the provider.",
        "two NHIs with `nativeName: deployer` in one target",
        "nativeName: deployer-payments",
    ),
)
