"""The process: answers what needs no imports, runs the command line, turns every error into an exit code.

Rules enforced here:
- never a traceback, except with `--debug`;
- a reader that closes the pipe ends the program quietly; a result that cannot be written is an error;
- an interrupt, a termination and a hang-up are exit code 130.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from nhictl import __version__


def main() -> NoReturn:
    """Run nhictl with the process's arguments and exit."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        sys.stdout.write(f"nhictl {__version__}\n")
        sys.exit(0)
    _open_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        code = _overview() if _asks_for_overview(argv) else _run(argv)
    except BrokenPipeError:
        code = 0
    except KeyboardInterrupt:  # while modules load; from then on the command line answers it
        sys.stderr.write("\ninterrupted\n")
        code = 130
    sys.exit(_flushed(code))


def _asks_for_overview(argv: list[str]) -> bool:
    return argv in ([], ["-h"], ["--help"], ["help"]) and "_NHICTL_COMPLETE" not in os.environ


def _overview() -> int:
    from nhictl.cli.overview import text

    sys.stdout.write(text() + "\n")
    return 0


def _run(argv: list[str]) -> int:
    import gc

    from nhictl.cli.app import run

    gc.set_threshold(200_000, 20, 20)  # an estate is one big graph that stays: collecting often only costs time
    return run(argv)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _open_streams() -> None:
    """Open what the caller closed, so that no other file becomes stdout or stderr."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _flushed(code: int) -> int:
    """Write what is left of the result; return the exit code."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError) and not code:
            sys.stderr.write(f"error: cannot write the result: {error.strerror}\n")
            return 1
    return code


if __name__ == "__main__":
    main()
