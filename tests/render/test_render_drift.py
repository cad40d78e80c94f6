"""The drift report keeps drift, pending and unmanaged apart."""

import json
from types import SimpleNamespace

from nhictl.model import Action, Address, Change, FieldChange
from nhictl.render import drift
from nhictl.render.text import Style

ADDRESS = Address("directory", "role", "reports")
FOUND = SimpleNamespace(
    drifted=[
        SimpleNamespace(
            address=ADDRESS,
            subject="role/reports",
            what="changed",
            fields=(FieldChange("permissions", added=("delete *",)), FieldChange("enabled", True, False)),
            since="2026-11-20T00:00:00Z",
            kept=(),
        ),
        SimpleNamespace(
            address=Address("directory", "identity", "gone"),
            subject="nhi/gone",
            what="missing",
            fields=(),
            since="",
            kept=(),
        ),
    ],
    pending=(Change(Address("directory", "grant", "x"), Action.CREATE, "nhi/x", "declared"),),
    unmanaged={"directory": 3},
    unreadable={"aws-prod": "AccessDenied"},
    checked=12,
)
NONE = SimpleNamespace(drifted=[], pending=(), unmanaged={}, unreadable={}, checked=12)


def test_the_report_is_as_published(golden):
    """Golden output: object and field are named, each section apart."""
    golden("drift.txt", drift.render(FOUND, Style()))


def test_no_drift_is_one_line():
    """Nothing found says how much was checked."""
    assert drift.render(NONE, Style()) == "No drift: 12 managed objects checked, 0 pending changes, 0 unmanaged"


def test_json_holds_the_same():
    """Object, field and section in data."""
    data = json.loads(drift.render_json(FOUND))
    assert data["drift"][0]["fields"][0]["path"] == "permissions"
    assert [data["checked"], data["unmanaged"], len(data["pending"])] == [12, {"directory": 3}, 1]
