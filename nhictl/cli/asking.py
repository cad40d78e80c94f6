"""What the commands that only ask the ledger share."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from nhictl.ledger.actor import clean
from nhictl.model import Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.ledger import Ledger
    from nhictl.ledger.scan import LockState


def ledger(chdir: Path, env: str, *, read_only: bool = True, missing_ok: bool = False) -> Ledger:
    """Return the ledger of an environment; manifests are not read, only the workspace's configuration."""
    from nhictl.cli import acting, context
    from nhictl.ledger.checkout import commit

    workspace = context.configured(chdir)
    environment = context.choose(workspace, env)
    who = acting.actor(acting.typed(), commit=commit(workspace.root))
    found = context.open_ledger_of(workspace, environment, actor=who, read_only=read_only)
    if not missing_ok and not found.exists():
        raise NhictlError(
            f"nothing was recorded yet for {environment.name}", hint="the first `nhictl apply` starts the ledger"
        )
    return found


def taken_over(ledger: Ledger, held: LockState) -> str:
    """Say why the next apply takes the lock over from its holder; empty while that run may be alive."""
    if not ledger.gone(held):
        return ""
    why = "its process is gone" if held.host == clean(platform.node()) else "its time ran out"
    return f"{why}: the next apply takes over"


def text(data: object) -> str:
    """Return JSON for people and programs."""
    from nhictl.render.safe import json_text

    return json_text(data)


def moment(value: str, option: str) -> object:
    """Return the time an option gives: a date or RFC 3339. Raises a usage error otherwise."""
    import datetime as dt

    if not value:
        return None
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        raise NhictlError(f"{option}: not a date or time: {value}", hint="2026-11-22 or 2026-11-22T10:00:00Z",
                          exit_code=Exit.USAGE) from None  # fmt: skip
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
