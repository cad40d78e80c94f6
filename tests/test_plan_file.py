"""The saved plan: lossless, strict, and bound to its digest."""

import json
from dataclasses import fields, replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhictl import plan_file
from nhictl.model import (
    AccessDelta,
    Action,
    Address,
    Change,
    Direction,
    FieldChange,
    Finding,
    Handling,
    Identity,
    Mark,
    NhictlError,
    OnRemove,
    Permission,
    Plan,
    Resource,
    Span,
    StalePlan,
    digest,
    ordered_set,
)

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "plan.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
counts = st.integers(0, 2**53 - 1)
parts = texts.filter(lambda t: t and "/" not in t)
addresses = st.builds(Address, parts, parts, texts.filter(bool))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=2).map(tuple) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
spans = st.none() | st.builds(Span, texts, counts, counts, counts)
sets = st.lists(texts, max_size=2).map(ordered_set)
resources = st.builds(
    Resource,
    address=addresses,
    attributes=st.dictionaries(texts, values, max_size=2),
    subject=texts,
    depends_on=st.lists(addresses, max_size=2).map(tuple),
    native_id=texts,
    mark=st.none() | st.builds(Mark, texts, texts, texts),
    mark_known=st.booleans(),
    handling=st.builds(Handling, st.sampled_from(OnRemove), counts, st.booleans()),
    adopt=st.booleans(),
    renamed_from=st.none() | addresses,
    facts=st.dictionaries(texts, values, max_size=1),
)
field_changes = st.builds(FieldChange, texts, values, values, sets, sets)
changes = st.builds(
    Change,
    address=addresses,
    action=st.sampled_from(Action),
    subject=texts,
    reason=texts,
    native_id=texts,
    fields=st.lists(field_changes, max_size=2).map(tuple),
    before=st.none() | resources,
    after=st.none() | resources,
    fingerprint=texts,
    depends_on=st.lists(addresses, max_size=2).map(tuple),
    risk=st.sampled_from(Direction),
    origin=spans,
)
permissions = st.builds(Permission, texts, texts, texts, texts, texts, texts)
deltas = st.builds(
    AccessDelta,
    texts,
    st.lists(permissions, max_size=2).map(tuple),
    st.lists(permissions, max_size=2).map(tuple),
    st.booleans(),
    st.sampled_from(Direction),
)
findings = st.builds(Finding, texts, texts, texts, texts, texts, spans)
plans = st.builds(
    Plan,
    workspace=texts,
    environment=texts,
    targets=st.dictionaries(
        texts,
        st.builds(Identity, texts, texts, texts, st.lists(addresses, max_size=1).map(tuple)),
        max_size=2,
    ),
    changes=st.lists(changes, max_size=2).map(tuple),
    access=st.lists(deltas, max_size=2).map(tuple),
    findings=st.lists(findings, max_size=1).map(tuple),
    safety=st.lists(findings, max_size=1).map(tuple),
    unreadable=st.dictionaries(texts, texts, max_size=1),
    auth_failed=st.booleans(),
    unchanged=counts,
    unmanaged=st.dictionaries(texts, counts, max_size=1),
    partial=st.dictionaries(texts, values, max_size=1),
    created=texts,
    expires=texts,
    commit=texts,
    tool=texts,
    adapters=st.dictionaries(texts, texts, max_size=1),
).map(plan_file.sealed)

_few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def _change(name: str = "a", **changed: object) -> Change:
    made = Change(Address("t", "role", name), Action.CREATE, "role/a", "declared")
    return replace(made, **changed)


def _plan(*made: Change, **changed: object) -> Plan:
    plan = Plan("shop", "prod", {"t": Identity("local", "dir-1", "me")}, made, tool="0.1.0")
    return plan_file.sealed(replace(plan, **changed))


def _resealed(data: dict) -> dict:
    body = {key: value for key, value in data.items() if key != "checksum"}
    return {**body, "checksum": digest(body)}


