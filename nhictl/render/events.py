"""Events of an apply as JSON lines (`-o jsonl`), one object a line, written as things happen.

Every event has `event`, `time` (RFC 3339 UTC) and `run`, and the keys of EVENTS; no others. Keys are only ever added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nhictl.model import Change, Plan, Receipt
from nhictl.render.apply_text import WORDS, counts
from nhictl.render.safe import json_text
from nhictl.render.summary import access_counts, action_counts

EVENTS: Mapping[str, Mapping[str, str]] = {
    "plan": {
        "digest": "Digest of the plan.",
        "workspace": "Workspace name.",
        "environment": "Environment name.",
        "actions": "Changes by action.",
        "access": "Identities that get wider, narrower or changed access.",
    },
    "lock": {"state": "taken, waiting or released.", "holder": "Who holds it, as far as known."},
    "intent": {
        "address": "Resource about to change.",
        "action": "What is done.",
        "subject": "Manifest object it belongs to.",
    },
    "outcome": {
        "address": "Resource.",
        "action": "What was done.",
        "subject": "Manifest object it belongs to.",
        "status": "applied, failed, skipped or unknown.",
        "seconds": "How long it took, in thousandths, as text.",
        "detail": "Why, when it was not applied.",
        "operation": "Operation id in the ledger.",
    },
    "summary": {
        "counts": "Changes by status.",
        "exit": "Exit code.",
        "stopped": "Why the run ended early, or empty.",
    },
}


def event(kind: str, time: str, run: str, /, **data: Any) -> dict[str, Any]:
    """Return one event. Raises ValueError when its keys are not the documented ones."""
    if data.keys() != EVENTS[kind].keys():
        raise ValueError(f"event {kind} has keys {', '.join(EVENTS[kind])}")
    return {"event": kind, "time": time, "run": run, **data}


def plan_event(plan: Plan, time: str, run: str) -> dict[str, Any]:
    """Return the event that opens a run."""
    return event(
        "plan", time, run, digest=plan.digest, workspace=plan.workspace, environment=plan.environment,
        actions=dict(action_counts(plan)), access=dict(access_counts(plan)),
    )  # fmt: skip


def intent_event(change: Change, time: str, run: str) -> dict[str, Any]:
    """Return the event of a change that starts."""
    return event("intent", time, run, address=str(change.address), action=change.action.value, subject=change.subject)


def outcome_event(receipt: Receipt, time: str, run: str, *, seconds: float) -> dict[str, Any]:
    """Return the event of a change that ended."""
    return event(
        "outcome", time, run, address=str(receipt.change.address), action=receipt.change.action.value,
        subject=receipt.change.subject, status=WORDS[receipt.status], seconds=f"{seconds:.3f}",
        detail=receipt.detail, operation=receipt.operation,
    )  # fmt: skip


def summary_event(
    receipts: Sequence[Receipt], time: str, run: str, *, exit_code: int, stopped: str = ""
) -> dict[str, Any]:
    """Return the event that closes a run."""
    return event("summary", time, run, counts=counts(receipts), exit=exit_code, stopped=stopped)


def jsonl(data: Mapping[str, Any]) -> str:
    """Return an event as one line without a line feed."""
    return json_text(dict(data), indent=None)
