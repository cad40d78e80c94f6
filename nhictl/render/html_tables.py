"""Tables of the HTML report: caption, headed rows and columns, and what the page's script needs to sort them.

Rules enforced here:
- a table without rows is a sentence that says so;
- the first cell of a row heads it; a column says how it is sorted, or is not sorted at all;
- a narrow page shows a row as a card, each cell under its column's label: the style for that is made here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from nhictl.inventory.times import moment
from nhictl.render.html_element import Markup, el, join, small
from nhictl.render.html_figures import days
from nhictl.render.text import count

UNKNOWN = Markup('<span class="dim">unknown</span>')
NONE = Markup('<span class="dim">none</span>')


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `sort` is `text`, `number` (the first number in a cell), values in order joined by `|`, or empty."""

    label: str
    sort: str = "text"
    number: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table's fixed part. `rows` says in one word what a row is, in the plural; empty when it is not searched."""

    name: str
    columns: tuple[Column, ...]
    rows: str = ""


def render(table: Table, caption: str, rows: Sequence[Markup], *, empty: str = "", foot: str = "") -> Markup:
    """Return the table; or, without rows, the sentence `empty`."""
    if not rows:
        return el("p", empty, class_="empty")
    heads = (
        el("th", c.label, scope="col", data_sort=c.sort or None, class_=_classes(c)) for c in table.columns
    )  # fmt: skip
    parts = [
        el("caption", caption),
        el("thead", el("tr", *heads)),
        Markup("\n").join(("<tbody>", *rows, "</tbody>")),
    ]
    if foot:
        parts.append(el("tfoot", foot))
    body = join(Markup(part) for part in parts)
    return el("table", body, id=f"t-{table.name}", data_rows=table.rows or None)


def _classes(column: Column) -> str | None:
    return " ".join(word for word in ("num" if column.number else "", "wide" if column.wide else "") if word) or None


def row(table: Table, *cells: str, place: str = "", **data: str) -> Markup:
    """Return one row; `place` is the id that links lead to, `data` its `data-` attributes."""
    head, *rest = cells
    told = [el("th", head, scope="row", id=place or None)]
    told += [
        el("td", cell, class_="num" if column.number else None)
        for column, cell in zip(table.columns[1:], rest, strict=True)
    ]
    return el("tr", *told, **{f"data_{key}": value for key, value in data.items()})


def labels(tables: Iterable[Table]) -> str:
    """Return the style rules that give each cell of a card its column's label."""
    return "\n".join(
        f'#t-{table.name} td:nth-child({number})::before{{content:"{column.label}"}}'
        for table in tables
        for number, column in enumerate(table.columns, 1)
        if number > 1
    )


def when(text: str | None, now: datetime | None = None, *, never: str = "never") -> Markup:
    """Return a day, with `now` also how long ago it was; `never` for the empty text, what is no time as it was told."""
    if not text:
        return UNKNOWN if text is None else el("span", never)
    if moment(text) is None:
        return join((text,))
    ago = days(text, now)
    return join(
        (el("time", text[:10]), small("" if ago is None else "today" if ago == 0 else f"{count(ago, 'day')} ago"))
    )


def amount(number: int) -> Markup:
    """Return a number with its thousands apart; none of something is quiet."""
    return join((f"{number:,}",)) if number else Markup('<span class="dim">0</span>')


def name(label: str, more: str, *, link: str = "") -> Markup:
    """Return what something is called, with its address in small below it; `link` is the id of its row elsewhere."""
    head = el("bdi", label)
    head = el("a", head, href=f"#{link}") if link else el("b", head)
    return join((head, el("small", el("code", more))))
