"""Progress of reads and applies on stderr: bars on a terminal, plain lines elsewhere, nothing when switched off.

Rules enforced here: rich is imported only for bars; its markup, emoji and highlighting are off; nothing goes to stdout;
calls may come from several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from nhictl.render.safe import visible
from nhictl.render.text import Style

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Reporter(Protocol):
    """Who is told how far things are."""

    def reading(self, target: str, state: str) -> None:
        """Say how far the read of a target is, as `reading` or `1,000 read`."""
        ...

    def begin(self, total: int) -> None:
        """Say that `total` changes will be applied."""
        ...

    def finished(self, line: str) -> None:
        """Say that one change ended; `line` is from `apply_text.line`."""
        ...


class _Silent:
    def reading(self, target: str, state: str) -> None:
        """Say nothing."""

    def begin(self, total: int) -> None:
        """Say nothing."""

    def finished(self, line: str) -> None:
        """Say nothing."""


class _Lines:
    def __init__(self, stream: TextIO, style: Style) -> None:
        self.stream, self.style, self.lock = stream, style, threading.Lock()

    def _say(self, line: str) -> None:
        with self.lock:
            self.stream.write(self.style.encodable(line) + "\n")
            self.stream.flush()

    def reading(self, target: str, state: str) -> None:
        if state != "reading":
            self._say(f"{'read':<9} {visible(target)}: {visible(state)}")

    def begin(self, total: int) -> None:
        self._say(f"applying  {total:,} change{'' if total == 1 else 's'}")

    def finished(self, line: str) -> None:
        self._say(line)


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self.progress, self.lock = progress, threading.Lock()
        self.reads: dict[str, TaskID] = {}
        self.apply: TaskID | None = None
        self.done = self.total = 0

    def reading(self, target: str, state: str) -> None:
        with self.lock:
            if target not in self.reads:
                self.reads[target] = self.progress.add_task(f"reading {visible(target)}", total=None)
            done = state != "reading"
            text = f"reading {visible(target)}" if not done else f"{visible(target)}: {visible(state)}"
            self.progress.update(self.reads[target], description=text, total=1 if done else None, completed=int(done))

    def begin(self, total: int) -> None:
        with self.lock:
            for task in self.reads.values():
                self.progress.remove_task(task)
            self.reads.clear()
            self.total = total
            self.apply = self.progress.add_task(f"applying 0/{total:,}", total=total)

    def finished(self, line: str) -> None:
        from rich.text import Text

        with self.lock:
            self.progress.console.print(Text.from_ansi(line), soft_wrap=True)
            if self.apply is not None:
                self.done += 1
                self.progress.update(
                    self.apply, completed=self.done, description=f"applying {self.done:,}/{self.total:,}"
                )


@contextmanager
def reporter(stream: TextIO, style: Style, *, enabled: bool = True) -> Iterator[Reporter]:
    """Yield who to tell about progress on `stream`. `enabled` is false with --no-progress and -q."""
    if not enabled:
        yield _Silent()
        return
    if not stream.isatty():
        yield _Lines(stream, style)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(
        file=stream, markup=False, emoji=False, highlight=False, no_color=not style.color, width=style.width
    )
    parts = (TextColumn("{task.description}", markup=False), BarColumn(30), TimeElapsedColumn())
    with Progress(*parts, console=console, transient=True) as progress:
        yield _Bars(progress)
