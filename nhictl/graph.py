"""The declared estate as a graph: owner, connection, NHI, role, resource. Pure.

Rules enforced here:
- edges lead from a kind to a later one, but those from an NHI to another that it can become;
- what a role gives is what its provider says it gives; what an NHI has without a role leads from the NHI;
- around one object is what leads to it and what it leads to; of an owner, everything it answers for;
- nodes and edges are sorted: the same estate gives the same graph, whatever the order of its files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from nhictl.chains import World, steps
from nhictl.kinds.estate import Estate
from nhictl.kinds.nhi import NHI, Grant
from nhictl.model import Permission

KINDS = ("owner", "connection", "nhi", "role", "resource")
_OPAQUE = ("policy:", "group:")
_ACTIONS = 3


class Node(NamedTuple):
    """One thing. `key` is its reference, of a resource `resource/TARGET/TEXT`; `detail` is said below its label."""

    kind: str
    key: str
    label: str
    detail: str = ""


class Edge(NamedTuple):
    """One relation. `style` is `plain`, `weak` (answers for) or `maybe` (not standing, not sure)."""

    start: str
    end: str
    label: str = ""
    style: str = "plain"


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by kind and key, edges by start and end, each once."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def build(estates: Iterable[Estate], world: World, owners: Mapping[str, str]) -> Graph:
    """Return the graph of an environment: its estates, the resources they mean, and owners with their display name."""
    nodes = {f"owner/{name}": Node("owner", f"owner/{name}", name, shown) for name, shown in owners.items()}
    labels: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    plain: dict[tuple[str, str], str] = {}
    for estate in estates:
        plain |= _plain(estate, world)
        for edge in _declared(estate, nodes):
            labels[edge.start, edge.end, edge.style][edge.label] = None
    for edge in (*_given(world, plain, nodes), *_trusted(world), *_becoming(world)):
        labels[edge.start, edge.end, edge.style][edge.label] = None
    edges = [
        Edge(start, end, _joined(said), style)
        for (start, end, style), said in labels.items()
        if start in nodes and end in nodes and start != end
    ]
    return Graph(tuple(sorted(nodes.values(), key=_place)), tuple(sorted(edges)))


def around(graph: Graph, key: str) -> Graph | None:
    """Return what is around one object; None when the graph has no such object."""
    if not any(node.key == key for node in graph.nodes):
        return None
    after, before = _neighbours(graph)
    own = {key, *(after.get(key, ()) if key.startswith("owner/") else ())}
    chosen = _closure(own, after) | ({key} if key.startswith("owner/") else _closure({key}, before))
    # Whoever answers for an NHI, and the connection it comes through, belong to it.
    chosen |= {b for k in chosen if k.startswith("nhi/") for b in before.get(k, ()) if not b.startswith("nhi/")}
    return Graph(
        tuple(n for n in graph.nodes if n.key in chosen),
        tuple(e for e in graph.edges if e.start in chosen and e.end in chosen),
    )


def _place(node: Node) -> tuple[int, str]:
    return KINDS.index(node.kind), node.key


def _neighbours(graph: Graph) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return what each node leads to, and what leads to it; that an owner answers for a role is no way to the owner."""
    after, before = defaultdict(list), defaultdict(list)
    for edge in graph.edges:
        after[edge.start].append(edge.end)
        before[edge.end].append(edge.start)
    return after, before


