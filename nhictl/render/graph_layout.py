"""Where the boxes of a graph stand and where its long edges run: a column for each kind, relatives beside each other.

Rules enforced here:
- columns are the layers, for edges lead from one kind to a later one; empty ones are left out;
- an edge over several columns has a place of its own in each, so that it runs beside boxes and not behind them; weak
  ones have none: there are many, and they say little;
- the order inside a column follows the mean place of the neighbours (Sugiyama, Tagawa, Toda: "Methods for visual
  understanding of hierarchical system structures", 1981), a fixed number of times, ties by key;
- boxes of a column never overlap; every coordinate is a whole number, so the same graph has the same picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nhictl.graph import Graph

HEIGHT, GAP, TOP, MARGIN = 38, 14, 92, 24
_LANE = 12
_SWEEPS = 12
_WEAK = 0.05


class Box(NamedTuple):
    """One box; `column` counts from the left, without empty columns."""

    x: int
    y: int
    width: int
    column: int


class Lane(NamedTuple):
    """Where a long edge crosses a column: straight from `x` over `width` at height `y`."""

    x: int
    y: int
    width: int


class Layout(NamedTuple):
    """The boxes by key, the lanes of long edges by edge, the columns as (kind, x), and the size of the picture."""

    boxes: Mapping[str, Box]
    lanes: Mapping[int, tuple[Lane, ...]]
    columns: tuple[tuple[str, int], ...]
    width: int
    height: int


# A box is known by its key, a lane by the number of its edge and of the column it crosses.
_Place = str | tuple[int, int]


@dataclass(slots=True)
class _Columns:
    """The work in progress: what is in each column in order, and what pulls at what."""

    members: list[list[_Place]]
    pulls: dict[_Place, list[tuple[_Place, float]]] = field(default_factory=lambda: defaultdict(list))

    def tie(self, one: _Place, other: _Place, weight: float) -> None:
        self.pulls[one].append((other, weight))
        self.pulls[other].append((one, weight))

    def mean(self, place: _Place, at: Mapping[_Place, float]) -> float:
        beside = self.pulls.get(place, ())
        total = sum(weight for _, weight in beside)
        return sum(at[other] * weight for other, weight in beside) / total if total else at[place]


def layout(graph: Graph, widths: Mapping[str, int], between: Mapping[str, int]) -> Layout:
    """Return where everything stands. `widths` are the columns' by kind, `between` the gaps behind them."""
    kinds = list(dict.fromkeys(node.kind for node in graph.nodes))
    column = {node.key: kinds.index(node.kind) for node in graph.nodes}
    work = _columns(graph, column, len(kinds))
    _order(work)
    tops = _heights(work)
    x, starts = MARGIN, []
    for kind in kinds:
        starts.append(x)
        x += widths[kind] + (between[kind] if kind != kinds[-1] else 0)
    boxes = {k: Box(starts[c], tops[k], widths[kinds[c]], c) for k, c in column.items()}
    lanes: dict[int, list[Lane]] = defaultdict(list)
    for place in sorted(p for p in tops if isinstance(p, tuple)):
        lanes[place[0]].append(Lane(starts[place[1]], tops[place] + _LANE // 2, widths[kinds[place[1]]]))
    bottom = max((y + (HEIGHT if isinstance(p, str) else _LANE) for p, y in tops.items()), default=TOP) + MARGIN
    columns = tuple(zip(kinds, starts, strict=True))
    return Layout(boxes, {edge: tuple(found) for edge, found in lanes.items()}, columns, x + MARGIN, bottom)


def _columns(graph: Graph, column: Mapping[str, int], number: int) -> _Columns:
    work = _Columns([[node.key for node in graph.nodes if column[node.key] == c] for c in range(number)])
    for index, edge in enumerate(graph.edges):
        first, last = column[edge.start], column[edge.end]
        if edge.style == "weak" or last <= first:
            if first != last:
                work.tie(edge.start, edge.end, _WEAK)
            continue
        crossed: list[_Place] = [(index, c) for c in range(first + 1, last)]
        for place, at in zip(crossed, range(first + 1, last), strict=True):
            work.members[at].append(place)
        way = [edge.start, *crossed, edge.end]
        for one, other in pairwise(way):
            work.tie(one, other, 1.0)
    return work


def _order(work: _Columns) -> None:
    """Sort each column by the mean relative place of its neighbours, from the left and from the right in turn."""
    names = {place: i for i, place in enumerate(p for places in work.members for p in places)}
    for sweep in range(_SWEEPS):
        at = {p: (i + 0.5) / len(places) for places in work.members for i, p in enumerate(places)}
        for places in work.members if sweep % 2 == 0 else reversed(work.members):
            wanted = {p: (work.mean(p, at), names[p]) for p in places}
            places.sort(key=wanted.__getitem__)
            at |= {p: (i + 0.5) / len(places) for i, p in enumerate(places)}


def _pitch(place: _Place) -> int:
    return HEIGHT + GAP if isinstance(place, str) else _LANE


def _middle(place: _Place) -> float:
    return HEIGHT / 2 if isinstance(place, str) else _LANE / 2


def _heights(work: _Columns) -> Mapping[_Place, int]:
    """Return the top of each place: as near to its neighbours as order and gaps allow."""
    tallest = max((sum(map(_pitch, places)) for places in work.members), default=0)
    middles: dict[_Place, float] = {}
    for places in work.members:
        y = (tallest - sum(map(_pitch, places))) / 2
        for place in places:
            middles[place] = y + _middle(place)
            y += _pitch(place)
    for _ in range(_SWEEPS):
        for places in work.members:
            _settle(places, [work.mean(p, middles) - _middle(p) for p in places], middles, limit=tallest)
    top = min((y - _middle(p) for p, y in middles.items()), default=0.0)
    return {p: round(y - _middle(p) - top) + TOP for p, y in middles.items()}


def _settle(places: Sequence[_Place], wanted: Sequence[float], middles: dict[_Place, float], *, limit: float) -> None:
    """Put one column where it wants to be, everything at least its pitch apart and inside of the picture."""
    down, up = list(wanted), list(wanted)
    for i in range(1, len(places)):
        down[i] = max(down[i], down[i - 1] + _pitch(places[i - 1]))
    for i in range(len(places) - 2, -1, -1):
        up[i] = min(up[i], up[i + 1] - _pitch(places[i]))
    low, high = 0.0, limit - sum(map(_pitch, places))
    for i, place in enumerate(places):
        middles[place] = min(max((down[i] + up[i]) / 2, low), high) + _middle(place)
        low, high = low + _pitch(place), high + _pitch(place)
