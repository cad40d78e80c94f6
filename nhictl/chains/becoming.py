"""Which identity can become which: trust on the one side, and where it takes that, a permission on the other.

Rules enforced here:
- whoever a trust names in the same scope gets in by that alone; anybody else needs the permission, too; a deny on
  either side keeps it out;
- a step is unsure when the permission is, and conditional when a condition of either side decides;
- of several trusts that let one in, the surest counts;
- looking for who comes into one identity costs what its trust names, and for a whole account only those of it that
  may become anybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from nhictl.chains import patterns
from nhictl.chains.patterns import meets
from nhictl.chains.verdict import Held, Question, Rights, Verdict, rights
from nhictl.chains.world import World
from nhictl.model import Address, Permission
from nhictl.providers.base import Entrance, Impersonating

_ASSUME = "assume"


@dataclass(frozen=True, slots=True)
class Step:
    """One identity becomes another. `need` is its own permission to, None where the trust alone lets it in.

    It is not `sure` when nobody knows whether it has the permission, or whether a boundary lets it.
    """

    who: Address
    into: Address
    trust: Permission
    need: Permission | None = None
    limits: tuple[Permission, ...] = ()
    sure: bool = True

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of both sides."""
        return tuple(p.condition for p in (self.trust, self.need) if p is not None and p.condition)

    @property
    def cost(self) -> tuple[bool, int]:
        """What tells better steps from worse."""
        return not self.sure, len(self.conditions) + len(self.limits)


@dataclass(frozen=True, slots=True)
class Doors:
    """The trusts of a world and who they let in, looked up once."""

    world: World
    entrances: dict[Address, Entrance]
    called: dict[str, list[Address]]
    trusting: dict[str, list[Address]]
    negated: list[Address]
    rights: dict[Address, Rights] = field(default_factory=dict)
    assuming: dict[str, list[Address]] = field(default_factory=dict)

    @staticmethod
    def of(world: World) -> Doors:
        """Return the doors of a world."""
        entrances: dict[Address, Entrance] = {}
        called: dict[str, list[Address]] = defaultdict(list)
        for main in world.parties:
            at = world.targets[main.target]
            if isinstance(at.adapter, Impersonating):
                found = entrances[main] = at.adapter.entrance(world.resources[main], at.target)
                for text in (*found.names, *found.wide):
                    called[f"{at.adapter.name} {text}"].append(main)
        doors = Doors(world, entrances, dict(called), defaultdict(list), [])
        for main in entrances:
            for text in dict.fromkeys(t.resource for t in doors.trusts(main) if t.effect != "deny"):
                if text.startswith("not:"):
                    doors.negated.append(main)
                doors.trusting[f"{doors.provider(main)} {text}"].append(main)
        return doors

    def provider(self, main: Address) -> str:
        """Return the provider of an identity."""
        return self.world.targets[main.target].adapter.name

    def trusts(self, main: Address) -> tuple[Permission, ...]:
        """Return who may become an identity, as its provider says."""
        return tuple(p for p in self.world.may(self.world.parties[main]) if p.kind == _ASSUME)

    def rights_of(self, main: Address) -> Rights:
        """Return the permissions of an identity."""
        if main not in self.rights:
            self.rights[main] = rights(self.world, self.world.parties[main])
        return self.rights[main]

    def entering(self, into: Address) -> Iterator[Step]:
        """Yield the best step of each identity that can become `into`."""
        if into not in self.entrances:
            return
        who: set[Address] = set()
        for trust in self.trusts(into):
            if trust.effect == "deny":
                continue
            if trust.resource.startswith("not:"):
                who |= {a for a in self.entrances if self.provider(a) == self.provider(into)}
            who |= self._meant(trust.resource, into)
        yield from self._best((a, into) for a in sorted(who))

    def leaving(self, who: Address) -> Iterator[Step]:
        """Yield the best step of `who` into each identity that it can become."""
        entrance = self.entrances.get(who)
        if entrance is None:
            return
        provider = self.provider(who)
        into = {a for name in entrance.names for a in self.trusting.get(f"{provider} {name}", ())}
        into |= {a for a in self.negated if self.provider(a) == provider}
        if self._assumes(who):
            into |= {a for name in entrance.wide for a in self.trusting.get(f"{provider} {name}", ())}
        yield from self._best((who, a) for a in sorted(into))

    def _best(self, pairs: Iterable[tuple[Address, Address]]) -> Iterator[Step]:
        for who, into in pairs:
            steps = [] if who == into else list(self._steps(who, into))
            if steps:
                yield min(steps, key=lambda step: (step.cost, step.trust))

    def _meant(self, text: str, into: Address) -> set[Address]:
        """Return the identities that a trust's text may mean; of a whole account only those that may become any."""
        key = f"{self.provider(into)} {text}"
        if key not in self.assuming:
            found = self.called.get(key, ())
            self.assuming[key] = [a for a in found if text in self.entrances[a].names or self._assumes(a)]
        return set(self.assuming[key])

    def _assumes(self, who: Address) -> bool:
        wanted = patterns.action(self.entrances[who].action, self.rights_of(who).rules)
        return any(meets(rule.actions, wanted) for rule in self.rights_of(who).allows)

    def _steps(self, who: Address, into: Address) -> Iterator[Step]:
        mine, theirs = self.entrances[who], self.entrances[into]
        asked = Question(theirs.action, theirs.resource)
        refusals = [t for t in self.trusts(into) if t.effect == "deny" and self._about(t, theirs) and _means(t, mine)]
        if any(not t.condition for t in refusals):
            return
        for trust in self.trusts(into):
            if trust.effect == "deny" or not self._about(trust, theirs) or not _means(trust, mine):
                continue
            if mine.scope == theirs.scope and _by_name(trust, mine):
                alone = self.rights_of(who).given(asked, bounded=mine.bounded)
                yield from _step(Step(who, into, trust, limits=tuple(refusals)), alone)
            for need in self.rights_of(who).asked(asked):
                yield from _step(Step(who, into, trust, need.permission, tuple(refusals)), need)

    def _about(self, trust: Permission, entrance: Entrance) -> bool:
        """Say whether a trust is about becoming, and not only about tags of a session."""
        if not trust.action.startswith("not:"):
            return trust.action == _ASSUME
        rules = patterns.Rules(ignore_case=True)
        return meets(patterns.action(trust.action, rules), patterns.action(entrance.action, rules))


def _step(begun: Step, held: Held) -> Iterator[Step]:
    if held.verdict is not Verdict.DENIED:
        yield replace(begun, limits=(*begun.limits, *held.limited_by), sure=held.verdict is Verdict.CAN)


def _by_name(trust: Permission, entrance: Entrance) -> bool:
    return trust.resource.startswith("not:") or trust.resource in entrance.names


def _means(trust: Permission, entrance: Entrance) -> bool:
    """Say whether a trust's text is about an identity: `not:a,b` is about all but those called `a` or `b`."""
    if not trust.resource.startswith("not:"):
        return trust.resource in entrance.names or trust.resource in entrance.wide
    listed = patterns.listed(trust.resource)
    return not any(name in listed for name in (*entrance.names, *entrance.wide))
