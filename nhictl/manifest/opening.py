"""Open what stands in a workspace, and nothing a link leads to.

Rules enforced here:
- only regular files are opened, never through a link, never blocking;
- never more than asked for is read;
- a file named in a diagnostic is opened folder by folder from the root: no part of its name may be a link.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def read(path: str | Path, limit: int, folder: int | None = None) -> bytes:
    """Return the bytes of a regular file, one more than `limit` at most; `path` is relative to the open `folder`.

    Raises OSError, for anything that is not a regular file IsADirectoryError.
    """
    handle = os.open(path, _FILE, dir_fd=folder)
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise IsADirectoryError(0, "not a regular file")
        data = os.read(handle, min(facts.st_size, limit) + 1)
        while data and len(data) <= limit and (more := os.read(handle, limit + 1 - len(data))):
            data += more
        return data
    finally:
        os.close(handle)


def read_inside(root: Path, name: str, limit: int) -> bytes:
    """Return what `read` does for `name`, a path below `root` without any link in it. Raises OSError."""
    *folders, file = name.split("/")
    if name.startswith("/") or {"", ".", ".."} & {*folders, file}:
        raise PermissionError(0, "not below the workspace")
    at = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for folder in folders:
            below = os.open(folder, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
        return read(file, limit, at)
    finally:
        os.close(at)
