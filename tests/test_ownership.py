"""Each row of the ownership table, and what survives the manifest."""

import datetime as dt
from dataclasses import replace

import pytest

from nhictl.model import Action, Address, Change, Finding, Handling, Managed, Mark, OnRemove, Resource
from nhictl.ownership import Rules, decide_declared, decide_removed, followed, occupied
from nhictl.providers.base import Kind

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
OURS, THEIRS = Mark("shop/test", "nhi/a", "run-1-1"), Mark("other/test", "nhi/a", "run-9-1")
ALL = frozenset(Action)
KIND = Kind("Identity", actions=ALL, immutable=frozenset({"path"}), mark="bulk", rename=True)
BARE = Kind("Bare", actions=frozenset({Action.CREATE, Action.UPDATE, Action.DELETE}))
RULES = Rules("shop/test", {"identity": KIND, "bare": BARE}, NOW)
AT = Address("t", "identity", "a")
GRACE = Handling(OnRemove.DISABLE, 30 * 86400)


def desired(**over):
    return Resource(over.pop("address", AT), over.pop("attributes", {"x": "1"}), "nhi/a", **over)


def live(**over):
    given = {"native_id": "N1", "mark": OURS, **over}
    return Resource(given.pop("address", AT), given.pop("attributes", {"x": "1"}), **given)


def managed(**over):
    given = {"native_id": "N1", "attributes": {"x": "1"}, "handling": Handling(), **over}
    return Managed(given.pop("address", AT), given.pop("subject", "nhi/a"), **given)


def removed(record, found, **over):
    return decide_removed(replace(RULES, **over), record, found)


def test_absent_from_manifests_and_ours_is_deleted_by_its_native_id():
    """In the ledger, native id and mark ours, no grace: deleted, by the id that is live."""
    change = removed(managed(), live())
    assert isinstance(change, Change)
    assert (change.action, change.native_id, change.fingerprint) == (Action.DELETE, "N1", live().fingerprint())


def test_absent_from_manifests_is_disabled_first_and_the_date_is_said():
    """The default removal disables now and names the day of the delete."""
    change = removed(managed(handling=GRACE), live(attributes={"enabled": True}))
    assert change.action is Action.DISABLE
    assert change.after.attributes["enabled"] is False
    assert "2026-12-22" in change.reason


@pytest.mark.parametrize(("days", "expected"), [(0, "waiting"), (29, "waiting"), (30, "delete"), (300, "delete")])
def test_grace_period_runs_from_the_day_it_was_disabled(days, expected):
    """Until the grace period is over it only waits; afterwards it is deleted."""
    record = managed(handling=GRACE, disabled_at="2026-11-22T12:00:00Z")
    decision = removed(record, live(attributes={"enabled": False}), now=NOW + dt.timedelta(days=days))
    if expected == "delete":
        assert decision.action is Action.DELETE
    else:
        assert (decision.rule, decision.level) == ("waiting", "info")
        assert "2026-12-22" in decision.message


@pytest.mark.parametrize("days", [3, 300])
def test_enabled_again_behind_our_back_is_disabled_again_not_deleted(days):
    """Somebody needs it: it is disabled again and its grace period begins anew."""
    record = managed(handling=GRACE, disabled_at="2026-11-22T12:00:00Z")
    change = removed(record, live(attributes={"enabled": True}), now=NOW + dt.timedelta(days=days))
    assert change.action is Action.DISABLE


def test_mark_missing_is_refused_and_the_way_out_is_named():
    """A managed object that lost its mark is not removed."""
    finding = removed(managed(), live(mark=None))
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.level) == ("unmarked", "error")
    assert f"nhictl ledger forget {AT}" in finding.hint


def test_foreign_mark_is_refused():
    """A managed object that another workspace marked is not removed."""
    assert removed(managed(), live(mark=THEIRS)).rule == "unmarked"


def test_kind_without_mark_needs_only_the_native_id():
    """Where no mark can be carried, ledger and native id decide."""
    at = Address("t", "bare", "a")
    assert removed(managed(address=at), live(address=at, mark=None)).action is Action.DELETE