@_few
@given(plans)
def test_reading_gives_back_every_part_of_what_was_written(plan: Plan):
    """loads(dumps(plan)) is the plan, also in what does not take part in equality: positions and sources."""
    found = plan_file.loads(plan_file.dumps(plan))
    assert found == plan
    assert plan_file.dumps(found) == plan_file.dumps(plan)


@_few
@given(plans)
def test_every_written_plan_fits_the_published_schema(plan: Plan):
    """schemas/plan.json describes what is written."""
    VALIDATOR.validate(plan_file.to_json(plan))


def test_the_schema_names_every_field_of_a_plan():
    """No field of Plan is left out of the file, and each part of the schema is described."""
    assert len(SCHEMA["properties"]) == len(fields(Plan)) + 2
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    described = [p.get("description") for part in parts for p in part.get("properties", {}).values()]
    assert all(described)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_any_changed_byte_is_refused():
    """Whatever byte of a saved plan is changed, left out or put in, it is not read."""
    raw = plan_file.dumps(_plan(_change(fields=(FieldChange("x", 1, 2),)), created="2026-11-22T00:00:00Z"))
    for at in range(len(raw)):
        for byte in (bytes([raw[at] ^ 1]), b"", raw[at : at + 1] + b" "):
            with pytest.raises(NhictlError):
                plan_file.loads(raw[:at] + byte + raw[at + 1 :])


def test_an_edited_plan_is_stale():
    """A field edited by hand is refused with exit code 6 and the way out."""
    raw = plan_file.dumps(_plan(_change(), expires="2026-11-22T00:00:00Z"))
    with pytest.raises(StalePlan, match="checksum") as caught:
        plan_file.loads(raw.replace(b"2026-11-22", b"2036-11-22"))
    assert caught.value.exit == 6
    assert "nhictl plan" in caught.value.hint


def test_a_checksum_made_anew_does_not_help_when_the_changes_differ():
    """The digest is computed again from the changes."""
    data = plan_file.to_json(_plan(_change()))
    data["changes"][0]["action"] = "delete"
    with pytest.raises(StalePlan, match="digest"):
        plan_file.from_json(_resealed(data))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("extra",), 1, "extra: unknown field"),
        (("unchanged",), True, "unchanged: must be a whole number"),
        (("unchanged",), -1, "unchanged: must be a whole number"),
        (("unchanged",), 1.0, "unchanged: must be a whole number"),
        (("changes", 0, "address"), "x", r"changes\[0\].address: must be an address"),
        (("changes", 0, "action"), "explode", r"changes\[0\].action: must be one of create"),
        (("changes", 0, "fields"), {}, r"changes\[0\].fields: must be an array"),
        (("changes", 0, "fields"), [{"path": "x"}], r"changes\[0\].fields\[0\].added: missing"),
        (("targets", "t", "own"), None, r"targets.t.own: must be an array"),
        (("targets",), [], "targets: must be an object"),
        (("authFailed",), 0, "authFailed: must be true or false"),
        (("formatVersion",), 2, "formatVersion: must be 1"),
        (("formatVersion",), True, "formatVersion: must be 1"),
    ],
)
def test_wrong_data_is_an_error_with_its_path(path: tuple, value: object, message: str):
    """Unknown fields and wrong types are named, never guessed."""
    data = plan_file.to_json(_plan(_change()))
    at = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(NhictlError, match=message) as caught:
        plan_file.from_json(data)
    assert caught.value.exit == 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{}", b"{", b"\xff", b"1e999", b"NaN", b"1" * 5000, b"[" * 200_000,
     b'{"a":1,"a":1}', b'{"formatVersion":1.0}', b"[" * 900 + b"]" * 900],
)  # fmt: skip
def test_hostile_bytes_are_an_error(raw: bytes):
    """No bytes give a traceback."""
    with pytest.raises(NhictlError, match="not a saved plan"):
        plan_file.loads(raw)


