"""Run a server once for all who need it: the workers of a test run, or several runs of a developer.

Every user holds a shared lock on the file `users`; a supervising process of its own waits for the exclusive lock, so
that the kernel tells it when the last user has released the lock or died. It then ends the server by process id,
removes the server's folder, and ends. No count can go wrong and no crash leaves a server behind.

A server is a module with `START_SECONDS`, `launch(home, port) -> Launch` and `ready(port) -> bool`.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

from tests.servers.aws import free_port

PAUSE = 0.05  # seconds between two looks
GRACE = 8.0  # seconds a server has to end by itself


class ServerFailed(RuntimeError):
    """The server did not start; says how its output ended."""


class NotFetched(RuntimeError):
    """The server is not on this machine, and could not be fetched: as without a network."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server: the command and what it gets besides the environment's PATH."""

    command: tuple[str, ...]
    env: Mapping[str, str]


class Server(Protocol):
    """What a server's module has."""

    START_SECONDS: float

    @staticmethod
    def launch(home: Path, port: int) -> Launch:
        """Return how to start the server in an empty folder and on a port."""
        ...

    @staticmethod
    def ready(port: int) -> bool:
        """Say whether the server answers as it should."""
        ...


@dataclass(frozen=True, slots=True)
class Running:
    """A running server: its port, the process id of the leader of its process group, and the folder it runs in."""

    port: int
    pid: int
    home: str = ""


@contextmanager
def hold(module: str, folder: Path) -> Iterator[Running]:
    """Use the one server of a folder, starting it when nobody has; the last one who leaves ends it."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing((folder / "users").open("a")) as users:
        with closing((folder / "start").open("a")) as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            found = _state(folder) or _supervised(module, folder)
        yield found


def alive(pid: int) -> bool:
    """Say whether a process runs; one that ended and that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def clean_environment() -> dict[str, str]:
    """Return what a server may see of the caller's environment."""
    kept = ("PATH", "LANG", "JAVA_HOME", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _state(folder: Path) -> Running | None:
    with suppress(FileNotFoundError):
        found = Running(**json.loads((folder / "state.json").read_text()))
        if alive(found.pid):
            return found
    return None


def _supervised(module: str, folder: Path) -> Running:
    (folder / "state.json").unlink(missing_ok=True)
    with closing((folder / "supervisor.log").open("w")) as log:
        command = [sys.executable, "-m", "tests.servers.once", module, str(folder)]
        root = Path(__file__).parent.parent.parent
        process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    # the supervisor gives up by itself when the server does not start
    while (found := _state(folder)) is None:
        if process.poll() is not None:
            raise ServerFailed((folder / "supervisor.log").read_text()[-3000:])
        time.sleep(PAUSE)
    return found


def supervise(server: Server, folder: Path) -> None:
    """Start a server, say where it listens, wait until nobody uses it, and end it."""
    # the lock is taken by another open file than the users' own, or it would be theirs
    with tempfile.TemporaryDirectory(prefix="nhictl-tests-") as home, closing((folder / "users").open("a")) as users:
        port = free_port()
        with started(server, Path(home), port) as process:
            _say(folder, Running(port, process.pid, home))
            try:
                fcntl.flock(users, fcntl.LOCK_EX)
            finally:
                (folder / "state.json").unlink(missing_ok=True)


@contextmanager
def started(server: Server, home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a folder while the block runs; raises `ServerFailed` with the end of its output."""
    launch = server.launch(home, port)
    with closing((home / "server.log").open("w")) as log:
        env = clean_environment() | {"HOME": str(home)} | dict(launch.env)
        process = subprocess.Popen(
            launch.command, cwd=home, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(server, process, home, port)
        yield process
    finally:
        _end(process)


def _wait(server: Server, process: subprocess.Popen[bytes], home: Path, port: int) -> None:
    deadline = time.monotonic() + server.START_SECONDS
    while not server.ready(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"the server did not start:\n{(home / 'server.log').read_text()[-2500:]}")
        time.sleep(PAUSE)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server's process group, whose id is the server's process id."""
    for number, seconds in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def _say(folder: Path, running: Running) -> None:
    written: TextIO
    with closing((folder / "state.new").open("w")) as written:
        json.dump(asdict(running), written)
    (folder / "state.new").replace(folder / "state.json")


def until_interrupted() -> None:
    """Wait for the interrupt, or for the request to end, of who started this process by hand."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _main(module: str, folder: str) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    server: Any = importlib.import_module(module)
    try:
        supervise(cast("Server", server), Path(folder))
    except ServerFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
