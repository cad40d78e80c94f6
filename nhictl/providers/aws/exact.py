"""What may stand in a trust policy: exact values, and the error for everything else. Pure.

Rules enforced here:
- a policy variable (`${...}`) in a condition is replaced by a value of the request itself, so it always matches;
- a wildcard or an empty text where one exact value is meant is a mistake, whatever the operator makes of it;
- a pattern of source ARNs says service and account; only region and resource may have wildcards.
"""

from __future__ import annotations

from typing import Any

_ARN_PARTS = 6
_EXACT_PARTS = (0, 1, 2, 4)
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
