"""Who runs this command and why: the person or the CI job, what was typed, the event that a CI job was told.

Rules enforced here:
- the event file is the CI's: it is read when it is a regular file of at most 1 MiB, and never stops a command.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhictl import __version__

if TYPE_CHECKING:
    from nhictl.ledger import Actor

_EVENT_MOST = 1024 * 1024


def actor(command: str, *, commit: str = "") -> Actor:
    """Return who acts, and why, from the environment of the process; `commit` is the checked-out one."""
    from nhictl.ledger.actor import detect

    return detect(
        os.environ, user=_user(), host=platform.node(), command=command, commit=commit, tool=f"nhictl {__version__}",
        event=_event(os.environ.get("GITHUB_EVENT_PATH", "")),
    )  # fmt: skip


def typed() -> str:
    """Return what was typed, for the record; values of options that could matter are left out."""
    from nhictl.cli.typed import recorded

    return recorded(sys.argv[1:])


def _event(path: str) -> dict[str, Any] | None:
    """Return the event that set a GitHub job off; None when there is none that can be read."""
    try:
        found = json.loads(_small(Path(path))) if path else None
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _small(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _EVENT_MOST:
            return b""
        return file.read(_EVENT_MOST)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid:{os.getuid()}"
