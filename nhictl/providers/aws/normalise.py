"""One form for every policy document that AWS treats as the same.

Rules enforced here (AWS IAM User Guide, "Grammar of the IAM JSON policy language"; checked against a live API):
- a document may be URL-encoded text, JSON text or parsed JSON; one statement equals a list of one;
- a string equals a list of one; lists are sets; booleans and numbers in conditions equal their text;
- `Effect` ignores case; `Sid` and `Version` are compared exactly, a missing `Version` is 2008-10-17,
  an empty Sid is none;
- an account id as principal equals the ARN of its root; `"*"` differs from `{"AWS": "*"}`;
- the order of statements does not matter; elements nobody knows are kept as they are;
- the result is a `Value`, and normalising it again changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from nhictl.model import Value, canonical

DEFAULT_VERSION = "2008-10-17"
VERSION = "2012-10-17"

_SETS = frozenset({"Action", "NotAction", "Resource", "NotResource"})
_PRINCIPALS = frozenset({"Principal", "NotPrincipal"})
_ACCOUNT = re.compile(r"[0-9]{12}\Z")
_EFFECTS = {"allow": "Allow", "deny": "Deny"}


def document(policy: str | Mapping[str, Any], *, partition: str = "aws") -> Mapping[str, Value]:
    """Return the one form of a policy document. Raises ValueError when it is not a JSON object."""
    data = _parsed(policy)
    result: dict[str, Value] = {"Version": str(data.get("Version", DEFAULT_VERSION))}
    for key, value in data.items():
        if key == "Statement":
            result[key] = _statements(value, partition)
        elif key != "Version":
            result[key] = _plain(value)
    result.setdefault("Statement", ())
    return result


def wire(policy: Mapping[str, Value]) -> str:
    """Return a normalised document as compact JSON text for the API, readable order of elements kept."""
    ordered = {"Version": policy["Version"], **{k: v for k, v in policy.items() if k != "Version"}}
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=True)


def size(policy: Mapping[str, Value]) -> int:
    """Return the size of a document as IAM counts it: characters without white space."""
    return len(re.sub(r"\s", "", wire(policy)))


def _parsed(policy: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(policy, Mapping):
        return policy
    text = policy.strip()
    data = json.loads(text if text.startswith("{") else unquote(text))
    if not isinstance(data, dict):
        raise ValueError("a policy document is a JSON object")  # noqa: TRY004
    return data


def _statements(value: Any, partition: str) -> tuple[Value, ...]:
    found = [_statement(s, partition) for s in ([value] if isinstance(value, Mapping) else value)]
    if len(found) == 1:
        return (found[0],)
    return tuple(by_text[key] for by_text in [{canonical(s): s for s in found}] for key in sorted(by_text))


def _statement(data: Mapping[str, Any], partition: str) -> Mapping[str, Value]:
    result: dict[str, Value] = {}
    for key, value in data.items():
        if key in _SETS:
            result[key] = _texts(value)
        elif key in _PRINCIPALS:
            result[key] = _principal(value, partition)
        elif key == "Condition":
            if value:
                result[key] = _condition(value)
        elif key == "Effect":
            result[key] = _EFFECTS.get(str(value).lower(), str(value))
        elif key != "Sid" or value:
            result[key] = _plain(value)
    return result


def _principal(value: Any, partition: str) -> Value:
    if not isinstance(value, Mapping):
        return _plain(value)
    result: dict[str, Value] = {}
    for key, names in value.items():
        items = _texts(names)
        if key == "AWS":
            items = _unique(f"arn:{partition}:iam::{n}:root" if _ACCOUNT.match(n) else n for n in items)
        result[key] = items
    return result


def _condition(value: Mapping[str, Any]) -> Mapping[str, Value]:
    return {
        operator: {key: _texts(wanted) for key, wanted in keys.items()} if isinstance(keys, Mapping) else _plain(keys)
        for operator, keys in value.items()
    }


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, (list, tuple)):
        return (_text(value),)
    return (_text(value[0]),) if len(value) == 1 else _unique(_text(v) for v in value)


def _unique(items: Any) -> tuple[str, ...]:
    return tuple(sorted(set(items)))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _plain(value: Any) -> Value:
    """Return any JSON value as it is, numbers that are not whole as their text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_plain(item) for item in value)
    return str(value) if isinstance(value, float) else value
