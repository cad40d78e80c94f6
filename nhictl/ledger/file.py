"""The ledger as a directory: `log.jsonl`, appended and synced, and `lock`, flocked for the length of a run.

Rules enforced here:
- directories 0700, files 0600; a symbolic link, a world-writable place or anything but a regular file is refused;
- an append holds a short exclusive lock on the log and first compares size and last line with what is expected:
  whoever lost the log cannot append to it;
- an append returns after fsync; creation syncs the directories too; a failed write is cut off again;
- reading opens read-only, takes no lock and writes nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from nhictl.failpoints import failpoint
from nhictl.ledger.chain import Head, line_hash
from nhictl.ledger.store import Busy, Moved, Tail
from nhictl.model import LedgerError

LOG = "log.jsonl"
LOCK = "lock"
_PATIENCE = 10.0
_PAUSE = 0.005
_CHUNK = 1 << 20


class FileStore:
    """One log in one directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._log = directory / LOG

    def exists(self) -> bool:
        """Say whether there is a log with anything in it."""
        try:
            found = os.lstat(self._log)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            _refuse(error, self._log)
        if not stat.S_ISREG(found.st_mode):
            os.close(_open(self._log, os.O_RDONLY))  # raises: it is a link, a pipe or a directory
        return found.st_size > 0

    def read(self, at: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, raw line) from offset `at` on."""
        if not self.exists():
            return
        _check_directory(self._directory)
        with os.fdopen(_open(self._log, os.O_RDONLY), "rb", buffering=_CHUNK) as log:
            try:
                log.seek(at)
                for raw in log:
                    yield at, raw
                    at += len(raw)
            except OSError as error:
                _refuse(error, self._log)

    def pick(self, ats: Iterable[int]) -> Iterator[bytes]:
        """Yield the raw lines at these offsets, without their newlines."""
        with os.fdopen(_open(self._log, os.O_RDONLY), "rb") as log:
            for at in ats:
                log.seek(at)
                yield log.readline().removesuffix(b"\n")

    def prepare(self) -> None:
        """Create directory and log, privately and durably."""
        try:
            _make_directories(self._directory)
            _check_directory(self._directory)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            created = not os.path.lexists(self._log)
            os.close(os.open(self._log, flags, 0o600))
            if created:
                _sync_directory(self._directory)
        except OSError as error:
            _refuse(error, self._log)
        os.close(_open(self._log, os.O_RDWR))

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Hold the lock file. Raises Busy."""
        handle = self._take_guard()
        try:
            yield
        finally:
            os.close(handle)

    def _take_guard(self) -> int:
        path = self._directory / LOCK
        while True:
            handle = _open(path, os.O_RDWR | os.O_CREAT)
            try:
                _flock(handle, path)
                if _same_file(handle, path):
                    return handle
            except BaseException:
                os.close(handle)
                raise
            # Evicted between open and flock: the path is another file by now.
            os.close(handle)

    def evict(self) -> bool:
        """Put the lock file out of the way: who holds it holds a file without a name."""
        path = self._directory / LOCK
        try:
            with self.guard():
                return False
        except Busy:
            try:
                path.unlink()
                _sync_directory(self._directory)
            except OSError as error:
                _refuse(error, path)
            return True

    def append(self, tail: Tail, lines: list[bytes]) -> Tail:
        """Append lines and sync. Raises Moved when the log does not end with `tail`."""
        handle = _open(self._log, os.O_RDWR | os.O_APPEND)
        try:
            _flock_patiently(handle, self._log)
            _require_tail(handle, tail)
            return _write(handle, tail, lines)
        except OSError as error:
            _refuse(error, self._log)
        finally:
            os.close(handle)

    def cache(self) -> Path | None:
        """Return the directory itself."""
        return self._directory


def _require_tail(handle: int, tail: Tail) -> None:
    if os.fstat(handle).st_size != tail.end + len(tail.torn):
        raise Moved
    if os.pread(handle, len(tail.torn) + 1, tail.end) != tail.torn:
        raise Moved
    if tail.end and line_hash(os.pread(handle, tail.end - tail.last - 1, tail.last)) != tail.head.hash:
        raise Moved


def _write(handle: int, tail: Tail, lines: list[bytes]) -> Tail:
    if tail.torn:
        os.ftruncate(handle, tail.end)
    payload = b"\n".join(lines) + b"\n"
    try:
        view = memoryview(payload)
        while view:
            view = view[os.write(handle, view) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(handle, tail.end)
        raise
    failpoint("before-sync")
    os.fsync(handle)
    end = tail.end + len(payload)
    return Tail(Head(tail.head.seq + len(lines), line_hash(lines[-1])), end - len(lines[-1]) - 1, end)


def _open(path: Path, flags: int) -> int:
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except OSError as error:
        _refuse(error, path)
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode) or mode & stat.S_IWOTH:
        os.close(handle)
        what = "is writable for everyone" if stat.S_ISREG(mode) else "is not a regular file"
        raise LedgerError(f"{path} {what}: a ledger there proves nothing", hint=f"chmod 600 {path}")
    return handle


def _check_directory(directory: Path) -> None:
    try:
        mode = os.lstat(directory).st_mode
    except OSError as error:
        _refuse(error, directory)
    if not stat.S_ISDIR(mode):
        raise LedgerError(f"{directory} is not a directory (a symbolic link is not followed here)")
    if mode & stat.S_IWOTH:
        raise LedgerError(
            f"{directory} is writable for everyone: a ledger there proves nothing",
            hint=f"chmod 700 {directory}",
        )


def _make_directories(directory: Path) -> None:
    missing = []
    while not os.path.lexists(directory):
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        named = os.lstat(path)
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)


def _flock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise Busy from None
        _refuse(error, path)


def _flock_patiently(handle: int, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return _flock(handle, path)
        except Busy:
            if time.monotonic() > deadline:
                raise LedgerError(f"another process is writing to {path} and does not finish") from None
            time.sleep(_PAUSE)


def _refuse(error: OSError, path: Path) -> NoReturn:
    reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror or type(error).__name__
    raise LedgerError(
        f"the ledger at {path} cannot be used: {reason}",
        hint="Nothing is changed anywhere without the ledger.",
    ) from None
