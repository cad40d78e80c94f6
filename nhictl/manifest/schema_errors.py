"""Schema errors in words: one diagnostic for each real problem, at the position of the key or value.

Rules enforced here:
- a misspelt field is one problem, not an unknown field and a missing one;
- a value is repeated in a message only when it is short, plain and not in a place where a secret could stand;
- of several errors about one value only the first by weight is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from nhictl.manifest.installed import BUILT_IN
from nhictl.manifest.schema import near_miss
from nhictl.model import Diagnostic, Document, Path, Span

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,31}\Z")
_SECRET = re.compile(r"secret|password|passwd|token|credential|private|apikey|api_key|deliverto", re.IGNORECASE)
_WORDS = {
    "object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number",
    "boolean": "true or false", "null": "empty", "number": "a number",
}  # fmt: skip
_WEIGHT = ("type", "const", "enum", "anyOf", "format", "pattern", "minLength", "maxLength")

_Found: TypeAlias = "Iterator[tuple[Path, Diagnostic]]"
# jsonschema.ValidationError: its schema and instance may be of any type, which only `validator` tells.
_Error: TypeAlias = Any


def explain_errors(document: Document, errors: Iterable[_Error], *, skip: frozenset[Path]) -> list[Diagnostic]:
    """Return the diagnostics of `errors` in source order; none for values at `skip` or below."""
    ordered = sorted(errors, key=_weight)
    misspelt = _misspelt(document, ordered)
    found: dict[tuple[Path, str], Diagnostic] = {}
    for error in ordered:
        at = tuple(error.absolute_path)
        if skip and any(at[:length] in skip for length in range(len(at) + 1)):
            continue
        make = _MAKERS.get(str(error.validator), _other)
        for path, diagnostic in make(document, error):
            if diagnostic.code == "E202" and path in misspelt:
                continue
            scalar = str(error.validator) in _WEIGHT and "propertyNames" not in error.absolute_schema_path
            found.setdefault((path, "" if scalar else diagnostic.code), diagnostic)
    return sorted(found.values(), key=lambda d: d.sort_key)


def _weight(error: _Error) -> int:
    name = str(error.validator)
    return _WEIGHT.index(name) if name in _WEIGHT else len(_WEIGHT)


def _misspelt(document: Document, errors: Iterable[_Error]) -> frozenset[Path]:
    """Return the paths of missing fields for which a misspelt one stands beside."""
    found = set()
    for error in errors:
        if error.validator == "additionalProperties":
            at = tuple(error.absolute_path)
            for key in _extra(error):
                near = _closest(key, error)
                if near:
                    found.add((*at, near))
    return frozenset(found)


def _extra(error: _Error) -> list[str]:
    known = error.schema.get("properties", {})
    return [key for key in error.instance if key not in known]


def _closest(key: str, error: _Error) -> str:
    known = error.schema.get("properties", {})
    free = [k for k in known if k not in error.instance]
    return near_miss(str(key), free).removeprefix("did you mean `").removesuffix("`?")


def _key_span(document: Document, path: Path) -> Span:
    found = document.positions.get(path)
    return Span(document.file, *found) if found else document.span(*path)


def _field(path: Path) -> str:
    """Return how people call the value at `path`: its key, with the place in the list."""
    if not path:
        return "the manifest"
    names = [str(p) for p in path if isinstance(p, str)]
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{names[-1]}`"
    return f"`{names[-1]}`"


def _shown(path: Path, value: object) -> str:
    """Return the value as a message may repeat it: quoted, or empty where it could be a secret."""
    plain = isinstance(value, str) and _PLAIN.match(value) is not None
    return f"`{value}`" if plain and not any(_SECRET.search(str(p)) for p in path) else ""


def _kind_of(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    kinds = {dict: "a mapping", list: "a list", str: "text", int: "a number", float: "a number"}
    return kinds.get(type(value), "something else")


def _unknown(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    known = list(error.schema.get("properties", {}))
    for key in _extra(error):
        near = _closest(key, error)
        hint = f"did you mean `{near}`?" if near else "known here: " + (", ".join(known) or "no fields")
        yield (*at, key), Diagnostic("E201", f"unknown field `{key}`", _key_span(document, (*at, key)), hint=hint)


def _missing(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    for name in error.validator_value:
        if name not in error.instance:
            where = f" in {_field(at)}" if at else ""
            text = f"missing field `{name}`{where}"
            yield (*at, name), Diagnostic("E202", text, _key_span(document, at), hint=_about(error, str(name)))


def _about(error: _Error, name: str) -> str:
    schema = error.schema.get("properties", {}).get(name, {})
    first = str(schema.get("description", "")).split(". ")[0].split(": ")[0]
    return f"`{name}` says: {first[:1].lower()}{first[1:].rstrip('.')}" if first else ""


def _type(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    text = error.schema.get("title") or " or ".join(_WORDS[n] for n in names)
    got = "a number with a fraction" if isinstance(error.instance, float) else _kind_of(error.instance)
    summary = f"{_field(at)} must be {text}, not {got}"
    yield at, Diagnostic("E203", summary, document.span(*at), hint=_type_hint(error, names))


def _type_hint(error: _Error, names: list[str]) -> str:
    value = error.instance
    if "string" in names and isinstance(value, (int, float)):
        word = str(value).lower() if isinstance(value, bool) else str(value)
        return "put it in quotes" if re.search(error.schema.get("pattern", ""), word) else ""
    if names == ["array"] and value is not None:
        return "write it as a list: `[...]`"
    return "write `{}` for an empty one" if names == ["object"] and value is None else ""


def _choice(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    value = error.validator_value
    choices = value if isinstance(value, list) else [value]
    words = ["true" if c is True else str(c) for c in choices]
    text = f"{_field(at)} must be " + ("one of " if len(words) > 1 else "") + ", ".join(f"`{w}`" for w in words)
    shown = _shown(at, error.instance)
    hint = near_miss(str(error.instance), words) if isinstance(error.instance, str) else ""
    yield at, Diagnostic("E204", text + (f", not {shown}" if shown else ""), document.span(*at), hint=hint)


def _format(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    title = str(error.schema.get("title", "text of another form"))
    if "propertyNames" in error.absolute_schema_path:
        key = str(error.instance)
        text = f"{_shown(at, key) or 'a key'} in {_field(at)} is not {title}"
        yield (*at, key), Diagnostic("E205", text, _key_span(document, (*at, key)))
        return
    shown = _shown(at, error.instance)
    text = f"{_field(at)} must be {title}" + (f", not {shown}" if shown else "")
    code = "E211" if at[-1:] == ("provider",) else "E205"
    hint = near_miss(str(error.instance), BUILT_IN) if code == "E211" else ""
    yield at, Diagnostic(code, text, document.span(*at), hint=hint)


def _length(document: Document, error: _Error) -> _Found:
    if "pattern" in error.schema or "propertyNames" in error.absolute_schema_path:
        yield from _format(document, error)
        return
    at = tuple(error.absolute_path)
    text = f"{_field(at)} must have " + ("at least" if error.validator == "minLength" else "at most")
    yield at, Diagnostic("E207", f"{text} {error.validator_value} characters", document.span(*at))


def _range(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    text = "at least" if error.validator == "minimum" else "at most"
    yield at, Diagnostic("E207", f"{_field(at)} must be {text} {error.validator_value}", document.span(*at))


def _size(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    schema: Any = error.schema
    if schema.get("minProperties") == schema.get("maxProperties") == 1:
        yield from _union(document, error, list(schema["properties"]))
        return
    few = str(error.validator).startswith("min")
    noun = "entries" if not str(error.validator).endswith("Properties") else "fields"
    limit = int(str(error.validator_value))
    text = f"{_field(at)} must not be empty" if few else f"{_field(at)} must have at most {limit} {noun}"
    yield at, Diagnostic("E207", text, _key_span(document, at))


def _unique(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    items: Any = error.instance
    twice = next((i for i, item in enumerate(items) if item in items[:i]), 0)
    text = f"item {twice + 1} of {_field(at)} is there twice"
    yield (*at, twice), Diagnostic("E207", text, document.span(*at, twice))


def _one_of(document: Document, error: _Error) -> _Found:
    names = [name for option in error.validator_value for name in option.get("required", ())]
    yield from _union(document, error, names)


def _union(document: Document, error: _Error, names: list[str]) -> _Found:
    at = tuple(error.absolute_path)
    present = [n for n in names if n in error.instance]
    choice = ", ".join(f"`{n}`" for n in names)
    if not present:
        # A misspelt block is told as an unknown field.
        if any(near_miss(str(k), names) for k in error.instance if k not in names):
            known = error.schema.get("properties", {})
            if any(k not in known for k in error.instance):
                return
        text = f"{_field(at)} needs exactly one of {choice}"
        yield at, Diagnostic("E206", f"{text}; it has none", _key_span(document, at))
        return
    if len(present) > 1:
        told = " and ".join(f"`{n}`" for n in present)
        text = f"{_field(at)} must have exactly one of {choice}; it has {told}"
        yield at, Diagnostic("E206", text, _key_span(document, (*at, present[1])))


def _needs(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    for name, others in error.validator_value.items():
        for other in others:
            if name in error.instance and other not in error.instance:
                text = f"`{name}` needs `{other}` beside it"
                yield (*at, name), Diagnostic("E212", text, _key_span(document, (*at, name)))


def _forbidden(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    refused: Any = error.validator_value
    names = refused.get("required", [])
    if not names:
        yield from _format(document, error)
        return
    comment = error.schema.get("$comment")
    text = str(comment) if comment else " and ".join(f"`{n}`" for n in names) + " exclude each other"
    yield (*at, names[-1]), Diagnostic("E212", text, _key_span(document, (*at, names[-1])))


def _other(document: Document, error: _Error) -> _Found:
    at = tuple(error.absolute_path)
    title = error.schema.get("title")
    text = f"{_field(at)} must be {title}" if title else f"{_field(at)} does not fit the schema"
    yield at, Diagnostic("E203", text, document.span(*at))


_MAKERS: dict[str, Callable[[Document, _Error], _Found]] = {
    "additionalProperties": _unknown, "required": _missing, "type": _type, "enum": _choice, "const": _choice,
    "pattern": _format, "format": _format, "minLength": _length, "maxLength": _length, "minimum": _range,
    "maximum": _range, "minItems": _size, "maxItems": _size, "minProperties": _size, "maxProperties": _size,
    "uniqueItems": _unique, "oneOf": _one_of, "dependentRequired": _needs, "not": _forbidden,
}  # fmt: skip
