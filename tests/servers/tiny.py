"""A server that is quick to start, for the tests of `once`: Python's own, of an empty folder."""

from __future__ import annotations

import socket
import sys
from contextlib import closing, suppress
from pathlib import Path

from tests.servers.once import Launch

START_SECONDS = 60.0


def launch(home: Path, port: int) -> Launch:
    """Return how to start it."""
    served = ("-m", "http.server", "--bind", "127.0.0.1", "--directory", str(home), str(port))
    return Launch((sys.executable, *served), {})


def ready(port: int) -> bool:
    """Say whether somebody listens."""
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 5)):
        return True
    return False
