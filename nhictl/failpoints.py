"""Named places where a test can kill the process, to prove that a crash there loses nothing.

Rules enforced here: nothing happens unless NHICTL_FAILPOINT is set, as `name` or `name:n` (the n-th time, from 1);
then the process dies by SIGKILL, as in a power cut.
"""

from __future__ import annotations

import os
import signal
import threading

_lock = threading.Lock()
_hits: dict[str, int] = {}

NAMES = (
    "before-lock", "after-lock", "before-recovery", "after-recovery", "after-plan", "before-intent", "after-intent",
    "after-call", "after-outcome", "before-unlock", "before-sync", "before-commit", "after-commit",
)  # fmt: skip


def failpoint(name: str) -> None:
    """Die here when the environment says so."""
    wanted = os.environ.get("NHICTL_FAILPOINT")
    if not wanted:
        return
    point, _, count = wanted.partition(":")
    if point != name:
        return
    with _lock:
        _hits[name] = _hits.get(name, 0) + 1
        if _hits[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
