"""Effective access as JSON data: the same values as the text, whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nhictl.model import Permission
from nhictl.render.safe import json_text

if TYPE_CHECKING:
    from nhictl.chains import Access, Answer, Given, Link, Reached
    from nhictl.render.access_tree import View


def access(found: Access, view: View) -> str:
    """Return everything one NHI can do, and who can become it."""
    body = {
        "name": found.name,
        "own": [_reached(r) for r in found.own],
        "others": [_reached(r) for r in found.others],
        "trust": [_given(g) for g in found.trust],
        "entering": [{"name": r.chain[0].name, "sure": r.sure, "chain": _chain(r.chain)} for r in found.entering],
    }
    return json_text({**_head(view, deeper=found.deeper), **body})


def answer(found: Answer, view: View) -> str:
    """Return everybody who can do what was asked."""
    asked = {"action": found.question.action, "resource": found.question.resource}
    holders = [
        {"name": h.name, "verdict": h.verdict.value, "given": [_given(g) for g in h.given]} for h in found.holders
    ]
    return json_text({**_head(view, deeper=found.deeper), "question": asked, "holders": holders})


def _head(view: View, *, deeper: bool) -> dict[str, Any]:
    return {
        "formatVersion": 1,
        "environment": view.environment,
        "view": "declared" if view.declared else "live",
        "unreadable": dict(view.unreadable),
        "deeper": deeper,
    }


def _reached(reached: Reached) -> dict[str, Any]:
    return {
        "identity": reached.identity.name,
        "subject": reached.identity.subject,
        "sure": reached.sure,
        "chain": _chain(reached.chain),
        "permissions": [_given(g) for g in reached.given],
    }


def _given(given: Given) -> dict[str, Any]:
    held = given.held
    return {
        **_permission(held.permission),
        "verdict": held.verdict.value,
        "deniedBy": [_permission(p) for p in held.denied_by],
        "limitedBy": [_permission(p) for p in held.limited_by],
        "chain": _chain(given.chain),
    }


def _permission(p: Permission) -> dict[str, str]:
    return {
        "kind": p.kind, "effect": p.effect, "action": p.action, "resource": p.resource, "condition": p.condition,
        "source": p.source,
    }  # fmt: skip


def _chain(links: Iterable[Link]) -> list[dict[str, Any]]:
    return [_link(link) for link in links]


def _link(link: Link) -> dict[str, Any]:
    found: dict[str, Any] = {"name": link.name}
    if link.subject:
        found["subject"] = link.subject
    at = link.place.span() if link.place is not None else None
    if at is not None:
        found |= {"file": at.file, "line": at.line}
    if link.step is not None:
        need = link.step.need
        found["becomes"] = {
            "sure": link.step.sure,
            "trust": _permission(link.step.trust),
            "permission": _permission(need) if need is not None else None,
            "limitedBy": [_permission(p) for p in link.step.limits],
        }
    return found
