"""The published JSON Schemas, and the two validators made from each.

Rules enforced here:
- schemas are read from the package (`nhictl/schemas`) when installed and from the repository otherwise, once;
- published schemas accept `${...}` in place of many values, for editors; what nhictl itself checks is the strict
  form of the same schema, in which only resolved values pass;
- no validator fetches anything: a reference outside the schema is an error;
- the fast validator's regular expressions are linear by construction (no backtracking engine);
- a whole number is written without a fraction: `1.0` is not an integer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from jsonschema_rs import Draft202012Validator as FastValidator

API_VERSION = "nhictl.dev/v1alpha1"
KINDS = ("Owner", "Role", "NHI", "Connection", "Policy", "Exception", "Workspace")
OBJECT_KINDS = KINDS[:-1]
_VARIABLE = {"$ref": "#/$defs/variable"}
_WHOLE = "x-whole"


def folder() -> Traversable:
    """Return where the schemas are: inside the installed package, or at the top of the repository."""
    package = files("nhictl")
    inside = package / "schemas"
    return inside if inside.is_dir() else Path(str(package)).parent / "schemas"


def text(name: str) -> str:
    """Return the published text of schema `name` (`nhi`, `workspace`, `nhictl`). Raises FileNotFoundError."""
    return (folder() / f"{name}.json").read_text(encoding="utf-8")


def digest() -> str:
    """Return a hexadecimal SHA-256 over the schemas and the state of the code that checks by them."""
    total = hashlib.sha256()
    for kind in KINDS:
        total.update(text(kind.lower()).encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        # Stale results of an older check must not survive an edit of the check itself.
        facts = module.stat()
        total.update(f"{module.name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return total.hexdigest()


@cache
def published(name: str) -> Mapping[str, Any]:
    """Return the published schema `name`, parsed."""
    schema: Mapping[str, Any] = json.loads(text(name))
    return schema


@cache
def strict(kind: str) -> dict[str, Any]:
    """Return the schema of `kind` for resolved documents: no variables in place of values, whole numbers only."""
    schema: dict[str, Any] = _strict(published(kind.lower()))
    return schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node if item != _VARIABLE]
    if not isinstance(node, dict):
        return node
    found = {key: _strict(value) for key, value in node.items()}
    if _VARIABLE in node.get("anyOf", ()):
        (only,) = found.pop("anyOf")
        found |= only
    if node.get("type") == "integer" or "integer" in (node.get("type") or ()):
        found[_WHOLE] = True
    return found


class _Whole:
    """The keyword that tells `1` from `1.0` in the fast validator."""

    def __init__(self, parent_schema: object, value: object, schema_path: object) -> None: ...

    def validate(self, instance: object) -> None:
        """Raise ValueError on a number with a fraction part."""
        if isinstance(instance, float):
            raise ValueError("not a whole number")  # noqa: TRY004


@cache
def fast(kind: str) -> FastValidator:
    """Return the validator that only says yes or no, some hundred thousand documents a second."""
    from jsonschema_rs import Draft202012Validator, RegexOptions

    return Draft202012Validator(
        strict(kind),
        pattern_options=RegexOptions(),
        validate_formats=True,
        offline=True,
        keywords={_WHOLE: _Whole},
    )


@cache
def explainer(kind: str) -> Validator:
    """Return the validator that explains: slow, exact, with the same verdict as `fast`."""
    return explaining(strict(kind))


def explaining(schema: dict[str, Any]) -> Validator:
    """Return an explaining validator of any schema. Raises jsonschema's SchemaError when it is none."""
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.exceptions import NoSuchResource

    def refuse(uri: str) -> Any:
        raise NoSuchResource(uri)

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole)
    make: Any = extend(Draft202012Validator, {"pattern": _pattern}, type_checker=types)  # type: ignore[no-untyped-call]
    registry: Any = Registry(retrieve=refuse)  # type: ignore[call-arg]
    Draft202012Validator.check_schema(schema)
    validator: Validator = make(schema, registry=registry, format_checker=FormatChecker(formats=["date"]))
    return validator


def _is_whole(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(validator: Any, pattern: str, value: object, _schema: object) -> Iterator[Any]:
    from jsonschema import ValidationError

    if validator.is_type(value, "string") and not _compiled(pattern).search(str(value)):
        yield ValidationError("does not match the pattern")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # In Python `$` also matches before a last line break; in JSON Schema it does not.
    return re.compile(re.sub(r"(?<!\\)\$\Z", r"\\Z", pattern))
