"""Open sessions to the targets of an environment and read them, several at a time.

Rules enforced here:
- a target that fails to open or to read is an incomplete snapshot with the reason; the others go on;
- sessions are opened read-only unless writing is asked for.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nhictl.kinds.workspace import Target
from nhictl.model import Address, Fault, ProviderError, Snapshot
from nhictl.providers.base import Adapter, Scope, Session


@dataclass(frozen=True, slots=True)
class Connected:
    """One target with its session; `session` is None when it could not be opened and `error` says why."""

    target: Target
    adapter: Adapter
    session: Session | None = None
    error: str = ""
    auth_failed: bool = False


Progress = Callable[[str, str], None]


@contextmanager
def connected(targets: Sequence[tuple[Target, Adapter]], *, write: bool) -> Iterator[tuple[Connected, ...]]:
    """Open a session to each target; close them all at the end."""
    with ExitStack() as stack:
        yield tuple(_connect(stack, target, adapter, write=write) for target, adapter in targets)


def _connect(stack: ExitStack, target: Target, adapter: Adapter, *, write: bool) -> Connected:
    try:
        session = stack.enter_context(adapter.connect(target, write=write))
    except ProviderError as error:
        return Connected(target, adapter, error=_said(target.name, error), auth_failed=error.fault is Fault.AUTH)
    except Exception as error:  # noqa: BLE001 - a defect in one adapter: its target is unknown, the others go on
        return Connected(target, adapter, error=_unexpected(adapter, error))
    return Connected(target, adapter, session)


def _unexpected(adapter: Adapter, error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"unexpected {type(error).__name__} at {where} in the {adapter.name} adapter: this is a defect"


def _said(target: str, error: ProviderError) -> str:
    """Return the message without the target's name in front, which whoever shows it says."""
    message = error.message.removeprefix(f"{target}: ")
    return f"{message} ({error.hint})" if error.hint else message


def read_all(
    open_targets: Iterable[Connected],
    scopes: Mapping[str, Scope],
    progress: Progress = lambda _target, _state: None,
) -> dict[str, Snapshot]:
    """Read every target in its scope, in parallel, and return the snapshots by target name."""
    todo = list(open_targets)
    if len(todo) == 1:
        return {todo[0].target.name: _read(todo[0], scopes, progress)}
    with ThreadPoolExecutor(max_workers=max(1, min(8, len(todo)))) as pool:
        found = pool.map(lambda c: _read(c, scopes, progress), todo)
        return {c.target.name: snapshot for c, snapshot in zip(todo, found, strict=True)}


def _read(at: Connected, scopes: Mapping[str, Scope], progress: Progress) -> Snapshot:
    name = at.target.name
    if at.session is None:
        return Snapshot(name, {}, error=at.error, auth_failed=at.auth_failed)
    progress(name, "reading")
    try:
        identity = at.session.identity()
        resources = {r.address: r for r in at.session.read(scopes.get(name, Scope()))}
    except ProviderError as error:
        return Snapshot(name, {}, error=_said(name, error), auth_failed=error.fault is Fault.AUTH)
    except Exception as error:  # noqa: BLE001 - a defect in one adapter: its target is unknown, the others go on
        return Snapshot(name, {}, error=_unexpected(at.adapter, error))
    progress(name, f"{len(resources)} read")
    return Snapshot(name, resources, identity)


def with_marks(snapshot: Snapshot, at: Connected, addresses: Iterable[Address]) -> Snapshot:
    """Return the snapshot with those of `addresses` whose mark a bulk read cannot tell read again, one by one."""
    wanted = [a for a in addresses if a in snapshot.resources and not snapshot.resources[a].mark_known]
    if not wanted or at.session is None or not snapshot.complete:
        return snapshot
    try:
        again = at.session.reread(wanted)
    except ProviderError as error:
        return Snapshot(snapshot.target, {}, error=_said(snapshot.target, error), auth_failed=error.fault is Fault.AUTH)
    kept = {a: r for a, r in snapshot.resources.items() if a not in set(wanted)}
    return replace(snapshot, resources={**kept, **again})
