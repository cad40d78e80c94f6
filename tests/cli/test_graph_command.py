"""`nhictl graph`: three formats on stdout, one object, too much for one picture; no target is asked."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from nhictl.cli import context
from nhictl.model import Fault
from nhictl.render import graph_svg
from tests.cli.conftest import Line
from tests.cli.meddling import Meddling
from tests.support import Shop


@pytest.mark.parametrize(
    ("form", "begins"), [("mermaid", "flowchart LR\n"), ("dot", "digraph nhictl {\n"), ("svg", "<?xml version=")]
)
def test_each_format_is_the_whole_output(shop: Shop, line: Line, form: str, begins: str):
    """The same bytes each time, nothing on stderr."""
    said = line("graph", "-o", form)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(begins)
    assert line("graph", "-o", form).out == said.out


def test_mermaid_is_the_usual_one(shop: Shop, line: Line):
    """It is what a README shows."""
    assert line("graph").out == line("graph", "-o", "mermaid").out


def test_one_object_narrows(shop: Shop, line: Line):
    """The other NHI and its role are not there; the picture says what it is about."""
    out = line("graph", "nhi/api", "-o", "svg").out
    assert ElementTree.fromstring(out).findtext("{http://www.w3.org/2000/svg}title") == "shop, test, around nhi/api"
    assert "writer" not in out


def test_neither_target_nor_ledger_is_asked(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """The manifests are enough."""
    monkeypatch.setattr(context, "adapters", lambda _environment: {"local": Meddling(closed=Fault.AUTH)})
    before = shop.tree()
    assert line("graph").code == 0
    assert shop.tree() == before


@pytest.mark.parametrize(("ref", "hint"), [("api", "nhi/api"), ("nhi/ap", "nhi/api"), ("db/x", "owner/NAME")])
def test_an_unknown_object_is_refused(shop: Shop, line: Line, ref: str, hint: str):
    """With near misses."""
    said = line("graph", ref)
    assert (said.code, said.out) == (64, "")
    assert hint in said.err


def test_too_much_for_one_picture(shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch):
    """It says what to do; the other formats have no limit."""
    monkeypatch.setattr(graph_svg, "MOST_NODES", 3)
    said = line("graph", "-o", "svg")
    assert (said.code, said.out) == (1, "")
    assert "-o dot" in said.err
    assert line("graph", "-o", "dot").code == 0
