"""The two questions: what can this identity do, and who can do this. Each answer with the chain that gives it.

Rules enforced here:
- of several ways into an identity the one with fewest unsure steps is told, then the shortest;
- an answer lists every permission of an identity that gives what is asked, and the nearest other identity that it can
  become and that has it, too;
- answers are sorted, so that the same resources give the same answer.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from nhictl.chains.becoming import Doors, Step
from nhictl.chains.verdict import Held, Question, Verdict
from nhictl.chains.world import Party, World, parsed
from nhictl.model import Address, Permission, Place

DEPTH = 8
_ORDER = {Verdict.CAN: 0, Verdict.MIGHT: 1, Verdict.DENIED: 2}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain. `step` says how the identity before becomes this one; None where it just has it."""

    name: str
    subject: str = ""
    place: Place | None = None
    step: Step | None = None


Chain = tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A permission as it really is, or a trust, and the chain that gives it."""

    held: Held
    chain: Chain


@dataclass(frozen=True, slots=True)
class Reached:
    """An identity and what it can do. `chain` leads to it: itself for one's own. Unsure when a step is."""

    identity: Link
    chain: Chain
    sure: bool
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Everything one NHI, or one identity, can do: itself, then by becoming others; and who can become it.

    `deeper` when there is more beyond `DEPTH` steps.
    """

    name: str
    own: tuple[Reached, ...]
    others: tuple[Reached, ...]
    trust: tuple[Given, ...]
    entering: tuple[Reached, ...]
    deeper: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who can, might, or could but for a deny, do what was asked; with what gives it, the surest first."""

    name: str
    verdict: Verdict
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Who can do what was asked, by name. `deeper` when there is more beyond `DEPTH` steps."""

    question: Question
    holders: tuple[Holder, ...]
    deeper: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """The best way between an identity and a start: steps in the order they are taken."""

    sure: bool
    steps: tuple[Step, ...]
    start: Address


def access(world: World, reference: str) -> Access | None:
    """Return the access of the NHI or identity called `reference`; None when nothing live or declared is."""
    parties = world.named(reference)
    if not parties:
        return None
    doors = Doors.of(world)
    mains = {p.main for p in parties}
    reached, beyond = _spread(dict.fromkeys(mains, True), doors.leaving, forward=True)
    entering, before = _spread(dict.fromkeys(mains, True), doors.entering, forward=False)
    return Access(
        parties[0].subject or reference,
        tuple(_reached(doors, reached[p.main], p.main) for p in parties),
        tuple(_reached(doors, reached[main], main) for main in sorted(reached) if main not in mains),
        tuple(_trusted(world, p, trust) for p in parties for trust in doors.trusts(p.main)),
        tuple(
            Reached(_link(world, main), _chain(world, world.parties[main], found.steps), found.sure, ())
            for main, found in sorted(entering.items()) if main not in mains
        ),
        beyond or before,
    )  # fmt: skip


def who_can(world: World, question: Question) -> Answer:
    """Return everybody who can do what is asked, who might, and who could but for a deny."""
    doors = Doors.of(world)
    held = {main: found for main in world.parties if (found := _best_first(doors.rights_of(main).asked(question)))}
    starts = {m: h[0].verdict is Verdict.CAN for m, h in held.items() if h[0].verdict is not Verdict.DENIED}
    reached, deeper = _spread(starts, doors.entering, forward=False)
    by_name: dict[str, list[Given]] = {}
    for main in sorted({*held, *reached}):
        party = world.parties[main]
        way = _onward(doors, reached, main) if main in held else reached.get(main)
        by_name.setdefault(party.name, []).extend(_givens(doors, held, way, party))
    holders = [_holder(name, given) for name, given in by_name.items()]
    return Answer(question, tuple(sorted(holders, key=lambda h: (_ORDER[h.verdict], h.name))), deeper)


def steps(world: World) -> Iterator[Step]:
    """Yield the best step of each identity into each other one that it can become."""
    doors = Doors.of(world)
    for main in sorted(world.parties):
        yield from doors.leaving(main)


def _onward(doors: Doors, reached: Mapping[Address, _Found], main: Address) -> _Found | None:
    """Return the best way of one that has it by itself, to another that has it, too."""
    ways = [
        _Found(step.sure and beyond.sure, (step, *beyond.steps), beyond.start)
        for step in doors.leaving(main)
        if (beyond := reached.get(step.into)) is not None and main not in {beyond.start, *(s.who for s in beyond.steps)}
    ]
    return min(ways, key=lambda way: (not way.sure, len(way.steps), way.start), default=None)


def _givens(
    doors: Doors, held: Mapping[Address, tuple[Held, ...]], found: _Found | None, party: Party
) -> Iterator[Given]:
    """Yield what an identity has by itself, and what the nearest that it can become has."""
    world = doors.world
    for one in held.get(party.main, ()):
        yield Given(one, _way(world, (), party, one.permission))
    if found is not None and found.steps:
        one = held[found.start][0]
        unsure = Held(one.permission, Verdict.MIGHT, one.denied_by, one.limited_by)
        yield Given(one if found.sure else unsure, _way(world, found.steps, party, one.permission))


def _holder(name: str, given: Iterable[Given]) -> Holder:
    ordered = tuple(sorted(given, key=lambda g: (_ORDER[g.held.verdict], len(g.chain))))
    return Holder(name, ordered[0].held.verdict, ordered)


def _best_first(held: Iterable[Held]) -> tuple[Held, ...]:
    return tuple(sorted(held, key=lambda h: (_ORDER[h.verdict], h.conditional, h.permission, h.permission.source)))


def _spread(
    starts: Mapping[Address, bool], beside: Callable[[Address], Iterable[Step]], *, forward: bool
) -> tuple[dict[Address, _Found], bool]:
    """Return the best way of each identity from, or when not `forward` to, one of `starts`, and whether it was cut.

    `starts` says of each whether it is sure. A start that is unsure can be bettered by a sure way to another one.
    """
    queue = [(int(not sure), 0, main, 0, _Found(sure, (), main)) for main, sure in starts.items()]
    heapq.heapify(queue)
    found: dict[Address, _Found] = {}
    deeper, count = False, 0
    while queue:
        unsure, length, main, _, way = heapq.heappop(queue)
        if main in found:
            continue
        found[main] = way
        following = [s for s in beside(main) if (s.into if forward else s.who) not in found]
        if length == DEPTH:
            deeper = deeper or bool(following)
            continue
        for step in following:
            count += 1
            taken = (*way.steps, step) if forward else (step, *way.steps)
            beyond = _Found(way.sure and step.sure, taken, way.start)
            other = step.into if forward else step.who
            heapq.heappush(queue, (unsure + (not step.sure), length + 1, other, count, beyond))
    return found, deeper


def _reached(doors: Doors, found: _Found, main: Address) -> Reached:
    world = doors.world
    party, first = world.parties[main], world.parties[found.start]
    rights = doors.rights_of(main)
    taking = [Held(p, Verdict.CAN) for p in rights.taking]
    given = tuple(Given(one, _way(world, found.steps, first, one.permission)) for one in (*rights.all(), *taking))
    return Reached(_link(world, party.main), _chain(world, first, found.steps), found.sure, given)


def _trusted(world: World, party: Party, trust: Permission) -> Given:
    """Return a trust with its chain: from the connection it comes through to the identity."""
    source = parsed(trust.source)
    way = world.ways(party).get(source or party.main)
    if way is not None:
        return Given(Held(trust, Verdict.CAN), tuple(_link(world, address) for address in reversed(way)))
    first = _link(world, source) if source is not None else Link(trust.source)
    return Given(Held(trust, Verdict.CAN), (first, _link(world, party.main)))


def _chain(world: World, party: Party, steps: Iterable[Step]) -> Chain:
    """Return the chain of an identity and those it becomes one after the other."""
    head = [Link(party.subject)] if party.subject else []
    return (*head, _link(world, party.main), *(_link(world, step.into, step) for step in steps))


def _way(world: World, steps: tuple[Step, ...], party: Party, permission: Permission) -> Chain:
    """Return the chain from an identity, through those it becomes, to what gives a permission."""
    chain = _chain(world, party, steps)
    last = world.parties[steps[-1].into] if steps else party
    source = parsed(permission.source)
    way = world.ways(last).get(source) if source is not None else None
    if way is not None:
        if not steps and way[0] != party.main:
            return (*chain[:-1], *(_link(world, address) for address in way))
        return (*chain, *(_link(world, address) for address in way[1:]))
    return chain if permission.source in ("", chain[-1].name) else (*chain, Link(permission.source))


def _link(world: World, address: Address, step: Step | None = None) -> Link:
    resource = world.resources.get(address)
    if resource is None:
        return Link(str(address), step=step)
    return Link(str(address), resource.subject, resource.place, step)
