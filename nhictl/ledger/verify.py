"""Find every way in which a log is not what was written. Pure but for reading the lines.

Rules enforced here:
- each line is the canonical form of what it says, chained to the line before, in sequence, time not running back;
- one lock holder at a time; a lock is taken over only from a dead or expired holder, and says so;
- an outcome has an intent, and an operation ends once; intents without an end are reported as unknown;
- checkpoints hold the Merkle root of the lines before them, signatures are their keys';
- with trusted keys some checkpoint is signed, by one of them every one from the first signed one on; what stands after
  the last signed one is said to be uncovered;
- against an anchor (a head seen earlier) the log is as long as it was and passes through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nhictl.ledger import checkpoint, signing
from nhictl.ledger.chain import ZERO, EntryType, Head, Line, line_hash, moment, overlong, parse, split
from nhictl.ledger.scan import LockState, lock_state
from nhictl.model import Entry, LedgerError, canonical

if TYPE_CHECKING:
    from nhictl.ledger.ledger import Ledger

_ANYONE = frozenset({EntryType.GENESIS, EntryType.LOCK, EntryType.LOCK_BREAK})
_OPEN, _DONE = "open", "done"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a log. `level` is error, warning or info; `seq` is the entry, -1 for the whole log."""

    level: str
    code: str
    message: str
    seq: int = -1


@dataclass(slots=True)
class Audit:
    """What is known after some lines. Feed it with `check`, end it with `finish`."""

    workspace: str
    environment: str
    anchor: Head | None = None
    keys: frozenset[str] = frozenset()
    seq: int = -1
    hash: str = ZERO
    time: str = ""
    tree: checkpoint.Range = field(default_factory=checkpoint.Range)
    holder: Entry | None = None
    touched: str = ""
    breaker: str = ""
    operations: dict[str, str] = field(default_factory=dict)
    signed: int = -1

    def check(self, piece: bytes) -> list[Problem]:
        """Take the next line, newline included; return what is wrong with it."""
        self.seq += 1
        if piece[-1:] != b"\n":
            return self._torn(piece)
        raw = piece[:-1]
        try:
            line = split(raw)
            entry = parse(line)
            found = _form(line, entry, self)
        except (ValueError, RecursionError, LedgerError) as error:
            found = [self._error("form", f"not a line of a ledger: {error}")]
        else:
            found += self._meaning(entry)
            self.time = max(self.time, entry.time)
        self.hash = line_hash(raw)
        self.tree = checkpoint.extend(self.tree, (raw,))
        if self.anchor is not None and self.seq == self.anchor.seq and self.hash != self.anchor.hash:
            found.append(self._error("fork", "the log does not pass through the head it had at the anchor"))
        return found

    def finish(self) -> list[Problem]:
        """Return what only the end shows."""
        found = [
            Problem("info", "unknown", f"operation {name} has an intent and no outcome: how it ended is unknown")
            for name, state in self.operations.items()
            if state == _OPEN
        ]
        if self.anchor is not None and self.seq < self.anchor.seq:
            missing = self.anchor.seq - self.seq
            found.append(Problem("error", "cut", f"the log lacks {missing} entries it had at the anchor"))
        return found + self._covered()

    def _covered(self) -> list[Problem]:
        if not self.keys:
            text = "signatures are not compared with a trusted key: whoever signed may be anybody (audit verify --key)"
            return [Problem("info", "untrusted", text)] if self.signed >= 0 else []
        if self.signed < 0:
            text = "no checkpoint is signed by a trusted key; if the key is new, the next apply with changes signs one"
            return [Problem("error", "unsigned", text)] if self.seq >= 0 else []
        rest = self.seq - self.signed
        text = "1 entry is" if rest == 1 else f"{rest} entries are"
        return [Problem("info", "uncovered", f"{text} not covered by a signature yet")] if rest else []

    def _torn(self, piece: bytes) -> list[Problem]:
        if overlong(piece):
            return [self._error("form", "the last line does not end where an entry ends")]
        self.seq -= 1
        text = (
            f"the last line is incomplete ({len(piece)} bytes): cut off while it was written; the next run removes it"
        )
        return [Problem("warning", "torn", text, self.seq + 1)]

    def _error(self, code: str, message: str) -> Problem:
        return Problem("error", code, message, self.seq)

    def _meaning(self, entry: Entry) -> list[Problem]:
        found = []
        if entry.time < self.time:
            found.append(Problem("warning", "time", f"{entry.time} is earlier than the entry before", self.seq))
        if (self.seq == 0) != (entry.type == EntryType.GENESIS):
            found.append(self._error("genesis", "a log begins with its one genesis entry"))
        found += self._holding(entry)
        if entry.type in (EntryType.INTENT, EntryType.OUTCOME):
            found += self._operation(entry)
        elif entry.type == EntryType.CHECKPOINT:
            found += self._checkpoint(entry)
        elif entry.type == EntryType.GENESIS:
            theirs = (entry.data.get("workspace"), entry.data.get("environment"))
            if theirs != (self.workspace, self.environment):
                found.append(self._error("genesis", f"the log belongs to {theirs[0]}/{theirs[1]}"))
        return found

    def _holding(self, entry: Entry) -> list[Problem]:
        found = []
        recovering = entry.type == EntryType.RECOVERED and entry.run == self.breaker
        if entry.type == EntryType.LOCK:
            found += self._taking(entry)
            self.holder = entry
        elif entry.type == EntryType.LOCK_BREAK:
            self.holder, self.breaker = None, entry.run
        elif entry.type not in _ANYONE and not recovering:
            if self.holder is None or self.holder.run != entry.run:
                found.append(self._error("lock", f"run {entry.run} wrote without holding the lock"))
            elif entry.type == EntryType.UNLOCK:
                self.holder = None
        if self.holder is not None and self.holder.run == entry.run:
            self.touched = entry.time
        return found

    def _taking(self, entry: Entry) -> list[Problem]:
        try:
            new = lock_state(entry, entry.time)
            old = None if self.holder is None else lock_state(self.holder, self.touched)
        except LedgerError as error:
            return [self._error("lock", error.message)]
        if old is not None and entry.data.get("supersedes") != old.seq:
            return [self._error("lock", f"run {entry.run} took the lock while run {old.run} held it")]
        if old is not None and not _may_succeed(new, old):
            return [self._error("lock", f"run {entry.run} took over on another host before the lock expired")]
        return []

    def _operation(self, entry: Entry) -> list[Problem]:
        name = entry.data.get("op")
        if not isinstance(name, str) or not name:
            return [self._error("operation", f"an {entry.type} without an operation")]
        state = self.operations.get(name)
        if entry.type == EntryType.INTENT:
            self.operations[name] = _OPEN
            return [self._error("operation", f"a second intent of operation {name}")] if state else []
        if entry.data.get("status") != "indeterminate":
            self.operations[name] = _DONE
        if state is None:
            return [self._error("operation", f"an outcome of operation {name}, which has no intent")]
        return [self._error("operation", f"operation {name} had ended already")] if state == _DONE else []

    def _checkpoint(self, entry: Entry) -> list[Problem]:
        if any(entry.data.get(key) != value for key, value in checkpoint.as_data(self.tree).items()):
            return [self._error("checkpoint", "the checkpoint is not that of the lines before it")]
        if "signature" not in entry.data and "key" not in entry.data:
            unsigned = [self._error("signature", "the checkpoint is not signed, and an earlier one is")]
            return unsigned if self.keys and self.signed >= 0 else []
        return self._signature(entry)

    def _signature(self, entry: Entry) -> list[Problem]:
        text = signing.statement(self.tree, workspace=self.workspace, environment=self.environment)
        answer = signing.holds(entry.data, text)
        if answer is None:
            level = "error" if self.keys else "warning"
            return [Problem(level, "signature", "not checked: the package cryptography is missing", self.seq)]
        if not answer:
            return [self._error("signature", "the signature is not that of the key the checkpoint names")]
        if self.keys and entry.data["key"] not in self.keys:
            return [self._error("signature", "the checkpoint is signed by a key that is not trusted")]
        self.signed = self.seq
        return []


