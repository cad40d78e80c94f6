"""What of a permission is left once denies and boundaries are taken off, for everything or for one question.

Rules enforced here:
- a deny takes all of an allow only when it has no condition and contains it, or contains what is asked; any other deny
  that meets it is told as a limit;
- a boundary of which the text is known takes what it does not allow; one that is not known makes the rest unsure;
- what is opaque, or hangs on `${...}`, is unsure or conditional: never left out, never counted as certain;
- conditions are carried along, never evaluated;
- where patterns are paths, a permission counts only against denies that are as specific as itself, and for one plain
  path only the most specific ones count at all; how specific a path with `{{...}}` is only the request tells: it takes
  nothing from others, and nothing is taken from it for sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from nhictl.chains import patterns
from nhictl.chains.patterns import Rules, Texts, contains, meets
from nhictl.chains.world import Party, World, parsed
from nhictl.model import Permission

_OPAQUE = ("policy:", "group:")


class Verdict(StrEnum):
    """Whether a permission really gives what it says: maybe under its condition; maybe; or taken away again."""

    CAN = "can"
    MIGHT = "might"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Held:
    """One permission as it really is. `denied_by` take all of it, `limited_by` some, or all under a condition."""

    permission: Permission
    verdict: Verdict
    denied_by: tuple[Permission, ...] = ()
    limited_by: tuple[Permission, ...] = ()

    @property
    def conditional(self) -> bool:
        """True when the request decides: by a condition, a variable or a limit."""
        varies = "${" in self.permission.resource or "{{" in self.permission.resource
        return bool(self.permission.condition or self.limited_by or varies)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for: an action on a resource, each maybe a pattern."""

    action: str = "*"
    resource: str = "*"


@dataclass(frozen=True)
class Rule:
    """A permission with its patterns; `opaque` when nobody knows what it gives."""

    permission: Permission
    rules: Rules

    @property
    def opaque(self) -> bool:
        """True for a policy or group that nhictl does not know."""
        return self.permission.action.startswith(_OPAQUE)

    @cached_property
    def actions(self) -> Texts:
        """The actions."""
        return patterns.action("*" if self.opaque else self.permission.action, self.rules)

    @cached_property
    def resources(self) -> Texts:
        """The resources. A permission that names none is one on everything."""
        return patterns.resource(self.permission.resource or "*", self.rules)

    @property
    def certain(self) -> bool:
        """True when neither a condition nor a variable decides."""
        return not self.permission.condition and self.actions.certain and self.resources.certain

    def meets(self, other: Rule) -> bool:
        """Say whether both may be about the same."""
        return meets(self.actions, other.actions) and meets(self.resources, other.resources)

    def takes(self, *scopes: Rule) -> bool:
        """Say whether this, a deny, has everything that is in all of `scopes`."""
        return any(contains(self.actions, s.actions) for s in scopes) and any(
            contains(self.resources, s.resources) for s in scopes
        )


@dataclass(frozen=True, slots=True)
class Boundary:
    """A permissions boundary: what it allows; None when its text is not known."""

    permission: Permission
    allows: tuple[Rule, ...] | None


