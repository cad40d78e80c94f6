"""The IAM credential report: what every user of an account can prove itself with, in two calls. Pure.

Facts from the IAM user guide ("Get credential reports for your AWS account"). Rules enforced here:
- columns are read by name; `N/A` where something exists, and `no_information`, mean that AWS knows of no use;
- what the report does not support (`not_supported`) is not known and left out;
- the report names access keys and certificates by number, not by id; it may be four hours old.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from nhictl.model import Value

Row = Mapping[str, str]
Facts = tuple[Mapping[str, Value], ...]
_UNTOLD = frozenset({"", "not_supported"})
_NONE = frozenset({"N/A", "no_information"})


class Told(NamedTuple):
    """What the report tells of one user, as facts: its access keys; its password and signing certificates."""

    keys: Facts
    others: Facts


def told(text: str) -> dict[str, Told]:
    """Return what a report tells of each user by ARN. Raises ValueError on a time that is none."""
    rows = (row for row in csv.DictReader(text.splitlines()) if row.get("arn"))
    return {row["arn"]: Told(tuple(_keys(row)), (*_password(row), *_certificates(row))) for row in rows}


def _keys(row: Row) -> Iterator[Mapping[str, Value]]:
    for name in ("access_key_1", "access_key_2"):
        if _time(row, f"{name}_last_rotated"):
            used = _known("last_used", _time(row, f"{name}_last_used_date"))
            yield {**_numbered(row, "access-key", name), **used, "expires": ""}


def _certificates(row: Row) -> Iterator[Mapping[str, Value]]:
    for name in ("cert_1", "cert_2"):
        if _time(row, f"{name}_last_rotated"):
            yield _numbered(row, "signing-certificate", name)


def _numbered(row: Row, kind: str, name: str) -> dict[str, Value]:
    status = "active" if _true(row, f"{name}_active") else "inactive"
    return {"kind": kind, "id": name, "status": status, "created": _time(row, f"{name}_last_rotated") or ""}


def _password(row: Row) -> Iterator[Mapping[str, Value]]:
    if _true(row, "password_enabled"):
        created = _known("created", _time(row, "password_last_changed") or None)
        used = _known("last_used", _time(row, "password_last_used"))
        yield {"kind": "password", "id": "console", "status": "active", **created, **used}


def _known(name: str, value: str | None) -> dict[str, Value]:
    return {} if value is None else {name: value}


def _true(row: Row, column: str) -> bool:
    return (row.get(column) or "").lower() == "true"


def _time(row: Row, column: str) -> str | None:
    """Return a time as RFC 3339 UTC, empty where the report says that there is none, None where it says nothing."""
    text = row.get(column) or ""
    if text in _UNTOLD:
        return None
    if text in _NONE:
        return ""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
