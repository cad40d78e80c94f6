"""What one reading of a Vault knows, and the mounts in it.

Rules enforced here:
- listings of mounts are read once; a configuration is a call, made for what is in scope;
- what goes wrong with the shape of a reply is an error of the provider, and no text of the reply goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nhictl.model import Address, Fault, ProviderError, Resource, Value
from nhictl.providers.base import Scope
from nhictl.providers.vault import convert, names
from nhictl.providers.vault.calls import Calls, parallel
from nhictl.providers.vault.names import DATABASE, LOGIN, MOUNT


@dataclass(slots=True)
class Reading:
    """One reading of one Vault. `auth` and `mounts` are by path without slash, `groups` by id."""

    calls: Calls
    target: str
    scope: Scope = field(default_factory=Scope)
    detailed: bool = False
    aliases: Mapping[tuple[str, str], str] | None = None
    _auth: Mapping[str, Any] | None = None
    _mounts: Mapping[str, Any] | None = None
    groups: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def auth(self) -> Mapping[str, Any]:
        """The auth mounts."""
        if self._auth is None:
            self._auth = self._listed("sys/auth")
        return self._auth

    @property
    def mounts(self) -> Mapping[str, Any]:
        """The secrets mounts."""
        if self._mounts is None:
            self._mounts = self._listed("sys/mounts")
        return self._mounts

    def _listed(self, path: str) -> Mapping[str, Any]:
        found = self.calls.get(path) or {}
        return {names.mount_path(p): data for p, data in found.items() if isinstance(data, Mapping)}

    def wanted(self, address: Address) -> bool:
        """True when the object at an address is read by itself."""
        return self.scope.details or not self.scope.kinds or address in self.scope.addresses

    def at(self, kind: str, name: str) -> Address:
        """Return an address in the target."""
        return Address(self.target, kind, name)

    def group(self, identifier: str) -> Mapping[str, Any]:
        """Return a group by its id, read once; empty when it is gone."""
        if identifier not in self.groups:
            self.groups[identifier] = self.calls.get(f"identity/group/id/{identifier}") or {}
        return self.groups[identifier]

    def group_addresses(self, identifiers: Any) -> list[Address]:
        """Return the addresses of groups by id."""
        found = [self.group(str(i)) for i in identifiers or ()]
        return [convert.group_address(self.target, data) for data in found if data]


def auth_mounts(reading: Reading, logins: list[Resource]) -> Iterator[Resource]:
    """Yield every auth mount, with the auth roles below it that nobody declares or manages."""
    below: dict[str, dict[str, Value]] = {}
    for role in logins:
        if role.address not in reading.scope.addresses:
            below.setdefault(names.split(role.address.name)[0], {})[f"{LOGIN}/{role.address.name}"] = ""
    for path, data in sorted(reading.auth.items()):
        address = reading.at(MOUNT, path)
        with understood(address):
            resource = (
                auth_mount(reading, address, data)
                if reading.wanted(address)
                else convert.mount(reading.target, path, data)
            )
        yield convert.with_facts(resource, holders=below.get(path, {}))


def auth_mount(reading: Reading, address: Address, data: Mapping[str, Any]) -> Resource:
    """Return an auth mount with its configuration."""
    resource = convert.mount(reading.target, address.name, data)
    method = names.method_of(str(data.get("type")))
    if not method:
        return resource
    found = (reading.calls.get(f"auth/{address.name}/config") or {}) if method != "approle" else {}
    said = {**resource.attributes, "config": convert.config(method, found)}
    secret = convert.keeps_secret(method, found, ours=resource.mark is not None)
    return replace(resource, attributes=said, facts={**resource.facts, "keeps_secret": secret})


def engines(reading: Reading) -> Mapping[str, Any]:
    """Return the database mounts."""
    return {path: data for path, data in reading.mounts.items() if data.get("type") == "database"}


def databases(reading: Reading) -> Iterator[Resource]:
    """Yield every database mount and what is configured in it."""
    for path, data in sorted(engines(reading).items()):
        with understood(path):
            yield convert.mount(reading.target, path, data, secrets=True)
        keys, _ = reading.calls.keys(f"{path}/config")
        addresses = [reading.at(DATABASE, names.below(path, key)) for key in keys]
        wanted = [a for a in addresses if reading.wanted(a)]
        yield from (convert.listed(a) for a in addresses if a not in set(wanted))
        yield from (r for r in parallel(partial(database, reading), wanted) if r is not None)


def database(reading: Reading, address: Address) -> Resource | None:
    """Return one configuration of a database, None when there is none."""
    mount, name = names.split(address.name)
    at = engines(reading).get(mount)
    data = reading.calls.get(f"{mount}/config/{name}") if at else None
    if at is None or data is None:
        return None
    with understood(address):
        return convert.database(address, data, at)


@contextmanager
def understood(what: object) -> Iterator[None]:
    """Turn what goes wrong with the shape of a reply into a ProviderError; no text of the reply goes on."""
    try:
        yield
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        why = f"no {error.args[0]}" if isinstance(error, KeyError) else type(error).__name__
        raise ProviderError(Fault.INVALID, f"unexpected reply about {what}: {why}", code="UnexpectedReply") from None
