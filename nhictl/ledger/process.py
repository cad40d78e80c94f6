"""Tell one process from another that later got the same number."""

from __future__ import annotations

from pathlib import Path


def birth(pid: int) -> str:
    """Return when a process of this host began (boot id and clock ticks), empty when there is none or nobody can tell.

    The source is proc_pid_stat(5), field 22.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    zombie = fields[0] in {"Z", "X"}
    return "" if zombie else f"{boot}:{fields[19]}"
