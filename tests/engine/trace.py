"""Read a system call trace of an apply, and judge the order in which things reached the disk.

`recorded` runs the command line under strace in a process of its own. `judge` looks at the calls alone: for every
change, the intent is written and synced before the directory's file is touched, and the outcome is written after the
directory has synced what it wrote.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

_CALL = re.compile(r"^\d+\s+(?P<name>\w+)\(\d+<(?P<path>[^>]+)>(?:, \"(?P<data>.*)\", |, |\))")
_TYPE = re.compile(r'\\"type\\":\\"(\w+)\\"')
_CALLS = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate"


@dataclass(frozen=True, slots=True)
class Call:
    """One call on one file: `what` is write or sync; `types` are the ledger entries in what was written."""

    what: str
    file: str
    types: tuple[str, ...] = ()


def needs_strace() -> None:
    """Skip the test without strace; fail it where servers and tools are demanded."""
    works = False
    if shutil.which("strace"):
        works = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0
    if not works:
        if os.environ.get("NHICTL_TEST_REQUIRE_SERVERS"):
            pytest.fail("strace is missing or may not trace here")
        pytest.skip("strace is missing or may not trace here")


def recorded(root: Path, program: str = "import sys; from nhictl.cli.app import run; sys.exit(run(sys.argv[1:]))"):
    """Run `nhictl apply --yes` in `root` under strace with `program` as the entry point; return the calls."""
    log = root.parent / "trace"
    command = [
        "strace",
        "-f",
        "-y",
        "-s",
        "65536",
        "-e",
        f"trace={_CALLS}",
        "-o",
        str(log),
        sys.executable,
        "-c",
        program,
    ]
    done = subprocess.run(
        [*command, "apply", "--yes", "--no-cache", "-C", str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [*calls(log.read_text(errors="replace").splitlines())]


def calls(lines: Iterable[str]) -> Iterable[Call]:
    """Yield the calls on the ledger (`log`) and on the directory (`directory`, its journal included)."""
    for line in lines:
        found = _CALL.match(line)
        if found is None:
            continue
        name = Path(found["path"]).name
        file = "log" if name == "log.jsonl" else "directory" if name.startswith("directory.db") else ""
        if file:
            what = "sync" if found["name"] in ("fsync", "fdatasync") else "write"
            yield Call(what, file, tuple(_TYPE.findall(found["data"] or "")))


def judge(trace: Iterable[Call]) -> int:
    """Demand the order of intent, change and outcome for one change at a time; return how many were seen."""
    synced, open_intents, dirty, seen = True, 0, False, 0
    for call in trace:
        if call.file == "log" and call.what == "sync":
            synced = True
        elif call.file == "log":
            assert "outcome" not in call.types or not dirty, "an outcome is written before the change is on disk"
            open_intents += call.types.count("intent") - call.types.count("outcome")
            seen += call.types.count("intent")
            synced = False
        elif call.what == "write":
            assert open_intents == 1, "the directory is written without an open intent"
            assert synced, "the directory is written before the intent is on disk"
            dirty = True
        else:
            dirty = False
    assert open_intents == 0
    return seen
