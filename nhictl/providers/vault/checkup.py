"""What this token may do, as Vault says itself (`sys/capabilities-self`).

Rules enforced here:
- paths are asked for as they would be called: a declared object's own, one per kind where none is declared;
- what only AppRoles have (role_id, secret-ids) is asked for no mount of another method;
- `root` and `sudo` include everything they include for Vault; what cannot be asked is unknown, never missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from nhictl.model import ProviderError, Resource
from nhictl.providers.base import Checkup
from nhictl.providers.vault import names
from nhictl.providers.vault.names import DATABASE, ENGINE, LOGIN, MOUNT
from nhictl.providers.vault.needs import Where, needs

if TYPE_CHECKING:
    from nhictl.providers.vault.session import VaultSession

_ANY = "nhictl-checkup"
_OPTIONAL = frozenset({"sys/policies/detailed/acl", "sys/capabilities-self"})


def checkup(session: VaultSession, declared: Iterable[Resource]) -> Checkup:
    """Return who the session is and what it lacks. Raises ProviderError when it is nobody."""
    said = f"{session.method}: {session.identity().principal}"
    resources = list(declared)
    mounts = sorted({*_mounts(resources, (LOGIN, MOUNT))}) or ["approle"]
    engines = sorted({*_mounts(resources, (ENGINE, DATABASE))}) or ["database"]
    approles = [m for m in mounts if m not in _others(resources)]
    plan, apply = needs(Where({r.address.kind for r in resources}, mounts, approles, engines))
    asked = {path: path.replace("+", _ANY).replace("*", _ANY) for path in sorted({*plan, *apply} - _OPTIONAL)}
    try:
        may = session.calls.ask("sys/capabilities-self", {"paths": sorted(asked.values())}) or {}
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


def _others(resources: Collection[Resource]) -> set[str]:
    """Return the auth mounts that are known to have no AppRoles."""
    roles = {names.split(r.address.name)[0]: r.attributes.get("method") for r in resources if r.address.kind == LOGIN}
    mounts = {r.address.name: r.attributes.get("type") for r in resources if r.address.kind == MOUNT}
    return {mount for mount, method in {**roles, **mounts}.items() if method != "approle"}


def _lacking(
    wanted: Mapping[str, tuple[str, ...]], asked: Mapping[str, str], may: Mapping[str, object]
) -> tuple[str, ...]:
    found: set[str] = set()
    for path, capabilities in wanted.items():
        has = may.get(asked.get(path, ""))
        granted = set(has) if isinstance(has, list) else set()
        if path in asked and "root" not in granted:
            found |= {f"{c} {path}" for c in capabilities if c not in granted}
    return tuple(sorted(found))
