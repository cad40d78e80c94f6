"""A server that does not start, for the tests of `once`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.servers.once import Launch

START_SECONDS = 60.0


def launch(_home: Path, _port: int) -> Launch:
    """Return how to start it."""
    return Launch((sys.executable, "-c", "raise SystemExit('no such luck')"), {})


def ready(_port: int) -> bool:
    """Say no."""
    return False