def test_deep_values_are_refused():
    """An attribute nested deeper than the limit is an error, not an exhausted stack."""
    deep: object = []
    for _ in range(80):
        deep = [deep]
    data = plan_file.to_json(_plan(_change(fields=(FieldChange("x"),))))
    data["changes"][0]["fields"][0]["after"] = deep
    with pytest.raises(NhictlError, match="nested too deep"):
        plan_file.from_json(data)


def test_lone_surrogates_are_refused():
    """Text that is no Unicode text is an error."""
    raw = plan_file.dumps(_plan(_change())).replace(b'"shop"', b'"\\ud800"')
    with pytest.raises(NhictlError):
        plan_file.loads(raw)


def test_too_large_a_file_is_refused(monkeypatch: pytest.MonkeyPatch):
    """The size limit comes before parsing."""
    monkeypatch.setattr(plan_file, "MAX_BYTES", 10)
    with pytest.raises(NhictlError, match="larger than"):
        plan_file.loads(b" " * 11)


def test_an_absent_file_is_an_error_for_people(tmp_path: Path):
    """A missing plan file is named."""
    with pytest.raises(NhictlError, match=r"cannot read .*plan\.json"):
        plan_file.load(tmp_path / "plan.json")


def test_the_digest_ignores_when_why_and_who():
    """Times, commit, reasons, positions, principals and facts may differ between equal plans."""
    live = Resource(Address("t", "role", "a"), {"x": 1}, native_id="7", facts={"lastUsed": "2026-01-01"})
    one = _plan(_change(before=live, after=live))
    other = _plan(
        _change(before=replace(live, facts={}), after=live, reason="other", origin=Span("f")),
        created="2026-11-22T00:00:00Z",
        expires="2026-11-23T00:00:00Z",
        commit="abc",
        targets={"t": Identity("local", "dir-1", "somebody else")},
        unmanaged={"t": 9},
    )
    assert plan_file.digest_of(one) == plan_file.digest_of(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"workspace": "x"},
        {"environment": "x"},
        {"tool": "x"},
        {"adapters": {"local": "2"}},
        {"partial": {"target": ("nhi/x",)}},
        {"targets": {"t": Identity("local", "dir-2", "me")}},
        {"changes": ()},
    ],
)
def test_the_digest_covers_where_and_how(changed: dict):
    """Another scope, selection, tool or set of changes is another plan."""
    plan = _plan(_change())
    assert plan_file.digest_of(replace(plan, **changed)) != plan.digest


@pytest.mark.parametrize(
    "changed",
    [
        {"address": Address("t", "role", "b")},
        {"action": Action.DELETE},
        {"subject": "role/b"},
        {"native_id": "7"},
        {"fields": (FieldChange("x"),)},
        {"after": Resource(Address("t", "role", "a"), {"x": 2})},
        {"after": Resource(Address("t", "role", "a"), {"x": 1}, handling=Handling(protect=True))},
        {"after": Resource(Address("t", "role", "a"), {"x": 1}, renamed_from=Address("t", "role", "z"))},
        {"after": Resource(Address("t", "role", "a"), {"x": 1}, depends_on=(Address("t", "role", "z"),))},
        {"before": Resource(Address("t", "role", "a"), {"x": 1})},
        {"fingerprint": "x"},
        {"depends_on": (Address("t", "role", "b"),)},
    ],
)
def test_the_digest_covers_each_part_of_a_change(changed: dict):
    """Whatever a change would do differently gives another digest."""
    base = _change(after=Resource(Address("t", "role", "a"), {"x": 1}))
    assert plan_file.digest_of(_plan(replace(base, **changed))) != _plan(base).digest


def test_the_digest_does_not_depend_on_the_order_of_changes():
    """Changes are taken in address order."""
    a, b = _change("a"), _change("b")
    assert _plan(a, b).digest == _plan(b, a).digest
