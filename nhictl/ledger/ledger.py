"""The ledger of one environment: open it, read it, lock it, write to it.

Rules enforced here:
- only the holder of the lock writes; whoever lost the lock finds out at the next append and must not act;
- a dead holder on this host is succeeded at once, one on another host after its time to live, a live one never:
  its lock is broken by a person, with a reason, in the log;
- a ledger belongs to one workspace and environment, and says so in its first entry.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nhictl.ledger import checkpoint, place, process, signing
from nhictl.ledger.actor import Actor, clean
from nhictl.ledger.chain import VERSION, EntryType, Head, Line, encode, follow, moment, parse, stamp, torn_data
from nhictl.ledger.scan import LockState, Scan, scan
from nhictl.ledger.store import Busy, Store
from nhictl.model import Entry, LedgerError, LockHeld

if TYPE_CHECKING:
    from nhictl.ledger.writer import Writer

_HANDOVER = 2.0
_PAUSE = 0.01
_TRIES = 20
_BREAK = 'if its run is gone for good: nhictl ledger lock break --reason "..."'


class Ledger:
    """One environment's log in one store, as seen by one run."""

    def __init__(
        self,
        store: Store,
        *,
        workspace: str,
        environment: str,
        actor: Actor,
        run: str,
        clock: Callable[[], datetime],
        read_only: bool = False,
        signer: signing.Signer | None = None,
    ) -> None:
        self.store, self.workspace, self.environment = store, workspace, environment
        self._actor, self._clock, self._read_only, self._signer = actor, clock, read_only, signer
        self._by = stamp(run, actor.as_json())

    def exists(self) -> bool:
        """Say whether anything was ever recorded."""
        return self.store.exists()

    def lines(self) -> Iterator[Line | bytes]:
        """Yield every line, chain checked, JSON not parsed; at the end a torn tail as bytes. Raises LedgerError."""
        return follow(self.store.read())

    def entries(self, start: int = 0, *, types: frozenset[str] | None = None) -> Iterator[Entry]:
        """Yield the entries from sequence `start` on, only those of `types` when given.

        The whole chain is checked while reading; a torn last line is left out. Raises LedgerError naming the line
        where the chain breaks. Lists in data stay lists: `freeze` makes attribute values of them.
        """
        for line in self.lines():
            if isinstance(line, bytes):
                return
            if line.seq == 0:
                self._require_own(parse(line))
            if line.seq >= start and (types is None or line.type in types):
                yield parse(line)

    def scan(self) -> Scan:
        """Read and check the whole chain. Raises LedgerError."""
        found = scan(self.store.read())
        if found.genesis is not None:
            self._require_own(found.genesis)
        return found

    def require_own(self) -> None:
        """Raise LedgerError when there is a ledger and it belongs to another workspace or environment."""
        first = next(self.lines(), b"")
        if not isinstance(first, bytes):
            self._require_own(parse(first))

    def head(self) -> Head:
        """Return the last entry's sequence and hash; (-1, zeros) for an empty ledger."""
        return self.scan().tail.head

    def lock_state(self) -> LockState | None:
        """Return who holds the lock according to the log, None when nobody does."""
        return self.scan().lock

    @contextmanager
    def lock(self, command: str, ttl: int = 900) -> Iterator[Writer]:
        """Hold the ledger for one run of `command`; create it if it does not exist. `ttl` is in seconds.

        Raises LockHeld when another run holds it, LedgerError when it cannot be written.
        """
        self._require_writable()
        self.store.prepare()
        with self._guarded():
            writer = self._claim(command, ttl)
            try:
                yield writer
            except BaseException:
                with suppress(LedgerError, LockHeld):
                    self._release(writer)
                raise
            else:
                self._release(writer)
            finally:
                writer.close()

    def break_lock(self, reason: str) -> Entry:
        """Take the lock from whoever holds it, and record why. Raises LedgerError when nobody holds it."""
        self._require_writable()
        if not reason.strip():
            raise LedgerError("breaking a lock needs a reason")
        for _ in range(_TRIES):
            found = self.scan()
            if found.genesis is None or (found.lock is None and not self.store.evict()):
                raise LedgerError(f"the ledger of {self.environment} is not locked")
            with suppress(LockHeld):  # the holder wrote something meanwhile
                entry = self._record_break(found, clean(reason, 500))
                self.store.evict()
                return entry
        raise LedgerError(f"the holder of the ledger of {self.environment} keeps writing; its lock was not broken")

    def _record_break(self, found: Scan, reason: str) -> Entry:
        broken = {} if found.lock is None else {"broken": found.lock.seq, "run": found.lock.run}
        writer = self._writer(found)
        try:
            return writer.record([(EntryType.LOCK_BREAK, encode({"reason": reason, **broken})), *_recovery(found)])[0]
        finally:
            writer.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        deadline = time.monotonic() + _HANDOVER
        while True:
            try:
                with self.store.guard():
                    yield
                    return
            except Busy:
                holder = self.lock_state()
                if holder is not None:
                    self._refuse(holder)
                if time.monotonic() > deadline:
                    raise LockHeld(
                        f"the ledger of {self.environment} is held by a run that records nothing", hint=_BREAK
                    ) from None
                time.sleep(_PAUSE)

    def _claim(self, command: str, ttl: int) -> Writer:
        found = self.scan()
        if found.lock is not None and not self.gone(found.lock):
            self._refuse(found.lock)
        data: dict[str, Any] = {
            "command": command, "ttl": ttl, "host": self._actor.host, "pid": os.getpid(),
            "birth": process.birth(os.getpid()), "trigger": self._actor.trigger.as_json(),
        }  # fmt: skip
        if found.lock is not None:
            data["supersedes"] = found.lock.seq
        genesis = {"workspace": self.workspace, "environment": self.environment, "format": VERSION}
        first = [(EntryType.GENESIS, encode(genesis))] if found.genesis is None else []
        writer = self._writer(found)
        try:
            writer.record([*first, (EntryType.LOCK, encode(data)), *_recovery(found)])
        except BaseException:
            writer.close()
            raise
        return writer

    def gone(self, holder: LockState) -> bool:
        """Say whether the next run may take over from `holder`: its process ended here, or its time ran out there."""
        if holder.host != self._actor.host:
            return holder.expired(self._clock())
        return holder.pid == os.getpid() or not holder.birth or process.birth(holder.pid) != holder.birth

    def _release(self, writer: Writer) -> None:
        writer.seal()
        writer.record([(EntryType.UNLOCK, b"{}")])

    def _writer(self, found: Scan) -> Writer:
        from nhictl.ledger.writer import Writer

        def sign(tree: checkpoint.Range) -> dict[str, Any]:
            data = checkpoint.as_data(tree)
            if self._signer is None:
                return data
            text = signing.statement(tree, workspace=self.workspace, environment=self.environment)
            return {**data, **signing.signed(self._signer, text)}

        return Writer(self.store, found, by=self._by, clock=self._clock, sign=sign, lost=self._lost)

    def _lost(self) -> LockHeld:
        why = "someone else wrote to the ledger"
        with suppress(LedgerError):
            for entry in self.entries(types=frozenset({EntryType.LOCK, EntryType.LOCK_BREAK})):
                if entry.run != self._by.run:
                    why = f"{entry.actor.get('name')} took it at {entry.time} ({entry.type}, run {entry.run})"
        return LockHeld(
            f"this run has lost the lock of {self.environment}: {why}",
            hint="Nothing more is changed by this run; what it had begun is resolved by the next apply.",
        )

    def _refuse(self, holder: LockState) -> NoReturn:
        held = max(int((self._clock() - moment(holder.since)).total_seconds()), 0)
        raise LockHeld(
            f"the ledger of {self.environment} is locked by {holder.holder} on {holder.host} (nhictl {holder.command},"
            f" run {holder.run}, process {holder.pid}) for {held} s, since {holder.since}, until {holder.expires}"
            " unless it goes on",
            hint=f"wait for it, or {_BREAK}",
        ) from None

    def _require_own(self, genesis: Entry) -> None:
        theirs = (genesis.data.get("workspace"), genesis.data.get("environment"))
        if theirs != (self.workspace, self.environment):
            raise LedgerError(
                f"this ledger belongs to {theirs[0]}/{theirs[1]}, not to {self.workspace}/{self.environment}",
                hint="Give each workspace a ledger of its own (spec.ledger in nhictl.yaml).",
            )

    def _require_writable(self) -> None:
        if self._read_only:
            raise LedgerError("the ledger was opened for reading only")


def _recovery(found: Scan) -> list[tuple[EntryType, bytes]]:
    torn = found.tail.torn
    if not torn:
        return []
    return [(EntryType.RECOVERED, encode(torn_data(torn)))]


def open_ledger(  # noqa: PLR0913
    url: str,
    *,
    root: Path,
    workspace: str,
    environment: str,
    actor: Actor,
    run: str,
    clock: Callable[[], datetime],
    read_only: bool = False,
    signer: signing.Signer | None = None,
) -> Ledger:
    """Open the ledger of an environment at `url` (`file:PATH`, relative to `root`). Touches nothing yet.

    Raises LedgerError for a URL nobody understands, or a place where no ledger may be.
    """
    from nhictl.ledger.file import FileStore

    store = FileStore(place.directory(url, root, os.environ) / _directory_name(environment))
    return Ledger(
        store, workspace=workspace, environment=environment, actor=actor, run=run, clock=clock,
        read_only=read_only, signer=signer,
    )  # fmt: skip


def _directory_name(environment: str) -> str:
    if not environment or not environment.isascii() or environment[0] in ".-" or set(environment) & set("/\\\0"):
        raise LedgerError(f"not an environment name: {environment!r}")
    return environment
