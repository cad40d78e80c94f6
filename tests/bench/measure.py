"""Measure one command: CPU and wall seconds, peak memory, exit code.

Rules enforced here:
- the command is started by a small process of its own (`starter.py`);
- CPU is user and system time of the command and of what it waited for; the best of several runs counts;
- bytecode is kept, as installed packages have it, but never beside the sources.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STARTER = Path(__file__).with_name("starter.py")


@dataclass(frozen=True, slots=True, order=True)
class Usage:
    """What a command used: CPU and wall seconds, peak megabytes. Ordered by CPU."""

    cpu: float
    wall: float
    memory: float


class Failed(Exception):
    """A measured command ended with an exit code nobody asked for."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where measuring happens. `place` is a directory of ours; `runs` says of how many runs the best counts."""

    place: Path
    runs: int = 3
    environ: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the environment of measured commands: ours, without what would change their work."""
        dropped = ("NHICTL_", "PYTHON", "GITHUB_", "GITLAB_", "CI", "COVERAGE_", "COV_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        own = {"PYTHONPYCACHEPREFIX": str(self.place / "bytecode"), "XDG_CACHE_HOME": str(self.place / "cache")}
        return {**kept, **own, **self.environ}

    def once(self, command: Sequence[str], directory: Path, codes: Sequence[int] = (0,)) -> Usage:
        """Run `command` in `directory` and return what it used. Raises Failed on another exit code."""
        output = self.place / "output.txt"
        output.write_bytes(b"")
        starter = [sys.executable, "-I", "-S", str(STARTER), str(output), *command]
        done = subprocess.run(
            starter, cwd=directory, env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Failed(done.stderr)
        cpu, wall, kilobytes, code = done.stdout.split()
        if int(code) not in codes:
            said = output.read_text(errors="replace")[-2000:]
            raise Failed(f"{' '.join(command)}: exit code {code}\n{said}")
        return Usage(float(cpu), float(wall), int(kilobytes) / 1024)

    def best(self, command: Sequence[str], directory: Path, before: Callable[[], object] = lambda: None) -> Usage:
        """Run `command` as often as asked, each time after `before`; return the run that used the least CPU."""
        found = []
        for _ in range(self.runs):
            before()
            found.append(self.once(command, directory))
        return min(found)

    def said(self) -> str:
        """Return what the last command wrote to both streams."""
        return (self.place / "output.txt").read_text(errors="replace")

    def forget_cache(self) -> None:
        """Delete the manifest cache."""
        shutil.rmtree(self.place / "cache", ignore_errors=True)


def nhictl(*arguments: str) -> list[str]:
    """Return the command line of nhictl as it is installed beside this Python."""
    script = Path(sys.executable).with_name("nhictl")
    return [str(script), *arguments] if script.exists() else [sys.executable, "-m", "nhictl", *arguments]
