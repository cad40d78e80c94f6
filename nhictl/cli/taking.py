"""From a loaded workspace to an inventory, for every command that shows one: ledger, targets, reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nhictl.cli import context, show

if TYPE_CHECKING:
    from nhictl.engine.inventory import Taken


def taken(loaded: context.Loaded, *, only: Sequence[str] = (), progress: bool = True) -> Taken:
    """Read the targets of the environment, or those named `only`, read-only, and return their inventory."""
    from nhictl.engine.inventory import take
    from nhictl.engine.live import connected
    from nhictl.engine.prepare import adapters_of
    from nhictl.select import Selection

    environment = loaded.environment
    if only:
        environment = replace(environment, targets=tuple(t for t in environment.targets if t.name in only))
    ledger = context.ledger_of(loaded, "inventory")
    with context.below(loaded.workspace.root):
        pairs = adapters_of(environment, context.adapters(environment))
        with connected(pairs, write=False) as targets, show.reading(enabled=progress) as note:
            request = context.request(loaded, Selection(), progress=note)
            entries = ledger.entries() if ledger.exists() else ()
            return take(request, entries, targets, documents=loaded.checked.documents)
