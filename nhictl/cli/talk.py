"""Writing to the two streams: results to stdout, talk to stderr; whatever is untrusted is made visible first."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nhictl.model import Diagnostic, NhictlError

if TYPE_CHECKING:
    from nhictl.render.text import Style


def out(text: str) -> None:
    """Write a result to stdout, with a final line feed."""
    if text:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")


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

    lines = [visible(line) for line in without_secrets(error.message).split("\n")]
    say("error: " + "\n".join(lines))
    if error.hint:
        say("help: " + visible(without_secrets(error.hint)))


def diagnostics_to_stderr(diagnostics: Sequence[Diagnostic]) -> None:
    """Write diagnostics in full to stderr."""
    from nhictl.render.diagnostics import render, summary

    say(render(diagnostics, fmt="full", sources=sources(), style=style(err=True)))
    say(summary(diagnostics))


class sources:  # noqa: N801 - reads as the function it stands for
    """Give the lines of a workspace file, for the excerpts in diagnostics; never a file outside of `root`."""

    root = Path()

    def __call__(self, file: str) -> list[str] | None:
        """Return the lines of `file`, None when it cannot be read."""
        path = self.root / file
        try:
            if path.stat().st_size > 2 * 1024 * 1024 or not path.is_file():
                return None
            return path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return None
