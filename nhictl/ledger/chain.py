"""The form of a ledger line and the chain between lines. Pure.

Rules enforced here:
- an entry is one line: the RFC 8785 bytes of `v, seq, prev, time, run, type, actor, data`, then a newline;
- `prev` is the SHA-256 of the raw bytes of the line before, without its newline; 64 zeros for the first;
- `seq` counts from 0 without a gap; the type is one of a closed list; `v` is 1;
- data holds null, bool, int, str, lists and mappings with text keys; never a float, never bytes;
- only the very last line may lack its newline (a crash while appending); everything else broken is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn

from nhictl.model import Entry, LedgerError, canonical, freeze

VERSION = 1
ZERO = "0" * 64
_MAX_INT = 2**53 - 1

_MARK = b',"prev":"'
_TAIL = re.compile(
    rb',"prev":"([0-9a-f]{64})","run":"([A-Za-z0-9._:-]{1,64})","seq":(0|[1-9][0-9]{0,14}),'
    rb'"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","type":"([a-z_]{1,32})","v":1\}'
)
_RUN = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class EntryType(StrEnum):
    """What an entry records. A closed list: anything else is refused."""

    GENESIS = "genesis"
    LOCK = "lock"
    UNLOCK = "unlock"
    LOCK_BREAK = "lock_break"
    RECOVERED = "recovered"
    PLAN = "plan"
    INTENT = "intent"
    OUTCOME = "outcome"
    ADOPT = "adopt"
    FORGET = "forget"
    CORRECTION = "correction"
    CHECKPOINT = "checkpoint"


TYPES = frozenset(member.value for member in EntryType)
_TYPES_RAW = {name.encode(): name for name in TYPES}


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a log: its sequence number and the hash of its line. An empty log is `EMPTY`."""

    seq: int
    hash: str


EMPTY = Head(-1, ZERO)


class Line(NamedTuple):
    """One line with what the chain needs, its JSON not yet parsed. `raw` has no newline; `at` is its locator."""

    seq: int
    type: str
    hash: str
    raw: bytes
    at: int
    form: re.Match[bytes]

    @property
    def prev(self) -> str:
        """Return the hash of the line before."""
        return self.form[1].decode()

    @property
    def run(self) -> str:
        """Return the run that wrote the line."""
        return self.form[2].decode()

    @property
    def time(self) -> str:
        """Return when the line was written."""
        return self.form[4].decode()

    @property
    def head(self) -> Head:
        """Return the head of a log that ends here."""
        return Head(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every entry of one run carries: the run's id and the canonical JSON of its actor."""

    run: str
    actor: bytes


def line_hash(raw: bytes) -> str:
    """Return the hexadecimal SHA-256 of a line without its newline."""
    return sha256(raw).hexdigest()


def timestamp(moment: datetime) -> str:
    """Return `moment` as recorded: RFC 3339, UTC, milliseconds, always the same width so that text order is time order.

    Raises LedgerError when it has no time zone.
    """
    if moment.tzinfo is None:
        raise LedgerError("a ledger time needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return the moment of a recorded time."""
    return datetime.fromisoformat(text)


def encode(data: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of an entry's data. Raises LedgerError on floats, bytes and keys not of text."""
    try:
        _require_text_keys(data)
        return canonical(freeze(data))
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, TypeError) else "not representable as canonical JSON"
        raise LedgerError(f"this cannot be recorded in the ledger: {reason}") from None


def _require_text_keys(value: object) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key is {type(key).__name__}, not text")
            _require_text_keys(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _require_text_keys(item)


def stamp(run: str, actor: Mapping[str, Any]) -> Stamp:
    """Return the stamp of a run. Raises LedgerError when the run's id is not 1 to 64 letters, digits or `._:-`."""
    if not _RUN.fullmatch(run):
        raise LedgerError("a run id is 1 to 64 letters, digits, dots, colons, dashes or underscores")
    return Stamp(run, encode(actor))


def compose(head: Head, kind: EntryType, *, data: bytes, time: str, by: Stamp) -> bytes:
    """Return the line that follows `head`, without its newline. `data` is canonical already (`encode`)."""
    return b'{"actor":%b,"data":%b,"prev":"%b","run":"%b","seq":%d,"time":"%b","type":"%b","v":1}' % (
        by.actor, data, head.hash.encode(), by.run.encode(), head.seq + 1, time.encode(), kind.value.encode(),
    )  # fmt: skip


def split(raw: bytes, at: int = 0) -> Line:
    """Return the line in `raw` (no newline) without parsing its JSON. Raises ValueError when it has not the form."""
    form = _TAIL.fullmatch(raw, max(raw.rfind(_MARK), 0))
    if form is None:
        raise ValueError("not a ledger line")
    name = _TYPES_RAW.get(form[5])
    if name is None:
        raise ValueError(f"unknown entry type {form[5].decode()}")
    return Line(int(form[3]), name, sha256(raw).hexdigest(), raw, at, form)


def follow(pieces: Iterable[tuple[int, bytes]], head: Head = EMPTY) -> Iterator[Line | bytes]:
    """Yield the lines that follow `head`, each checked against the one before; at the end a torn tail as bytes.

    `pieces` are (locator, raw line with its newline). Raises LedgerError naming the line where the chain breaks.
    """
    seq, previous = head.seq, head.hash
    for at, piece in pieces:
        seq += 1
        if piece[-1:] != b"\n":
            if overlong(piece):
                broken(seq, "it does not end where an entry ends")
            yield piece
            return
        try:
            line = split(piece[:-1], at)
        except ValueError as error:
            broken(seq, str(error))
        if line.seq != seq:
            broken(seq, f"it says sequence {line.seq}, {seq} was expected")
        if line.prev != previous:
            broken(seq, "the line before it is not the one it was chained to")
        previous = line.hash
        yield line


def overlong(tail: bytes) -> bool:
    """Say whether a tail without newline is more than one entry: no crash while appending leaves that."""
    found = _TAIL.search(tail)
    return found is not None and found.end() != len(tail)


def broken(seq: int, why: str) -> NoReturn:
    """Raise the error for a log whose chain does not hold at `seq`."""
    raise LedgerError(
        f"the ledger is broken at line {seq + 1} (sequence {seq}): {why}",
        hint="Nothing is changed while the ledger is broken. `nhictl audit verify` lists every problem;"
        " restore the log from a copy that verifies.",
    )


def parse(line: Line) -> Entry:
    """Return the entry of a line; lists stay lists. Raises LedgerError when its JSON is not that of an entry."""
    try:
        text = line.raw.decode()
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        broken(line.seq, f"not JSON of the permitted kind ({type(error).__name__})")
    if end != len(text) or not isinstance(value, dict):
        broken(line.seq, "more than one JSON object")
    actor, data = value.get("actor"), value.get("data")
    if len(value) != 8 or not isinstance(actor, dict) or not isinstance(data, dict):
        broken(line.seq, "not the fields of an entry")
    return Entry(line.seq, line.prev, line.time, line.run, line.type, actor, data, line.hash)


def torn_data(torn: bytes) -> dict[str, Any]:
    """Return the data of a `recovered` entry: how much was cut off, and its digest."""
    return {"bytes": len(torn), "digest": "sha256:" + sha256(torn).hexdigest()}


def _exact(text: str) -> int:
    # 16 digits hold 2**53 - 1; a longer text would cost quadratic time before it is refused.
    number = int(text[:18])
    if abs(number) > _MAX_INT:
        raise ValueError(f"an integer out of range: {text[:20]}")
    return number


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"a number with a fraction: {text[:20]}")


_DECODER = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, parse_int=_exact)
