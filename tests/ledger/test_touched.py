"""Who last changed what, and what was taken over."""

from __future__ import annotations

from typing import Any

from nhictl.ledger.touched import Touch, Touched
from nhictl.model import Address, Entry

AT = Address("t", "identity", "api")


class Log:
    """Entries of a ledger, written by name."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def op(self, action: str, who: str = "ann", status: str = "applied", **data: Any) -> Log:
        """Add an intent with its outcome, an hour later each."""
        n = len(self.entries)
        about = {"op": f"op-{n}", "action": action, "address": str(AT), "subject": "nhi/api", **data}
        self.entries.append(Entry(n, "", f"2026-01-01T{n:02}:00:00Z", "run", "intent", {"name": who}, about))
        ended = {"op": f"op-{n}", "status": status}
        if status:
            outcome = Entry(n + 1, "", f"2026-01-01T{n + 1:02}:00:00Z", "run", "outcome", {"name": "x"}, ended)
            self.entries.append(outcome)
        return self

    def seen(self) -> Touched:
        """Return what the projection says."""
        touched = Touched()
        assert list(touched.watch(self.entries)) == self.entries
        return touched


def test_the_last_applied_change_counts_with_who_asked_for_it() -> None:
    """The time is that of the outcome, the person that of the intent."""
    found = Log().op("create").op("update", "bob").op("update", "eve", "failed").op("update", "eve", "").seen()
    assert found.by_address[AT] == Touch("2026-01-01T03:00:00Z", "bob", "update")
    assert found.by_subject["t", "nhi/api"].actor == "bob"


def test_access_that_moves_touches_the_nhi() -> None:
    """Even when only a role of it changes."""
    role = {"address": "t/role/reader", "subject": "role/reader"}
    found = Log().op("create").op("update", "bob", **role, access=[{"subject": "nhi/api"}]).seen()
    assert found.by_subject["t", "nhi/api"].actor == "bob"
    assert found.by_address[AT].actor == "ann"


def test_an_adopted_object_stays_adopted_through_updates_and_renames() -> None:
    """Until it is made anew or given up."""
    renamed = str(AT._replace(name="new"))
    taken = Log().op("adopt").op("update")
    assert taken.seen().adopted == {AT}
    assert taken.op("update", address=renamed, renamedFrom=str(AT)).seen().adopted == {AT._replace(name="new")}
    assert taken.op("forget", address=renamed).seen().adopted == set()
    assert Log().op("adopt").op("replace").seen().adopted == set()
    assert Log().op("adopt").op("delete").op("create").seen().adopted == set()
