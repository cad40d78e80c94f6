"""The rules of `spec.ignore` against the rest of `nhictl.yaml`: those that are over, and those about no target."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from nhictl.kinds.workspace import Ignore, Workspace
from nhictl.leaving import like
from nhictl.model import Diagnostic, Severity


def check(workspace: Workspace, today: dt.date) -> Iterator[Diagnostic]:
    """Yield a warning for each rule that expired by `today`, and an error for each pattern that fits no target."""
    targets = sorted({t.name for e in workspace.environments.values() for t in e.targets})
    for rule in workspace.ignore:
        if rule.expired(today):
            yield Diagnostic(
                "W616", f"the rule expired on {rule.expires} and no longer counts ({rule.reason})",
                workspace.document.span("spec", "ignore", rule.index, "expires"), severity=Severity.WARNING,
                hint="remove the rule, or extend it when the objects are still to be left alone",
            )  # fmt: skip
        yield from _no_target(workspace, rule, targets)


def _no_target(workspace: Workspace, rule: Ignore, targets: list[str]) -> Iterator[Diagnostic]:
    for index, pattern in enumerate(rule.targets):
        if not any(like(target, pattern) for target in targets):
            yield Diagnostic(
                "E565", f"no target fits {pattern}, so the rule protects nothing",
                workspace.document.span("spec", "ignore", rule.index, "match", "targets", index),
                hint=f"targets: {', '.join(targets)}",
            )  # fmt: skip
