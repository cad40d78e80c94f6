"""A private cache of what was worked out from file contents. Losing it costs time, nothing else.

Rules enforced here:
- it lives in the user's cache directory, never below the workspace: planning changes no file there;
- the directory is ours with mode 0700, each file ours with mode 0600, a regular file and no link; anything else is
  treated as if there were no cache;
- a file is named after slot, tool version, schema digest and Python version, and starts with a digest of the rest, made
  with a random key that lies beside it: a file that was put there does not count;
- values are marshalled plain data (never pickled), written whole to a new file and renamed.
"""

from __future__ import annotations

import hashlib
import hmac
import marshal
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nhictl import __version__
from nhictl.model import Diagnostic, Severity, Span

MAX_BYTES = 1 << 30
MAX_FILES = 64
MAX_RESULTS = 8

_KEY_FILE = "key"
_KEY_SIZE = 32
_MAGIC = b"nhictl-cache-2\n"
_HEAD = len(_MAGIC) + 32


@dataclass(frozen=True, slots=True)
class Cache:
    """An open cache. `key` is what every slot depends on besides its name."""

    directory: Path
    key: str
    secret: bytes = field(repr=False)

    def read(self, slot: str) -> Any:
        """Return what was written to `slot`, or None."""
        with suppress(OSError, ValueError, EOFError, TypeError), _opened(self.directory) as folder:
            return _unpacked(_read(folder, self._file(slot)), self.secret)
        return None

    def write(self, slot: str, value: object) -> None:
        """Keep `value` (plain data) in `slot`. Does nothing when that is not possible."""
        with suppress(OSError, ValueError), _opened(self.directory) as folder:
            _write(folder, self._file(slot), _packed(value, self.secret))
            _prune(folder)

    def _file(self, slot: str) -> str:
        return hashlib.sha256(f"{self.key}\n{slot}".encode("utf-8", "surrogatepass")).hexdigest() + ".cache"


def default_directory(environ: Mapping[str, str]) -> Path:
    """Return the cache directory the environment asks for: `$XDG_CACHE_HOME/nhictl`, else `~/.cache/nhictl`."""
    base = environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = environ.get("HOME", "") + "/.cache"
    return Path(base, "nhictl")


def open_cache(directory: Path, *, schema_digest: str, root: Path) -> Cache | None:
    """Return the cache in `directory`, made if need be; None when it would not be private or lies below `root`."""
    if not directory.is_absolute() or directory.resolve().is_relative_to(root.resolve()):
        return None
    with suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(directory) as folder:
            python = f"{sys.implementation.cache_tag}-{marshal.version}"
            return Cache(directory, f"{__version__}\n{schema_digest}\n{python}", _secret(folder))
    return None


def result(cache: Cache | None, root: Path, key: str) -> list[Diagnostic] | None:
    """Return the diagnostics remembered for the workspace at `root` under `key`, or None."""
    known = cache.read(f"result {root}") if cache else None
    rows = known.get(key) if isinstance(known, dict) else None
    try:
        return [_diagnostic(row) for row in rows] if isinstance(rows, list) else None
    except (TypeError, ValueError):
        return None


def remember(cache: Cache | None, root: Path, key: str, diagnostics: Sequence[Diagnostic]) -> None:
    """Remember `diagnostics` for the workspace at `root` under `key`, a digest over everything they depend on."""
    if cache is None:
        return
    known = cache.read(f"result {root}")
    kept = {k: v for k, v in known.items() if k != key} if isinstance(known, dict) else {}
    recent = dict(list(kept.items())[-(MAX_RESULTS - 1) :])
    cache.write(f"result {root}", recent | {key: [_row(d) for d in diagnostics]})


def _row(d: Diagnostic) -> tuple[Any, ...]:
    related = [(_span_row(span), label) for span, label in d.related]
    span = _span_row(d.span) if d.span else None
    return (d.code, d.summary, span, d.detail, d.hint, d.severity.value, related)


def _span_row(span: Span) -> tuple[str, int, int, int]:
    return (span.file, span.line, span.column, span.width)


def _diagnostic(row: tuple[Any, ...]) -> Diagnostic:
    code, summary, span, detail, hint, severity, related = row
    return Diagnostic(
        code,
        summary,
        Span(*span) if span else None,
        detail,
        hint,
        Severity(severity),
        tuple((Span(*at), label) for at, label in related),
    )


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    """Open the directory. Raises PermissionError unless it is ours alone."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _private(os.fstat(folder))
        yield folder
    finally:
        os.close(folder)


def _private(facts: os.stat_result) -> None:
    if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077:
        raise PermissionError("not private")


def _read(folder: int, name: str) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        facts = os.fstat(file.fileno())
        _private(facts)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_BYTES:
            raise PermissionError("not a cache file")
        return file.read()


def _write(folder: int, name: str, data: bytes) -> None:
    new = f"{name}.{os.urandom(8).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(new, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
        os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(new, dir_fd=folder)
        raise


def _secret(folder: int) -> bytes:
    """Return the random key of this cache, made when there is none. Raises OSError when it is not private or whole."""
    with suppress(FileExistsError, FileNotFoundError):
        if not os.access(_KEY_FILE, os.F_OK, dir_fd=folder, follow_symlinks=False):
            _create(folder, _KEY_FILE, os.urandom(_KEY_SIZE))
    found = _read(folder, _KEY_FILE)
    if len(found) != _KEY_SIZE:
        raise PermissionError("not a key")
    return found


def _create(folder: int, name: str, data: bytes) -> None:
    """Put a whole file there that nobody has made before. Raises FileExistsError."""
    new = f"{name}.{os.urandom(8).hex()}"
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.link(new, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        os.unlink(new, dir_fd=folder)


def _packed(value: Any, secret: bytes) -> bytes:
    payload = marshal.dumps(value)
    return _MAGIC + hmac.digest(secret, payload, "sha256") + payload


def _unpacked(data: bytes, secret: bytes) -> Any:
    """Return the value in `data`. Raises ValueError when it is not whole and ours: marshal must see no other bytes."""
    payload = memoryview(data)[_HEAD:]
    mine = hmac.new(secret, payload, hashlib.sha256).digest()
    if not data.startswith(_MAGIC) or not hmac.compare_digest(mine, data[len(_MAGIC) : _HEAD]):
        raise ValueError("damaged")
    return marshal.loads(payload)  # noqa: S302 (private file, authenticated)


def _prune(folder: int) -> None:
    """Remove the oldest files beyond the number kept."""
    names = [name for name in os.listdir(folder) if ".cache" in name]
    if len(names) <= MAX_FILES:
        return
    names.sort(key=lambda name: os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns)
    for name in names[:-MAX_FILES]:
        os.unlink(name, dir_fd=folder)
