"""Values to JSON data and back, strictly: one table of fields serves both directions.

Rules enforced here:
- text is parsed without floats, NaN, huge integers, duplicate keys or unbounded depth;
- decoding refuses unknown and missing fields and wrong types, and names the path (`changes[3].address`);
- nothing is guessed, defaulted or converted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, NoReturn, TypeVar

from nhictl.model import Address, Value

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
MAX_DEPTH = 64
_MAX_INT = 2**53 - 1


class Malformed(ValueError):
    """JSON data that is not what was promised; `path` is where."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path = ""

    def under(self, step: str | int) -> Malformed:
        """Return the same error with `step` put in front of the path."""
        own = f"[{step}]" if isinstance(step, int) else step
        joint = "." if self.path and not self.path.startswith("[") else ""
        self.path = own + joint + self.path
        return self

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" if self.path else self.what


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How one type is written as JSON data and read back. `decode` raises Malformed."""

    encode: Callable[[T], object]
    decode: Callable[[object], T]


def parse(text: bytes) -> object:
    """Return the JSON data of `text`. Raises Malformed on anything RFC 8259 leaves open, and on floats."""
    try:
        return json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_bounded,
        )
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error.msg} at byte {error.pos}") from None
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise Malformed("nested too deep") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("the same key twice in one object")
    return found


def _no_float(text: str) -> NoReturn:
    raise Malformed(f"not an integer: {text[:20]}")


def _bounded(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > _MAX_INT:
        raise Malformed("integer out of range")
    return int(text)


def _same(value: T) -> T:
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise Malformed("must be a string")
    return value


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise Malformed("must be true or false")
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_INT:
        raise Malformed("must be a whole number, zero or more")
    return value


def _address(value: object) -> Address:
    try:
        return Address.parse(_text(value))
    except ValueError:
        raise Malformed("must be an address: target/kind/name") from None


def _thaw(value: Value) -> object:
    if isinstance(value, Mapping):
        return {key: _thaw(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_thaw(item) for item in value]
    return value


def _value(value: object, depth: int = 0) -> Value:
    if value is None or type(value) in (bool, str):
        return value  # type: ignore[return-value]
    if type(value) is int and abs(value) <= _MAX_INT:
        return value
    if depth >= MAX_DEPTH:
        raise Malformed("nested too deep")
    if type(value) is list:
        return tuple(_value(item, depth + 1) for item in value)
    if type(value) is dict:
        return {_text(key): _value(item, depth + 1) for key, item in value.items()}
    raise Malformed(f"not an attribute value: {type(value).__name__}")


TEXT: Codec[str] = Codec(_same, _text)
FLAG: Codec[bool] = Codec(_same, _flag)
COUNT: Codec[int] = Codec(_same, _count)
ADDRESS: Codec[Address] = Codec(str, _address)
VALUE: Codec[Value] = Codec(_thaw, _value)


def optional(codec: Codec[T]) -> Codec[T | None]:
    """Return the codec that also takes null."""
    return Codec(
        lambda value: None if value is None else codec.encode(value),
        lambda data: None if data is None else codec.decode(data),
    )


def enum(kind: type[E]) -> Codec[E]:
    """Return the codec of a string enumeration."""

    def decode(data: object) -> E:
        try:
            return kind(_text(data))
        except ValueError:
            raise Malformed(f"must be one of {', '.join(str(m.value) for m in kind)}") from None

    return Codec(lambda value: value.value, decode)


def each(codec: Codec[T]) -> Codec[tuple[T, ...]]:
    """Return the codec of a tuple."""

    def decode(data: object) -> tuple[T, ...]:
        if type(data) is not list:
            raise Malformed("must be an array")
        found = []
        for index, item in enumerate(data):
            try:
                found.append(codec.decode(item))
            except Malformed as error:
                raise error.under(index) from None
        return tuple(found)

    return Codec(lambda values: [codec.encode(value) for value in values], decode)


def table(codec: Codec[T]) -> Codec[Mapping[str, T]]:
    """Return the codec of a mapping from strings."""

    def decode(data: object) -> Mapping[str, T]:
        if type(data) is not dict:
            raise Malformed("must be an object")
        found = {}
        for key, item in data.items():
            try:
                found[key] = codec.decode(item)
            except Malformed as error:
                raise error.under(key) from None
        return found

    return Codec(lambda values: {key: codec.encode(value) for key, value in values.items()}, decode)


def record(kind: Callable[..., T], /, **fields: Codec[Any]) -> Codec[T]:
    """Return the codec of a dataclass from those of its fields, all required; JSON names are camel case."""
    names = {_camel(attribute): attribute for attribute in fields}

    def encode(value: T) -> object:
        return {name: fields[attribute].encode(getattr(value, attribute)) for name, attribute in names.items()}

    def decode(data: object) -> T:
        if type(data) is not dict:
            raise Malformed("must be an object")
        if data.keys() != names.keys():
            raise _misfit(data, names)
        found = {}
        for name, attribute in names.items():
            try:
                found[attribute] = fields[attribute].decode(data[name])
            except Malformed as error:
                raise error.under(name) from None
        return kind(**found)

    return Codec(encode, decode)


def _camel(attribute: str) -> str:
    first, *rest = attribute.split("_")
    return first + "".join(map(str.capitalize, rest))


def _misfit(data: Mapping[str, object], names: Mapping[str, str]) -> Malformed:
    for name in sorted(data.keys() - names.keys()):
        return Malformed("unknown field").under(name[:80])
    return Malformed("missing").under(min(names.keys() - data.keys()))
