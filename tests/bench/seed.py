"""Bring an estate into being without measuring it: the directory and the ledger as an apply would leave them.

`apply_all` is the real thing. `seed` writes what it would write, much faster: it plans with the engine, carries out
each change with the statements of the local provider, and records intent and outcome with the engine's own functions.
It differs in durability only: one transaction for all changes, one sync for many entries.
Run as a script: `seed.py estate ROOT` or `seed.py ledger ROOT ENTRIES`.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATION = "{run}-{number}"


def seed(root: Path) -> int:
    """Make everything that the local workspace at `root` declares; return the number of changes."""
    from nhictl.attribution import attribute
    from nhictl.cli import context
    from nhictl.engine.live import connected
    from nhictl.engine.prepare import adapters_of, prepare
    from nhictl.engine.record import intent_data, outcome_data, plan_data
    from nhictl.model import Operation, Outcome, Status
    from nhictl.providers.local.file import check, directory_path, opened, transaction
    from nhictl.providers.local.write import STEPS
    from nhictl.select import Selection

    loaded = context.load(root, "", cache=False)
    run = context.new_run()
    ledger = context.ledger_of(loaded, "nhictl apply", run=run, read_only=False)
    pairs = adapters_of(loaded.environment, context.adapters(loaded.environment))
    with connected(pairs, write=False) as open_targets:
        plan = prepare(context.request(loaded, Selection()), (), open_targets).plan
    access = attribute(pairs[0][1], {}, plan.changes)
    path = directory_path(pairs[0][0])
    with opened(path, write=True) as db:
        check(db, path, write=True)
        with ledger.lock("apply") as writer, transaction(db):
            writer.append("plan", {**plan_data(plan, {}, ""), "approved": plan.digest})
            numbered = enumerate(plan.changes, 1)
            for batch in _batches(numbered, 300):
                entries: list[tuple[str, dict[str, Any]]] = []
                for number, change in batch:
                    made = Operation(OPERATION.format(run=run, number=number), f"{plan.workspace}/{plan.environment}")
                    native_id = STEPS[change.action](db, change, made)
                    given = access.get(change.address, ())
                    entries.append(("intent", intent_data(change, made, plan=plan.digest, access=given)))
                    outcome = Outcome(Status.APPLIED, native_id=native_id)
                    entries.append(("outcome", outcome_data(change, made, outcome)))
                writer.append_many(entries)
    return len(plan.changes)


def history(root: Path, entries: int) -> None:
    """Record `entries` more entries in the ledger of `root`: updates of its NHIs, one after another."""
    from nhictl.cli import context

    loaded = context.load(root, "", cache=False)
    run = context.new_run()
    names = [d.name for d in loaded.checked.documents if d.kind == "NHI"]
    ledger = context.ledger_of(loaded, "nhictl apply", run=run, read_only=False)
    target = loaded.environment.targets[0].name
    with ledger.lock("apply") as writer:
        for batch in _batches(range(entries // 2), 300):
            writer.append_many([e for n in batch for e in _update(f"{run}-{n}", target, names[n % len(names)], n)])


def _update(operation: str, target: str, name: str, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    about = {"op": operation, "address": f"{target}/identity/{name}", "action": "update", "subject": f"nhi/{name}"}
    before, after = f"Runs version {number}", f"Runs version {number + 1}"
    yield (
        "intent",
        {
            **about,
            "owner": "bench/prod",
            "plan": "sha256:" + "0" * 64,
            "nativeId": "00000000-0000-0000-0000-000000000000",
            "reason": "differs from the manifest",
            "fields": [{"path": "purpose", "before": before, "after": after}],
            "before": {"purpose": before, "enabled": True, "labels": {"team": "team-0"}},
            "after": {"purpose": after, "enabled": True, "labels": {"team": "team-0"}},
            "handling": {"onRemove": "disable", "deleteAfter": 2592000, "protect": False},
            "dependsOn": [],
            "fingerprint": "sha256:" + "0" * 64,
            "access": [],
        },
    )
    outcome = {"status": "applied", "nativeId": "", "requestIds": [], "code": "", "detail": "", "resolved": False}
    yield "outcome", {**about, **outcome}


def _batches(items: Any, size: int) -> Iterator[list[Any]]:
    walk = iter(items)
    while batch := list(itertools.islice(walk, size)):
        yield batch


if __name__ == "__main__":
    os.umask(0o077)
    if sys.argv[1] == "estate":
        seed(Path(sys.argv[2]))
    else:
        history(Path(sys.argv[2]), int(sys.argv[3]))
