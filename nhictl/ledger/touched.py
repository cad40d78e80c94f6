"""Who last changed what, and what was taken over rather than made: another projection of the ledger. Pure.

Rules enforced here:
- only what was applied counts; the time is that of the outcome, the person that of the intent;
- an NHI is touched by changes of its own objects and by those that move its access;
- an adopted object stays adopted until it is made anew or given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from nhictl.model import Action, Address, Entry, Status

_MADE = frozenset({Action.CREATE, Action.REPLACE})
_GONE = frozenset({Action.DELETE, Action.FORGET})


class Touch(NamedTuple):
    """One applied change: when (RFC 3339 UTC), by whom, and what it did."""

    time: str
    actor: str
    action: str


@dataclass(slots=True)
class Touched:
    """The last change of each address, and of each manifest object in each target; what was adopted."""

    by_address: dict[Address, Touch] = field(default_factory=dict)
    by_subject: dict[tuple[str, str], Touch] = field(default_factory=dict)
    adopted: set[Address] = field(default_factory=set)
    _open: dict[str, Entry] = field(default_factory=dict)

    def watch(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield `entries` on and take note of them: one pass over the ledger serves two projections."""
        for entry in entries:
            self.see(entry)
            yield entry

    def see(self, entry: Entry) -> None:
        """Take note of the next entry."""
        if entry.type == "intent":
            self._open[entry.data["op"]] = entry
        elif entry.type == "outcome" and entry.data["status"] != Status.INDETERMINATE.value:
            intent = self._open.pop(entry.data["op"], None)
            if intent is not None and entry.data["status"] == Status.APPLIED.value:
                self._settle(intent, entry)

    def _settle(self, intent: Entry, outcome: Entry) -> None:
        data = intent.data
        address, action = Address.parse(data["address"]), Action(data["action"])
        touch = Touch(outcome.time, str(intent.actor.get("name", "")), action.value)
        self.by_address[address] = touch
        for subject in {data["subject"], *_moved(data)}:
            self.by_subject[address.target, subject] = touch
        if former := data.get("renamedFrom"):
            self._rename(Address.parse(former), address)
        if action is Action.ADOPT:
            self.adopted.add(address)
        elif action in _MADE or action in _GONE:
            self.adopted.discard(address)

    def _rename(self, former: Address, address: Address) -> None:
        if former in self.adopted:
            self.adopted.discard(former)
            self.adopted.add(address)


def _moved(data: Mapping[str, object]) -> Iterator[str]:
    """Yield the NHIs whose access an operation moved."""
    deltas = data.get("access")
    for delta in deltas if isinstance(deltas, list) else ():
        yield str(delta.get("subject", ""))
