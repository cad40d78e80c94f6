"""The process: answers what needs no imports, runs the command line, turns every error into an exit code.

Rules enforced here:
- never a traceback, except with `--debug`;
- a reader that closes the pipe ends the program quietly; an interrupt is exit code 130.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from nhictl import __version__


def main() -> NoReturn:
    """Run nhictl with the process's arguments and exit."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        sys.stdout.write(f"nhictl {__version__}\n")
        sys.exit(0)
    import gc

    from nhictl.cli.app import run

    gc.set_threshold(200_000, 20, 20)  # an estate is one big graph that stays: collecting often only costs time
    try:
        code = run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()
