"""Clients with service accounts: create, update, disable, delete.

Rules enforced here:
- an update sends the client id and the fields that change, nothing else: what a request does not name stays, but for
  `authorizationServicesEnabled`, which its absence turns off and which is therefore sent as it is;
- `secret` is never sent: whatever stands there is taken literally, also the mask that some readers get;
- scopes, mappers, roles and groups have calls of their own: in the body they are ignored, or replaced as a whole;
- a scope that changes its position is taken away first: adding it a second time changes nothing;
- while a rotated secret still works nothing is sent that could end it, except to disable the client.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nhictl.model import Action, Address, Change, Fault, Operation, ProviderError, Resource
from nhictl.providers.base import Scope
from nhictl.providers.keycloak import convert, names, proofs, reading, single
from nhictl.providers.keycloak.names import CLIENT_ROLE, DEFAULT, OPTIONAL
from nhictl.providers.keycloak.steps import (
    Steps,
    labels,
    mark_fields,
    protocol_mapper,
    set_mappers,
    verified,
    wanted,
)
from nhictl.providers.keycloak.wire import Calls, segment

_LIFESPAN = "access.token.lifespan"


def create(steps: Steps, change: Change, operation: Operation) -> None:
    """Create the client with its mark, scopes and mappers in one call, then give its service account the roles."""
    attributes = wanted(change)
    fields, flow_attributes = convert.flow_fields(attributes["flows"])
    declared, _ = labels(change, attributes)
    kept = {**proofs.proof_attributes(attributes["auth"], attributes.get("proof") or {}), **declared}
    kept |= {key: value for key, value in flow_attributes.items() if value == "true"}
    kept |= names.mark(operation, change.subject) | _lifespan(attributes)
    body = {
        "clientId": change.address.name,
        "protocol": attributes["protocol"],
        "enabled": attributes["enabled"],
        "description": attributes["description"],
        "serviceAccountsEnabled": attributes["service_account"],
        "publicClient": False,
        "bearerOnly": False,
        "clientAuthenticatorType": authenticator(attributes["auth"]),
        "attributes": {key: value for key, value in kept.items() if value != ""},
        "protocolMappers": [protocol_mapper(*item) for item in attributes["mappers"].items()],
        **fields,
        **_all_scopes(steps.calls, attributes["scopes"]),
    }
    roles = found_roles(steps.calls, attributes["roles"])
    steps.native_id = steps.do("POST", "/clients", body).made
    if attributes["service_account"]:
        _set_roles(steps, {}, roles)


def authenticator(method: str) -> str:
    """Return Keycloak's name of a way to authenticate."""
    return proofs.AUTHENTICATORS.get(method, method)


