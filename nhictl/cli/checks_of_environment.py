"""The checks of `doctor` for each environment: targets, credentials, permissions, and the ledger's health."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nhictl.cli.checks import guarded
from nhictl.model import LedgerError, NhictlError, Resource
from nhictl.render.doctor import Check, State
from nhictl.render.text import count

if TYPE_CHECKING:
    from nhictl.kinds.workspace import Environment, Target, Workspace
    from nhictl.ledger import Ledger
    from nhictl.ledger.verify import Problem
    from nhictl.manifest.validate import Checked
    from nhictl.providers.base import Adapter, Checkup

_UNUSED = "the configuration must be mended first"


def all_of(chdir: Path, env: str) -> Iterator[Check]:
    """Yield the checks of every environment, or of the one that is named."""
    from nhictl.cli import context

    try:
        workspace = context.configured(chdir)
    except NhictlError:
        yield Check("Environments", "targets", "note", f"not looked at: {_UNUSED}")
        yield Check("Environments", "ledger", "note", f"not looked at: {_UNUSED}")
        return
    if env:
        wrong = list(guarded("Environments", env, lambda: _known(workspace, env)))
        yield from wrong
        chosen = [] if wrong else [workspace.environments[env]]
    else:
        chosen = list(workspace.environments.values())
    checked = _checked(chdir)
    for environment in chosen:
        area = f"Environment {environment.name}"
        for target in environment.targets:
            yield from guarded(area, target.name, partial(_target, checked, environment, target))
        yield from guarded(area, "ledger", partial(_ledger, workspace, environment))


def _known(workspace: Workspace, env: str) -> list[Check]:
    from nhictl.cli.context import choose

    choose(workspace, env)
    return []


def _checked(chdir: Path) -> Checked | None:
    """Return the workspace when its manifests can be compiled, to ask about what is declared."""
    from nhictl.cli import context

    try:
        checked = context.checked_workspace(chdir)
        checked.sound()
    except Exception:  # noqa: BLE001 - said by the check of the manifests
        return None
    return checked


def _target(checked: Checked | None, environment: Environment, target: Target) -> Iterator[Check]:
    from nhictl.cli import context

    area = f"Environment {environment.name}"
    adapter = context.adapters(dataclasses.replace(environment, targets=(target,)))[target.provider]
    with adapter.connect(target, write=False) as session:
        identity = session.identity()
        yield Check(area, target.name, "ok", f"{identity.provider} {identity.scope} as {identity.principal}")
        found = session.checkup(_declared(checked, environment, target, adapter))
    yield Check(area, f"{target.name} credentials", "ok", found.credentials)
    yield from _permissions(area, target.name, found)


def _permissions(area: str, name: str, found: Checkup) -> Iterator[Check]:
    for unknown in filter(None, (found.unknown, found.unknown_for_apply)):
        yield Check(area, f"{name} permissions", "note", f"not known: {unknown}")
    doubt = found.unknown or found.unknown_for_apply
    for verb, missing, unknown in (
        ("plan", found.missing_for_plan, found.unknown), ("apply", found.missing_for_apply, doubt),
    ):  # fmt: skip
        if missing:
            yield Check(area, f"{name} {verb}", "error", f"{len(missing)} missing for {verb}", details=missing)
        elif not unknown:
            yield Check(area, f"{name} {verb}", "ok", "nothing is missing")


def _declared(
    checked: Checked | None, environment: Environment, target: Target, adapter: Adapter
) -> tuple[Resource, ...]:
    from nhictl.cli.context import now
    from nhictl.compile import compile_target

    if checked is None:
        return ()
    estate = compile_target(checked, environment.name, target.name, today=now().date(), names={}, previous={})
    return adapter.desired(estate).resources


def _ledger(workspace: Workspace, environment: Environment) -> Iterator[Check]:
    from nhictl.cli import acting, context

    area = f"Environment {environment.name}"
    ledger = context.open_ledger_of(workspace, environment, actor=acting.actor("nhictl doctor"))
    if ledger.exists():
        yield from _intact(area, ledger)
        yield from _held(area, ledger)
    else:
        yield Check(area, "ledger", "note", f"{workspace.ledger}: nothing recorded yet")
    yield from _signing(area, ledger)


def _intact(area: str, ledger: Ledger) -> Iterator[Check]:
    from nhictl.ledger.verify import verify

    problems = verify(ledger, keys=_trusted())
    errors = [p for p in problems if p.level == "error"]
    if errors:
        said = tuple(_said(p) for p in problems)
        hint = "nhictl audit verify; nothing is changed anywhere while the ledger is not intact"
        yield Check(area, "ledger", "error", f"NOT intact: {count(len(errors), 'error')}", hint, details=said[:5])
        return
    head = ledger.head()
    yield Check(area, "ledger", "ok", f"intact, {count(head.seq + 1, 'entry')}, head {head.seq}:{head.hash[:12]}")
    yield from _findings(area, problems)


def _findings(area: str, problems: list[Problem]) -> Iterator[Check]:
    """Yield what an intact ledger has that somebody should know: unknown ends, entries nobody signed, the rest."""
    unknown = [p for p in problems if p.code == "unknown"]
    if unknown:
        hint = "the next apply settles them by reading the targets"
        text = f"{count(len(unknown), 'operation')} without a known end"
        details = tuple(p.message for p in unknown[:5])
        yield Check(area, "ledger operations", "warning", text, hint, details=details)
    for problem in problems:
        if problem not in unknown:
            state: State = "warning" if problem.level == "warning" else "note"
            yield Check(area, f"ledger {problem.code}", state, _said(problem))


def _said(problem: Problem) -> str:
    return f"entry {problem.seq}: {problem.message}" if problem.seq >= 0 else problem.message


def _trusted() -> frozenset[str]:
    from nhictl.ledger import signing

    try:
        return signing.trusted(os.environ)
    except LedgerError:
        return frozenset()  # said by the check of the signing key


def _held(area: str, ledger: Ledger) -> Iterator[Check]:
    from nhictl.cli.asking import taken_over

    try:
        held = ledger.lock_state()
    except LedgerError:
        return  # said above
    if held is None:
        yield Check(area, "ledger lock", "ok", "free")
        return
    text = f"held by {held.holder} on {held.host} (process {held.pid}) since {held.since}, for {held.command}"
    yield Check(area, "ledger lock", "warning", text, taken_over(ledger, held))


def _signing(area: str, ledger: Ledger) -> Iterator[Check]:
    from nhictl.ledger import signing

    name, source = "ledger signing", f"variable {signing.KEY_VARIABLE}"
    try:
        signer = signing.configured(os.environ)
    except LedgerError as error:
        yield Check(area, name, "error", error.message, error.hint, source)
        return
    last = _last_signature(ledger)
    if signer is not None:
        yield Check(area, name, "ok", f"a key is configured; {last}", source=source)
    else:
        hint = f"{signing.KEY_VARIABLE} names an Ed25519 key file to sign checkpoints with"
        yield Check(area, name, "note", f"no key is configured; {last}", hint)


def _last_signature(ledger: Ledger) -> str:
    """Say whether the last checkpoint is signed."""
    try:
        known = ledger.entries(types=frozenset({"checkpoint"})) if ledger.exists() else ()
        signed = ["key" in entry.data for entry in known][-1:]
    except LedgerError:
        return "the ledger cannot be read"
    if not signed:
        return "there is no checkpoint yet"
    return "the last checkpoint is signed" if signed[0] else "the last checkpoint is not signed"
