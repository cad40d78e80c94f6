"""Policies, groups and entities: create, update, delete.

Rules enforced here:
- Vault's create of a group or entity takes over what has the name already: what exists is looked at first;
- only what the change is about is sent: members of a group that others put in, and its member groups, stay;
- a policy that a group of others still has is in use: Vault would delete it, nhictl does not;
- a policy whose rules do not change keeps its text, comments included;
- in OpenBao a policy is written over the version that was read, and keeps its end: see its API, "Create/Update policy".
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

from nhictl.model import Action, Change, Fault, Operation, ProviderError, Resource
from nhictl.providers.vault import fields, hcl, marking, names, remarks
from nhictl.providers.vault.calls import Calls, Steps, parallel
from nhictl.providers.vault.names import GROUP

_MEMBERS = Lock()


def write_policy(steps: Steps, change: Change, operation: Operation, live: Resource | None) -> None:
    """Make a policy, or bring it to what the change says."""
    name = change.address.name
    mark = marking.fresh(change, operation) if live is None else marking.carried(change, operation, live)
    body = ""
    same = live is not None and (change.after is None or _same_rules(change, live))
    if same and live is not None and mark == live.mark:
        return
    if same:
        body = _live_body(steps.calls, name)
    if not body and change.after is not None:
        body = _body(steps.calls, name, change.after, live)
    steps.native_id = name
    steps.do("POST", f"sys/policies/acl/{name}", {"policy": names.with_header(mark, body), **_as_written(live)})


def _as_written(live: Resource | None) -> dict[str, Any]:
    """Return what OpenBao keeps beside a policy's text: a write that leaves it out takes it away, its end included."""
    written = live.facts.get("written") if live is not None else None
    return dict(written) if isinstance(written, Mapping) else {}


def _body(calls: Calls, name: str, after: Resource, live: Resource | None) -> str:
    """Return the text of a policy as it is wanted, with the comments that the live one has beside its rules."""
    body = hcl.body(after.attributes)
    if live is None or live.attributes.get("text") or after.attributes.get("text"):
        return body
    return remarks.kept(names.policy_body(_text(calls, name)), body)


def _same_rules(change: Change, live: Resource) -> bool:
    after = marking.wanted(change)
    return all(live.attributes.get(key) == after.get(key) for key in ("rules", "text"))


def _live_body(calls: Calls, name: str) -> str:
    """Return the text of a live policy without our header; as HCL, for JSON has no place for one."""
    text = names.policy_body(_text(calls, name))
    if not text.lstrip().startswith("{"):
        return text
    rules = hcl.rules(text)
    return hcl.body({"rules": rules} if rules is not None else {"text": hcl.normal_text(text)})


def _text(calls: Calls, name: str) -> str:
    return str((calls.get(f"sys/policies/acl/{name}") or {}).get("policy", ""))


def delete_policy(steps: Steps, change: Change) -> None:
    """Delete a policy. Raises ProviderError IN_USE, naming them, while groups have it."""
    name = change.address.name
    if holders := _groups_with(steps.calls, name):
        raise ProviderError(
            Fault.IN_USE, f"{change.address} is held by groups: {', '.join(holders)}", code="InUse",
            hint="take it from them first; Vault itself would not refuse",
        )  # fmt: skip
    steps.do("DELETE", f"sys/policies/acl/{name}", absent_ok=True)


def _groups_with(calls: Calls, policy: str) -> list[str]:
    keys, _ = calls.keys("identity/group/id")
    found = parallel(calls.get, [f"identity/group/id/{key}" for key in keys])
    return sorted(str(g["name"]) for g in found if g and policy in fields.lower(g.get("policies")))


def write_group(steps: Steps, change: Change, operation: Operation, live: Resource | None) -> None:
    """Make a group, or bring it to what the change says."""
    if live is None:
        after = marking.wanted(change)
        body = {
            "name": change.address.name, "policies": list(marking.texts(after, "policies")),
            "metadata": marking.metadata(change, None, marking.fresh(change, operation)),
        }  # fmt: skip
        steps.native_id = _made(steps, change, "identity/group", body)
        return
    body = _changed_metadata(change, operation, live)
    if change.after is not None:
        body |= _differing(change, live, "policies")
    if body:
        steps.do("POST", f"identity/group/id/{live.native_id}", body)


def write_entity(steps: Steps, change: Change, operation: Operation, live: Resource | None) -> None:
    """Make an entity, or bring it to what the change says; then its groups."""
    if live is None:
        after = marking.wanted(change)
        body = {
            "name": change.address.name, "policies": list(marking.texts(after, "policies")),
            "disabled": after.get("enabled") is False,
            "metadata": marking.metadata(change, None, marking.fresh(change, operation)),
        }  # fmt: skip
        steps.native_id = _made(steps, change, "identity/entity", body)
        for group in marking.texts(after, "groups"):
            _member(steps, group, steps.native_id, join=True)
        return
    body = _changed_metadata(change, operation, live)
    if change.after is not None:
        body |= _differing(change, live, "policies")
        if live.attributes.get("enabled") != change.after.attributes.get("enabled"):
            body["disabled"] = change.after.attributes.get("enabled") is False
    if body:
        steps.do("POST", f"identity/entity/id/{live.native_id}", body)
    if change.after is not None and change.action is not Action.DISABLE:
        _regroup(steps, change, live)


def _changed_metadata(change: Change, operation: Operation, live: Resource) -> dict[str, Any]:
    """Return the metadata to write, which replaces what is there; nothing when it is as wanted."""
    whole = marking.metadata(change, live, marking.carried(change, operation, live))
    now = {**marking.mapping(live.attributes, "metadata"), **names.in_metadata(live.mark)}
    return {"metadata": whole} if whole != now else {}


def _regroup(steps: Steps, change: Change, live: Resource) -> None:
    before, after = set(marking.texts(live.attributes, "groups")), set(marking.texts(marking.wanted(change), "groups"))
    for group in sorted(after - before):
        _member(steps, group, live.native_id, join=True)
    for group in sorted(before - after):
        _member(steps, group, live.native_id, join=False)


def _differing(change: Change, live: Resource, key: str) -> dict[str, Any]:
    after = marking.texts(marking.wanted(change), key)
    return {key: list(after)} if after != marking.texts(live.attributes, key) else {}


def _made(steps: Steps, change: Change, path: str, body: dict[str, Any]) -> str:
    """Return the id of what was made; a reply without one says that it was there already. Raises ProviderError."""
    reply = steps.do("POST", path, body)
    identifier = (reply.get("data") or {}).get("id")
    if identifier:
        return str(identifier)
    found = steps.calls.get(f"{path}/name/{change.address.name}") or {}
    steps.native_id = str(found.get("id", ""))
    raise ProviderError(
        Fault.PARTIAL, f"{change.address} was made by somebody else at the same moment", code="Exists",
        native_id=steps.native_id, hint="look at it, then plan again",
    )  # fmt: skip


def _member(steps: Steps, group: str, entity: str, *, join: bool) -> None:
    """Put an entity into a group, or take it out. The other members stay as they are."""
    with _MEMBERS:
        data = steps.calls.get(f"identity/{GROUP}/name/{group}")
        if data is None:
            if not join:
                return
            raise steps.partly(ProviderError(Fault.NOT_FOUND, f"there is no group {group}", code="NoGroup"))
        members = [str(m) for m in data.get("member_entity_ids") or ()]
        if (entity in members) is join:
            return
        members = [*members, entity] if join else [m for m in members if m != entity]
        steps.do("POST", f"identity/group/id/{data['id']}", {"member_entity_ids": members})
