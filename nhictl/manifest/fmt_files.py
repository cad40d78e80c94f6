"""Format files: look at them, show the difference, write them.

Rules enforced here:
- looking writes nothing; symbolic links are not followed, hidden folders are not entered;
- a file is replaced whole or not at all: a temporary file beside it, flushed, with its mode and owner, then renamed;
- a file that changed since it was looked at is left alone.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nhictl.manifest.fmt import format_text
from nhictl.model import Diagnostic, InvalidManifests, NhictlError, Span

SUFFIXES = (".yaml", ".yml")
_CODES = {errno.ENOENT: "E130"}


@dataclass(frozen=True, slots=True)
class Formatted:
    """One file before and after. `file` is its name for people; with diagnostics `after` equals `before`."""

    path: Path
    file: str
    before: bytes
    after: bytes
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> bool:
        """True when the file is not laid out as it should be."""
        return self.before != self.after


def manifests_in(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files among `paths`, and the YAML files in the folders among them, sorted, each once."""
    return tuple(sorted({file for path in paths for file in _files(path)}))


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            file = Path(folder) / name
            if name.endswith(SUFFIXES) and not name.startswith(".") and not file.is_symlink():
                yield file


def look(paths: Iterable[Path], *, root: Path) -> tuple[Formatted, ...]:
    """Return what formatting would make of files. Names for people are relative to `root` where possible."""
    return tuple(_look(path, _name(path, root)) for path in paths)


def _name(path: Path, root: Path) -> str:
    whole, top = Path(os.path.abspath(path)), Path(os.path.abspath(root))  # noqa: PTH100  (does not follow links)
    return whole.relative_to(top).as_posix() if whole.is_relative_to(top) else str(path)


def _look(path: Path, file: str) -> Formatted:
    try:
        before = _read(path)
    except OSError as error:
        why = "symbolic links are not followed" if path.is_symlink() else error.strerror
        code = (
            "E133"
            if path.is_symlink() or (path.exists() and not path.is_file())
            else _CODES.get(error.errno or 0, "E131")
        )
        return Formatted(path, file, b"", b"", (Diagnostic(code, f"cannot be formatted: {why}", Span(file)),))
    try:
        after = format_text(before.decode("utf-8"), file).encode("utf-8")
    except UnicodeDecodeError:
        return Formatted(path, file, before, before, _refusals(before, file))
    except InvalidManifests as error:
        return Formatted(path, file, before, before, error.diagnostics)
    return Formatted(path, file, before, after)


def _refusals(data: bytes, file: str) -> tuple[Diagnostic, ...]:
    from nhictl.manifest.reader import parse

    return tuple(parse(data, file)[1])


def _read(path: Path) -> bytes:
    """Return the content of a regular file that is not a link. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return stream.read()


def difference(formatted: Formatted, shown: Callable[[Sequence[str]], Sequence[str]] = list) -> str:
    """Return the unified diff from the file to its formatted text, empty when there is none.

    `shown` says what may be seen of the lines of either.
    """
    before = shown(formatted.before.decode("utf-8", "replace").splitlines(keepends=True))
    after = shown(formatted.after.decode("utf-8", "replace").splitlines(keepends=True))
    lines = difflib.unified_diff(before, after, formatted.file, f"{formatted.file} (formatted)")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write(formatted: Formatted) -> None:
    """Replace a file by its formatted text; nothing happens when it is laid out well already.

    Raises NhictlError when the file changed since it was looked at or cannot be written; it is whole then, too.
    """
    if not formatted.changed:
        return
    try:
        _replace(formatted)
    except OSError as error:
        raise NhictlError(f"{formatted.file}: cannot be written: {error.strerror}") from error


def _replace(formatted: Formatted) -> None:
    path = formatted.path
    descriptor, name = tempfile.mkstemp(prefix=".nhictl-fmt-", dir=path.parent)
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123
            _take_after(descriptor, os.lstat(path))
            stream.write(formatted.after)
            stream.flush()
            os.fsync(descriptor)
        if _read(path) != formatted.before:
            hint = "run fmt again"
            raise NhictlError(f"{formatted.file}: changed while it was being formatted; left alone", hint=hint)
        os.replace(name, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)  # noqa: PTH108
        raise
    _sync_folder(path.parent)


def _take_after(descriptor: int, original: os.stat_result) -> None:
    mine = os.fstat(descriptor)
    if (mine.st_uid, mine.st_gid) != (original.st_uid, original.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, original.st_uid, original.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(original.st_mode))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
