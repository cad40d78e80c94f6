"""The declared estate as a graph, what is around one object, and that names are only ever text."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.cli import context
from nhictl.cli.graph import _declared as declared
from nhictl.graph import Edge, Graph, Node, around
from nhictl.render import graph_svg, graph_text
from nhictl.render.graph_layout import GAP, HEIGHT, layout
from tests.support import Manifest, Shop, connection, nhi, role

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    'a"]; click n1 "javascript:alert(1)"', "`**md**`", "<b>x</b><script>alert(1)</script>", "x\n  n1 --> n9", "end",
    '%%{init: {"theme":"dark"}}%%', "\u202eevil\x1b[31m", 'a\\N\\l"; evil [label="x"]; "', "&lt;b&gt;", "#quot;#35; ;",
    "style:x#60;b;", "fa:fa-car", "日本語の長い名前日本語の長い名前", "]]>--><svg onload=alert(1)>", "$$x^2$$",
    "a" * 300, "", "\ud800", "\x00\ufffe",
]  # fmt: skip


def graph_of(root: Path) -> Graph:
    """Return the graph that the command draws."""
    return declared(context.load(root, "", cache=False))


def estate() -> list[Manifest]:
    """Two NHIs that share a role, one of them through a connection, and a role nobody has."""
    proof = {"githubActions": {"repository": "example/shop", "environment": "test"}}
    ci = nhi("ci", "reader", via="github", identity=proof)
    ci["spec"]["grants"].append({"role": "writer", "mode": "jit", "maxTtl": "1h"})
    return [
        role("reader", "read", "list"), role("writer", "write"), role("spare", resource="x"), connection("github"), ci,
        nhi("api", "reader"),
    ]  # fmt: skip


def keys(found: Graph | None) -> set[str]:
    """Return the keys of a graph's nodes."""
    assert found is not None
    return {node.key for node in found.nodes}


def test_it_shows_who_answers_what_comes_in_and_what_is_given(tmp_path: Path):
    """Every relation of the estate, and none else."""
    found = graph_of(Shop(tmp_path).declare(*estate()).root)
    assert {(e.start, e.end, e.label, e.style) for e in found.edges} == {
        *(("owner/team", f"nhi/{name}", "", "plain") for name in ("api", "ci")),
        *(("owner/team", f"role/{name}", "", "weak") for name in ("reader", "writer", "spare")),
        ("owner/team", "connection/github", "", "weak"),
        ("connection/github", "nhi/ci", "", "plain"),
        ("nhi/api", "role/reader", "", "plain"),
        ("nhi/ci", "role/reader", "via github", "plain"),
        ("nhi/ci", "role/writer", "just in time", "maybe"),
        ("role/reader", "resource/directory/db/*", "list, read", "plain"),
        ("role/writer", "resource/directory/db/*", "write", "plain"),
        ("role/spare", "resource/directory/x", "read", "plain"),
    }


@pytest.mark.parametrize(
    ("ref", "inside", "outside"),
    [
        ("nhi/api", {"owner/team", "role/reader", "resource/directory/db/*"}, {"nhi/ci", "role/writer"}),
        ("role/reader", {"nhi/api", "nhi/ci", "connection/github", "owner/team"}, {"role/writer", "role/spare"}),
        ("connection/github", {"nhi/ci", "role/reader", "role/writer", "owner/team"}, {"nhi/api"}),
        ("owner/team", {"nhi/api", "nhi/ci", "role/spare", "connection/github"}, set()),
    ],
)
def test_around_one_object(tmp_path: Path, ref: str, inside: set[str], outside: set[str]):
    """What leads to it and what it leads to, no neighbour's neighbour."""
    found = keys(around(graph_of(Shop(tmp_path).declare(*estate()).root), ref))
    assert inside | {ref} <= found
    assert not outside & found


def test_around_nothing_is_none():
    """The command says so."""
    assert around(Graph((), ()), "nhi/x") is None


def test_the_order_of_files_does_not_show(tmp_path: Path):
    """Same estate, same bytes."""
    one = graph_of(Shop(tmp_path / "a").declare(*estate()).root)
    other = graph_of(Shop(tmp_path / "b").declare(*estate(), shuffle=[6, 2, 0, 5, 1, 4, 3]).root)
    assert written(one) == written(other)


def written(found: Graph) -> list[str]:
    """Return a graph in all three formats."""
    return [graph_text.mermaid(found), graph_text.dot(found, "t"), graph_svg.render(found, "t")]


def hostile(texts: list[str]) -> Graph:
    """Return a graph in which every text is one of some hostile ones."""
    nodes = [Node(k, f"{k}/{i}", t, t) for k in ("nhi", "role") for i, t in enumerate(texts)]
    edges = [Edge(f"nhi/{i}", f"role/{i}", t, ("plain", "weak", "maybe")[i % 3]) for i, t in enumerate(texts)]
    return Graph(tuple(nodes), tuple(edges))


_LABEL = r'"(?:[A-Za-z0-9 ,._/()\u00a1-\U0010ffff-]|#[0-9]+;|<br/>)*"'
_MERMAID = re.compile(
    rf'flowchart LR|  subgraph [a-z]+s\["[A-Za-z]+"\]|  end'
    rf"|    n\d+(?:\[|\[\[|\[\(|\(\[|\{{\{{){_LABEL}(?:\]|\]\]|\)\]|\]\)|\}}\}})"
    rf"|  n\d+ (?:-->|-\.-|-\.->)(?:\|{_LABEL}\|)? n\d+"
)  # fmt: skip
_QUOTED = r'"(?:[^"\\]|\\["\\n])*"'
_DOT = re.compile(
    rf"digraph nhictl \{{|\}}|  \}}|  subgraph [a-z]+s \{{|    (?:rank=same|node \[penwidth=2\]);"
    rf"|  (?:graph|node|edge) \[(?:[a-z]+=(?:{_QUOTED}|\w+),? ?)+\];|    n\d+ \[label={_QUOTED}, shape=\w+\];"
    rf"|  n\d+ -> n\d+ \[style=\w+(?:, label={_QUOTED})?\];"
)


