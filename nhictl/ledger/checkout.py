"""The commit that is checked out, read from the repository's files.

Rules enforced here:
- Git is never run: its configuration and attributes, which a stranger's branch may bring along, can name programs;
- only small regular files are read, symbolic links are not followed, and only a full object id is ever returned;
- whether the files differ from the commit is not said: telling that would take Git's filters.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_REF = re.compile(r"ref: (refs/[A-Za-z0-9._/+@-]{1,240})\Z")
_SMALL, _PACKED = 4096, 16 * 1024 * 1024


def commit(root: Path) -> str:
    """Return the full id of the commit checked out at `root` or above; empty when it cannot be told."""
    folder = _repository(root.resolve())
    if folder is None:
        return ""
    head = _read(folder / "HEAD").strip()
    if _ID.match(head):
        return head
    named = _REF.match(head)
    if named is None or ".." in named[1]:
        return ""
    common = _common(folder)
    for place in dict.fromkeys((folder, common)):
        found = _read(place / named[1]).strip()
        if _ID.match(found):
            return found
    return _packed(common, named[1])


def _repository(root: Path) -> Path | None:
    """Return the `.git` folder of the nearest work tree; a bare repository among the files is none."""
    for folder in (root, *root.parents):
        entry = folder / ".git"
        if entry.is_symlink():
            return None
        if entry.is_dir():
            return entry
        if entry.is_file():
            target = _read(entry).strip().removeprefix("gitdir: ")
            return (folder / target).resolve() if target else None
    return None


def _common(folder: Path) -> Path:
    shared = _read(folder / "commondir").strip()
    return (folder / shared).resolve() if shared else folder


def _packed(common: Path, name: str) -> str:
    for line in _read(common / "packed-refs", _PACKED).splitlines():
        found, _, ref = line.partition(" ")
        if ref == name and _ID.match(found):
            return found
    return ""


def _read(path: Path, most: int = _SMALL) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with open(descriptor, "rb") as file:  # noqa: PTH123
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most:
            return ""
        return file.read(most).decode("ascii", "replace")
