"""The form of ledger lines and the chain between them."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from nhictl.ledger.chain import EMPTY, EntryType, Head, Line, compose, encode, follow, parse, split, stamp, timestamp
from nhictl.model import LedgerError

_TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)
_LEAF = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT
_JSON = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=12
)
_DATA = st.dictionaries(_TEXT, _JSON, max_size=5)
_TIME = "2026-11-22T10:00:00.000Z"


def line(head=EMPTY, data=None, kind=EntryType.INTENT, **over):
    return compose(head, kind, data=encode(data or {}), time=over.get("time", _TIME), by=stamp("run-1", {"name": "a"}))


def chained(count):
    head, raws = EMPTY, []
    for number in range(count):
        raws.append(line(head, {"n": number}))
        head = split(raws[-1]).head
    return raws


def pieces(raws):
    return [(0, raw + b"\n") for raw in raws]


@given(_DATA)
def test_a_line_is_rfc_8785(data):
    """A composed line is byte for byte what an independent RFC 8785 implementation makes of it."""
    raw = line(data=data)
    assert raw == rfc8785.dumps(json.loads(raw))


@given(_DATA)
def test_data_comes_back_as_it_was(data):
    """What is recorded is what is read."""
    assert parse(split(line(data=data))).data == data


def test_tuples_are_recorded_as_lists():
    """Attribute values with tuples can be recorded."""
    assert parse(split(line(data={"a": ("x", ("y",))}))).data == {"a": ["x", ["y"]]}


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), b"x", 2**53, {"a": 1.0}, [b""], {1: "x"}, {"a": {2: 3}}, "\ud800", {"x"}, object()]
)
def test_data_that_is_not_exact_json_is_refused(value):
    """Floats, bytes, large integers, keys that are not text and lone surrogates never reach the log."""
    with pytest.raises(LedgerError, match="cannot be recorded"):
        encode({"field": value})


def test_deep_data_is_refused():
    """Nesting without end is an error for people, not a crash."""
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(LedgerError):
        encode({"a": value})


@pytest.mark.parametrize("run", ["", "a b", "x" * 65, 'a"b', "a\n", "é"])
def test_a_run_id_is_plain(run):
    """A run id cannot hold what would need escaping in a line."""
    with pytest.raises(LedgerError):
        stamp(run, {})


def test_a_field_that_looks_like_the_end_of_a_line_does_not_confuse():
    """Data may hold the text of a whole entry."""
    inner = line(data={"x": 1}).decode()
    raw = line(data={"text": inner, "prev": "0" * 64})
    assert split(raw).prev == "0" * 64
    assert parse(split(raw)).data["text"] == inner


def test_time_is_utc_with_milliseconds():
    """Times have one width, so that their order is that of their text."""
    moment = datetime(2026, 11, 22, 10, 0, 0, 999_999, timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-11-22T08:00:00.999Z"
    assert timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


def test_a_time_without_a_zone_is_refused():
    """A naive time means nothing in a log that travels."""
    with pytest.raises(LedgerError):
        timestamp(datetime(2026, 1, 1))  # noqa: DTZ001


def test_follow_yields_a_good_chain():
    """Every line of a good chain comes out, in order."""
    assert [item.seq for item in follow(pieces(chained(5)))] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("damage", "seq"),
    [
        (lambda raws: raws[:2] + raws[3:], 2),
        (lambda raws: [*raws[:2], raws[2], raws[2], *raws[3:]], 3),
        (lambda raws: [raws[0], raws[2], raws[1], *raws[3:]], 1),
        (lambda raws: [raws[0], raws[1].replace(b'"n":1', b'"n":7'), *raws[2:]], 2),
        (lambda raws: [raws[0], b"", *raws[1:]], 1),
        (lambda raws: [raws[0], raws[1].replace(b'"intent"', b'"wish"'), *raws[2:]], 1),
        (lambda raws: raws[1:], 0),
    ],
)
def test_follow_names_where_the_chain_breaks(damage, seq):
    """A deletion, duplicate, reorder, edit, blank line or unknown type is refused, with its place."""
    with pytest.raises(LedgerError, match=rf"\(sequence {seq}\)"):
        list(follow(pieces(damage(chained(5)))))


def test_a_torn_tail_comes_out_as_bytes():
    """The remains of a crash while appending are reported, not taken as an entry."""
    raws = chained(3)
    found = list(follow([*pieces(raws[:2]), (0, raws[2][:40])]))
    assert isinstance(found[1], Line)
    assert found[2] == raws[2][:40]


def test_more_than_a_line_without_its_newline_is_no_torn_tail():
    """A crash cannot leave an entry and something after it: that is damage."""
    raws = chained(2)
    with pytest.raises(LedgerError):
        list(follow([*pieces(raws[:1]), (0, raws[1] + b"\x0b")]))


@pytest.mark.parametrize(
    "body", ['{"a":1.5}', '{"a":NaN}', '{"a":9007199254740993}', '{"a":' + "9" * 5000 + "}", '{"a":}']
)
def test_parse_refuses_numbers_that_are_not_exact(body):
    """A line that holds a float, NaN or a huge integer is not an entry, however it is chained."""
    raw = line().replace(b'"data":{}', b'"data":' + body.encode())
    with pytest.raises(LedgerError):
        parse(split(raw))


def test_follow_refuses_a_gap_in_the_sequence():
    """A line chained to the one before it must also have the next number."""
    first = line()
    second = line(Head(1, split(first).hash))
    with pytest.raises(LedgerError, match="it says sequence 2"):
        list(follow(pieces([first, second])))
