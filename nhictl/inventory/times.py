"""Times of live objects as values: what a provider did not tell, or told in no known form, is not known. Pure."""

from __future__ import annotations

import datetime as dt

DAY = 86400


def moment(text: str | None) -> dt.datetime | None:
    """Return the time of RFC 3339 text; None for none and for anything else."""
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def age(text: str | None, now: dt.datetime) -> float | None:
    """Return the seconds since a time; None when it is not known."""
    found = moment(text)
    return None if found is None else (now - found).total_seconds()


def days(text: str | None, now: dt.datetime) -> int | None:
    """Return the whole days since a time; None when it is not known."""
    seconds = age(text, now)
    return None if seconds is None else int(seconds // DAY)
