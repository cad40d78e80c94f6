"""What one pass over a log gives: its tail, who holds the lock, and the Merkle tree so far. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nhictl.ledger import checkpoint
from nhictl.ledger.chain import EMPTY, EntryType, Line, broken, follow, moment, parse, timestamp
from nhictl.ledger.store import Tail
from nhictl.model import Entry

_LIFE = frozenset({"genesis", "lock", "unlock", "lock_break", "checkpoint"})


@dataclass(frozen=True, slots=True)
class LockState:
    """Who holds the lock. `expires` counts from the last entry of the holder's run. Times are RFC 3339 UTC.

    `pid` and `birth` identify the holder's process on `host`; `ttl` is in seconds.
    """

    holder: str
    host: str
    pid: int
    run: str
    command: str
    since: str
    expires: str
    seq: int
    birth: str = ""

    def expired(self, now: datetime) -> bool:
        """Say whether the time to live has run out at `now`."""
        return now >= moment(self.expires)


@dataclass(frozen=True, slots=True)
class Scan:
    """A verified log: `genesis` is None when it is empty; `pending` are the lines after the last checkpoint's tree."""

    tail: Tail = field(default_factory=Tail)
    genesis: Entry | None = None
    lock: LockState | None = None
    last_time: str = ""
    tree: checkpoint.Range = field(default_factory=checkpoint.Range)
    pending: tuple[bytes, ...] = ()


def scan(pieces: Iterable[tuple[int, bytes]]) -> Scan:
    """Read a whole log once. Raises LedgerError where the chain breaks."""
    last: Line | None = None
    touched: Line | None = None
    lock: Entry | None = None
    genesis: Entry | None = None
    torn, holder = b"", b""
    tree = checkpoint.Range()
    pending: list[bytes] = []
    for line in follow(pieces):
        if isinstance(line, bytes):
            torn = line
            break
        last = line
        if line.type in _LIFE or last.seq == 0:
            if line.type == EntryType.CHECKPOINT:
                tree, pending = _tree(line), []
            elif line.type == EntryType.LOCK:
                lock, holder = parse(line), line.form[2]
            elif line.type in (EntryType.UNLOCK, EntryType.LOCK_BREAK):
                lock, holder = None, b""
            genesis = genesis or _genesis(line)
        if line.form[2] == holder:
            touched = line
        pending.append(line.raw)
    if last is None:
        return Scan(Tail(EMPTY, 0, 0, torn))
    tail = Tail(last.head, last.at, last.at + len(last.raw) + 1, torn)
    state = None if lock is None or touched is None else lock_state(lock, touched.time)
    return Scan(tail, genesis, state, last.time, tree, tuple(pending))


def _genesis(line: Line) -> Entry:
    if line.type != EntryType.GENESIS:
        broken(line.seq, "it does not begin with a genesis entry")
    return parse(line)


def _tree(line: Line) -> checkpoint.Range:
    try:
        tree = checkpoint.from_data(parse(line).data)
    except ValueError as error:
        broken(line.seq, str(error))
    if tree.size != line.seq:
        broken(line.seq, "the checkpoint does not cover the lines before it")
    return tree


def lock_state(entry: Entry, touched: str) -> LockState:
    """Return the state a `lock` entry describes; `touched` is the time of the last entry of its run."""
    data = entry.data
    try:
        ends = moment(touched) + timedelta(seconds=int(data["ttl"]))
        return LockState(
            holder=str(entry.actor.get("name", "")), host=str(data["host"]), pid=int(data["pid"]), run=entry.run,
            command=str(data["command"]), since=entry.time, expires=timestamp(ends),
            seq=entry.seq, birth=str(data.get("birth", "")),
        )  # fmt: skip
    except (KeyError, ValueError, TypeError, OverflowError):
        broken(entry.seq, "not a lock entry")
