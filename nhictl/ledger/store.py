"""What a ledger store must do. The same bytes live in every store; appending is the fence.

Rules a store keeps:
- `append` is durable when it returns, and conditional: it fails with `Moved` unless the log still ends as expected;
- reading takes no lock and writes nothing;
- `guard` excludes other runs on hosts that share the store's own locking; the log's lock entries exclude the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nhictl.ledger.chain import EMPTY, Head


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a log ends: its head, the locators of its last line and of what comes next, and torn bytes after that."""

    head: Head = EMPTY
    last: int = 0
    end: int = 0
    torn: bytes = b""


class Moved(Exception):
    """The log does not end where the caller thought: someone else appended, cut or replaced it."""


class Busy(Exception):
    """Another process has the store's own lock."""


class Store(Protocol):
    """Bytes of one log. Locators are opaque, ascending integers. Every failure is a LedgerError."""

    def exists(self) -> bool:
        """Say whether there is a log with anything in it."""
        ...

    def read(self, at: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (locator, raw line with newline) from locator `at` on; a torn last line comes without its newline."""
        ...

    def pick(self, ats: Iterable[int]) -> Iterator[bytes]:
        """Yield the raw lines at these locators, without their newlines."""
        ...

    def prepare(self) -> None:
        """Create what a first append needs, privately and durably."""
        ...

    def guard(self) -> AbstractContextManager[None]:
        """Keep other runs out while open. Raises Busy."""
        ...

    def evict(self) -> bool:
        """Make the guard free again although someone has it. Return whether someone had it."""
        ...

    def append(self, tail: Tail, lines: list[bytes]) -> Tail:
        """Append lines durably after `tail`, replacing its torn bytes. Raises Moved or LedgerError."""
        ...

    def cache(self) -> Path | None:
        """Return the directory where a disposable index may lie, None when there is none."""
        ...
