"""Write new files into a folder.

Rules enforced here:
- nothing is overwritten, and no link is followed;
- all or nothing: when a write fails, what was written is taken back.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from nhictl.model import NhictlError


def write_new(directory: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write `texts`, by path below `directory`, and return the files; none may exist.

    Raises NhictlError with nothing written.
    """
    made: list[Path] = []
    files: list[Path] = []
    try:
        for path, text in texts.items():
            _make_folders((directory / path).parent, made)
            _write(directory / path, text, made)
            files.append(directory / path)
    except BaseException as error:
        _take_back(made)
        if isinstance(error, OSError):
            where = error.filename or directory
            raise NhictlError(f"cannot write {where}: {error.strerror}; nothing was written") from error
        raise
    return files


def placed(directory: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """Return which of `texts` are to be written, and where: those not there already, beside what has their name.

    Raises NhictlError when a folder on the way is a link or a file.
    """
    found: dict[str, str] = {}
    for path, text in texts.items():
        _refuse_links(directory, path)
        for candidate in (path, _beside(path, text)):
            file = directory / candidate
            if not os.path.lexists(file):
                found[candidate] = text
                break
            if file.is_file() and not file.is_symlink() and file.read_bytes() == text.encode():
                break
        else:
            raise NhictlError(f"{directory / path} is there already, with other content; nothing was written")
    return found


def _refuse_links(directory: Path, path: str) -> None:
    for parent in Path(path).parents:
        here = directory / parent
        if parent != Path() and (here.is_symlink() or (here.exists() and not here.is_dir())):
            raise NhictlError(f"{here} is a link or a file; nothing was written", hint="manifests go into folders")


def _beside(path: str, text: str) -> str:
    """Return another name for a file whose name is taken, the same for the same text."""
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:6]}{dot}{suffix}"


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        made.append(parent)


def _write(path: Path, text: str, made: list[Path]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    made.append(path)
    with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123
        stream.write(text)


def _take_back(made: list[Path]) -> None:
    for path in reversed(made):
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