@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text()), min_size=1, max_size=6))
def test_names_are_only_text(texts: list[str]):
    """Every line of Mermaid and DOT is one we wrote, the SVG has our elements only, and nothing hides or reorders."""
    found = hostile(texts)
    mermaid, dot, svg = written(found)
    assert [line for line in mermaid.rstrip("\n").split("\n") if not _MERMAID.fullmatch(line)] == []
    assert [line for line in dot.rstrip("\n").split("\n") if not _DOT.fullmatch(line)] == []
    tree = ElementTree.fromstring(svg)
    assert {e.tag.removeprefix(SVG) for e in tree.iter()} <= {
        "svg", "title", "desc", "style", "defs", "marker", "path", "text", "g", "rect",
    }  # fmt: skip
    assert not any(name.startswith("on") or "href" in name for e in tree.iter() for name in e.attrib)
    assert all(text.replace("\n", "").isprintable() for text in (mermaid, dot, svg))


def test_the_picture_tells_itself():
    """An image with title and description, dark on request, whole names in the tooltips, nothing from elsewhere."""
    svg = graph_svg.render(hostile(["a" * 300]), "shop, prod")
    tree = ElementTree.fromstring(svg)
    assert (tree.attrib["role"], tree.attrib["aria-labelledby"]) == ("img", "title desc")
    assert [tree.find(f"{SVG}{t}").attrib["id"] for t in ("title", "desc")] == ["title", "desc"]  # type: ignore[union-attr]
    assert "1 NHI, 1 role" in tree.findtext(f"{SVG}desc", "")
    assert "prefers-color-scheme:dark" in svg
    assert "a" * 300 in "".join(e.text or "" for e in tree.iter(f"{SVG}title"))
    assert not re.search(r"url\((?!#)|https?://(?!www\.w3\.org/2000/svg)", svg)


def test_text_fits_its_box():
    """Whatever the name: measured in the widest letters of a fixed font, and fixed where the font may be another."""
    tree = ElementTree.fromstring(graph_svg.render(hostile(HOSTILE), "t"))
    for group in tree.iter(f"{SVG}g"):
        box = next(e for e in group if e.attrib.get("class") == "b").attrib
        for text in group.iter(f"{SVG}text"):
            shown = text.text or ""
            drawn = float(text.attrib.get("textLength", len(shown) * (6.1 if "class" in text.attrib else 7.3)))
            assert "textLength" in text.attrib or shown.replace("…", "").isascii()
            assert float(text.attrib["x"]) + drawn <= float(box["x"]) + float(box["width"])


graphs = st.builds(
    lambda sizes, pairs: (sizes, pairs),
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from(["plain", "weak", "maybe"])), max_size=20
    ),
)


@given(graphs)
def test_boxes_stand_apart(drawn: tuple[list[int], list[tuple[int, int, str]]]):
    """No two boxes of a column overlap, no lane crosses a box, and everything is inside of the picture."""
    sizes, pairs = drawn
    kinds = ["owner", "connection", "nhi", "role", "resource"][: len(sizes)]
    nodes = [Node(k, f"{k}/{i}", "x") for k, n in zip(kinds, sizes, strict=True) for i in range(n)]
    order = {n.key: i for i, n in enumerate(nodes)}
    ends = [(nodes[a % len(nodes)].key, nodes[b % len(nodes)].key, s) for a, b, s in pairs]
    edges = tuple(
        Edge(min(a, b, key=order.__getitem__), max(a, b, key=order.__getitem__), "", s) for a, b, s in ends if a != b
    )
    found = layout(Graph(tuple(nodes), edges), dict.fromkeys(kinds, 100), dict.fromkeys(kinds, 50))
    for column in range(len(kinds)):
        tops = sorted(b.y for b in found.boxes.values() if b.column == column)
        assert all(b - a >= HEIGHT + GAP - 1 for a, b in pairwise(tops))
        at = next(b.x for b in found.boxes.values() if b.column == column)
        lanes = [lane.y for crossed in found.lanes.values() for lane in crossed if lane.x == at]
        assert not [y for y in lanes for top in tops if top - 1 < y < top + HEIGHT + 1]
    assert all(b.x + b.width <= found.width and b.y + HEIGHT <= found.height for b in found.boxes.values())


def test_graphviz_shows_names_as_they_are(tmp_path: Path):
    """Where it is installed; the picture has every label, letter by letter."""
    if shutil.which("dot") is None:
        pytest.skip("dot is not installed")
    texts = [t for t in HOSTILE if t.isprintable() and t and len(t) < 80]
    done = subprocess.run(
        ["dot", "-Tsvg"], input=graph_text.dot(hostile(texts), "t"), capture_output=True, text=True, check=True
    )
    shown = [e.text for e in ElementTree.fromstring(done.stdout).iter(f"{SVG}text")]
    assert set(texts) <= set(shown)


def test_the_work_grows_with_the_estate(tmp_path: Path):
    """Each object once in the graph; narrowing it, too."""
    made = [role("r"), *(nhi(f"n{i}", "r") for i in range(150))]
    found = graph_of(Shop(tmp_path).declare(*made).root)
    assert (len(found.nodes), len(found.edges)) == (150 + 3, 2 * 150 + 2)
    assert len(keys(around(found, "nhi/n7"))) == 4
