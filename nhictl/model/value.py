"""Attribute values, their one canonical form, and digests over it.

Rules enforced here:
- a value is null, bool, int, str, tuple of values, or a mapping from str to values; no float, no bytes;
- a set is a sorted tuple without duplicates (`ordered_set`), so that JSON round trips lose nothing;
- the canonical form is RFC 8785: for values without floats and with keys in the basic multilingual plane this is
  compact JSON with sorted keys; other keys are sorted by UTF-16 code units as the RFC demands;
- integers stay within +-(2**53 - 1), the range RFC 8785 keeps exact.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Value: TypeAlias = "bool | int | str | tuple[Value, ...] | Mapping[str, Value] | None"
Attributes: TypeAlias = Mapping[str, Value]

_MAX_INT = 2**53 - 1


def ordered_set(items: Iterable[str]) -> tuple[str, ...]:
    """Return `items` as nhictl stores a set: sorted, without duplicates."""
    return tuple(sorted(set(items)))


def freeze(value: object) -> Value:
    """Return plain JSON data as a `Value`: lists become tuples. Raises TypeError on floats, bytes and other types."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_INT:
            raise TypeError(f"integer out of range: {value}")
        return value
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    if isinstance(value, Mapping):
        return {str(key): freeze(item) for key, item in value.items()}
    raise TypeError(f"not an attribute value: {type(value).__name__}")


def _utf16_key(item: tuple[str, object]) -> bytes:
    return item[0].encode("utf-16-be", "surrogatepass")


def _sorted_by_utf16(value: object) -> object:
    if isinstance(value, Mapping):
        return {k: _sorted_by_utf16(v) for k, v in sorted(value.items(), key=_utf16_key)}
    if isinstance(value, (list, tuple)):
        return [_sorted_by_utf16(item) for item in value]
    return value


def canonical(value: object) -> bytes:
    """Return the RFC 8785 bytes of JSON data without floats.

    Raises ValueError on floats and lone surrogates, TypeError on values that are not JSON.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if not text.isascii() and max(text) > "\ud7ff":
        # Only here can code point order and UTF-16 order differ.
        text = json.dumps(_sorted_by_utf16(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def digest(value: object) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of the canonical form of `value`."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
