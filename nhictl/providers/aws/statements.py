"""Policy documents of AWS in the words of a Role's `statements`. Pure.

Rules enforced here:
- a document is said when composing the statements gives the same document back, and not else: no unknown element, no
  other version, no id is lost;
- what the schema of manifests would refuse (an action of another form, a condition without keys) is not said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nhictl.model.secret import holds_secret, named_secret
from nhictl.providers.aws import normalise

PATH = re.compile(r"/([A-Za-z0-9.,+@=_/-]*/)?\Z")
_ELEMENTS = {
    "Sid": "sid", "Action": "actions", "NotAction": "notActions", "Resource": "resources",
    "NotResource": "notResources", "Condition": "conditions",
}  # fmt: skip
_ACTION = re.compile(r"(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)\Z")
_RESOURCE = re.compile(r"(\*|arn:\S+)\Z")
_SID = re.compile(r"[A-Za-z0-9]{0,100}\Z")
_OPERATOR = re.compile(r"[A-Za-z:]{1,64}\Z")
_KEY = re.compile(r"[A-Za-z0-9:/_.@${}+=-]{1,256}\Z")
_MOST = 200
_ITEMS = 1000
_VALUES = 256
_LENGTH = 2048


def spoken(document: Any) -> list[dict[str, Any]] | None:
    """Return the statements that mean a normalised document, None when the language cannot say it."""
    if not isinstance(document, Mapping) or set(document) != {"Version", "Statement"}:
        return None
    found = document["Statement"]
    if document["Version"] != normalise.VERSION or not 0 < len(found) <= _MOST:
        return None
    said = [_statement(s) for s in found]
    return [s for s in said if s is not None] if None not in said else None


def _statement(statement: Any) -> dict[str, Any] | None:
    if not isinstance(statement, Mapping) or not set(statement) <= {*_ELEMENTS, "Effect"}:
        return None
    if statement.get("Effect") not in ("Allow", "Deny") or not _shaped(statement):
        return None
    said: dict[str, Any] = {}
    if statement.get("Sid"):
        said["sid"] = statement["Sid"]
    if statement["Effect"] == "Deny":
        said["effect"] = "deny"
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if element in statement:
            said[_ELEMENTS[element]] = list(statement[element])
    if statement.get("Condition"):
        said["conditions"] = {
            op: {k: _value(v) for k, v in keys.items()} for op, keys in statement["Condition"].items()
        }
    return said


def _value(values: Any) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _shaped(statement: Mapping[str, Any]) -> bool:
    """True when every part of a statement has a form that a manifest takes."""
    one_action = ("Action" in statement) != ("NotAction" in statement)
    one_resource = ("Resource" in statement) != ("NotResource" in statement)
    sid = statement.get("Sid", "")
    return (
        one_action
        and one_resource
        and isinstance(sid, str)
        and _SID.match(sid) is not None
        and all(_texts(statement[e], _ACTION, 128) for e in ("Action", "NotAction") if e in statement)
        and all(_texts(statement[e], _RESOURCE, _LENGTH) for e in ("Resource", "NotResource") if e in statement)
        and ("Condition" not in statement or _conditions(statement["Condition"]))
    )


def _texts(items: Any, pattern: re.Pattern[str], longest: int) -> bool:
    if not isinstance(items, tuple) or not 0 < len(items) <= _ITEMS:
        return False
    return all(isinstance(i, str) and len(i) <= longest and pattern.match(i) and _open(i) for i in items)


def _conditions(condition: Any) -> bool:
    if not isinstance(condition, Mapping) or not 0 < len(condition) <= 64:
        return False
    return all(_OPERATOR.match(op) and _keys(keys) for op, keys in condition.items())


def _keys(keys: Any) -> bool:
    if not isinstance(keys, Mapping) or not 0 < len(keys) <= 64:
        return False
    return all(_KEY.match(k) and not named_secret(k) and _values(v) for k, v in keys.items())


def _values(values: Any) -> bool:
    if not isinstance(values, tuple) or not 0 < len(values) <= _VALUES:
        return False
    return all(isinstance(v, str) and len(v) <= _LENGTH and _open(v) for v in values)


def _open(text: str) -> bool:
    """True for text that can stand in a manifest: visible, and no secret."""
    return text.isprintable() and not holds_secret(text)
