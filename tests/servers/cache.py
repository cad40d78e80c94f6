"""Where servers that were fetched or built are kept between runs, and how they get there once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path


def cache() -> Path:
    """Return the folder of the tests' servers in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nhictl-tests"


def digest(*parts: str | bytes) -> str:
    """Return a short name for what an entry is made from."""
    joined = hashlib.sha256()
    for part in parts:
        joined.update(part.encode() if isinstance(part, str) else part)
        joined.update(b"\0")
    return joined.hexdigest()[:16]


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder `name`; when it is not there, let `make` fill it, once however many ask.

    A folder appears under its name only when it is whole: one that failed half-way is thrown away.
    """
    found = cache() / name
    if found.is_dir():
        return found
    found.parent.mkdir(parents=True, exist_ok=True)
    with closing(found.with_name(f"{found.name}.lock").open("a")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.is_dir():
            # kept in the same file system; some servers do not work in a folder that was renamed, and say so by failing
            new = Path(tempfile.mkdtemp(prefix=f"{found.name}.new-", dir=found.parent))
            try:
                make(new)
                new.chmod(0o755)
                new.rename(found)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    return found