def test_made_again_by_hand_is_a_conflict():
    """Another native id under the name: not removed, not updated."""
    assert removed(managed(), live(native_id="N2")).rule == "conflict"
    assert decide_declared(RULES, desired(), live(native_id="N2"), managed()).rule == "conflict"


@pytest.mark.parametrize("name", ["nhi/a", str(AT)])
def test_made_again_by_hand_is_taken_over_only_when_asked_for_by_name(name):
    """`adopt: true` left in a manifest is not enough; `nhictl adopt` now is."""
    found = live(native_id="N2", mark=None)
    assert decide_declared(RULES, desired(adopt=True), found, managed()).rule == "conflict"
    change = decide_declared(replace(RULES, adopting=frozenset({name})), desired(adopt=True), found, managed())
    assert (change.action, change.native_id) == (Action.ADOPT, "N2")


def test_gone_already_is_only_forgotten():
    """Nothing live, nothing declared: the record goes, no call is needed."""
    change = removed(managed(), None)
    assert (change.action, change.before, change.fingerprint) == (Action.FORGET, None, "")


def test_retain_forgets_and_takes_the_mark_away():
    """`retain` leaves the object and gives up our mark."""
    change = removed(managed(handling=Handling(OnRemove.RETAIN)), live())
    assert (change.action, change.before) == (Action.FORGET, live())


def test_retain_leaves_a_foreign_mark_alone():
    """What another workspace marked meanwhile is forgotten in the ledger only."""
    change = removed(managed(handling=Handling(OnRemove.RETAIN)), live(mark=THEIRS))
    assert (change.action, change.before, change.fingerprint) == (Action.FORGET, None, "")


def test_protection_survives_the_manifest():
    """A protected object that nobody declares stops the plan."""
    finding = removed(managed(handling=Handling(OnRemove.DELETE, 0, protect=True)), live())
    assert (finding.rule, finding.level) == ("protected", "error")


def test_declared_and_live_but_unmanaged_is_not_taken_over_in_silence():
    """An error that names both ways out."""
    finding = decide_declared(RULES, desired(), live(mark=None), None)
    assert (finding.rule, finding.level) == ("exists", "error")
    assert "adopt: true" in finding.hint
    assert "nhictl adopt nhi/a" in finding.hint


def test_our_mark_without_ledger_is_not_ours():
    """The mark alone does not make it managed."""
    assert "the ledger does not know it" in decide_declared(RULES, desired(), live(), None).message


def test_adopt_takes_over_with_all_that_differs():
    """A planned change: fields and the mark."""
    change = decide_declared(RULES, desired(adopt=True), live(mark=None, attributes={"x": "2"}), None)
    assert (change.action, change.native_id) == (Action.ADOPT, "N1")
    assert {f.path for f in change.fields} == {"x", "mark"}


@pytest.mark.parametrize("record", [None, managed()])
def test_what_another_workspace_marked_is_never_touched(record):
    """Not even with `adopt`."""
    assert decide_declared(RULES, desired(adopt=True), live(mark=THEIRS), record).rule == "conflict"


def test_kind_that_cannot_be_adopted():
    """Capabilities refuse."""
    at = Address("t", "bare", "a")
    assert decide_declared(RULES, desired(address=at, adopt=True), live(address=at, mark=None), None).rule == "exists"


def test_as_declared_is_no_change():
    """Same attributes, mark and handling."""
    assert decide_declared(RULES, desired(), live(), managed()) is None


def test_absent_is_created_and_says_when_it_was_deleted_outside():
    """A create, with another reason when the ledger knows it."""
    assert decide_declared(RULES, desired(), None, None).reason == "declared"
    assert "outside" in decide_declared(RULES, desired(), None, managed()).reason


def test_lost_mark_of_a_declared_object_is_put_back():
    """The mark is a field like others."""
    change = decide_declared(RULES, desired(), live(mark=None), managed())
    assert [f.path for f in change.fields] == ["mark"]


def test_handling_alone_is_recorded_only():
    """A change of protection touches no attribute."""
    change = decide_declared(RULES, desired(handling=Handling(protect=True)), live(), managed())
    assert (change.action, [f.path for f in change.fields]) == (Action.UPDATE, ["handling.protect"])


