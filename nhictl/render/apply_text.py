"""How changes ended: one line each while they run, and at the end every one by name.

A change whose end nobody knows is `unknown`: it is never counted as applied or failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nhictl.model import Receipt, Status
from nhictl.render.safe import json_text, visible
from nhictl.render.text import Style, wrap

WORDS: Mapping[Status, str] = {
    Status.APPLIED: "applied",
    Status.FAILED: "failed",
    Status.NOT_APPLIED: "failed",
    Status.SKIPPED: "skipped",
    Status.INDETERMINATE: "unknown",
}
ORDER = ("applied", "failed", "skipped", "unknown")
_SGR = {"applied": "green", "failed": "bold red", "skipped": "yellow", "unknown": "bold yellow"}

_MANY = 20
"""More changes than this, skipped for one reason, are told as a number."""


def line(receipt: Receipt, seconds: float, style: Style) -> str:
    """Return the line of one finished change: `applied   aws-prod/iam-role/x (0.3s)`."""
    word = WORDS[receipt.status]
    took = f" ({seconds:.1f}s)" if seconds else ""
    detail = f": {visible(receipt.detail)}" if receipt.detail else ""
    text = f"{style.paint(f'{word:<9}', _SGR[word])} {visible(str(receipt.change.address))}{took}{detail}"
    return style.encodable(text)


def counts(receipts: Iterable[Receipt]) -> dict[str, int]:
    """Return how many changes ended in each way, zeros included."""
    found = dict.fromkeys(ORDER, 0)
    for receipt in receipts:
        found[WORDS[receipt.status]] += 1
    return found


def result(receipts: Sequence[Receipt], style: Style, *, stopped: str = "") -> str:
    """Return the closing list: applied, failed, skipped and unknown by name, then the counts."""
    lines = [text for word in ORDER for text in _group(word, receipts, style)]
    if stopped:
        lines += wrap(f"Stopped early: {visible(stopped)}", style.width)
    numbers = counts(receipts)
    total = ", ".join(f"{numbers[word]:,} {word}" for word in ORDER)
    return style.encodable("\n".join([*lines, style.paint(f"Apply: {total}", "bold")]))


def _group(word: str, receipts: Sequence[Receipt], style: Style) -> Iterator[str]:
    members = [r for r in receipts if WORDS[r.status] == word]
    if not members:
        return
    yield style.paint(f"{word.capitalize()}:", _SGR[word])
    alike = Counter(r.detail for r in members if word == "skipped" and not style.verbose)
    many = {detail: number for detail, number in alike.items() if number > _MANY}
    for detail, number in many.items():
        why = f": {visible(detail)}" if detail else ""
        yield from (f"  {text}" for text in wrap(f"{number:,} changes{why}; -v shows them", style.width - 2))
    for receipt in (r for r in members if r.detail not in many):
        change = receipt.change
        yield f"  {change.action.symbol:>3} {visible(str(change.address))}"
        if receipt.detail:
            yield from (f"        {text}" for text in wrap(visible(receipt.detail), style.width - 8))
    if word == "unknown":
        yield "  the next apply finds out, by reading, how these ended before it does anything else there"


def as_json(
    receipts: Sequence[Receipt], *, plan: str, run: str, exit_code: int, stopped: str = ""
) -> dict[str, object]:
    """Return the result as JSON data: run, plan digest, exit code, counts and every change with its status."""
    return {
        "formatVersion": 1,
        "run": run,
        "plan": plan,
        "exit": exit_code,
        "stopped": stopped,
        "counts": counts(receipts),
        "changes": [_one(receipt) for receipt in receipts],
    }


def render_json(receipts: Sequence[Receipt], *, plan: str, run: str, exit_code: int, stopped: str = "") -> str:
    """Return `as_json` as text."""
    return json_text(as_json(receipts, plan=plan, run=run, exit_code=exit_code, stopped=stopped))


def _one(receipt: Receipt) -> dict[str, object]:
    return {
        "address": str(receipt.change.address),
        "action": receipt.change.action.value,
        "subject": receipt.change.subject,
        "status": WORDS[receipt.status],
        "detail": receipt.detail,
        "operation": receipt.operation,
    }