def _lifespan(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {_LIFESPAN: str(attributes["token_lifespan"] or "")}


def _all_scopes(calls: Calls, declared: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the scopes of a new client: those Keycloak gives everyone here, and the declared ones."""
    known = {s["name"] for s in calls.get("/client-scopes")}
    _exist(declared, known)
    found = {}
    for position, key in ((DEFAULT, "defaultClientScopes"), (OPTIONAL, "optionalClientScopes")):
        usual = {s["name"] for s in calls.get(f"/default-{position}-client-scopes")}
        own = {name for name, where in declared.items() if where == position}
        others = set(declared) - own
        found[key] = sorted(own | ({n for n in usual if names.baseline_scope(n, position)} - others))
    return found


def _exist(declared: Iterable[str], known: Collection[str]) -> None:
    if missing := sorted(set(declared) - set(known)):
        raise ProviderError(
            Fault.INVALID, f"there is no client scope {', '.join(missing)} in the realm", code="NoSuchScope",
            hint="declare it with a Role's `scope` block, or make it in Keycloak",
        )  # fmt: skip


def found_roles(calls: Calls, texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the representations of roles. Raises ProviderError for one that does not exist."""
    found = {text: single.find_role(calls, text) for text in texts}
    if missing := sorted(text for text, role in found.items() if role is None):
        raise ProviderError(
            Fault.INVALID, f"there is no role {', '.join(missing)} in the realm", code="NoSuchRole",
            hint="declare it with a Role, or make it in Keycloak",
        )  # fmt: skip
    return {text: role for text, role in found.items() if role is not None}


def _check(steps: Steps, change: Change) -> Mapping[str, Any]:
    calls = steps.calls
    return verified(
        change,
        lambda: calls.found(f"/clients/{segment(change.native_id)}"),
        lambda: single.find_client(calls, change.address.name),
    )


def _live(steps: Steps, change: Change, data: Mapping[str, Any]) -> Resource:
    work = reading.Reading(steps.calls, change.address.target, Scope())
    found = convert.client(Address(change.address.target, names.CLIENT, data["clientId"]), data)
    if not found.attributes["service_account"]:
        return found
    return reading.granted(work, found, grouped="groups" in wanted(change))


def update(steps: Steps, change: Change, operation: Operation) -> None:
    """Bring the client to what the change says, from what it is now."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    after = wanted(change)
    body = _body(change, operation, data, after)
    if body:
        if proofs.rotating(data) and change.action is not Action.DISABLE:
            raise ProviderError(
                Fault.CONFLICT, f"{change.address}: a rotated secret still works, and an update would end it",
                code="Rotating", hint="apply again once the old secret has expired",
            )  # fmt: skip
        _put(steps, change, data, body)
    if change.action is not Action.DISABLE:
        _parts(steps, change, data, after)


def _put(steps: Steps, change: Change, data: Mapping[str, Any], body: dict[str, Any]) -> None:
    if data.get("authorizationServicesEnabled"):
        body["authorizationServicesEnabled"] = True
    name = change.address.name if change.action is not Action.DISABLE else data["clientId"]
    steps.do("PUT", f"/clients/{segment(data['id'])}", {"clientId": name, **body})


def _body(change: Change, operation: Operation, data: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an update that differ from what is live."""
    fields: dict[str, Any] = {}
    kept: dict[str, str] = dict(mark_fields(change, operation))
    if change.action is not Action.DISABLE and data["clientId"] != change.address.name:
        fields["clientId"] = change.address.name
    simple = {"enabled": "enabled", "description": "description", "service_account": "serviceAccountsEnabled"}
    fields |= {
        key: after[name] for name, key in simple.items() if name in after and (data.get(key) or "") != after[name]
    }
    if "auth" in after and proofs.auth_of(data) != after["auth"]:
        fields |= {"clientAuthenticatorType": authenticator(after["auth"]), "publicClient": False, "bearerOnly": False}
    if "flows" in after and convert.flows_of(data) != after["flows"]:
        flows, attributes = convert.flow_fields(after["flows"])
        fields |= flows
        kept |= attributes
    if "proof" in after:
        kept |= proofs.proof_attributes(after["auth"], after["proof"])
    there = data.get("attributes") or {}
    if "token_lifespan" in after and convert.lifespan_of(there) != after["token_lifespan"]:
        kept |= _lifespan(after)
    declared, gone = labels(change, after)
    kept |= {**declared, **dict.fromkeys(gone, "")}
    changed = {
        key: value for key, value in kept.items() if (there.get(key) or "") != value and not _off(key, value, there)
    }
    return fields | ({"attributes": changed} if changed else {})


def _off(key: str, value: str, there: Mapping[str, Any]) -> bool:
    """True for a switch that is off already because nobody ever set it."""
    return value == "false" and key not in there and key not in proofs.ON_UNLESS_SAID


def _parts(steps: Steps, change: Change, data: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    path = f"/clients/{segment(data['id'])}"
    if "scopes" in after:
        _set_scopes(steps, path, data, after["scopes"])
    if "mappers" in after:
        set_mappers(steps, f"{path}/protocol-mappers/models", data.get("protocolMappers") or (), after["mappers"])
    if not after.get("service_account", True) or not {"roles", "groups"} & set(after):
        return
    live = _live(steps, change, {**data, "serviceAccountsEnabled": True})
    there: Any = live.attributes
    if "roles" in after:
        add, drop = set(after["roles"]) - set(there["roles"]), set(there["roles"]) - set(after["roles"])
        _set_roles(steps, found_roles(steps.calls, sorted(drop)), found_roles(steps.calls, sorted(add)))
    for group in sorted(set(there["groups"]) - set(after.get("groups", there["groups"]))):
        _leave(steps, group)


def _set_scopes(steps: Steps, path: str, data: Mapping[str, Any], declared: Mapping[str, str]) -> None:
    live = convert.scopes_of(data)
    if live == declared:
        return
    known = {s["name"]: s["id"] for s in steps.calls.get("/client-scopes")}
    _exist(declared, known)
    everywhere = dict.fromkeys(data.get("defaultClientScopes") or (), DEFAULT)
    everywhere = dict.fromkeys(data.get("optionalClientScopes") or (), OPTIONAL) | everywhere
    for name, position in sorted(live.items()):
        if name not in declared and name in known:
            steps.do("DELETE", f"{path}/{position}-client-scopes/{segment(known[name])}", absent_ok=True)
    for name, position in sorted(declared.items()):
        was = everywhere.get(name)
        if was is not None and was != position:
            steps.do("DELETE", f"{path}/{was}-client-scopes/{segment(known[name])}", absent_ok=True)
        if was != position:
            steps.do("PUT", f"{path}/{position}-client-scopes/{segment(known[name])}")


def _set_roles(steps: Steps, drop: Mapping[str, Any], add: Mapping[str, Any]) -> None:
    """Give roles to the service account, then take roles away: one call for the realm and one for each client."""
    if not drop and not add:
        return
    user = steps.calls.get(f"/clients/{segment(steps.native_id)}/service-account-user")
    path = f"/users/{segment(user['id'])}/role-mappings"
    for method, roles in (("POST", add), ("DELETE", drop)):
        for where, listed in sorted(_by_container(roles).items()):
            steps.do(method, f"{path}{where}", listed, absent_ok=method == "DELETE")


def _by_container(roles: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for text, role in sorted(roles.items()):
        where = f"/clients/{segment(role['containerId'])}" if text.startswith(CLIENT_ROLE) else "/realm"
        found.setdefault(where, []).append({"id": role["id"], "name": role["name"]})
    return found


def _leave(steps: Steps, group: str) -> None:
    user = steps.calls.get(f"/clients/{segment(steps.native_id)}/service-account-user")
    for found in list(steps.calls.pages(f"/users/{segment(user['id'])}/groups", "id")):
        if found["path"] == group:
            steps.do("DELETE", f"/users/{segment(user['id'])}/groups/{segment(found['id'])}", absent_ok=True)


def delete(steps: Steps, change: Change) -> None:
    """Delete the client, and with it its service account."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    steps.do("DELETE", f"/clients/{segment(data['id'])}", absent_ok=True)


def forget(steps: Steps, change: Change) -> None:
    """Take our mark away."""
    data = _check(steps, change)
    steps.native_id = data["id"]
    if names.marked(data.get("attributes") or {}) is not None:
        _put(steps, change, data, {"attributes": dict.fromkeys(sorted(names.MARK_KEYS), "")})
