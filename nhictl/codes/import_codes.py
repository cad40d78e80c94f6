"""Codes E565 to E569 and W616 to W620: what is left alone, what is kept, what is imported."""

from __future__ import annotations

from nhictl.codes.code import Code

ROWS: tuple[Code, ...] = (
    Code(
        "E565",
        "A rule to leave objects alone fits no target",
        "A pattern that fits nothing protects nothing: most often it is misspelt.",
        "ignore: [{match: {targets: [aws-prd]}, reason: Terraform manages it}]",
        "ignore: [{match: {targets: [aws-prod]}, reason: Terraform manages it}]",
    ),
    Code(
        "E566",
        "Nothing says what proves the identity",
        "`identity: {existing: {}}` leaves what proves an identity as it is in the target: `keep` names the field that"
        " holds it. Without that a plan would have to guess, or take it away.",
        "identity: {existing: {}}",
        "identity: {existing: {}}\nkeep: [trust]",
    ),
    Code(
        "E567",
        "A manifest switches off what it also keeps",
        "A kept field stays as it is live: an identity that is to be switched off would stay on, in silence.",
        "enabled: false\nkeep: [enabled]",
        "enabled: false",
    ),
    Code(
        "W616",
        "A rule to leave objects alone has expired",
        "From its `expires` on a rule no longer counts: import, inventory and plan see the objects again.",
        "ignore: [{match: {names: [cdk-*]}, reason: Moving to nhictl, expires: 2025-01-31}]",
        "ignore: [{match: {names: [cdk-*]}, reason: CDK manages it}]",
    ),
    Code(
        "W617",
        "A manifest says what it also keeps",
        "A kept field stays as it is live, so what the manifest says about it has no effect; a reader believes it.",
        "identity: {githubActions: {repository: example/shop, branch: main}}\nkeep: [trust]",
        "identity: {existing: {}}\nkeep: [trust]",
    ),
)
