"""The credentials and the changes of the HTML report, a row each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from nhictl.render import html_tables as t
from nhictl.render.html_changes import Happened
from nhictl.render.html_element import Markup, el, join, small
from nhictl.render.html_figures import OLD, Aged
from nhictl.render.html_identities import called, place
from nhictl.render.text import count

CREDENTIALS = t.Table(
    "credentials",
    (
        t.Column("Identity"), t.Column("Age", "number", number=True), t.Column("Credential"), t.Column("Status"),
        t.Column("Created"), t.Column("Expires"), t.Column("Last used"), t.Column("Owner"),
    ),
    "credentials",
)  # fmt: skip
CHANGES = t.Table(
    "changes",
    (
        t.Column("When (UTC)"), t.Column("What"), t.Column("Who"), t.Column("Outcome"), t.Column("Access"),
        t.Column("Why", wide=True),
    ),
    "changes",
)  # fmt: skip


def credentials(aged: Iterable[Aged], now: datetime | None) -> list[Markup]:
    """Return a row for each credential."""
    return [
        t.row(
            CREDENTIALS, t.name(called(one.item), str(one.item.address), link=place(one.place)), _age(one.age),
            join((el("bdi", one.credential.kind), el("small", el("code", one.credential.id)))),
            one.credential.status or t.UNKNOWN, t.when(one.credential.created), _expires(one),
            t.when(one.credential.last_used, now), el("bdi", one.item.owner or "no owner"),
        )
        for one in aged
    ]  # fmt: skip


def _age(age: int | None) -> Markup:
    if age is None:
        return t.UNKNOWN
    return el("span", count(age, "day"), class_="chip old" if age > OLD else None)


def _expires(one: Aged) -> Markup:
    if one.expired:
        return join((el("time", str(one.credential.expires)[:10]), el("small", el("b", "expired"))))
    return t.when(one.credential.expires)


def changes(found: Iterable[Happened]) -> list[Markup]:
    """Return a row for each change."""
    return [
        t.row(
            CHANGES, join((el("b", change.time[:16].replace("T", " ")), small(f"entry {change.seq}"))),
            _what(change), el("bdi", change.who) if change.who else t.UNKNOWN, _outcome(change),
            ", ".join(change.access) or el("span", "not moved", class_="dim"), _why(change),
        )
        for change in found
    ]  # fmt: skip


def _what(change: Happened) -> Markup:
    where = el("small", el("code", change.address))
    return join((f"{change.action} ", el("bdi", change.subject or change.address), where))


def _outcome(change: Happened) -> Markup:
    return join((el("span", change.outcome, class_=f"chip {_tone(change.outcome)}"), small(change.detail)))


def _tone(outcome: str) -> str:
    return outcome if outcome in ("applied", "failed", "unknown") else "other"


def _why(change: Happened) -> Markup:
    parts = (
        f"commit {change.commit[:12]}" if change.commit else "",
        f"pull request {change.pull_request}" if change.pull_request else "",
    )
    return join((change.reason, small(", ".join(part for part in parts if part))))
