"""nhictl as a process of its own: on a terminal, killed by signals, with a slow provider."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SLOW = """
import pathlib, sys, time
from nhictl.cli import context
from tests.cli.meddling import Meddling

def before(change):
    pathlib.Path("started").touch()
    deadline = time.monotonic() + 30
    while not pathlib.Path("go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)

context.adapters = lambda _environment: {"local": Meddling(before)}
"""
_MAIN = "from nhictl.__main__ import main; main()"
PROJECT = Path(__file__).parents[2]


def command(*words: str, slow: bool = False) -> list[str]:
    """Return the command of a process; `slow`: each change touches `started` and waits until `go` is there."""
    return [sys.executable, "-c", (_SLOW if slow else "") + _MAIN, *words]


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a process: those of the tests, the project importable, a terminal."""
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "NO_COLOR", "COLUMNS", "PYTHONUNBUFFERED")}
    return {**kept, "PYTHONPATH": str(PROJECT), "TERM": "xterm-256color", **more}


def until(path: Path, seconds: float = 20) -> None:
    """Wait for a file."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


@dataclass
class Terminal:
    """A process on a terminal of its own."""

    process: subprocess.Popen[bytes]
    master: int
    seen: str = ""

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """Read until `text` was shown."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self._read()
        return self.seen

    def type(self, text: str) -> None:
        """Type."""
        os.write(self.master, text.encode())

    def end(self, seconds: float = 20) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            self._read()
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        ready, _, _ = select.select([self.master], [], [], 0.05)
        if ready:
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                return


@contextmanager
def terminal(*words: str, cwd: Path, **variables: str) -> Iterator[Terminal]:
    """Run nhictl on a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command(*words), cwd=cwd, env=environment(**variables), stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