@dataclass(frozen=True, slots=True)
class Rights:
    """The permissions of one identity, sorted out once and asked often."""

    allows: tuple[Rule, ...]
    denies: tuple[Rule, ...]
    boundaries: tuple[Boundary, ...]
    rules: Rules

    def asked(self, question: Question, *, bounded: bool = True) -> tuple[Held, ...]:
        """Return the permissions that may give what is asked, each as it really is for it."""
        asked = Rule(Permission("allow", question.action, question.resource), self.rules)
        found = self._specific([rule for rule in self.allows if rule.meets(asked)], asked)
        return tuple(self._judged(rule, asked, bounded=bounded) for rule in found)

    @property
    def taking(self) -> tuple[Permission, ...]:
        """What takes away: denies, and boundaries."""
        return (*(rule.permission for rule in self.denies), *(one.permission for one in self.boundaries))

    def all(self) -> tuple[Held, ...]:
        """Return every permission that gives anything, as it really is."""
        everything = Rule(Permission("allow", "*", "*"), self.rules)
        return tuple(self._judged(rule, everything) for rule in self.allows if rule.meets(everything))

    def given(self, question: Question, *, bounded: bool = True) -> Held:
        """Return how an allow of exactly `question`, given by somebody else, fares with the denies of this identity."""
        asked = Rule(Permission("allow", question.action, question.resource), self.rules)
        return self._judged(asked, asked, bounded=bounded)

    def _specific(self, found: list[Rule], asked: Rule) -> list[Rule]:
        """Return of several paths the most specific, when one path is asked for. A deny counts as any other."""
        if self.rules.style != "path" or not all(glob.plain for glob in asked.resources.globs):
            return found
        known = [r for r in (*self.allows, *self.denies) if not r.opaque and r.resources.certain]
        fitting = [patterns.rank(r.permission.resource) for r in known if meets(r.resources, asked.resources)]
        best = max(fitting, default=())
        return [r for r in found if r.opaque or not r.resources.certain or patterns.rank(r.permission.resource) == best]

    def _judged(self, rule: Rule, asked: Rule, *, bounded: bool = True) -> Held:
        met = [d for d in self.denies if d.meets(rule) and d.meets(asked) and self._counts(d, rule)]
        ranked = self.rules.style != "path" or rule.resources.certain
        total = [d.permission for d in met if ranked and d.certain and d.takes(rule, asked)]
        limits = [d.permission for d in met if d.permission not in total]
        unsure = rule.opaque
        for boundary in self.boundaries if bounded else ():
            fits = _within(boundary, rule, asked)
            if fits is None:
                unsure = True
            if fits is False:
                total.append(boundary.permission)
            elif fits is not True:
                limits.append(boundary.permission)
        verdict = Verdict.DENIED if total else Verdict.MIGHT if unsure else Verdict.CAN
        return Held(rule.permission, verdict, tuple(sorted(total)), tuple(sorted(limits)))

    def _counts(self, deny: Rule, allow: Rule) -> bool:
        if self.rules.style != "path" or allow.permission.resource in ("", "*"):
            return True
        if not (deny.resources.certain and allow.resources.certain):
            return True
        return patterns.rank(deny.permission.resource) >= patterns.rank(allow.permission.resource)


def _within(boundary: Boundary, rule: Rule, asked: Rule) -> bool | str | None:
    """Say whether a boundary lets a permission through: all of it, none, `partly`, or None when nobody knows."""
    if boundary.allows is None:
        return None
    met = [b for b in boundary.allows if b.meets(rule) and b.meets(asked)]
    if any(b.certain and not b.opaque and b.takes(rule, asked) for b in met):
        return True
    return "partly" if met else False


def rights(world: World, party: Party) -> Rights:
    """Return the permissions of an identity, sorted out."""
    rules = world.targets[party.main.target].rules
    own = [p for p in world.may(party) if p.kind != "assume"]
    bounds = [p for p in own if p.boundary]
    texts = [(p, _text_of(world, party, p)) for p in bounds]
    denies = [p for p in own if p.effect == "deny" and p not in bounds]
    denies += [p for _, text in texts for p in text or () if p.effect == "deny"]
    return Rights(
        _rules((p for p in own if p.effect != "deny"), rules),
        _rules(denies, rules),
        tuple(
            Boundary(p, None if text is None else _rules((t for t in text if t.effect != "deny"), rules))
            for p, text in texts
        ),
        rules,
    )


def _rules(permissions: Iterable[Permission], rules: Rules) -> tuple[Rule, ...]:
    return tuple(Rule(p, rules) for p in permissions)


def _text_of(world: World, party: Party, boundary: Permission) -> Sequence[Permission] | None:
    """Return what a boundary says; None when its text is not known."""
    address = parsed(boundary.source)
    if address is None or address in party.parts or address not in world.resources:
        return None
    return world.by_itself(address)
