"""Reading a realm: pages of everything, and details only of what is asked for.

Rules enforced here:
- clients, realm roles, client scopes and identity providers are read whole, with their marks, page by page;
- what costs a call each (roles of a client, roles and groups of a service account, roles inside a role, mappers of
  an identity provider) is read for the addresses of a scope, for what they reach, and with `details` for all;
- no plan is about applications: whoever asks for one asks for the roles of every client (an import does);
- calls for single objects run in a few threads; the result does not depend on their order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from nhictl.model import Address, Resource
from nhictl.providers.base import Scope
from nhictl.providers.keycloak import convert, names, proofs
from nhictl.providers.keycloak.names import CLIENT, CLIENT_ROLE, IDP, REALM_ROLE, SCOPE
from nhictl.providers.keycloak.wire import Calls, segment

_THREADS = 6
_ACCOUNT = "service-account-"
_FULL = {"briefRepresentation": "false"}
T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Reading:
    """One read in progress. `clients` are representations by id, `accounts` service accounts by their user name."""

    calls: Calls
    target: str
    scope: Scope
    clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    inside: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def named(self) -> dict[str, str]:
        """Return the client id of each client by its id."""
        return {key: data["clientId"] for key, data in self.clients.items()}

    def wants(self, address: Address) -> bool:
        """True when the details of an object are owed."""
        return self.scope.details or address in self.scope.addresses


def everything(calls: Calls, target: str, scope: Scope) -> Iterator[Resource]:
    """Yield every live object in scope. Raises ProviderError rather than yield a part."""
    work = Reading(calls, target, scope)
    kinds = scope.kinds or frozenset(names.KINDS)
    work.clients = {c["id"]: c for c in calls.pages("/clients", "id")}
    found: list[Resource] = []
    if kinds & {CLIENT, names.APPLICATION, REALM_ROLE, CLIENT_ROLE}:
        clients = _clients(work)
        _roles(work, clients)
        found += clients
        found += _role_resources(work, clients)
    if SCOPE in kinds:
        found += _scopes(work, found)
    if IDP in kinds:
        found += _providers(work)
    yield from (r for r in sorted(found, key=lambda r: r.address) if r.address.kind in kinds)


def _parallel(call: Callable[[T], R], items: Iterable[T]) -> list[R]:
    listed = list(items)
    if len(listed) < 2:
        return [call(item) for item in listed]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(call, listed))


# Clients


def _clients(work: Reading) -> list[Resource]:
    found = [
        client_resource(work.target, work.calls.realm, data, work.scope.addresses) for data in work.clients.values()
    ]
    owed = [r for r in found if r.address.kind == CLIENT and r.attributes["service_account"] and work.wants(r.address)]
    if len(owed) > 2:
        work.accounts = {
            u["username"]: u
            for u in work.calls.pages("/users", "id", username=_ACCOUNT)
            if u["username"].startswith(_ACCOUNT)
        }
    grouped = bool(owed) and int(work.calls.get("/groups/count")["count"]) > 0
    known = {r.address: r for r in found}
    for resource in _parallel(lambda r: granted(work, r, grouped=grouped), owed):
        known[resource.address] = resource
    return list(known.values())


def client_resource(target: str, realm: str, data: Mapping[str, Any], asked: Collection[Address]) -> Resource:
    """Return a client as what it is: an identity when it has a service account, our mark, or is asked for."""
    address = convert.client_address(target, data, identity=True)
    builtin = names.builtin_client(data["clientId"], realm)
    if convert.is_identity(data) or address in asked:
        now = dt.datetime.now(dt.UTC)
        return convert.client(address, data, {"builtin": builtin} if builtin else {}, now=now)
    return convert.application(convert.client_address(target, data, identity=False), data, builtin)


def granted(work: Reading, resource: Resource, *, grouped: bool) -> Resource:
    """Return a client with the roles and groups of its service account."""
    account = _account(work, resource)
    path = f"/users/{segment(account['id'])}"
    mappings = work.calls.get(f"{path}/role-mappings")
    texts = set(roles_in(mappings))
    own = names.role_text(CLIENT_ROLE, names.role_name(resource.address.name, names.OWN_CLIENT_ROLE))
    everybodys = names.role_text(REALM_ROLE, names.default_role(work.calls.realm))
    depends = {*resource.depends_on, *(names.role_address(work.target, text) for text in texts - {own})}
    texts -= {everybodys, own}
    groups = [g["path"] for g in work.calls.pages(f"{path}/groups", "id")] if grouped else []
    attributes = {**resource.attributes, "roles": tuple(sorted(texts)), "groups": tuple(sorted(groups))}
    facts = dict(resource.facts)
    if isinstance(account.get("createdTimestamp"), int):
        facts["created"] = proofs.moment(account["createdTimestamp"] // 1000)
    return replace(resource, attributes=attributes, depends_on=tuple(sorted(depends)), facts=facts)


def _account(work: Reading, resource: Resource) -> dict[str, Any]:
    listed = work.accounts.get(_ACCOUNT + resource.address.name.lower())
    found = listed or work.calls.get(f"/clients/{segment(resource.native_id)}/service-account-user")
    return dict(found)


def roles_in(mappings: Mapping[str, Any]) -> list[str]:
    """Return the roles of a reply about role mappings."""
    found = [names.role_text(REALM_ROLE, r["name"]) for r in mappings.get("realmMappings") or ()]
    for client, part in (mappings.get("clientMappings") or {}).items():
        found += [
            names.role_text(CLIENT_ROLE, names.role_name(part.get("client", client), r["name"]))
            for r in part["mappings"]
        ]
    return found


# Roles


def _roles(work: Reading, clients: Iterable[Resource]) -> None:
    """Fill in the realm's roles, the roles of the clients that are asked about, and what is inside of those."""
    for data in work.calls.pages("/roles", "id", **_FULL):
        work.roles[names.role_text(REALM_ROLE, data["name"])] = data
    everybodys = names.role_address(work.target, names.role_text(REALM_ROLE, names.default_role(work.calls.realm)))
    held = {str(t) for c in clients for t in c.attributes.get("roles") or ()}  # type: ignore[union-attr]
    held |= {names.role_text(*everybodys[1:]) for c in clients if everybodys in c.depends_on}
    containers = {names.split_role(a.name)[0] for a in work.scope.addresses if a.kind == CLIENT_ROLE}
    whole = work.scope.details or any(a.kind == names.APPLICATION for a in work.scope.addresses)
    _read_containers(work, set(work.named().values()) if whole else containers)
    asked = {
        text for text in work.roles
        if whole or work.wants(names.role_address(work.target, text)) or text in held
    }  # fmt: skip
    _read_inside(work, asked | held)


