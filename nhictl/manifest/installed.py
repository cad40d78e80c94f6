"""Providers beyond the built-in ones: which adapters are installed, and whether a target's settings fit one.

Rules enforced here:
- whether an adapter is installed is known from package metadata alone: validating imports no code of others;
- the settings of a target with an adapter of others are checked against the adapter's own schema before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from nhictl.kinds.workspace import Environment, Target
from nhictl.model import Diagnostic, Document, Exit, InvalidManifests, NhictlError, Path

BUILT_IN = ("aws", "keycloak", "local", "postgres", "vault")
GROUP = "nhictl.providers"
_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}\Z")


def unknown(document: Document) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each target of a Workspace whose provider nobody has installed. Takes any shape."""
    for place, provider in _providers(document.value):
        if provider in BUILT_IN or not _NAME.match(provider):
            continue
        from nhictl.manifest.schema import near_miss

        known = sorted({*BUILT_IN, *(point.name for point in _points())})
        if provider not in known:
            hint = near_miss(provider, known) or f"install a package with it; there are {', '.join(known)}"
            yield Diagnostic(
                "E211", f"no adapter for provider `{provider}` is installed", document.span(*place), hint=hint
            )


def _providers(value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    for environment, data in _mapping(_mapping(_mapping(value).get("spec")).get("environments")).items():
        for name, target in _mapping(_mapping(data).get("targets")).items():
            provider = _mapping(target).get("provider")
            if isinstance(provider, str):
                yield ("spec", "environments", environment, "targets", name, "provider"), provider


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _points() -> Any:
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def versions(providers: Collection[str]) -> str:
    """Return which releases of installed adapters these providers mean; empty when all are built in."""
    wanted = set(providers) - set(BUILT_IN)
    if not wanted:
        return ""
    found = sorted((p.name, p.value, p.dist.version if p.dist else "") for p in _points() if p.name in wanted)
    return " ".join(":".join(facts) for facts in found)


def adapters(environment: Environment, built_in: Callable[[str], Any]) -> dict[str, Any]:
    """Return the adapter of every provider in an environment, from `built_in` or from an installed package.

    Raises InvalidManifests when settings do not fit an adapter that is not built in; NhictlError when one is broken.
    """
    wanted = sorted({target.provider for target in environment.targets})
    found = {name: built_in(name) if name in BUILT_IN else _load(name) for name in wanted}
    others = [target for target in environment.targets if target.provider not in BUILT_IN]
    wrong = [one for target in others for one in _misfits(target, found[target.provider].settings_schema)]
    if wrong:
        raise InvalidManifests(tuple(wrong))
    return found


def _load(name: str) -> Any:
    """Return the adapter of an installed package. Raises NhictlError when there is none, or it cannot be loaded."""
    point = next((p for p in _points() if p.name == name), None)
    if point is None:
        raise NhictlError(f"no adapter for provider {name} is installed", exit_code=Exit.INVALID)
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        text = f"the adapter for provider {name} cannot be loaded ({type(error).__name__})"
        raise NhictlError(text, hint=f"its package is broken: it promises {point.value}") from error


def _misfits(target: Target, schema: Mapping[str, Any]) -> list[Diagnostic]:
    """Return what an adapter's schema says against a target's settings, at the target. Raises NhictlError."""
    from jsonschema import SchemaError

    from nhictl.manifest.schema_errors import explain_errors
    from nhictl.manifest.schema_files import explaining

    at = target.place.span() if target.place is not None else None
    places: dict[Path, tuple[int, int, int]] = {(): (at.line, at.column, at.width)} if at else {}
    document = Document("Workspace", target.name, target.settings, at.file if at else "", places)
    try:
        errors = list(explaining(dict(schema)).iter_errors(dict(target.settings)))
    except SchemaError as error:
        text = f"the settings schema of the adapter for {target.provider} is no JSON Schema"
        raise NhictlError(text, hint="its package is broken") from error
    return explain_errors(document, errors, skip=frozenset())
