"""A graph as an SVG picture of its own: no script, no font, no link, nothing from elsewhere.

Rules enforced here:
- names are untrusted: made visible and escaped, cut to fit their box, whole in the tooltip; what is not ASCII is drawn
  in the width that was measured for it, so that no text leaves its box;
- a title and a description tell the picture in words; it is an image to screen readers;
- dark where the reader's system is; kinds are told by heading, kinds of edges by dashes, neither by colour alone;
- labels of edges that would lie over each other are left to the tooltip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nhictl.render import graph_layout
from nhictl.render.graph_layout import HEIGHT, Box, Lane, Layout
from nhictl.render.graph_text import TITLES
from nhictl.render.safe import html, visible
from nhictl.render.text import Style, columns, count, cut

if TYPE_CHECKING:
    from nhictl.graph import Edge, Graph, Node

MOST_NODES, MOST_EDGES = 400, 1200
_LETTER, _SMALL, _PAD, _LONGEST, _LABEL = 7.5, 6.3, 14, 36, 26
_BETWEEN, _NARROW = 200, 90
_PLACES = (0.5, 0.38, 0.62, 0.28, 0.72)
_ONE = {"owner": "owner", "connection": "connection", "nhi": "NHI", "role": "role", "resource": "resource"}
_STYLE = """\
svg{background:#fff;--ink:#1f2328;--soft:#57606a;--line:#6e7781;--owner:#8250df;--connection:#0969da;--nhi:#1f2328;\
--role:#1a7f37;--resource:#9a6700;--paper:#fff;--box:#f6f8fa}
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px;fill:var(--ink)}
.h{font-weight:bold}.t{font-size:15px;font-weight:bold}.d,.l{font-size:10px;fill:var(--soft)}
.l{text-anchor:middle;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.b{fill:var(--box);stroke:var(--line)}.e{fill:none;stroke:var(--line);stroke-width:1.3}
.weak{stroke-dasharray:1.5 4;opacity:.6}.maybe{stroke-dasharray:6 4}
.owner{fill:var(--owner)}.connection{fill:var(--connection)}.nhi{fill:var(--nhi)}.role{fill:var(--role)}\
.resource{fill:var(--resource)}
@media (prefers-color-scheme:dark){svg{background:#0d1117;--ink:#e6edf3;--soft:#9ea7b3;--line:#7d8590;--owner:#d2a8ff;\
--connection:#79c0ff;--nhi:#e6edf3;--role:#7ee787;--resource:#e3b341;--paper:#0d1117;--box:#161b22}}
@media print{svg{background:none}}"""
_HEAD = '<marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
_ARROW = f'{_HEAD}<path d="M0 0 8 4 0 8z" style="fill:var(--line)"/></marker>'


Point = tuple[float, float]
Curve = tuple[Point, Point, Point, Point]


class Spot(NamedTuple):
    """A place of the picture that a box or a label takes."""

    x: float
    y: float
    width: float
    height: float


def render(graph: Graph, title: str) -> str:
    """Return the picture as an SVG document with a final line feed."""
    kinds = list(dict.fromkeys(node.kind for node in graph.nodes))
    widths = {kind: _width(kind, graph) for kind in kinds}
    found = graph_layout.layout(graph, widths, {kind: _between(kind, graph) for kind in kinds})
    width = max(found.width, int(columns(visible(title)) * 9.5) + 2 * graph_layout.MARGIN, 320)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" width="{width}" '
        f'height="{found.height}" viewBox="0 0 {width} {found.height}">',
        f'<title id="title">{html(title)}</title>',
        f'<desc id="desc">{html(_described(graph))}</desc>',
        f"<style>{_STYLE}</style>",
        f"<defs>{_ARROW}</defs>",
        f'<text class="t" x="{graph_layout.MARGIN}" y="34">{html(title)}</text>',
        *_headings(found),
        *_edges(graph, found),
        *_boxes(graph, found),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _described(graph: Graph) -> str:
    numbers = [(kind, sum(1 for n in graph.nodes if n.kind == kind)) for kind in TITLES]
    told = [count(number, _ONE[kind]) for kind, number in numbers if number]
    names = {node.key: f"{_ONE[node.kind]} {visible(node.label)}" for node in graph.nodes}
    said = [f"{names[e.start]} to {names[e.end]}" + (f" ({visible(e.label)})" if e.label else "") for e in graph.edges]
    return f"{', '.join(told) or 'Nothing'}. " + ". ".join(said) + ("." if said else "")


def _width(kind: str, graph: Graph) -> int:
    """Return the width of a column: of its longest text, as far as texts are shown."""
    texts = [max(_wide(n.label, _LETTER), _wide(n.detail, _SMALL)) for n in graph.nodes if n.kind == kind]
    heading = len(TITLES[kind]) * _LETTER + _LETTER
    return int(max([*texts, heading])) + 2 * _PAD


def _wide(text: str, letter: float) -> float:
    return min(columns(visible(text)), _LONGEST) * letter


def _between(kind: str, graph: Graph) -> int:
    """Return the gap behind a column: wide where its edges say something, and where they go back to itself."""
    of = {node.key: node.kind for node in graph.nodes}
    beyond = [e for e in graph.edges if of[e.start] == kind]
    return _BETWEEN if any(e.label for e in beyond) else _NARROW


def _headings(found: Layout) -> Iterator[str]:
    for kind, x in found.columns:
        yield f'<text class="h {kind}" x="{x}" y="{graph_layout.TOP - 20}">{TITLES[kind]}</text>'


def _boxes(graph: Graph, found: Layout) -> Iterator[str]:
    for node in graph.nodes:
        box = found.boxes[node.key]
        yield f'<g><title>{html(_whole(node))}</title><rect class="b" x="{box.x}" y="{box.y}" width="{box.width}" ' \
              f'height="{HEIGHT}" rx="5"/><rect class="{node.kind}" x="{box.x}" y="{box.y}" width="4" ' \
              f'height="{HEIGHT}" rx="2"/>{_texts(node, box)}</g>'  # fmt: skip


def _whole(node: Node) -> str:
    return f"{_ONE[node.kind]} {node.label}" + (f": {node.detail}" if node.detail else "")


def _texts(node: Node, box: Box) -> str:
    first = box.y + (17 if node.detail else 24)
    name = _text(node.label, box.x + _PAD, first, letter=_LETTER)
    return name + (_text(node.detail, box.x + _PAD, first + 14, letter=_SMALL, css="d") if node.detail else "")


def _text(text: str, x: int, y: float, *, letter: float, css: str = "") -> str:
    shown = cut(visible(text), _LONGEST, Style())
    fixed = "" if shown.replace("…", "").isascii() else _fixed(shown, letter)
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{x}" y="{y:g}"{fixed}>{html(shown)}</text>'


def _fixed(shown: str, letter: float) -> str:
    return f' textLength="{round(columns(shown) * letter * 0.95)}" lengthAdjust="spacingAndGlyphs"'


def _edges(graph: Graph, found: Layout) -> Iterator[str]:
    """Yield the lines, then their labels, which stand above all lines."""
    labels, taken = [], [Spot(b.x - 4, b.y, b.width + 8, HEIGHT) for b in found.boxes.values()]
    for index, edge in enumerate(graph.edges):
        start, end = found.boxes[edge.start], found.boxes[edge.end]
        curves = _curves(start, found.lanes.get(index, ()), end)
        arrow = "" if edge.style == "weak" else ' marker-end="url(#a)"'
        path = "L".join(_path(curve) for curve in curves)
        about = f"{_plain(edge.start)} to {_plain(edge.end)}" + (f": {edge.label}" if edge.label else "")
        yield f'<path class="e {edge.style}" d="M{path}"{arrow}><title>{html(about)}</title></path>'
        if edge.label:
            labels += _label(edge, curves[-1], taken)
    yield from labels


def _plain(key: str) -> str:
    kind, _, name = key.partition("/")
    return f"{_ONE[kind]} {name.partition('/')[2] if kind == 'resource' else name}"


def _curves(start: Box, lanes: Sequence[Lane], end: Box) -> list[Curve]:
    """Return the curves of an edge, straight lines between them; inside of one column it swings out to the right."""
    x, y, y2 = start.x + start.width, start.y + HEIGHT / 2, end.y + HEIGHT / 2
    if start.column == end.column:
        swing = 40 + min(50, abs(y2 - y) / 8)
        return [((x, y + 6), (x + swing, y + 6), (x + swing, y2 - 6), (x, y2 - 6))]
    found: list[Curve] = []
    for lane in (*lanes, Lane(end.x, round(y2), 0)):
        bend = (lane.x - x) / 2
        found.append(((x, y), (x + bend, y), (lane.x - bend, lane.y), (lane.x, lane.y)))
        x, y = lane.x + lane.width, lane.y
    return found


def _path(curve: Curve) -> str:
    return "{} {}C{} {} {} {} {} {}".format(*(round(v) for point in curve for v in point))


def _label(edge: Edge, curve: Curve, taken: list[Spot]) -> list[str]:
    """Return the label at the first place of the curve where it lies over nothing else; none when there is none."""
    shown = cut(visible(edge.label), _LABEL, Style())
    width = columns(shown) * _SMALL
    for place in _PLACES:
        x, y = (_bezier([point[axis] for point in curve], place) for axis in (0, 1))
        spot = Spot(x - width / 2, y - 13, width, 12)
        if not any(_over(spot, other) for other in taken):
            taken.append(spot)
            fixed = "" if shown.replace("…", "").isascii() else _fixed(shown, _SMALL)
            return [f'<text class="l" x="{round(x)}" y="{round(y) - 4}"{fixed}>{html(shown)}</text>']
    return []


def _over(one: Spot, other: Spot) -> bool:
    beside = one.x + one.width < other.x or other.x + other.width < one.x
    return not (beside or one.y + one.height < other.y or other.y + other.height < one.y)


def _bezier(values: list[float], t: float) -> float:
    a, b, c, d = values
    u = 1 - t
    return u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d
