"""Intent, call, outcome; failures, lost replies, several workers, a stop."""

import threading
from dataclasses import replace
from unittest import mock

import pytest

from nhictl.engine import apply as applying
from nhictl.ledger.writer import Writer
from nhictl.model import LedgerError
from tests.engine.shaky import Shaky, by_name, defect, lost_after, lost_before, partial, refused
from tests.support import Shop, nhi, role


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop").declare(role("r"), role("s"), nhi("a", "r"), nhi("b", "s"))


def run(shop, **mishaps):
    """Apply once with these mishaps (`create_role_r=...`); return the statuses by name."""
    script = {"{} {}/{}".format(*key.split("_")): mishap for key, mishap in mishaps.items()}
    shop.adapter = Shaky(script)
    return dict(by_name(shop.apply()))


def test_every_change_has_an_intent_and_an_outcome_in_order(shop):
    """In the ledger: plan, then pairs, each intent before its outcome, all under one plan."""
    shop.apply()
    types = [e.type for e in shop.entries() if e.type in ("plan", "intent", "outcome")]
    assert types == ["plan", *["intent", "outcome"] * 6]
    digest = shop.entries("plan")[0].data["digest"]
    assert {e.data["plan"] for e in shop.entries("intent")} == {digest}


def test_a_failed_change_skips_its_dependents_and_the_rest_goes_on(shop):
    """Only what needs it waits; the next apply does the rest."""
    found = run(shop, create_role_r=refused)
    assert found == {
        "role/r": "failed", "grant/a:r": "skipped", "role/s": "applied",
        "identity/a": "applied", "identity/b": "applied", "grant/b:s": "applied",
    }  # fmt: skip
    shop.adapter = None
    shop.converge()


def test_a_failure_says_code_and_way_out(shop):
    """In the receipt and in the ledger."""
    shop.adapter = Shaky({"create role/r": refused})
    receipt = next(r for r in shop.apply().receipts if r.change.address.name == "r")
    assert receipt.detail == "not allowed (ask for it)"
    outcome = next(e for e in shop.entries("outcome") if e.data["status"] == "failed")
    assert outcome.data["code"] == "DENIED"


def test_a_lost_reply_is_settled_by_reading(shop):
    """Done: applied with its native id. Not done: failed, and made once by the next apply."""
    found = run(shop, create_role_r=lost_after, create_role_s=lost_before)
    assert (found["role/r"], found["role/s"]) == ("applied", "failed")
    managed = {a.name: m.native_id for a, m in shop.folded().managed.items()}
    assert managed["r"] in shop.rows()["roles"]
    shop.adapter = None
    shop.converge()
    assert shop.names("roles") == ["r", "s"]


def test_a_lost_reply_is_not_believed_before_the_settle_time(shop):
    """A call that still takes effect while we wait is seen: it is not done twice."""
    late = []
    shop.adapter = Shaky({"create role/r": lambda call: (late.append(call), lost_before(call))[1]}, settle=30.0)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        late.pop()()

    executed = shop.apply(sleep=sleep)
    assert dict(by_name(executed))["role/r"] == "applied"
    assert len(waits) == 1
    assert 0 < waits[0] <= 30.0


def test_what_reading_cannot_tell_stays_unknown_and_blocks_its_target(shop):
    """Nothing is planned there until it can be read."""
    shop.adapter = Shaky({"create role/r": lost_after}, blind=True)
    assert dict(by_name(shop.apply()))["role/r"] == "indeterminate"
    plan = shop.plan()
    assert plan.changes == ()
    assert set(plan.unreadable) == {"directory"}
    shop.adapter = None
    shop.converge()
    assert shop.names("roles") == ["r", "s"]


def test_a_defect_of_an_adapter_is_unknown_and_its_text_stays_out(shop):
    """It may have happened; the exception's text may hold anything."""
    assert run(shop, create_role_r=defect)["role/r"] == "indeterminate"
    assert "a secret" not in (shop.root / ".nhictl/ledger/test/log.jsonl").read_text()
    shop.adapter = None
    shop.converge()
    assert shop.names("roles") == ["r", "s"]


def test_an_object_left_behind_by_a_failed_create_is_known(shop):
    """It is managed, so that the next apply finishes it instead of tripping over it."""
    assert run(shop, create_role_r=partial)["role/r"] == "failed"
    assert "r" in {a.name for a in shop.folded().managed}
    shop.adapter = None
    shop.converge()
    assert len(shop.rows()["roles"]) == 2


def test_two_workers_work_at_the_same_time(shop):
    """Both roles are under way at once: each call waits until the other has begun."""
    meet = threading.Barrier(2, timeout=10)

    def together(call):
        meet.wait()
        return call()

    shop.adapter = Shaky({"create role/r": together, "create role/s": together}, workers=2)
    assert set(dict(by_name(shop.apply())).values()) == {"applied"}


def test_one_worker_never_works_twice_at_the_same_time(shop):
    """The adapter's limit is kept."""
    busy, most = [], []

    def one(call):
        busy.append(1)
        most.append(len(busy))
        done = call()
        busy.pop()
        return done

    run(shop, create_role_r=one, create_role_s=one, create_identity_a=one)
    assert set(most) == {1}


