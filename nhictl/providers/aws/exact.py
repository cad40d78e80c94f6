"""What may stand in a trust policy: exact values, and the error for everything else. Pure.

Rules enforced here:
- a policy variable (`${...}`) in a condition is replaced by a value of the request itself, so it always matches;
- a wildcard or an empty text where one exact value is meant is a mistake, whatever the operator makes of it;
- a principal by ARN is one principal of the target's partition, its account named;
- a pattern of source ARNs says service and account; only region and resource may have wildcards.
"""

from __future__ import annotations

import re
from typing import Any

_ARN_PARTS = 6
_EXACT_PARTS = (0, 1, 2, 4)
_ACCOUNT = re.compile(r"[0-9]{12}\Z")
_PRINCIPAL = re.compile(r"(iam:(root|(role|user)/.+)|sts:(assumed-role/[^/]+/[^/]+|federated-user/.+))\Z")
_VARIABLE = "a policy variable in a trust matches itself"


class Untrusted(Exception):
    """An identity whose trust cannot be composed. `path` is the field below the identity block it is about."""

    def __init__(self, code: str, message: str, *, hint: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.path = path


def flaw(text: str, *, pattern: bool = False) -> str:
    """Return why `text` cannot stand in a trust, empty when it can. A `pattern` may have wildcards."""
    if "${" in text:
        return f"{text}: {_VARIABLE}"
    if not text.strip():
        return "an empty text where an exact value is needed"
    if not pattern and wild(text):
        return f"{text} has a wildcard"
    return ""


def wild(text: str) -> bool:
    """True when `text` has a wildcard of IAM."""
    return "*" in text or "?" in text


def exact(value: Any, *path: str | int, what: str) -> None:
    """Raise Untrusted unless `value`, a text or a list of texts, is exact. `what` names it: `the subject`."""
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    for text in map(str, items or [""]):
        if why := flaw(text):
            raise Untrusted("E505", f"{what}: {why}", path=path, hint="name the exact value; use one NHI for each")


def source_arn(arn: str, account: str) -> None:
    """Raise Untrusted unless the source of an AWS service is bounded by `arn`, or by `account` where it names none."""
    path = ("sourceArn",)
    if why := flaw(arn, pattern=True):
        raise Untrusted("E505", f"the source: {why}", path=path, hint="name the ARN of the resource")
    parts = arn.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or any(wild(parts[i]) for i in _EXACT_PARTS):
        raise Untrusted(
            "E505", f"the source {arn} has a wildcard for its service or account", path=path,
            hint="wildcards are possible in the region and in the resource",
        )  # fmt: skip
    if not parts[4] and wild(parts[5]) and not account:
        raise Untrusted(
            "E505", f"the source {arn} can be in any account", path=path, hint="add sourceAccount",
        )  # fmt: skip


def principal_arn(arn: str, partition: str) -> str:
    """Return the account of a principal's ARN. Raises Untrusted unless it names one principal of this partition."""
    exact(arn, "arn", what="the principal")
    parts = arn.split(":", _ARN_PARTS - 1)
    account = parts[4] if len(parts) == _ARN_PARTS else ""
    if not _ACCOUNT.match(account):
        raise Untrusted(
            "E503", f"{arn} names no account", path=("arn",), hint=f"write arn:{partition}:iam::ACCOUNT:role/NAME"
        )
    if parts[1] != partition:
        raise Untrusted(
            "E503", f"{arn} is of the partition {parts[1]}, the target of {partition}", path=("arn",),
            hint="trust does not reach across partitions of AWS: use a principal of this one",
        )  # fmt: skip
    if not _PRINCIPAL.match(f"{parts[2]}:{parts[5]}"):
        raise Untrusted(
            "E506", f"{arn} is not a principal that a trust can name", path=("arn",),
            hint="a role, a user, the root of an account, an assumed-role or a federated-user",
        )  # fmt: skip
    return account
