"""Append entries durably, many threads at a time, one sync for all that wait (group commit).

Rules enforced here:
- `append` returns only when the entry is on disk; if it raises, the caller must not act;
- one thread of its own writes, so an interrupt never lands between write and sync;
- the first failure is final: a writer that failed once refuses everything after it;
- entries of the lock's own life (genesis, lock, unlock, checkpoint ...) are written by the ledger, not by callers;
- recorded time never runs backwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nhictl.ledger import checkpoint
from nhictl.ledger.chain import EntryType, Stamp, compose, encode, parse, split, timestamp
from nhictl.ledger.scan import Scan
from nhictl.ledger.store import Moved, Store
from nhictl.model import Entry, LedgerError

CALLERS = frozenset(
    {
        EntryType.PLAN,
        EntryType.INTENT,
        EntryType.OUTCOME,
        EntryType.ADOPT,
        EntryType.FORGET,
        EntryType.CORRECTION,
    }
)
CHECKPOINT_EVERY = 1000


@dataclass(slots=True)
class _Batch:
    items: list[tuple[EntryType, bytes]]
    entries: list[Entry] = field(default_factory=list)


class Writer:
    """Appends the entries of one run. Thread-safe. Made by `Ledger.lock`."""

    def __init__(
        self,
        store: Store,
        start: Scan,
        *,
        by: Stamp,
        clock: Callable[[], datetime],
        sign: Callable[[checkpoint.Range], Mapping[str, Any]],
        lost: Callable[[], Exception],
    ) -> None:
        self._store, self._tail, self._last_time = store, start.tail, start.last_time
        self._tree = checkpoint.extend(start.tree, start.pending)
        self._unsealed = start.tail.head.seq + 1 - start.tree.size
        self._worked = False
        self._by, self._clock, self._sign, self._lost = by, clock, sign, lost
        self._mutex = threading.Lock()
        self._waiting: list[_Batch] = []
        self._failure: Exception | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    def append(self, kind: str, data: Mapping[str, Any]) -> Entry:
        """Append one entry; return it when it is durable. Raises LedgerError or LockHeld: then do not act."""
        return self.append_many([(kind, data)])[0]

    def append_many(self, items: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Entry]:
        """Append entries side by side, in order; return them when all are durable. Raises like `append`."""
        return self.record([(_for_callers(kind), encode(data)) for kind, data in items])

    def record(self, items: list[tuple[EntryType, bytes]]) -> list[Entry]:
        """Append entries of any type whose data is encoded already. For the ledger itself."""
        if not items:
            return []
        if self._failure is not None:
            raise self._failure
        batch = _Batch(items)
        with self._mutex:
            self._waiting.append(batch)
        self._thread.submit(self._flush, batch).result()
        return batch.entries

    def seal(self) -> None:
        """Append a checkpoint when callers recorded anything since the last one of this run."""
        if self._worked:
            self.record([(EntryType.CHECKPOINT, b"")])

    def close(self) -> None:
        """End the writing thread; everything appended is durable already. Nothing can be appended after that."""
        self._failure = self._failure or LedgerError("the lock of the ledger was released")
        self._thread.shutdown(wait=True)

    def _flush(self, batch: _Batch) -> None:
        if batch.entries:
            return
        if self._failure is not None:
            raise self._failure
        with self._mutex:
            batches, self._waiting = self._waiting, []
        try:
            self._commit(batches)
        except Moved:
            self._failure = self._lost()
            raise self._failure from None
        except Exception as error:
            self._failure = error
            raise

    def _commit(self, batches: list[_Batch]) -> None:
        items = [item for batch in batches for item in batch.items]
        if self._unsealed + len(items) >= CHECKPOINT_EVERY:
            items.append((EntryType.CHECKPOINT, b""))
        entries, lines = self._compose(items)
        self._tail = self._store.append(self._tail, lines)
        self._last_time = entries[-1].time
        taken = 0
        for batch in batches:
            batch.entries = entries[taken : taken + len(batch.items)]
            taken += len(batch.items)

    def _compose(self, items: list[tuple[EntryType, bytes]]) -> tuple[list[Entry], list[bytes]]:
        head, entries, lines = self._tail.head, [], []
        now = max(timestamp(self._clock()), self._last_time)
        for kind, data in items:
            sealing = kind is EntryType.CHECKPOINT
            body = encode(self._sign(self._tree)) if sealing else data
            raw = compose(head, kind, data=body, time=now, by=self._by)
            line = split(raw)
            head = line.head
            self._tree = checkpoint.extend(self._tree, (raw,))
            self._unsealed = 1 if sealing else self._unsealed + 1
            self._worked = not sealing and (self._worked or kind in CALLERS)
            entries.append(parse(line))
            lines.append(raw)
        return entries, lines


def _for_callers(kind: str) -> EntryType:
    if kind not in CALLERS:
        raise LedgerError(f"entries of type {kind} cannot be appended here")
    return EntryType(kind)


__all__ = ["CALLERS", "CHECKPOINT_EVERY", "Writer"]
