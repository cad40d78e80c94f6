"""`nhictl graph`: the declared estate as a picture. Reads manifests only: no network, no ledger."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, say
from nhictl.model import Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.cli.context import Loaded
    from nhictl.graph import Graph

app = new_app()

_EPILOG = """\b
Examples:
  nhictl graph -e prod
  nhictl graph nhi/payments-ci -e prod
  nhictl graph owner/payments -e prod -o svg > payments.svg
  nhictl graph -e prod -o dot | dot -Tpdf > estate.pdf
"""


class GraphFormat(StrEnum):
    """How a graph is written."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"


@app.command(epilog=_EPILOG)
def graph(
    ref: Annotated[
        str, typer.Argument(metavar="REF", help="Only what is around this: owner/x, nhi/x, role/x or connection/x.")
    ] = "",
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: Annotated[GraphFormat, o.option("-o", "--output", help="Format of the picture.")] = GraphFormat.MERMAID,
    debug: o.Debug = False,
    no_cache: o.NoCache = False,
) -> None:
    """Draw who answers for which NHI, how it comes in, its roles and what they give access to."""
    from nhictl.cli import context
    from nhictl.graph import around

    loaded = context.load(chdir, env, cache=not no_cache)
    whole = _declared(loaded)
    chosen = around(whole, ref) if ref else whole
    if chosen is None:
        raise _unknown(ref, whole, loaded.environment.name)
    title = f"{loaded.workspace.name}, {loaded.environment.name}" + (f", around {ref}" if ref else "")
    out(_drawn(chosen, title, output))


def _drawn(chosen: Graph, title: str, form: GraphFormat) -> str:
    from nhictl.render import graph_svg, graph_text

    if form is GraphFormat.MERMAID:
        text = graph_text.mermaid(chosen)
        if len(text) > graph_text.MOST_TEXT or len(chosen.edges) > graph_text.MOST_EDGES:
            say("note: Mermaid refuses a diagram of this size unless it is told otherwise; name one object, or -o dot")
        return text
    if form is GraphFormat.DOT:
        return graph_text.dot(chosen, title)
    if len(chosen.nodes) > graph_svg.MOST_NODES or len(chosen.edges) > graph_svg.MOST_EDGES:
        raise NhictlError(
            f"{len(chosen.nodes):,} objects and {len(chosen.edges):,} relations are too many for one picture",
            hint="name one object (owner/x, nhi/x, role/x, connection/x), or use -o dot",
        )
    return graph_svg.render(chosen, title)


def _declared(loaded: Loaded) -> Graph:
    from nhictl.cli import context
    from nhictl.engine import access
    from nhictl.engine.prepare import Names, adapters_of
    from nhictl.graph import build
    from nhictl.select import Selection

    request = context.request(loaded, Selection())
    pairs = adapters_of(loaded.environment, context.adapters(loaded.environment))
    estates = [request.compile(target, Names({}, {})) for target, _ in pairs]
    owners = {
        d.name: str(d.value["spec"].get("displayName") or "") for d in loaded.checked.documents if d.kind == "Owner"
    }
    return build(estates, access.declared(request, pairs).world, owners)


def _unknown(ref: str, whole: Graph, environment: str) -> NhictlError:
    from nhictl.manifest.schema import near_miss

    known = [node.key for node in whole.nodes if node.kind != "resource"]
    same = [key for key in known if key.partition("/")[2] == ref]
    hint = f"did you mean {' or '.join(same)}?" if same else near_miss(ref, known)
    hint = hint or "references are owner/NAME, nhi/NAME, role/NAME, connection/NAME"
    return NhictlError(f"nothing is named {ref} in {environment}", hint=hint, exit_code=Exit.USAGE)
