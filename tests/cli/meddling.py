"""The embedded directory with a hand in front of it: calls that fail, wait, or do not connect."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nhictl.kinds.workspace import Target
from nhictl.model import Change, Fault, Operation, Outcome, ProviderError
from nhictl.providers.local.adapter import adapter as local


@dataclass
class Meddling:
    """The local adapter; `before` is called before each change and may raise.

    `closed` refuses to connect, to the target `only` when one is named.
    """

    before: Callable[[Change], None] = lambda _change: None
    closed: Fault | None = None
    only: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(local, name)

    @contextlib.contextmanager
    def connect(self, target: Target, *, write: bool) -> Iterator[Any]:
        """Open the directory behind a session that meddles."""
        if self.closed and self.only in ("", target.name):
            raise ProviderError(self.closed, "the door is closed", hint="knock")
        with local.connect(target, write=write) as session:
            yield _Session(session, self.before)


class _Session:
    def __init__(self, session: Any, before: Callable[[Change], None]) -> None:
        self._session, self._before = session, before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def apply(self, change: Change, operation: Operation) -> Outcome:
        """Meddle, then do it."""
        self._before(change)
        return self._session.apply(change, operation)


def failing(*names: str) -> Meddling:
    """Return an adapter that fails for objects with these names."""

    def before(change: Change) -> None:
        if change.address.name in names:
            raise ProviderError(Fault.DENIED, "the provider says no", code="No")

    return Meddling(before)