def _read_containers(work: Reading, clients: Collection[str]) -> None:
    ids = {data["clientId"]: key for key, data in work.clients.items()}
    wanted = sorted(ids[name] for name in clients if name in ids)

    def ask(client: str) -> list[dict[str, Any]]:
        return list(work.calls.pages(f"/clients/{segment(client)}/roles", "id", **_FULL))

    for client, listed in zip(wanted, _parallel(ask, wanted), strict=True):
        for data in listed:
            name = names.role_name(work.clients[client]["clientId"], data["name"])
            work.roles[names.role_text(CLIENT_ROLE, name)] = data


def _read_inside(work: Reading, texts: Collection[str]) -> None:
    """Read what is inside of composite roles, and of those inside of them."""
    queue = sorted(texts)
    while queue:
        asked = [t for t in queue if t in work.roles and work.roles[t].get("composite") and t not in work.inside]
        work.inside |= {t: () for t in queue if t in work.roles and not work.roles[t].get("composite")}
        found = _parallel(lambda t: inside(work.calls, work.roles[t]["id"]), asked)
        queue = []
        for text, listed in zip(asked, found, strict=True):
            named = {names.role_of(data, work.named()): data for data in listed}
            work.inside[text] = tuple(sorted(named))
            # What is inside of a role says no attributes: a client role that no listing gave stays out of the result.
            queue += [t for t in named if t in work.roles and t not in work.inside]


def inside(calls: Calls, role_id: str) -> list[dict[str, Any]]:
    """Return the roles directly inside of a role."""
    return list(calls.get(f"/roles-by-id/{segment(role_id)}/composites"))


def _role_resources(work: Reading, clients: Iterable[Resource]) -> Iterator[Resource]:
    holders: dict[str, dict[str, str]] = {}
    for client in clients:
        for text in client.attributes.get("roles") or ():  # type: ignore[union-attr]
            owner = client.mark.owner if client.mark else ""
            holders.setdefault(str(text), {})[f"{CLIENT}/{client.address.name}"] = owner
    for text, data in work.roles.items():
        found = role_resource(work, text, data)
        if text in holders:
            found = replace(found, facts={**found.facts, "holders": dict(sorted(holders[text].items()))})
        yield found


def role_resource(work: Reading, text: str, data: Mapping[str, Any]) -> Resource:
    """Return a role that was read."""
    builtin = names.builtin_role(text, work.calls.realm)
    return convert.role(names.role_address(work.target, text), data, work.inside.get(text), builtin)


# Client scopes and identity providers


def _scopes(work: Reading, known: Iterable[Resource]) -> Iterator[Resource]:
    holders: dict[str, dict[str, str]] = {}
    for data in work.clients.values():
        mark = names.marked(data.get("attributes") or {})
        for name in (*(data.get("defaultClientScopes") or ()), *(data.get("optionalClientScopes") or ())):
            holders.setdefault(name, {})[f"{CLIENT}/{data['clientId']}"] = mark.owner if mark else ""
    for data in work.calls.get("/client-scopes"):
        found = convert.scope(Address(work.target, SCOPE, data["name"]), data)
        held = holders.get(data["name"])
        if held and "builtin" not in found.facts:
            found = replace(found, facts={**found.facts, "holders": dict(sorted(held.items()))})
        yield found


def _providers(work: Reading) -> list[Resource]:
    listed = list(work.calls.pages("/identity-provider/instances", "alias", **_FULL))
    return _parallel(lambda data: provider_resource(work, data), listed)


def provider_resource(work: Reading, data: Mapping[str, Any]) -> Resource:
    """Return an identity provider, with its mappers when they are asked for."""
    address = Address(work.target, IDP, data["alias"])
    path = f"/identity-provider/instances/{segment(data['alias'])}/mappers"
    return convert.identity_provider(address, data, work.calls.get(path) if work.wants(address) else None)
