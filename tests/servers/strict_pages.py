"""Cut whole listings into pages, because moto ignores `MaxItems` and `Marker` where it matters most."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from tests.servers.strict_wire import Refused, Reply, Request, Upstream, child, every, local, texts, written

PAGED: Mapping[str, tuple[str, ...]] = {
    "GetAccountAuthorizationDetails": ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
    "ListRoles": ("Roles",),
    "ListUsers": ("Users",),
    "ListPolicies": ("Policies",),
}
DEFAULT, LARGEST, EVERYTHING = 100, 1000, 1_000_000


def paged(request: Request, upstream: Upstream, *, largest: int, lost_marker: bool) -> Reply:
    """Return one page of a listing; `largest` bounds it below what is asked for, as AWS may."""
    asked = int(request.get("MaxItems") or DEFAULT)
    if not 1 <= asked <= LARGEST:
        raise Refused("ValidationError", f"Value '{asked}' at 'maxItems' failed to satisfy constraint: 1 to {LARGEST}")
    start = _start(request.get("Marker"))
    whole = {**request.params, "MaxItems": str(EVERYTHING)}
    whole.pop("Marker", None)
    reply = upstream.send(request, whole)
    if reply.status != 200:
        return reply
    root = ET.fromstring(reply.body)
    if request.action == "GetAccountAuthorizationDetails":
        _name_policies(root, request, upstream)
    end = start + min(asked, largest)
    more = _cut(request.action, root, start, end)
    result = next(every(root, f"{request.action}Result"))
    for old in [e for e in result if local(e) in ("IsTruncated", "Marker")]:
        result.remove(old)
    child(result, "IsTruncated", "true" if more else "false")
    if more and not lost_marker:
        child(result, "Marker", f"page-{end}")
    return Reply(200, written(root), reply.headers)


def _start(marker: str) -> int:
    if not marker:
        return 0
    if not marker.startswith("page-") or not marker[5:].isdigit():
        raise Refused("ValidationError", "Invalid Marker.")
    return int(marker[5:])


def _cut(action: str, root: ET.Element, start: int, end: int) -> bool:
    """Leave the members from `start` to `end`, counted over all lists; say whether more follow."""
    seen = 0
    for name in PAGED[action]:
        for holder in list(every(root, name))[:1]:
            for member in list(holder):
                if not start <= seen < end:
                    holder.remove(member)
                seen += 1
    return seen > end


def _name_policies(root: ET.Element, request: Request, upstream: Upstream) -> None:
    """Add id and name, which AWS gives and moto leaves out, to the managed policies of an account's details."""
    listed = next(every(root, "Policies"), None)
    bare = [m for m in listed or () if not any(local(e) == "PolicyName" for e in m)]
    if not bare:
        return
    known = _policies(request, upstream)
    for member in bare:
        arn = next(e.text or "" for e in member if local(e) == "Arn")
        child(member, "PolicyName", arn.rpartition("/")[2])
        child(member, "PolicyId", known[arn])


def _policies(request: Request, upstream: Upstream) -> dict[str, str]:
    found: dict[str, str] = {}
    marker: dict[str, str] = {}
    while True:
        page = upstream.ask(request, "ListPolicies", Scope="Local", MaxItems=str(LARGEST), **marker)
        found |= dict(zip(texts(page, "Arn"), texts(page, "PolicyId"), strict=True))
        following = texts(page, "Marker")
        if texts(page, "IsTruncated") != ["true"] or not following:
            return found
        marker = {"Marker": following[0]}
