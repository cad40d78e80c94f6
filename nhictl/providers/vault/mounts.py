"""Auth mounts with their configuration, and database mounts with theirs: create, update, delete.

Rules enforced here:
- the call that enables a mount carries the mark in its description;
- writing a configuration replaces it: one with a secret that cannot be read back is not written over;
- disabling an auth mount revokes all of its tokens: refused while there are auth roles below it;
- a database's password is read from its place when it is sent, and appears nowhere else; Vault keeps it when a
  configuration is written without one; of one that is there only what changes is sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nhictl.model import Action, Change, Fault, Mark, Operation, ProviderError, Resource, Value
from nhictl.providers.vault import convert, fields, marking, names
from nhictl.providers.vault.calls import Calls, Steps

_MAX_SECRET = 65536


def write_auth(steps: Steps, change: Change, operation: Operation, live: Resource | None) -> None:
    """Enable an auth mount and configure it, or bring it to what the change says."""
    path = change.address.name
    _write_mount(steps, change, operation, live, root="auth")
    if change.after is None or change.action is Action.FORGET:
        return
    after = marking.wanted(change)
    config = marking.mapping(after, "config")
    before = marking.mapping(live.attributes, "config") if live is not None else {}
    if not config or dict(config) == dict(before):
        return
    if live is not None and live.facts.get("keeps_secret") is True:
        raise steps.partly(_secret_kept(change))
    method = names.method_of(str(after["type"]))
    sent = fields.wire(fields.CONFIGS[method], config)
    steps.do("POST", f"auth/{path}/config", {k: v for k, v in sent.items() if v not in ("", [])})


def _secret_kept(change: Change) -> ProviderError:
    return ProviderError(
        Fault.INVALID, f"{change.address}: its configuration may have a secret that a change would wipe",
        code="SecretKept", hint="change it with `vault write`, giving the secret again, or `keep: [config]`",
    )  # fmt: skip


def write_engine(steps: Steps, change: Change, operation: Operation, live: Resource | None) -> None:
    """Enable a database mount, or bring it to what the change says."""
    _write_mount(steps, change, operation, live, root="mounts")


def _write_mount(steps: Steps, change: Change, operation: Operation, live: Resource | None, *, root: str) -> None:
    path = change.address.name
    mark = marking.fresh(change, operation) if live is None else marking.carried(change, operation, live)
    if live is None:
        after = marking.wanted(change)
        body = {
            "type": after.get("type", "database"),
            "description": names.in_description(str(after.get("description", "")), mark, {}),
            "config": _tuned(after),
        }
        steps.do("POST", f"sys/{root}/{path}", body)
        steps.native_id = _accessor(steps, root, path)
        return
    steps.native_id = live.native_id
    after = change.after.attributes if change.after is not None else live.attributes
    same = all(live.attributes.get(k) == after.get(k) for k in ("description", *fields.TUNE))
    if same and mark == live.mark:
        return
    _tune(steps, root, path, text=str(after.get("description", "")), mark=mark, more=_tuned(after))


def _tune(steps: Steps, root: str, path: str, *, text: str, mark: Mark | None, more: Mapping[str, Any]) -> None:
    _, _, versions = names.of_description(_description(steps.calls, root, path))
    body = {"description": names.in_description(text, mark, versions), **more}
    steps.do("POST", f"sys/{root}/{path}/tune", body)


def _tuned(after: Mapping[str, Value]) -> dict[str, Any]:
    return {key: f"{after[key]}s" for key in fields.TUNE if key in after}


def _mount(calls: Calls, root: str, path: str) -> Mapping[str, Any]:
    found = (calls.get(f"sys/{root}") or {}).get(f"{path}/")
    return found if isinstance(found, dict) else {}


def _description(calls: Calls, root: str, path: str) -> str:
    return str(_mount(calls, root, path).get("description") or "")


def _accessor(steps: Steps, root: str, path: str) -> str:
    found = _mount(steps.calls, root, path).get("accessor")
    if not found:
        raise steps.partly(ProviderError(Fault.LOST, f"sys/{root}/{path} was made and is not there", code="NotVisible"))
    return str(found)


def delete_auth(steps: Steps, change: Change) -> None:
    """Disable an auth mount. Raises ProviderError IN_USE, naming them, while there are auth roles below it."""
    path = change.address.name
    kind = str(_mount(steps.calls, "auth", path).get("type", ""))
    keys = steps.calls.keys(f"auth/{path}/role")[0] if names.method_of(kind) else []
    if keys:
        more = f" and {len(keys) - 10} more" if len(keys) > 10 else ""
        raise ProviderError(
            Fault.IN_USE, f"{change.address} has auth roles below it: {', '.join(sorted(keys)[:10])}{more}",
            code="InUse", hint="disabling it revokes every token they gave out: move or remove them first",
        )  # fmt: skip
    steps.do("DELETE", f"sys/auth/{path}", absent_ok=True)


def delete_engine(steps: Steps, change: Change) -> None:
    """Disable a database mount. Raises ProviderError IN_USE while databases or roles are configured in it."""
    path = change.address.name
    left = [
        f"{part}/{key}" for part in ("config", "roles", "static-roles") for key in steps.calls.keys(f"{path}/{part}")[0]
    ]
    if left:
        raise ProviderError(
            Fault.IN_USE, f"{change.address} still has {', '.join(sorted(left)[:10])}", code="InUse",
            hint="disabling it revokes every lease it gave out: remove them first",
        )  # fmt: skip
    steps.do("DELETE", f"sys/mounts/{path}", absent_ok=True)


def write_database(steps: Steps, change: Change, operation: Operation, live: Resource | None) -> None:
    """Configure a database, with its password when the version of that changes."""
    if change.action is Action.FORGET:
        return
    after = marking.wanted(change)
    mount, name = names.split(change.address.name)
    at = _mount(steps.calls, "mounts", mount)
    if not at:
        raise ProviderError(Fault.NOT_FOUND, f"there is no database mount at {mount}", code="NoMount")
    before = live.attributes if live is not None else {}
    renewed = "password" in after and after["password"] != before.get("password")
    if live is None or any(before.get(k) != v for k, v in after.items()):
        body = {**fields.wire(fields.DATABASE, after), **fields.wire(fields.DETAILS, after)}
        # What is not sent stays: a URL that is kept has a password in it that reads back masked.
        body = {k: v for k, v in body.items() if (v not in ("", []) if live is None else before.get(k) != after[k])}
        body |= {"plugin_name": after["plugin_name"], "verify_connection": False}
        if renewed:
            body["password"] = secret_at(str(after["password"]).rpartition("#")[0])
        steps.do("POST", f"{mount}/config/{name}", body)
    steps.native_id = convert.below_accessor(str(at["accessor"]), change.address.name)
    if renewed:
        _note(steps, mount, str(at.get("description") or ""), name=name, version=str(after["password"]))


def delete_database(steps: Steps, change: Change) -> None:
    """Remove the configuration of a database."""
    mount, name = names.split(change.address.name)
    text = _description(steps.calls, "mounts", mount)
    steps.do("DELETE", f"{mount}/config/{name}", absent_ok=True)
    if name in names.of_description(text)[2]:
        _note(steps, mount, text, name=name, version="")


def _note(steps: Steps, mount: str, text: str, *, name: str, version: str) -> None:
    said, mark, versions = names.of_description(text)
    now = {**versions, name: version} if version else {k: v for k, v in versions.items() if k != name}
    steps.do("POST", f"sys/mounts/{mount}/tune", {"description": names.in_description(said, mark, now)})


def secret_at(place: str) -> str:
    """Return the secret at `env:NAME` or `file:/path`. Raises ProviderError; the value is in no message."""
    scheme, _, name = place.partition(":")
    found = ""
    if scheme == "env":
        found = os.environ.get(name, "").strip()
    elif scheme == "file":
        with suppress(OSError, ValueError):
            path = Path(name).expanduser()
            found = path.read_text(encoding="utf-8").strip() if path.stat().st_size <= _MAX_SECRET else ""
    if not found:
        raise ProviderError(
            Fault.INVALID, f"nothing at {scheme}:{name}", code="NoSecret", hint="name env:NAME or file:/path"
        )
    return found