def _closure(start: Iterable[str], beside: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    queue = list(start)
    while queue:
        key = queue.pop()
        if key not in found:
            found.add(key)
            queue.extend(beside.get(key, ()))
    return found


def _joined(labels: Iterable[str]) -> str:
    return "; ".join(sorted(label for label in labels if label))


def _declared(estate: Estate, nodes: dict[str, Node]) -> Iterator[Edge]:
    """Yield what the manifests say, and note its nodes."""
    for role in estate.roles.values():
        nodes[role.ref] = Node("role", role.ref, role.meta.name, role.provider)
        yield Edge(f"owner/{role.owner}", role.ref, style="weak")
    for connection in estate.connections.values():
        nodes[connection.ref] = Node("connection", connection.ref, connection.meta.name, connection.issuer_kind)
        yield Edge(f"owner/{connection.owner}", connection.ref, style="weak")
    for nhi in estate.nhis:
        off = "" if nhi.enabled and not estate.expired(nhi) else ", disabled"
        nodes[nhi.ref] = Node("nhi", nhi.ref, nhi.meta.name, f"{nhi.type}, {nhi.tier}{off}")
        yield Edge(f"owner/{nhi.owner}", nhi.ref)
        yield from _grants(estate, nhi)


def _grants(estate: Estate, nhi: NHI) -> Iterator[Edge]:
    standing = estate.standing(nhi)
    for grant in nhi.grants:
        if grant.role not in estate.roles or (grant.environments and estate.environment.name not in grant.environments):
            continue
        style = "plain" if grant in standing and nhi.enabled else "maybe"
        yield Edge(nhi.ref, f"role/{grant.role}", _how(grant), style)
        if grant.via:
            yield Edge(f"connection/{grant.via}", nhi.ref)


def _how(grant: Grant) -> str:
    parts = [f"via {grant.via}"] if grant.via else []
    parts += ["just in time"] if grant.mode == "jit" else []
    parts += [f"until {grant.expires.isoformat()}"] if grant.expires is not None else []
    return ", ".join(parts)


def _plain(estate: Estate, world: World) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the NHIs of a target with the one role of theirs that is no object of its own, but a part of theirs."""
    realised = {r.subject for r in world.resources.values() if r.address.target == estate.target.name}
    for nhi in estate.nhis:
        found = {f"role/{grant.role}" for grant in estate.standing(nhi)} - realised
        if len(found) == 1:
            yield (estate.target.name, nhi.ref), found.pop()


def _given(world: World, plain: Mapping[tuple[str, str], str], nodes: dict[str, Node]) -> Iterator[Edge]:
    """Yield what roles, and NHIs without a role, give access to, and note those resources."""
    actions: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for holder, target, permission in _permissions(world, plain):
        text = permission.action if permission.action.startswith(_OPAQUE) else permission.resource or "*"
        key = f"resource/{target}/{text}"
        nodes[key] = Node("resource", key, text, target)
        said = "" if permission.action.startswith(_OPAQUE) else permission.action
        actions[holder, key, permission.effect][said] = None
    for (holder, key, effect), found in actions.items():
        names = sorted(found)
        more = f" and {len(names) - _ACTIONS} more" if len(names) > _ACTIONS else ""
        denied = "deny " if effect == "deny" else ""
        yield Edge(holder, key, denied + ", ".join(names[:_ACTIONS]) + more)


def _permissions(world: World, plain: Mapping[tuple[str, str], str]) -> Iterator[tuple[str, str, Permission]]:
    """Yield each permission once for what it belongs to: a role where one gives it, else the NHI."""
    roles = {str(a): r.subject for a, r in world.resources.items() if r.subject.startswith("role/")}
    for address, resource in world.resources.items():
        if str(address) in roles:
            yield from ((resource.subject, address.target, p) for p in world.by_itself(address) if p.kind != "assume")
    for party in world.parties.values():
        itself = plain.get((party.main.target, party.subject), party.name)
        for permission in world.may(party):
            if permission.kind != "assume" and not permission.boundary:
                yield roles.get(permission.source, itself), party.main.target, permission


def _trusted(world: World) -> Iterator[Edge]:
    """Yield the connections that NHIs come through, said by a grant or not."""
    by = {str(a): r.subject for a, r in world.resources.items() if r.subject.startswith("connection/")}
    for party in world.parties.values():
        for permission in world.may(party):
            if permission.kind == "assume" and permission.source in by:
                yield Edge(by[permission.source], party.name)


def _becoming(world: World) -> Iterator[Edge]:
    for step in steps(world):
        who, into = world.parties[step.who].name, world.parties[step.into].name
        yield Edge(who, into, "may become" if step.sure else "might become", "plain" if step.sure else "maybe")
