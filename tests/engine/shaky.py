"""The embedded directory behind a line that can be made to fail: replies lost, calls refused, two at a time.

`Shaky(plan)` is an adapter for `Shop.adapter`; `plan` maps `action kind/name` to what happens instead of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from nhictl.model import Change, Fault, Operation, Outcome, ProviderError
from nhictl.providers.local.adapter import CAPABILITIES, LocalAdapter

Call = Callable[[], Outcome]
Mishap = Callable[[Call], Outcome]


def lost_before(call: Call) -> Outcome:
    """The request never arrived, and nobody knows."""
    raise ProviderError(Fault.LOST, "no reply")


def lost_after(call: Call) -> Outcome:
    """It was done, and the reply got lost."""
    call()
    raise ProviderError(Fault.LOST, "no reply", request_ids=("request-1",))


def refused(call: Call) -> Outcome:
    """Known not to have happened."""
    raise ProviderError(Fault.DENIED, "not allowed", code="DENIED", hint="ask for it")


def defect(call: Call) -> Outcome:
    """An adapter that breaks its contract after the call."""
    call()
    raise KeyError("a secret")


def partial(call: Call) -> Outcome:
    """The object is there, and a later step of the call failed."""
    made = call()
    raise ProviderError(Fault.PARTIAL, "half done", native_id=made.native_id)


@dataclass
class Shaky:
    """An adapter for the tests; `calls` is what reached `apply`, in order."""

    mishaps: Mapping[str, Mishap] = field(default_factory=dict)
    workers: int = 1
    settle: float = 0.0
    blind: bool = False
    broken: type[Exception] | None = None
    calls: list[str] = field(default_factory=list)
    inner: LocalAdapter = field(default_factory=LocalAdapter)

    def __post_init__(self) -> None:
        self.capabilities = replace(CAPABILITIES, workers=self.workers, settle=self.settle)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @contextmanager
    def connect(self, target, *, write):
        """Open the real directory behind the line."""
        with self.inner.connect(target, write=write) as session:
            yield _Line(self, session)


class _Line:
    def __init__(self, shaky: Shaky, session: Any) -> None:
        self.shaky, self.session = shaky, session

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def reread(self, addresses):
        if self.shaky.blind and not set(self.shaky.mishaps).isdisjoint(self.shaky.calls):
            if self.shaky.broken is not None:
                raise self.shaky.broken("odd reply")
            raise ProviderError(Fault.UNREACHABLE, "cannot be read")
        return self.session.reread(addresses)

    def apply(self, change: Change, operation: Operation) -> Outcome:
        key = f"{change.action} {change.address.kind}/{change.address.name}"
        self.shaky.calls.append(key)
        mishap = self.shaky.mishaps.get(key, lambda call: call())
        return mishap(lambda: self.session.apply(change, operation))


def by_name(executed) -> Iterator[tuple[str, str]]:
    """Yield (kind/name, status) for each receipt."""
    for receipt in executed.receipts:
        yield f"{receipt.change.address.kind}/{receipt.change.address.name}", str(receipt.status)
