"""What a plain YAML scalar means: the YAML 1.2 core schema, narrowed where its habits lose information.

Rules enforced here:
- `true false null ~` (three spellings each), decimal, `0o` and `0x` integers and decimal floats are values;
- digits with a leading zero (`0755`, account numbers), `no`, `1:20` and dates stay strings;
- integers outside +-(2**53 - 1), infinities and NaN are refused: canonical JSON cannot carry them exactly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

Scalar: TypeAlias = "bool | int | float | str | None"

CONSTANTS: Mapping[str, bool | None] = MappingProxyType(
    {
        "": None, "~": None, "null": None, "Null": None, "NULL": None,
        "true": True, "True": True, "TRUE": True,
        "false": False, "False": False, "FALSE": False,
    }
)  # fmt: skip
NUMBER_STARTS = frozenset("+-.0123456789")

_MAX_INT = 2**53 - 1
_MAX_DIGITS = 400
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_BASED = re.compile(r"0(?:o([0-7]+)|x([0-9a-fA-F]+))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


class BadNumber(ValueError):
    """A number nhictl cannot keep exactly. The message says why, without the number."""


def resolve(text: str) -> Scalar:
    """Return the value of the plain scalar `text`. Raises BadNumber."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] in NUMBER_STARTS:
        return number(text)
    return text


def number(text: str) -> int | float | str:
    """Return `text` as a number when it is one, else unchanged. `text` is not empty. Raises BadNumber."""
    if _INT.match(text):
        return _integer(text, 10)
    if based := _BASED.match(text):
        return _integer(based[1], 8) if based[1] else _integer(based[2], 16)
    if _FLOAT.match(text):
        return _float(text)
    if _NOT_FINITE.match(text):
        raise BadNumber("not a finite number")
    return text


def _integer(digits: str, base: int) -> int:
    if len(digits.lstrip("0+-")) > 18 or abs(value := int(digits, base)) > _MAX_INT:
        raise BadNumber("integer outside +-(2**53 - 1)")
    return value


def _float(text: str) -> float:
    if len(text) > _MAX_DIGITS or abs(value := float(text)) == float("inf"):
        raise BadNumber("number too large")
    return value