def test_dependencies_alone_are_recorded_only():
    """What it refers to decides who may be deleted, so it is recorded."""
    change = decide_declared(RULES, desired(depends_on=(Address("t", "bare", "r"),)), live(), managed())
    assert [f.path for f in change.fields] == ["handling.dependsOn"]


def test_declared_again_while_disabled_by_itself_ends_the_grace_period():
    """Otherwise the next removal would delete at once."""
    off = {"enabled": False}
    record = managed(attributes=off, handling=GRACE, disabled_at="2026-01-01T00:00:00Z")
    change = decide_declared(RULES, desired(attributes=off, handling=GRACE), live(attributes=off), record)
    assert [f.path for f in change.fields] == ["handling.disabledAt"]


def test_declared_again_is_enabled_again():
    """The reason says so."""
    record = managed(attributes={"enabled": False}, handling=GRACE, disabled_at="2026-01-01T00:00:00Z")
    found = live(attributes={"enabled": False})
    change = decide_declared(RULES, desired(attributes={"enabled": True}, handling=GRACE), found, record)
    assert change.reason == "enabled again"


def test_immutable_field_replaces():
    """Capabilities turn an update into a replace."""
    change = decide_declared(RULES, desired(attributes={"path": "/b"}), live(attributes={"path": "/a"}), managed())
    assert (change.action, change.reason) == (Action.REPLACE, "path cannot be changed in place")


def test_protected_object_is_not_replaced():
    """To make it anew is to delete it."""
    record = managed(handling=Handling(protect=True))
    finding = decide_declared(RULES, desired(attributes={"path": "/b"}), live(attributes={"path": "/a"}), record)
    assert finding.rule == "protected"


def test_rename_is_an_update_by_native_id():
    """The object keeps its id; the name is a field."""
    new = AT._replace(name="b")
    change = decide_declared(RULES, desired(address=new, renamed_from=AT), live(), managed())
    assert (change.action, change.native_id, change.address) == (Action.UPDATE, "N1", new)
    assert [(f.path, f.before, f.after) for f in change.fields] == [("name", "a", "b")]


def test_renamed_by_hand_is_followed_by_native_id_and_renamed_back():
    """The live object is found under its new name."""
    there = AT._replace(name="z")
    view, moved = followed(RULES.kinds, {there: live(address=there)}, {AT: managed()})
    assert moved == {there: AT}
    change = decide_declared(RULES, desired(), view[AT], managed())
    assert [(f.path, f.before, f.after) for f in change.fields] == [("name", "z", "a")]
    assert change.reason == "was renamed to z outside nhictl"


@pytest.mark.parametrize(
    "found",
    [{}, {AT: live(native_id="N2")}, {AT._replace(name="z"): live(native_id="N3")}],
    ids=["gone", "remade", "x"],
)
def test_only_the_same_native_id_is_followed(found):
    """Another object under another name is another object."""
    assert followed(RULES.kinds, found, {AT: managed()}) == (found, {})


def test_kind_that_cannot_be_renamed_is_not_followed():
    """There a name is part of the object."""
    at, there = Address("t", "bare", "a"), Address("t", "bare", "z")
    found = {there: live(address=there)}
    assert followed(RULES.kinds, found, {at: managed(address=at)}) == (found, {})


def test_rename_to_a_taken_name_is_blocked():
    """Nobody is pushed aside."""
    assert (occupied(desired()).rule, occupied(desired()).level) == ("exists", "error")


def test_an_object_is_taken_from_another_owner_only_by_that_name():
    """`adopt --from` names whose mark it may carry; any other mark still blocks."""
    theirs = live(mark=Mark("other/prod", "nhi/a", ""))
    wanted = replace(desired(), adopt=True)
    assert decide_declared(RULES, wanted, theirs, None).rule == "conflict"
    assert decide_declared(replace(RULES, taking_from="third/prod"), wanted, theirs, None).rule == "conflict"
    assert decide_declared(replace(RULES, taking_from="other/prod"), wanted, theirs, None).action is Action.ADOPT
