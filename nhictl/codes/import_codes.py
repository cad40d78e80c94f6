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
        "W616",
        "A rule to leave objects alone has expired",
        "From its `expires` on a rule no longer counts: import, inventory and plan see the objects again.",
        "ignore: [{match: {names: [cdk-*]}, reason: Moving to nhictl, expires: 2025-01-31}]",
        "ignore: [{match: {names: [cdk-*]}, reason: CDK manages it}]",
    ),
)
