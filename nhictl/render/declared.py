"""The NHIs that manifests declare, as written: a table, JSON or CSV. Nothing is said of what exists."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nhictl.leaving import like
from nhictl.model import Document
from nhictl.render import tables
from nhictl.render.safe import csv_cell, json_text
from nhictl.render.text import Style, count

COLUMNS = ("name", "type", "owner", "tier", "environments", "roles", "manifest")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which NHIs to list; empty parts want all. `names` are patterns of `*` and `?`."""

    owners: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One declared NHI, in the order of `COLUMNS`. Without `environments` it is in all of them."""

    name: str
    type: str
    owner: str
    tier: str
    environments: tuple[str, ...]
    roles: tuple[str, ...]
    manifest: str


def rows(documents: Iterable[Document], environment: str, wanted: Wanted) -> list[Row]:
    """Return the wanted NHIs of an environment, by name."""
    found = [d for d in documents if d.kind == "NHI" and _fits(d, environment, wanted)]
    return sorted(map(_row, found), key=lambda row: row.name)


def _fits(document: Document, environment: str, wanted: Wanted) -> bool:
    spec, labels = document.value["spec"], document.value["metadata"].get("labels") or {}
    if spec.get("environments") and environment not in spec["environments"]:
        return False
    exact = ((wanted.owners, spec["owner"]), (wanted.types, spec["type"]), (wanted.tiers, spec.get("tier", "medium")))
    if any(values and value not in values for values, value in exact):
        return False
    if wanted.names and not any(like(document.name, glob) for glob in wanted.names):
        return False
    return all(labels.get(key) == value for key, value in wanted.labels)


def _row(document: Document) -> Row:
    spec = document.value["spec"]
    roles = tuple(sorted({grant["role"] for grant in spec.get("grants") or ()}))
    where = str(document.span("metadata", "name"))
    tier = spec.get("tier", "medium")
    return Row(document.name, spec["type"], spec["owner"], tier, tuple(spec.get("environments") or ()), roles, where)


def _cells(row: Row) -> list[str]:
    everywhere = ", ".join(row.environments) or "all"
    return [row.name, row.type, row.owner, row.tier, everywhere, ", ".join(row.roles) or "-", row.manifest]


def table(found: Sequence[Row], style: Style) -> str:
    """Return the NHIs as a table with their number."""
    head = [name.upper() for name in COLUMNS]
    body = tables.render(head, [_cells(row) for row in found], style.width, style=style) + "\n\n" if found else ""
    return f"{body}{count(len(found), 'NHI')} declared; --live shows what exists"


def as_json(found: Sequence[Row]) -> str:
    """Return the NHIs as JSON text."""
    return json_text([{name: _plain(getattr(row, name)) for name in COLUMNS} for row in found])


def _plain(value: str | tuple[str, ...]) -> str | list[str]:
    return list(value) if isinstance(value, tuple) else value


def as_csv(found: Sequence[Row]) -> str:
    """Return the NHIs as CSV text with a heading."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([COLUMNS, *([csv_cell(text) for text in _cells(row)] for row in found)])
    return buffer.getvalue()
