"""What moto has not implemented, answered by the strict layer from a memory of its own, as AWS answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from tests.servers.strict_wire import (
    NAMESPACE,
    Refused,
    Reply,
    Request,
    Upstream,
    child,
    done,
    every,
    local,
    texts,
    written,
)


@dataclass(slots=True)
class Memory:
    """Tags of SAML providers and audiences of OIDC providers by ARN, boundaries of users by name."""

    client_ids: dict[str, list[str]] = field(default_factory=dict)
    saml_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    boundaries: dict[str, str] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.client_ids.clear()
        self.saml_tags.clear()
        self.boundaries.clear()


def answer(request: Request, upstream: Upstream, memory: Memory) -> Reply | None:
    """Return the reply to a call that moto cannot answer, None for all others."""
    if request.action == "DeletePolicy" and request.get("PolicyArn") in memory.boundaries.values():
        raise Refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    found = _ANSWERS.get(request.action)
    return found(request, upstream, memory) if found else None


def complete(request: Request, reply: Reply, memory: Memory) -> Reply:
    """Add what the memory knows to moto's reply, and note what a call made."""
    if reply.status != 200:
        return reply
    match request.action:
        case "CreateSAMLProvider" if request.tags():
            memory.saml_tags[texts(ET.fromstring(reply.body), "SAMLProviderArn")[0]] = dict(request.tags())
        case "DeleteSAMLProvider":
            memory.saml_tags.pop(request.get("SAMLProviderArn"), None)
        case "CreateUser" if request.get("PermissionsBoundary"):
            memory.boundaries[request.get("UserName")] = request.get("PermissionsBoundary")
        case "DeleteUser":
            memory.boundaries.pop(request.get("UserName"), None)
        case "DeleteOpenIDConnectProvider":
            memory.client_ids.pop(request.get("OpenIDConnectProviderArn"), None)
        case "GetOpenIDConnectProvider" if request.get("OpenIDConnectProviderArn") in memory.client_ids:
            return _with_client_ids(request, reply, memory)
        case "GetSAMLProvider":
            return _with_saml_tags(request, reply, memory)
        case "GetUser" | "GetAccountAuthorizationDetails" if memory.boundaries:
            return _with_boundaries(reply, memory)
    return reply


def _with_saml_tags(request: Request, reply: Reply, memory: Memory) -> Reply:
    root = ET.fromstring(reply.body)
    result = next(every(root, "GetSAMLProviderResult"))
    for old in [e for e in result if local(e) == "Tags"]:
        result.remove(old)
    result.append(_tag_list(memory.saml_tags.get(request.get("SAMLProviderArn"), {})))
    return Reply(200, written(root), reply.headers)


def _tag_list(tags: Mapping[str, str]) -> ET.Element:
    found = ET.Element(f"{{{NAMESPACE}}}Tags")
    for key, value in sorted(tags.items()):
        member = child(found, "member")
        child(member, "Key", key)
        child(member, "Value", value)
    return found


def _with_boundaries(reply: Reply, memory: Memory) -> Reply:
    root = ET.fromstring(reply.body)
    details = [m for e in every(root, "UserDetailList") for m in e] or list(every(root, "User"))
    for user in details:
        name = next((e.text or "" for e in user if local(e) == "UserName"), "")
        for old in [e for e in user if local(e) == "PermissionsBoundary"]:
            user.remove(old)
        if name in memory.boundaries:
            boundary = child(user, "PermissionsBoundary")
            child(boundary, "PermissionsBoundaryType", "PermissionsBoundaryPolicy")
            child(boundary, "PermissionsBoundaryArn", memory.boundaries[name])
    return Reply(200, written(root), reply.headers)


def _client_ids(request: Request, upstream: Upstream, memory: Memory) -> Reply:
    """Remember one audience more or less of an OIDC provider."""
    arn = request.get("OpenIDConnectProviderArn")
    found = upstream.ask(request, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    if found is None:
        raise Refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    known = memory.client_ids.setdefault(arn, [e.text or "" for m in every(found, "ClientIDList") for e in m])
    client = request.get("ClientID")
    if request.action.startswith("Add") and client not in known:
        known.append(client)
    elif request.action.startswith("Remove") and client in known:
        known.remove(client)
    return done(request.action)


def _with_client_ids(request: Request, reply: Reply, memory: Memory) -> Reply:
    root = ET.fromstring(reply.body)
    listed = next(every(root, "ClientIDList"))
    for old in list(listed):
        listed.remove(old)
    for client in memory.client_ids[request.get("OpenIDConnectProviderArn")]:
        child(listed, "member", client)
    return Reply(200, written(root), reply.headers)


def _saml_exists(request: Request, upstream: Upstream) -> str:
    arn = request.get("SAMLProviderArn")
    if upstream.ask(request, "GetSAMLProvider", SAMLProviderArn=arn) is None:
        raise Refused("NoSuchEntity", f"Manifest not found for arn {arn}", 404)
    return arn


def _tag_saml(request: Request, upstream: Upstream, memory: Memory) -> Reply:
    memory.saml_tags.setdefault(_saml_exists(request, upstream), {}).update(request.tags())
    return done(request.action)


def _untag_saml(request: Request, upstream: Upstream, memory: Memory) -> Reply:
    tags = memory.saml_tags.get(_saml_exists(request, upstream), {})
    for key in request.members("TagKeys"):
        tags.pop(key, None)
    return done(request.action)


def _saml_tags(request: Request, upstream: Upstream, memory: Memory) -> Reply:
    result = ET.Element(f"{{{NAMESPACE}}}ListSAMLProviderTagsResult")
    result.append(_tag_list(memory.saml_tags.get(_saml_exists(request, upstream), {})))
    return done(request.action, result)


def _boundary(request: Request, upstream: Upstream, memory: Memory) -> Reply:
    name = request.get("UserName")
    if upstream.ask(request, "GetUser", UserName=name) is None:
        raise Refused("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    if request.action.startswith("Put"):
        memory.boundaries[name] = request.get("PermissionsBoundary")
    elif memory.boundaries.pop(name, None) is None:
        raise Refused("NoSuchEntity", "No permissions boundary", 404)
    return done(request.action)


def _simulate(request: Request, upstream: Upstream, memory: Memory) -> Reply:
    """Say that everything is allowed: moto enforces nothing either."""
    result = ET.Element(f"{{{NAMESPACE}}}{request.action}Result")
    results = child(result, "EvaluationResults")
    for action in request.members("ActionNames"):
        member = child(results, "member")
        child(member, "EvalActionName", action)
        child(member, "EvalResourceName", "*")
        child(member, "EvalDecision", "allowed")
    child(result, "IsTruncated", "false")
    return done(request.action, result)


_ANSWERS: Mapping[str, Callable[[Request, Upstream, Memory], Reply]] = {
    "AddClientIDToOpenIDConnectProvider": _client_ids,
    "RemoveClientIDFromOpenIDConnectProvider": _client_ids,
    "TagSAMLProvider": _tag_saml,
    "UntagSAMLProvider": _untag_saml,
    "ListSAMLProviderTags": _saml_tags,
    "PutUserPermissionsBoundary": _boundary,
    "DeleteUserPermissionsBoundary": _boundary,
    "SimulatePrincipalPolicy": _simulate,
}