def _form(line: Line, entry: Entry, audit: Audit) -> list[Problem]:
    whole = {
        "v": 1, "seq": entry.seq, "prev": entry.prev, "time": entry.time, "run": entry.run, "type": entry.type,
        "actor": entry.actor, "data": entry.data,
    }  # fmt: skip
    found = []
    if canonical(whole) != line.raw:
        found.append(Problem("error", "form", "the line is not in canonical form", audit.seq))
    if entry.seq != audit.seq:
        found.append(Problem("error", "sequence", f"sequence {entry.seq} where {audit.seq} belongs", audit.seq))
    if entry.prev != audit.hash:
        found.append(Problem("error", "chain", "the line before it is not the one it was chained to", audit.seq))
    try:
        moment(entry.time)
    except ValueError:
        found.append(Problem("error", "form", "not a time", audit.seq))
    return found


def _may_succeed(new: LockState, old: LockState) -> bool:
    return new.host == old.host or old.expired(moment(new.since))


def verify_lines(pieces: Iterable[bytes], audit: Audit) -> list[Problem]:
    """Return every problem of a log given as raw lines with their newlines, in order."""
    found = [problem for piece in pieces for problem in audit.check(piece)]
    return found + audit.finish()


def verify(ledger: Ledger, anchor: Head | None = None, *, keys: frozenset[str] = frozenset()) -> list[Problem]:
    """Return every problem of a ledger; `keys` are the trusted public keys (base64), none when nobody is trusted.

    Raises LedgerError when the log cannot be read at all.
    """
    audit = Audit(ledger.workspace, ledger.environment, anchor, keys)
    found = verify_lines((piece for _, piece in ledger.store.read()), audit)
    return found if any(p.level == "error" for p in found) else found + _indexed(ledger)


def _indexed(ledger: Ledger) -> list[Problem]:
    from nhictl.ledger import index

    if not index.differs(ledger.store):
        return []
    text = "the index did not say what the log says: audit log and history may have left entries out; made anew"
    return [Problem("warning", "index-differs", text)]
