"""What the documentation shows is what the commands print.

A code block is real when an HTML comment stands above it, and its first line is the command:

    <!-- run: nhictl plan -->
    ```console
    $ nhictl plan
    ...
    ```

`<!-- run 2: ... -->` expects exit code 2, `<!-- setup: ... -->` runs a command without showing it, `2>&1` in the
comment is left out of the block. The commands of one document run in order, by a shell, in one copy of the
quickstart.
Times, digests, ids, process numbers and runs of spaces may differ. NHICTL_UPDATE_DOCS=1 rewrites the blocks.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "examples").glob("*/README.md"))]
UPDATE = os.environ.get("NHICTL_UPDATE_DOCS") == "1"
HOME = "/home/ada/shop"

MARKER = re.compile(r"<!-- (run|setup)(?: ([0-9]+))?: (.+) -->\s*\Z")
FENCE = re.compile(r"(`{3,}|~{3,})[a-z]*\s*\Z")
VOLATILE = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z?"), "<time>"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b"), "<date>"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{3,4}(?:-[0-9a-f]*)*…"), "<id>"),
    (re.compile(r"(?:sha256:)?[0-9a-f]{10,}(?:…[0-9a-f]+)?"), "<digest>"),
    (re.compile(r"\bpid [0-9]+"), "pid <n>"),
    (re.compile(r"\b[0-9]+(\.[0-9]+)?(ms| ms|s)\b"), "<duration>"),
    (re.compile(r"  +"), "  "),
)


@dataclass(frozen=True)
class Block:
    """One marked command. `body` is the range of lines inside the fence, empty for a setup."""

    line: int
    command: str
    status: int
    body: range | None


def blocks(text: str) -> list[Block]:
    """Return the marked commands of a document. Raises ValueError for a marker without a code block."""
    found, lines, fence = [], text.split("\n"), ""
    for number, line in enumerate(lines):
        if fence:
            fence = "" if line.startswith(fence) else fence
            continue
        if marked := MARKER.match(line):
            body = _body(lines, number + 1) if marked[1] == "run" else None
            found.append(Block(number, marked[3], int(marked[2] or 0), body))
        elif opened := FENCE.match(line):
            fence = opened[1]
    return found


def _body(lines: list[str], start: int) -> range:
    opened = FENCE.match(lines[start]) if start < len(lines) else None
    closing = range(start + 1, len(lines))
    end = next((i for i in closing if opened and lines[i].rstrip() == opened[1]), None)
    if end is None:
        raise ValueError(f"line {start}: no code block below this comment")
    return range(start + 1, end)


def normal(text: str) -> str:
    """Return `text` with everything that differs from run to run replaced."""
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))


def played(text: str, workspace: Path) -> tuple[str, list[str]]:
    """Run the commands of a document in `workspace`; return the document with real output, and what was wrong."""
    lines, problems, shift = text.split("\n"), [], 0
    for block in blocks(text):
        done = _run(block.command, workspace)
        if done.returncode != block.status:
            problems.append(
                f"line {block.line + 1}: {block.command}: exit code {done.returncode}, not {block.status}\n"
                f"{done.stdout}{done.stderr}"
            )
        if block.body is None:
            continue
        shown = lines[block.body.start + shift : block.body.stop + shift]
        real = _shown(block.command, done.stdout, workspace)
        if normal("\n".join(shown)) != normal("\n".join(real)):
            diff = difflib.unified_diff(normal("\n".join(shown)).split("\n"), normal("\n".join(real)).split("\n"),
                                        "documentation", "real output", lineterm="")  # fmt: skip
            problems.append(f"line {block.line + 1}: {block.command}\n" + "\n".join(diff))
        # Every block comes from this run, so that digests and times of one document fit together.
        lines[block.body.start + shift : block.body.stop + shift] = real
        shift += len(real) - len(shown)
    return "\n".join(lines), problems


def _shown(command: str, output: str, workspace: Path) -> list[str]:
    text = output.replace(str(workspace), HOME).replace(socket.gethostname(), "build-1")
    shown = [line.rstrip() for line in text.strip("\n").split("\n")] if text.strip() else []
    return [f"$ {command.replace(' 2>&1', '')}", *shown]


def _run(command: str, workspace: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(workspace.parent), "USER": "ada", "LOGNAME": "ada",
        "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "TZ": "UTC", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    return subprocess.run(
        ["sh", "-c", command], cwd=workspace, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def workspace(tmp_path):
    """A copy of the quickstart without what earlier runs left there."""
    copy = tmp_path / "shop"
    shutil.copytree(ROOT / "examples/quickstart", copy, ignore=shutil.ignore_patterns(".nhictl", "run.sh", "README.md"))
    return copy


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shown_output_is_real(document, workspace):
    """Every marked block of the document shows what its command prints."""
    text = document.read_text(encoding="utf-8")
    real, problems = played(text, workspace)

    if UPDATE and real != text:
        document.write_text(real, encoding="utf-8")
        real, problems = played(real, _fresh(workspace))
    if problems:
        pytest.fail(
            "\n\n".join([*problems, "NHICTL_UPDATE_DOCS=1 pytest tests/docs rewrites the blocks"]), pytrace=False
        )


def _fresh(workspace: Path) -> Path:
    again = workspace.parent / "again" / "shop"
    ignored = shutil.ignore_patterns(".nhictl", "run.sh", "README.md")
    shutil.copytree(ROOT / "examples/quickstart", again, ignore=ignored)
    return again


SAMPLE = """\
<!-- setup: echo one > file -->
<!-- run: cat file; pwd; date -u +%Y-%m-%dT%H:%M:%SZ -->
```console
$ cat file; pwd; date -u +%Y-%m-%dT%H:%M:%SZ
{first}
/home/ada/shop
2026-01-01T00:00:00Z
```

```
<!-- run: false -->
```
<!-- run 3: echo no >&2; exit 3 2>&1 -->
~~~text
$ echo no >&2; exit 3
~~~
"""


def test_harness_accepts_what_is_real(workspace):
    """Output that differs in volatile parts only is accepted; rewritten, all of it is from one run."""
    text = SAMPLE.format(first="one")
    real, problems = played(text, workspace)

    assert problems == []
    assert normal(real) == normal(text)
    assert real != text


def test_harness_finds_and_mends_what_is_not(workspace):
    """A wrong line is reported with its difference, and the real output takes its place."""
    real, problems = played(SAMPLE.format(first="two\nthree"), workspace)

    assert len(problems) == 1
    assert "-two\n-three\n+one" in problems[0]
    assert played(real, _fresh(workspace))[1] == []


def test_harness_checks_exit_codes(workspace):
    """An unexpected exit code is a problem, in a setup too."""
    _, problems = played("<!-- setup: exit 4 -->\n<!-- run: exit 1 -->\n```\n$ exit 1\n```\n", workspace)

    assert ["exit code 4, not 0" in problems[0], "exit code 1, not 0" in problems[1]] == [True, True]


@pytest.mark.parametrize("text", ["<!-- run: true -->\ntext", "<!-- run: true -->", "<!-- run: true -->\n```\n$ true"])
def test_harness_demands_a_block(text):
    """A marker without a closed block below it is an error."""
    with pytest.raises(ValueError, match="no code block"):
        blocks(text)
