"""Plain tables: a heading, left-aligned columns, two spaces between, no lines. Linear in the number of rows."""

from __future__ import annotations

from collections.abc import Sequence

from nhictl.render.safe import visible
from nhictl.render.text import Style, columns, cut, pad

_GAP = "  "
_LEAST = 8


def render(names: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, style: Style | None = None) -> str:
    """Return a table of at most `width` columns: the widest columns are cut in the middle. Cells are untrusted."""
    style = style or Style(width=width)
    shown = [[visible(cell) for cell in row] for row in rows]
    sizes = [max(len(name), *(columns(row[i]) for row in shown), 0) for i, name in enumerate(names)]
    if not style.verbose:
        sizes = _shrunk(sizes, width - len(_GAP) * (len(names) - 1))
    lines = [style.paint(_line(names, sizes, style), "bold")]
    lines += [_line(row, sizes, style) for row in shown]
    return style.encodable("\n".join(lines))


def _line(cells: Sequence[str], sizes: Sequence[int], style: Style) -> str:
    return _GAP.join(pad(cut(cell, size, style), size) for cell, size in zip(cells, sizes, strict=True)).rstrip()


def _shrunk(sizes: Sequence[int], room: int) -> list[int]:
    """Return the sizes with the largest ones lowered to one common size, so that their sum fits into `room`."""
    excess = sum(sizes) - room
    if excess <= 0:
        return list(sizes)
    for size in range(max(sizes), _LEAST - 1, -1):
        lowered = [min(own, size) for own in sizes]
        if sum(lowered) <= room:
            return lowered
    return [min(own, _LEAST) for own in sizes]
