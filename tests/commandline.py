"""The command line in this process, as a shell would run it, and in one of its own, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from nhictl.cli.app import run


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and everything it wrote."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Shell:
    """Runs commands in the workspace `root`; `log` keeps what every one of them wrote."""

    root: Path
    capture: pytest.CaptureFixture[str]
    log: list[str]

    def __call__(self, *words: str) -> Said:
        """Run one command here and return what it said."""
        argv = [*words]
        with mock.patch.object(sys, "argv", ["nhictl", *argv]), mock.patch.object(os, "getcwd", lambda: str(self.root)):
            code = run([*argv, "-C", str(self.root)] if _has_chdir(argv) else argv)
        got = self.capture.readouterr()
        self.log += [got.out, got.err]
        return Said(int(code), got.out, got.err)

    def process(self, *words: str, seconds: float = 60, **environ: str) -> Said:
        """Run one command as a process of its own, with more variables, and return what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "nhictl", *words, "-C", str(self.root)],
            env={**os.environ, **environ}, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        self.log += [done.stdout, done.stderr]
        return Said(done.returncode, done.stdout, done.stderr)


def _has_chdir(argv: list[str]) -> bool:
    return bool(argv) and argv[0] not in ("explain", "schema", "version", "completion") and "--token" not in argv


def files_below(*folders: Path) -> Mapping[Path, bytes]:
    """Return every file below some folders with its bytes."""
    return {p: p.read_bytes() for folder in folders for p in folder.rglob("*") if p.is_file() and not p.is_symlink()}
