"""What an inventory says of one identity, in words that the table, the details and CSV share.

Rules enforced here:
- what is not known is `unknown`, what did not happen `never`; the two are never mixed up;
- text of providers and manifests comes out as it came in: whoever shows it makes it visible.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from nhictl.inventory.times import days, moment
from nhictl.model import Coverage, Credential, Item, Span, Standing

UNKNOWN, NEVER = "unknown", "never"


def standing(item: Item) -> str:
    """Return the word for whose an identity is."""
    return "built-in" if item.standing is Standing.BUILTIN else item.standing.value


def named(item: Item) -> str:
    """Return kind and name: what tells identities of one target apart."""
    return f"{item.address.kind}/{item.address.name}"


def ago(text: str | None, now: dt.datetime, *, tracked: int = 0) -> str:
    """Return how long ago something was: `12d`, `today`, or what `unused` says."""
    if text == "":
        return unused(tracked)
    past = days(text, now)
    return UNKNOWN if past is None else f"{past}d" if past > 0 else "today"


def unused(tracked: int) -> str:
    """Return the word for no known use: `never`, or `>400d` when nobody looks back further."""
    return f">{tracked}d" if tracked else NEVER


def when(text: str | None, now: dt.datetime, *, tracked: int = 0) -> str:
    """Return the day of something and how long ago that was."""
    if text == "":
        return f"no use in the last {tracked} days" if tracked else NEVER
    past = days(text, now)
    if not text or past is None:
        return UNKNOWN
    if past < 0:
        return f"{text[:10]}, in {count_days(-past)}"
    return f"{text[:10]}, today" if past == 0 else f"{text[:10]}, {count_days(past)} ago"


def count_days(number: int) -> str:
    """Return `1 day`, `2 days`."""
    return "1 day" if number == 1 else f"{number:,} days"


def oldest(credentials: Iterable[Credential]) -> str | None:
    """Return when the oldest of some credentials was made; None when that is known of none."""
    return min((c.created for c in credentials if c.created and moment(c.created)), default=None)


def soonest(credentials: Iterable[Credential]) -> str | None:
    """Return the next end of a credential; empty when none ever ends, None when that is not known."""
    told = [c.expires for c in credentials]
    ends = [text for text in told if text and moment(text)]
    return min(ends) if ends else "" if told and None not in told else None


def credentials(item: Item, now: dt.datetime) -> str:
    """Return number and greatest age of an identity's credentials: `2, 120d`."""
    if item.credentials is None:
        return UNKNOWN
    if not item.credentials:
        return "none"
    past = days(oldest(item.credentials), now)
    return f"{len(item.credentials)}, {past}d" if past is not None else str(len(item.credentials))


def credential(one: Credential, now: dt.datetime) -> str:
    """Return everything about one credential in a line."""
    ends = NEVER if one.expires == "" else when(one.expires, now)
    parts = [
        f"{one.kind} {one.id}".strip(), one.status, f"made {when(one.created, now)}", f"expires {ends}",
        f"last used {when(one.last_used, now)}",
    ]  # fmt: skip
    return "; ".join(part for part in parts if part)


def place(position: Span | None) -> str:
    """Return `file:line:column`, empty for what no manifest declares."""
    return str(position) if position is not None else ""


def percent(found: Coverage) -> str:
    """Return a coverage with its percent sign; `-` where nothing counts."""
    return "-" if found.percent is None else f"{found.percent}%"
