"""Owner, Policy and Exception as typed values."""

import datetime as dt

from nhictl.kinds import exception, owner, policy
from nhictl.model import Document

META = {"metadata": {"name": "x"}}


def test_owner_approvers_leave_with_their_day():
    """Members approve until the day they depart; nobody does once the owner is gone."""
    members = [
        {"name": "a", "approver": True},
        {"name": "b", "approver": True, "departed": "2026-11-22"},
        {"name": "c"},
    ]
    spec = {"type": "team", "contact": {}, "members": members, "departed": "2027-01-01"}
    found = owner.parse(Document("Owner", "x", {**META, "spec": spec}, "a.yaml"))
    assert [m.name for m in found.approvers(dt.date(2026, 11, 21))] == ["a", "b"]
    assert [m.name for m in found.approvers(dt.date(2026, 11, 22))] == ["a"]
    assert found.approvers(dt.date(2027, 1, 1)) == ()
    assert found.ref == "owner/x"


def test_policy_keeps_its_rules():
    """Rules arrive in order with what they match."""
    spec = {"level": "hard", "on": "plan", "rules": [{"id": "ORG001", "message": "m", "require": "true"}]}
    found = policy.parse(Document("Policy", "x", {**META, "spec": spec}, "a.yaml"))
    assert (found.level, found.rules[0].id, found.rules[0].match) == ("hard", "ORG001", {})


def test_exception_is_a_waiver_or_a_console():
    """Both forms arrive typed; a waiver has no console."""
    common = {"reason": "r", "approvedBy": ["owner/s"], "granted": "2026-01-01", "expires": "2026-02-01"}
    waiver = exception.parse(
        Document("Exception", "x", {**META, "spec": {**common, "rule": "NHI201", "reviewEvery": "1d"}}, "a.yaml")
    )
    console = {"system": "s", "retires": "2027-01-01"}
    register = exception.parse(Document("Exception", "x", {**META, "spec": {**common, "console": console}}, "a.yaml"))
    assert (waiver.rule, waiver.console, waiver.review_every) == ("NHI201", None, 86400)
    assert (register.rule, register.console.retires) == ("", dt.date(2027, 1, 1))
