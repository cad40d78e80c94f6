"""From a loaded workspace to a plan, for every command that makes one: ledger, targets, reading, planning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nhictl.cli import acting, context, show

if TYPE_CHECKING:
    from nhictl.engine.live import Connected
    from nhictl.engine.prepare import Prepared, Request
    from nhictl.ledger import Actor, Ledger
    from nhictl.select import Selection


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was made with, the targets still open."""

    run: str
    actor: Actor
    ledger: Ledger
    targets: tuple[Connected, ...]
    request: Request
    prepared: Prepared


@contextmanager
def planned(
    loaded: context.Loaded,
    chosen: Selection,
    *,
    write: bool = False,
    progress: bool = True,
    adopt: frozenset[str] = frozenset(),
    adopt_from: str = "",
) -> Iterator[Planned]:
    """Read the targets and plan; they stay open, for writing when `write`, while the plan is used."""
    from nhictl.engine.live import connected
    from nhictl.engine.prepare import adapters_of, prepare

    run = context.new_run()
    actor = acting.actor(acting.typed(), commit=loaded.commit)
    ledger = context.open_ledger_of(loaded.workspace, loaded.environment, actor=actor, run=run, read_only=not write)
    with context.below(loaded.workspace.root):
        pairs = adapters_of(loaded.environment, context.adapters(loaded.environment))
        with connected(pairs, write=write) as targets:
            with show.reading(enabled=progress) as note:
                request = context.request(loaded, chosen, progress=note, adopt=adopt, adopt_from=adopt_from)
                prepared = prepare(request, ledger.entries() if ledger.exists() else (), targets)
            yield Planned(run, actor, ledger, targets, request, prepared)
