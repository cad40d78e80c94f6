"""The checks of `doctor` that need no environment: configuration, variables, manifests, cache, versions.

Rules enforced here:
- a check that fails is a result, never the end of the others;
- of variables only names are shown, and values only of nhictl's own options.
"""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhictl import __version__
from nhictl.model import Exit, InvalidManifests, NhictlError, Severity
from nhictl.render.doctor import Check
from nhictl.render.text import count

if TYPE_CHECKING:
    from nhictl.kinds.workspace import Workspace

_SOURCES = {"COMMANDLINE": "option", "ENVIRONMENT": "variable", "DEFAULT": "default"}
_NEEDED = (
    "typer", "click", "pyyaml", "jsonschema", "jsonschema-rs", "deepdiff", "rich", "boto3", "botocore",
    "hvac", "python-keycloak", "psycopg",
)  # fmt: skip
_OTHER_VARIABLES = frozenset({"NHICTL_LEDGER_KEY", "NHICTL_LEDGER_ROOT", "NHICTL_CACHE", "NHICTL_FAILPOINT"})
_SET = _OTHER_VARIABLES | {"NHICTL_KEY"}


def guarded(area: str, name: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield what `look` finds, and its failure as a finding."""
    try:
        yield from look()
    except InvalidManifests as error:
        first = error.diagnostics[0] if error.diagnostics else None
        text = f"{first.code} {first.summary}" if first else error.message
        where = f"{first.span.file}:{first.span.line}: " if first and first.span else ""
        more = f" and {len(error.diagnostics) - 1} more" if len(error.diagnostics) > 1 else ""
        yield Check(area, name, "error", f"{where}{text}{more}", "nhictl validate")
    except NhictlError as error:
        yield Check(area, name, "auth" if error.exit is Exit.AUTH else "error", error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - one broken part must not hide the others
        yield Check(area, name, "error", f"nhictl itself failed ({type(error).__name__}); this is a defect")


def configuration(chdir: Path, env: str, sources: Mapping[str, str]) -> Iterator[Check]:
    """Yield the workspace, its settings with their sources, and what the environment of the process sets."""
    area = "Configuration"
    yield from guarded(area, "workspace", lambda: _workspace(area, chdir, sources))
    if env or sources.get("env") == "ENVIRONMENT":
        yield Check(area, "environment", "ok", env, source=_said(sources.get("env"), "NHICTL_ENV"))
    yield from guarded(area, "variables", lambda: _variables(area))


def _said(source: str | None, variable: str) -> str:
    word = _SOURCES.get(source or "DEFAULT", "default")
    return f"variable {variable}" if word == "variable" else word


def _workspace(area: str, chdir: Path, sources: Mapping[str, str]) -> Iterator[Check]:
    from nhictl.cli.context import configured
    from nhictl.manifest.workspace import FILE, find

    root = find(chdir)
    source = sources.get("chdir")
    how = _said(source, "NHICTL_CHDIR") if source in ("COMMANDLINE", "ENVIRONMENT") else "found from here upward"
    yield Check(area, "file", "ok", str(root / FILE), source=how)
    workspace = configured(chdir)
    yield Check(area, "workspace", "ok", workspace.name, source=FILE)
    spec: Mapping[str, Any] = workspace.document.value["spec"]
    for name, value in _settings(workspace):
        given = name.removeprefix("limits.") in (spec.get("limits") or {}) if "." in name else name in spec
        yield Check(area, name, "ok", value, source=FILE if given else "default")


def _settings(workspace: Workspace) -> Iterator[tuple[str, str]]:
    yield "manifests", ", ".join(workspace.manifests)
    yield "ledger", workspace.ledger
    yield "environments", ", ".join(workspace.environments)
    limits = workspace.limits
    yield "limits.deletePercent", str(limits.delete_percent)
    yield "limits.deleteMax", str(limits.delete_max)
    yield "limits.revokePercent", str(limits.revoke_percent)
    yield "limits.revokeMax", str(limits.revoke_max)
    yield "planExpiry", f"{workspace.plan_expiry // 3600}h" if workspace.plan_expiry >= 3600 else "under an hour"


def _variables(area: str) -> Iterator[Check]:
    import difflib

    from nhictl.cli.app import option_variables

    known = option_variables()
    for name in sorted(n for n in os.environ if n.startswith("NHICTL_")):
        if name in known or name in _SET:
            yield Check(area, name, "ok", "set" if name in _SET else os.environ[name], source="variable")
        else:
            near = difflib.get_close_matches(name, [*known, *_OTHER_VARIABLES], n=1)
            hint = f"did you mean {near[0]}?" if near else ""
            yield Check(area, name, "warning", "no option has this variable", hint)
    if os.environ.get("CI"):
        yield Check(area, "CI", "note", "set: nhictl never asks here", source="variable")


def manifests(chdir: Path) -> Iterator[Check]:
    """Yield whether the manifests validate."""

    def look() -> Iterator[Check]:
        from nhictl.cli.context import checked_workspace

        found = checked_workspace(chdir).diagnostics
        errors = sum(d.severity is Severity.ERROR for d in found)
        warnings = len(found) - errors
        if errors:
            yield Check("Configuration", "objects", "error", count(errors, "error"), "nhictl validate")
        elif warnings:
            yield Check("Configuration", "objects", "warning", count(warnings, "warning"), "nhictl validate")
        else:
            yield Check("Configuration", "objects", "ok", "every manifest validates")

    return guarded("Configuration", "objects", look)


def cache() -> Iterator[Check]:
    """Yield where the cache of checked manifests is, and whether it can be used."""

    def look() -> Iterator[Check]:
        from nhictl.manifest.cache import default_directory

        where = default_directory(os.environ)
        how = "variable XDG_CACHE_HOME" if os.environ.get("XDG_CACHE_HOME", "").startswith("/") else "default"
        yield _cache(where, how)

    return guarded("This machine", "cache", look)


def _cache(where: Path, how: str) -> Check:
    area, name = "This machine", "cache"
    try:
        facts = where.lstat()
    except FileNotFoundError:
        return Check(area, name, "note", f"{where}, made at first use", source=how)
    except OSError as error:
        return Check(area, name, "warning", f"{where}: {error.strerror}: not used", source=how)
    if not stat.S_ISDIR(facts.st_mode):
        return Check(area, name, "warning", f"{where} is no directory: not used", source=how)
    if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077:
        return Check(area, name, "warning", f"{where} is not private: not used", f"chmod 700 {where}", how)
    return Check(area, name, "ok", str(where), source=how)


def versions() -> list[Check]:
    """Return what nhictl runs on."""
    from importlib.metadata import PackageNotFoundError, version

    area = "This machine"
    python = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    found = [Check(area, "nhictl", "ok", __version__), Check(area, "python", "ok", python)]
    present, missing = [], []
    for name in _NEEDED:
        try:
            present.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    found.append(Check(area, "packages", "ok", ", ".join(present)))
    if missing:
        found.append(Check(area, "packages", "error", f"missing: {', '.join(missing)}", "install nhictl again"))
    return found
