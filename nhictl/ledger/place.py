"""Where a `file:` ledger may be: in the workspace, or on the volume that the machine's own settings name.

Rules enforced here:
- a path stays below the workspace: no `..`, nothing in `.git`, no part of it a symbolic link;
- an absolute path counts only below the directory that NHICTL_LEDGER_ROOT names, under the same rules: a change to
  `nhictl.yaml` alone cannot make nhictl write anywhere else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from nhictl.kinds.workspace import misplaced_ledger
from nhictl.model import LedgerError

VARIABLE = "NHICTL_LEDGER_ROOT"


def path_of(url: str) -> str:
    """Return the path in a `file:` URL. Raises LedgerError for a URL nobody understands."""
    scheme, separator, rest = url.partition(":")
    if not separator or scheme != "file" or not rest:
        raise LedgerError(
            f"no ledger store understands {scheme or 'an empty URL'}: only file: is built in",
            hint="For example: ledger: file:.nhictl/ledger",
        )
    path = rest.removeprefix("//") if rest.startswith("///") else rest
    if path.startswith("//") or "?" in path or "#" in path or "\0" in path:
        raise LedgerError("a file: ledger is a path only: file:.nhictl/ledger or file:///var/lib/nhictl")
    return path


def directory(url: str, root: Path, environ: Mapping[str, str]) -> Path:
    """Return the directory a `file:` URL means for the workspace at `root`. Raises LedgerError when it may not."""
    path = path_of(url)
    if problem := misplaced_ledger(path):
        raise LedgerError(f"{problem} ({url})")
    if not path.startswith("/"):
        return _without_links(root, PurePosixPath(path).parts)
    volume = PurePosixPath(environ.get(VARIABLE) or "/nowhere")
    inside = PurePosixPath(path).is_relative_to(volume) and volume.is_absolute() and environ.get(VARIABLE)
    if not inside or ".." in volume.parts:
        raise LedgerError(
            f"the ledger at {path} is outside of the workspace",
            hint=f"if it is a shared volume, say so on this machine: {VARIABLE}=DIRECTORY, where DIRECTORY holds it",
        )
    return _without_links(Path(volume), PurePosixPath(path).relative_to(volume).parts)


def _without_links(start: Path, parts: tuple[str, ...]) -> Path:
    at = start
    for part in parts:
        at = at / part
        try:
            link = stat.S_ISLNK(os.lstat(at).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise LedgerError(f"the ledger at {at} cannot be used: {error.strerror}") from None
        if link:
            raise LedgerError(f"the ledger's path leads over a symbolic link: {at}")
    return at
