"""Run one command and say what it used: `starter.py OUTPUT COMMAND...` prints CPU, wall, kilobytes and exit code.

A process of its own, and a small one: the peak that Linux reports counts what the starter held.
"""

import os
import sys
import time


def measured(output: str, command: list[str]) -> str:
    """Run `command` with both streams appended to `output`; return seconds, seconds, kilobytes and exit code."""
    files = [(os.POSIX_SPAWN_OPEN, fd, output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for fd in (1, 2)]
    begin = time.monotonic()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    _, status, used = os.wait4(process, 0)
    wall = time.monotonic() - begin
    return f"{used.ru_utime + used.ru_stime} {wall} {used.ru_maxrss} {os.waitstatus_to_exitcode(status)}"


if __name__ == "__main__":
    sys.stdout.write(measured(sys.argv[1], sys.argv[2:]))
