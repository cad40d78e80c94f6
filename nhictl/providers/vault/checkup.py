"""What this token may do, as Vault says itself (`sys/capabilities-self`).

Rules enforced here:
- paths are asked for as they would be called: a declared object's own, one per kind where none is declared;
- `root` and `sudo` include everything they include for Vault; what cannot be asked is unknown, never missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from nhictl.model import ProviderError, Resource
from nhictl.providers.base import Checkup
from nhictl.providers.vault import names
from nhictl.providers.vault.names import DATABASE, ENGINE, LOGIN, MOUNT
from nhictl.providers.vault.needs import needs

if TYPE_CHECKING:
    from nhictl.providers.vault.session import VaultSession

_ANY = "nhictl-checkup"
_OPTIONAL = frozenset({"sys/policies/detailed/acl", "sys/capabilities-self"})


def checkup(session: VaultSession, declared: Iterable[Resource]) -> Checkup:
    """Return who the session is and what it lacks. Raises ProviderError when it is nobody."""
    said = f"{session.method}: {session.identity().principal}"
    resources = list(declared)
    plan, apply = needs({r.address.kind for r in resources})
    mounts = sorted(_mounts(resources, (LOGIN, MOUNT))) or ["approle"]
    engines = sorted(_mounts(resources, (ENGINE, DATABASE))) or ["database"]
    asked = {path: _called(path, mounts, engines) for path in sorted({*plan, *apply} - _OPTIONAL)}
    try:
        every = sorted({one for paths in asked.values() for one in paths})
        may = session.calls.ask("sys/capabilities-self", {"paths": every}) or {}
    except ProviderError as error:
        return Checkup(said, unknown=f"{error.message}; allow update on sys/capabilities-self to have it checked")
    missing = [_lacking(wanted, asked, may) for wanted in (plan, apply)]
    return Checkup(said, missing[0], tuple(sorted(set(missing[1]) - set(missing[0]))))


def _mounts(resources: Iterable[Resource], kinds: tuple[str, str]) -> Iterable[str]:
    below, whole = (LOGIN, DATABASE), (MOUNT, ENGINE)
    for resource in resources:
        kind, name = resource.address.kind, resource.address.name
        if kind in kinds and kind in below:
            yield names.split(name)[0]
        elif kind in kinds and kind in whole:
            yield name


def _called(path: str, mounts: list[str], engines: list[str]) -> list[str]:
    """Return the paths that a pattern of the needs means for some mounts."""
    if path.startswith("auth/+/"):
        return sorted({path.replace("+", mount, 1).replace("+", _ANY) for mount in mounts})
    if path.startswith("+/"):
        return sorted({path.replace("+", engine, 1).replace("+", _ANY) for engine in engines})
    return [path.replace("*", _ANY)]


def _lacking(
    wanted: Mapping[str, tuple[str, ...]], asked: Mapping[str, list[str]], may: Mapping[str, object]
) -> tuple[str, ...]:
    found: set[str] = set()
    for path, capabilities in wanted.items():
        for one in asked.get(path, ()):
            has = may.get(one)
            granted = set(has) if isinstance(has, list) else set()
            if "root" not in granted:
                found |= {f"{c} {one}" for c in capabilities if c not in granted}
    return tuple(sorted(found))
