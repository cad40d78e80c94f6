"""Where the boxes of a graph stand: one column for each kind, few crossings, relatives beside each other.

Rules enforced here:
- columns are the layers, for edges lead from one kind to a later one; empty ones are left out;
- the order inside a column follows the mean place of the neighbours (Sugiyama, Tagawa, Toda: "Methods for visual
  understanding of hierarchical system structures", 1981), a fixed number of times, ties by key;
- boxes of a column never overlap; every coordinate is a whole number, so the same graph has the same picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nhictl.graph import Edge, Graph, Node

HEIGHT, GAP, TOP, MARGIN = 38, 14, 92, 24
_SWEEPS = 12
_WEIGHTS = {"plain": 1.0, "maybe": 1.0, "weak": 0.05}


class Box(NamedTuple):
    """One box; `column` counts from the left, without empty columns."""

    x: int
    y: int
    width: int
    column: int


class Layout(NamedTuple):
    """The boxes by key, the columns as (kind, x, width), and the size of the picture."""

    boxes: Mapping[str, Box]
    columns: tuple[tuple[str, int, int], ...]
    width: int
    height: int


def layout(graph: Graph, widths: Mapping[str, int], between: Sequence[int]) -> Layout:
    """Return where each box stands. `widths` are the columns' by kind, `between` the gaps behind each of them."""
    kinds = list(dict.fromkeys(node.kind for node in graph.nodes))
    members = {kind: [n.key for n in graph.nodes if n.kind == kind] for kind in kinds}
    weights = _weights(graph.edges, {n.key: n for n in graph.nodes})
    _order(members, weights)
    heights = _heights(members, weights)
    x, columns, boxes = MARGIN, [], {}
    for number, kind in enumerate(kinds):
        columns.append((kind, x, widths[kind]))
        boxes |= {key: Box(x, heights[key], widths[kind], number) for key in members[kind]}
        x += widths[kind] + (between[number] if number < len(kinds) - 1 else 0)
    bottom = max((box.y for box in boxes.values()), default=TOP) + HEIGHT + MARGIN
    return Layout(boxes, tuple(columns), x + MARGIN, bottom)


def _weights(edges: Sequence[Edge], nodes: Mapping[str, Node]) -> Mapping[str, list[tuple[str, float]]]:
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for edge in edges:
        if nodes[edge.start].kind != nodes[edge.end].kind:
            weight = _WEIGHTS[edge.style]
            found[edge.start].append((edge.end, weight))
            found[edge.end].append((edge.start, weight))
    return found


def _order(members: dict[str, list[str]], weights: Mapping[str, list[tuple[str, float]]]) -> None:
    """Sort each column by the mean relative place of its neighbours, from the left and from the right in turn."""
    kinds = list(members)
    for sweep in range(_SWEEPS):
        place = {key: (i + 0.5) / len(keys) for keys in members.values() for i, key in enumerate(keys)}
        for kind in kinds if sweep % 2 == 0 else reversed(kinds):
            members[kind].sort(key=lambda key: (_mean(key, weights, place), key))
            place |= {key: (i + 0.5) / len(members[kind]) for i, key in enumerate(members[kind])}


def _mean(key: str, weights: Mapping[str, list[tuple[str, float]]], place: Mapping[str, float]) -> float:
    beside = weights.get(key, ())
    total = sum(weight for _, weight in beside)
    return sum(place[other] * weight for other, weight in beside) / total if total else place[key]


def _heights(members: Mapping[str, list[str]], weights: Mapping[str, list[tuple[str, float]]]) -> Mapping[str, int]:
    """Return the top of each box: as near to its neighbours as order and gaps allow."""
    pitch = HEIGHT + GAP
    tallest = max((len(keys) for keys in members.values()), default=0) * pitch
    at = {k: (tallest - len(keys) * pitch) / 2 + i * pitch for keys in members.values() for i, k in enumerate(keys)}
    for _ in range(_SWEEPS):
        for keys in members.values():
            _settle(keys, [_mean(key, weights, at) for key in keys], at, limit=tallest)
    top = min(at.values(), default=0.0)
    return {key: round(y - top) + TOP for key, y in at.items()}


def _settle(keys: Sequence[str], wanted: Sequence[float], at: dict[str, float], *, limit: float) -> None:
    """Put the boxes of one column where they want to be, at least one pitch apart and inside of the picture."""
    pitch = HEIGHT + GAP
    down, up = list(wanted), list(wanted)
    for i in range(1, len(keys)):
        down[i] = max(down[i], down[i - 1] + pitch)
    for i in range(len(keys) - 2, -1, -1):
        up[i] = min(up[i], up[i + 1] - pitch)
    low, high = 0.0, limit - len(keys) * pitch
    for i, key in enumerate(keys):
        at[key] = min(max((down[i] + up[i]) / 2, low + i * pitch), high + i * pitch)