def test_a_stop_hands_out_nothing_more_and_records_what_runs(shop):
    """The running change ends and is recorded; the others are skipped by name."""
    stop = threading.Event()

    def stopping(call):
        stop.set()
        return call()

    shop.adapter = Shaky({"create identity/a": stopping})
    executed = shop.apply(order={"stop": stop})
    found = dict(by_name(executed))
    assert executed.stopped == "interrupted"
    assert found["identity/a"] == "applied"
    assert list(found.values()).count("skipped") == 5
    assert shop.folded().unresolved == ()
    shop.adapter = None
    shop.converge()


def failing_on(kind, number):
    """Make the ledger fail at the n-th entry of a type."""
    plain, seen = Writer.append, []

    def append(self, entry, data):
        seen.append(entry)
        if entry == kind and seen.count(kind) >= number:
            raise LedgerError("no space left")
        return plain(self, entry, data)

    return mock.patch.object(Writer, "append", append)


def test_without_an_intent_nothing_is_called(shop):
    """The ledger cannot be written: no call at all, everything skipped, and why."""
    shop.adapter = Shaky()
    with failing_on("intent", 1):
        executed = shop.apply()
    assert shop.adapter.calls == []
    assert {s for _, s in by_name(executed)} == {"skipped"}
    assert "no space left" in executed.stopped


def test_without_an_outcome_nothing_more_is_called_and_it_is_unknown(shop):
    """Not an interrupt: the reason is said. The next apply resolves it by reading."""
    shop.adapter = Shaky()
    with failing_on("outcome", 2):
        executed = shop.apply()
    assert len(shop.adapter.calls) == 2
    assert [s for _, s in by_name(executed)].count("indeterminate") == 1
    assert "cannot be recorded: no space left" in executed.stopped
    shop.adapter = None
    shop.converge()


def test_read_again_and_as_planned_is_done(shop):
    """Creates, renames that carry over to grants, and removals."""
    shop.converge()
    shop.declare(role("r"), role("t", previously=["s"]), nhi("a", "r"), nhi("c", "t", previously=["b"])).converge()
    shop.declare(role("r"), nhi("a")).converge()


def test_changed_since_the_plan_is_not_written(shop):
    """Somebody was faster: failed, untouched, and the next plan shows it."""
    shop.converge()
    shop.declare(role("r", "write"), role("s"), nhi("a", "r"), nhi("b", "s"))
    with shop.opened(write=True) as (request, targets, ledger):
        made = applying.prepare(request, ledger.entries(), targets)
        shop.sql("UPDATE roles SET description = 'theirs' WHERE name = 'r'")
        order = applying.Order("run-9", made.plan.digest)
        executed = applying.carry_out(request, ledger, targets, made, order=order)
    assert dict(by_name(executed)) == {"role/r": "failed"}
    assert shop.sql("SELECT description FROM roles WHERE name = 'r'") == [("theirs",)]


def test_access_is_recorded_with_the_change_that_gives_it(shop):
    """The identity's intent says who may become it, the grant's what it may do; a change that fails takes its own."""
    shop.apply()
    carried = {e.data["address"].split("/", 1)[1]: e.data["access"] for e in shop.entries("intent")}
    gained = {a: sorted({p["kind"] for d in deltas for p in d["gained"]}) for a, deltas in carried.items() if deltas}
    assert gained == {
        "identity/a": ["assume"], "identity/b": ["assume"], "grant/a:r": ["allow"], "grant/b:s": ["allow"],
    }  # fmt: skip


def test_events_say_how_each_change_began_and_ended(shop):
    """For progress: a start and an end per change."""
    events = []
    shop.apply(order={"on_event": events.append})
    assert [e.receipt is None for e in events].count(True) == 6
    assert len(events) == 12
    assert replace(events[0], receipt=None) == events[0]


def test_a_failed_grant_takes_its_access_with_it(shop):
    """What the record says an NHI gained is what it gained: the grant that failed is not credited to the identity."""
    shop.adapter = Shaky({"create grant/a:r": refused})
    assert dict(by_name(shop.apply()))["grant/a:r"] == "failed"
    reached = {e.data["op"] for e in shop.entries("outcome") if e.data["status"] == "applied"}
    gained = [
        p["action"]
        for e in shop.entries("intent")
        if e.data["op"] in reached
        for d in e.data["access"]
        if d["subject"] == "nhi/a"
        for p in d["gained"]
        if p["kind"] == "allow"
    ]
    assert gained == []


def test_a_defect_while_reading_loses_no_result(shop):
    """An adapter that breaks after a lost reply leaves one unknown; everything else is told and recorded."""

    shop.adapter = Shaky({"create role/r": lost_after}, blind=True, broken=KeyError)
    ended = dict(by_name(shop.apply()))
    assert ended["role/r"] == "indeterminate"
    assert ended["grant/a:r"] == "skipped"
    assert set(ended.values()) <= {"applied", "failed", "skipped", "indeterminate"}
    assert len(shop.entries("outcome")) == len(shop.entries("intent"))
