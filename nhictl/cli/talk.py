"""Writing to the two streams: results to stdout, talk to stderr; whatever is untrusted is made visible first."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from nhictl.model import Diagnostic, NhictlError

if TYPE_CHECKING:
    from nhictl.render.text import Style


_SHOWN = 2 * 1024 * 1024


def out(text: str, *, now: bool = False) -> None:
    """Write a result to stdout, with a final line feed; `now` for those who read along."""
    if text:
        _write(sys.stdout, text if text.endswith("\n") else text + "\n", flush=now)


def _write(stream: TextIO, text: str, *, flush: bool) -> None:
    try:
        stream.write(text)
        if flush:
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NhictlError(f"cannot write the result: {error.strerror}") from None


class _Deaf:
    """A stream that stops nobody: when its reader goes away or it cannot be written, nothing more is written to it.

    `error` says why it could not be written; a reader that went away is none.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._gone, self.error = stream, False, ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, do: Callable[..., object], *arguments: str) -> None:
        if self._gone:
            return
        try:
            do(*arguments)
        except OSError as error:
            self._gone = True
            self.error = "" if isinstance(error, BrokenPipeError) else error.strerror or type(error).__name__
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextmanager
def whoever_listens() -> Iterator[None]:
    """Let nobody who stops reading what we say stop what we do.

    Raises NhictlError at the end when the result could not be written for another reason: it must not look written.
    """
    before = sys.stdout, sys.stderr
    deaf = _Deaf(before[0])
    sys.stdout, sys.stderr = deaf, _Deaf(before[1])
    try:
        yield
        deaf.flush()
    finally:
        sys.stdout, sys.stderr = before
    if deaf.error:
        raise NhictlError(f"cannot write the result: {deaf.error}", hint="nhictl audit log tells what was done")


def say(text: str) -> None:
    """Write talk to stderr, with a final line feed."""
    if text:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
        sys.stderr.flush()


def style(color: str = "auto", *, verbose: int = 0, err: bool = False) -> Style:
    """Return how to write to stdout, or to stderr."""
    from nhictl.render.text import style_for

    wanted = color if color in ("always", "never") else "auto"
    stream = sys.stderr if err else sys.stdout
    return style_for(stream, os.environ, color=wanted, verbose=verbose)  # type: ignore[arg-type]


def say_error(error: NhictlError) -> None:
    """Write an error and its way out to stderr, without any secret in it."""
    from nhictl.model.secret import without_secrets
    from nhictl.render.safe import visible

    first, *rest = [visible(line) for line in without_secrets(error.message).split("\n")]
    say("\n".join([f"error: {first}", *map(_continued, rest)]))
    if error.hint:
        say("help: " + visible(without_secrets(error.hint)))


def _continued(line: str) -> str:
    """Return a further line of an error: indented, so that it cannot pass for another message or a CI command."""
    return ("" if line.startswith("  ") else "  ") + line.replace("::", "\\u{3a}:")


def diagnostics_to_stderr(diagnostics: Sequence[Diagnostic], root: Path | None) -> None:
    """Write diagnostics in full to stderr, with excerpts of the files below `root`."""
    from nhictl.render.diagnostics import render, summary

    say(render(diagnostics, fmt="full", sources=sources(root), style=style(err=True)))
    say(summary(diagnostics))


def sources(root: Path | None) -> Callable[[str], list[str] | None]:
    """Return what gives the lines of a file below `root`, for the excerpts in diagnostics.

    Each file is read once. A file outside of `root`, a link, a file of more than 2 MiB, one that cannot be read, and
    any file without a `root`, has no lines: None.
    """
    from nhictl.manifest.opening import read_inside

    @functools.cache
    def lines(file: str) -> list[str] | None:
        try:
            data = b"" if root is None else read_inside(root, file, _SHOWN)
        except (OSError, ValueError):
            return None
        return None if root is None or len(data) > _SHOWN else data.decode("utf-8", "replace").splitlines()

    return lines
