"""A graph as Mermaid and as DOT. Names are untrusted: they are text in both, and end neither a label nor a line.

Rules enforced here:
- nodes are called `n1`, `n2` ... in order, so no name is ever syntax;
- Mermaid labels are quoted, and everything but letters, digits, spaces and a few signs is an entity code: it is neither
  Markdown, HTML, an icon nor a directive (mermaid.js.org, "Flowcharts", "Entity codes to escape characters");
- DOT labels are quoted strings with backslash, quote and ampersand escaped, so neither escapes like `\\N` nor HTML
  entities count (graphviz.org, "DOT Language", "escString", "Character encodings").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nhictl.render.safe import visible
from nhictl.render.text import Style, cut

if TYPE_CHECKING:
    from nhictl.graph import Edge, Graph, Node

TITLES = {
    "owner": "Owners", "connection": "Connections", "nhi": "NHIs", "role": "Roles", "resource": "Resources",
}  # fmt: skip
_MERMAID_SHAPES = {
    "owner": ("([", "])"), "connection": ("{{", "}}"), "nhi": ("[", "]"), "role": ("[[", "]]"),
    "resource": ("[(", ")]"),
}  # fmt: skip
_MERMAID_EDGES = {"plain": "-->", "weak": "-.-", "maybe": "-.->"}
_DOT_SHAPES = {"owner": "oval", "connection": "hexagon", "nhi": "box", "role": "component", "resource": "cylinder"}
_DOT_STYLES = {"plain": "solid", "weak": "dotted", "maybe": "dashed"}
# Mermaid's defaults of `maxTextSize` and `maxEdges` (mermaid.js.org, "Config").
MOST_TEXT, MOST_EDGES = 50_000, 500
_LONGEST = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9 ,._/()\u00a1-\U0010ffff-]")


def mermaid(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart, with a final line feed."""
    return "\n".join(["flowchart LR", *_mermaid_lines(graph)]) + "\n"


def dot(graph: Graph, title: str) -> str:
    """Return the graph in the DOT language, with a final line feed."""
    head = [
        "digraph nhictl {",
        f'  graph [rankdir=LR, label={quoted(title)}, labelloc=t, fontname="sans-serif"];',
        '  node [fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize=10];',
    ]
    return "\n".join([*head, *_dot_lines(graph), "}"]) + "\n"


def entity(text: str) -> str:
    """Return text for a quoted Mermaid label."""
    return _UNSAFE.sub(_code, _short(text))


def _code(found: re.Match[str]) -> str:
    # Codes are read before formulas, icons and line breaks are looked for: the zero-width space is what stops those.
    after = found.string[found.end() :]
    stop = found[0] == "$" or (found[0] == ":" and after.startswith("fa-")) or (found[0] == "\\" and after[:1] == "n")
    return f"#{ord(found[0])};" + ("#8203;" if stop else "")


def quoted(text: str) -> str:
    """Return text as a quoted string of DOT that is shown as it is."""
    shown = _short(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{shown}"'


def _short(text: str) -> str:
    return cut(visible(text), _LONGEST, Style())


def _names(graph: Graph) -> dict[str, str]:
    return {node.key: f"n{number}" for number, node in enumerate(graph.nodes, 1)}


def _mermaid_lines(graph: Graph) -> Iterator[str]:
    names = _names(graph)
    for kind, title in TITLES.items():
        members = [node for node in graph.nodes if node.kind == kind]
        if members:
            yield f'  subgraph {kind}s["{title}"]'
            yield from (f"    {names[node.key]}{_mermaid_node(node)}" for node in members)
            yield "  end"
    for edge in graph.edges:
        said = f'|"{entity(edge.label)}"|' if edge.label else ""
        yield f"  {names[edge.start]} {_MERMAID_EDGES[edge.style]}{said} {names[edge.end]}"


def _mermaid_node(node: Node) -> str:
    before, after = _MERMAID_SHAPES[node.kind]
    detail = f"<br/>{entity(node.detail)}" if node.detail else ""
    return f'{before}"{entity(node.label)}{detail}"{after}'


def _dot_lines(graph: Graph) -> Iterator[str]:
    names = _names(graph)
    for kind in TITLES:
        members = [node for node in graph.nodes if node.kind == kind]
        if members:
            yield f"  subgraph {kind}s {{"
            # Graphviz cannot draw labelled edges inside of one rank everywhere, and NHIs have them.
            yield "    rank=same;" if kind != "nhi" else "    node [penwidth=2];"
            yield from (f"    {names[node.key]} [{_dot_node(node)}];" for node in members)
            yield "  }"
    yield from (f"  {names[e.start]} -> {names[e.end]} [{_dot_edge(e)}];" for e in graph.edges)


def _dot_node(node: Node) -> str:
    label = quoted(node.label)
    if node.detail:
        label = f"{label[:-1]}\\n{quoted(node.detail)[1:]}"
    return f"label={label}, shape={_DOT_SHAPES[node.kind]}"


def _dot_edge(edge: Edge) -> str:
    found = f"style={_DOT_STYLES[edge.style]}"
    return found + (f", label={quoted(edge.label)}" if edge.label else "")
