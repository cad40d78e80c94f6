"""What is said about objects nobody manages."""

import pytest

from nhictl.model import Action, Address, Change, FieldChange, Resource
from nhictl.unmanaged import shared
from tests.support import Shop, nhi, role


@pytest.fixture
def shop(tmp_path):
    """A directory in which everything is as declared."""
    found = Shop(tmp_path)
    found.declare(role("r"), role("s"), nhi("a", "r")).converge()
    return found


GRANT = "INSERT INTO grants (id, identity_id, role_id) SELECT 'by-hand', i.id, r.id FROM identities i, roles r "


def test_access_given_by_hand_is_drift_and_told_in_plans(shop):
    """A grant made behind our back to a managed identity is named; it is not touched."""
    shop.sql(GRANT + "WHERE i.name = 'a' AND r.name = 's'")
    found = shop.drift().drifted
    assert [(str(d.address), d.subject, d.what) for d in found] == [("directory/grant/a:s", "nhi/a", "foreign")]
    plan = shop.plan()
    assert plan.changes == ()
    assert [(f.rule, f.subject) for f in plan.findings] == [("foreign-access", "directory/grant/a:s")]


def test_what_others_give_to_their_own_is_left_alone(shop):
    """An unmanaged identity with its grant is counted and nothing else."""
    shop.sql("INSERT INTO identities (id, name, type) VALUES ('theirs', 'x', 'workload')")
    shop.sql(GRANT + "WHERE i.name = 'x' AND r.name = 's'")
    assert shop.drift().drifted == ()
    assert shop.plan().findings == ()
    assert dict(shop.plan().unmanaged) == {"directory": 2}


def test_a_change_of_what_others_hold_names_them():
    """Who is not ours and holds the same object is told before it changes."""
    address = Address("t", "policy", "p")
    held = Resource(address, {}, native_id="1", facts={"holders": {"iam-role/ours": "w/e", "iam-role/theirs": ""}})
    change = Change(address, Action.UPDATE, "role/p", "", fields=(FieldChange("document", "a", "b"),))
    found = list(shared([change], {address: held}, "w/e"))
    assert [(f.rule, "iam-role/theirs" in f.message, "iam-role/ours" in f.message) for f in found] == [
        ("shared", True, False)
    ]
    recorded = Change(address, Action.UPDATE, "role/p", "", fields=(FieldChange("handling.protect", "a", "b"),))
    assert list(shared([recorded], {address: held}, "w/e")) == []
