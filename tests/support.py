"""A workspace in a temporary directory, driven in this process exactly as the commands drive the engine.

`Shop(root)` owns the files; `declare` replaces its manifests; `plan`, `apply`, `drift` do what the commands do, at the
time `shop.now`, which moves only by hand. `nhi`, `role` and `connection` return small valid manifests. `sql` is the
hand that changes the directory behind nhictl's back.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from nhictl.cli import context
from nhictl.engine import apply as applying
from nhictl.engine.approved import require_same
from nhictl.engine.drift import Drift, drift
from nhictl.engine.execute import Executed
from nhictl.engine.live import Connected, connected
from nhictl.engine.prepare import Prepared, Request, adapters_of, prepare
from nhictl.ledger import Ledger
from nhictl.ledger.fold import Folded, fold
from nhictl.ledger.verify import Problem, verify
from nhictl.model import Entry, Plan, Status
from nhictl.providers.base import Adapter

API = "nhictl.dev/v1alpha1"
THOUSANDS = pytest.mark.thousands
START = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
NO_LIMITS = {"deletePercent": 100, "deleteMax": 1000, "revokePercent": 100, "revokeMax": 1000}
Manifest = dict[str, Any]


def document(kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Manifest:
    """Return one manifest."""
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, **metadata}, "spec": dict(spec)}


def nhi(name: str, *roles: str, via: str = "", previously: Iterable[str] = (), **spec: Any) -> Manifest:
    """Return an NHI with a standing grant per role, each `via` a connection when one is named."""
    grants = [{"role": r, "via": via} if via else {"role": r} for r in roles]
    usual = {"type": "workload", "owner": "team", "service": "shop", "purpose": "Serves the shop", "tier": "low"}
    body = {**usual, "environments": ["test"], "identity": {"local": {}}, "grants": grants, **spec}
    former = {"previously": list(previously)} if previously else {}
    labels = {"labels": body.pop("labels")} if "labels" in body else {}
    body.setdefault("lifecycle", {}).setdefault("reviewEvery", "90d")
    return document("NHI", name, body, **former, **labels)


def role(name: str, *actions: str, resource: str = "db/*", previously: Iterable[str] = (), **spec: Any) -> Manifest:
    """Return a role of the embedded directory that allows `actions` on `resource`."""
    allowed = [{"actions": list(actions) or ["read"], "resources": [resource]}]
    former = {"previously": list(previously)} if previously else {}
    body = {"owner": "team", "description": f"May {name}", "local": {"permissions": allowed}, **spec}
    return document("Role", name, body, **former)


def connection(name: str, *audiences: str, previously: Iterable[str] = (), **spec: Any) -> Manifest:
    """Return a connection that trusts one GitHub organization."""
    former = {"previously": list(previously)} if previously else {}
    issuer = {"githubActions": {"organization": "example"}}
    body = {"owner": "team", "issuer": issuer, "local": {"audiences": list(audiences) or ["https://a.example.com"]}}
    return document("Connection", name, {**body, **spec}, **former)


OWNER = document(
    "Owner", "team", {"type": "team", "displayName": "Team", "contact": {"email": "team@example.com"}}
)  # fmt: skip


@dataclass(slots=True)
class Shop:
    """One workspace: environment `test`, target `directory`, its ledger, and a clock that stands."""

    root: Path
    now: dt.datetime = START
    runs: int = 0
    adapter: Adapter | None = None
    settings: dict[str, Any] = field(default_factory=lambda: dict(NO_LIMITS))
    target: dict[str, Any] = field(default_factory=dict)

    def declare(self, *manifests: Manifest, shuffle: Iterable[int] = ()) -> Shop:
        """Make these the only manifests, one file each; `shuffle` gives the order of their file names."""
        self.root.mkdir(parents=True, exist_ok=True)
        here = {"provider": "local", "path": "directory.db", **self.target}
        spec = {
            "manifests": ["manifests/"],
            "ledger": "file:.nhictl/ledger",
            "environments": {"test": {"targets": {"directory": here}}},
            "limits": self.settings,
        }
        (self.root / "nhictl.yaml").write_text(yaml.safe_dump(document("Workspace", "shop", spec)))
        folder = self.root / "manifests"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        every = [OWNER, *manifests]
        for number, place in enumerate([*shuffle] or range(len(every))):
            text = yaml.safe_dump(every[place], sort_keys=not number % 2)
            (folder / f"{number:03}.yaml").write_text(text)
        return self

    def later(self, **delta: float) -> Shop:
        """Let time pass."""
        self.now += dt.timedelta(**delta)
        return self

    @contextmanager
    def opened(self, *, write: bool = False, **options: Any) -> Iterator[tuple[Request, tuple[Connected, ...], Ledger]]:
        """Open the targets as a command does. `selection` are the options of `cli.context.selection`."""
        chosen, more = options.pop("selection", {}), options
        with mock.patch.object(context, "now", lambda: self.now):
            loaded = context.load(self.root, "", cache=False)
            self.runs += write
            run = f"run-{self.runs}"
            ledger = context.ledger_of(loaded, "test", run=run, read_only=not write)
            adapters = {"local": self.adapter} if self.adapter else context.adapters(loaded.environment)
            selection = context.selection(loaded, **chosen)
            with connected(adapters_of(loaded.environment, adapters), write=write) as targets:
                yield context.request(loaded, selection, **more), targets, ledger

    def prepared(self, **options: Any) -> Prepared:
        """Return what `nhictl plan` makes."""
        with self.opened(**options) as (request, targets, ledger):
            return prepare(request, _entries(ledger), targets)

    def plan(self, **options: Any) -> Plan:
        """Return the plan `nhictl plan` shows."""
        return self.prepared(**options).plan

    def drift(self) -> Drift:
        """Return what `nhictl drift` shows."""
        with self.opened() as (request, targets, ledger):
            return drift(prepare(request, _entries(ledger), targets), targets)

    def apply(self, *, approved: Plan | None = None, override: str = "", **options: Any) -> Executed:
        """Do what `nhictl apply --yes` does: with `approved`, exactly that plan."""
        order_options = options.pop("order", {})
        with self.opened(write=True, **options) as (request, targets, ledger):
            made = prepare(request, _entries(ledger), targets)
            if approved is not None:
                require_same(approved, made, now=request.now)
            if applying.nothing_to_do(made):
                return Executed(())
            digest = approved.digest if approved is not None else made.plan.digest
            order = applying.Order(f"run-{self.runs}", digest, override, **order_options)
            return applying.carry_out(request, ledger, targets, made, order=order)

    def converge(self) -> Shop:
        """Apply; everything must be applied, and then nothing may be left to do."""
        executed = self.apply()
        assert {r.status for r in executed.receipts} <= {Status.APPLIED}, executed.receipts
        assert self.pending() == []
        return self

    def pending(self) -> list[tuple[str, str, Any]]:
        """Return what a fresh plan would still do, with the findings that stand in the way."""
        plan = self.plan()
        blocked = [("blocked", f.subject, f.message) for f in plan.findings if f.level == "error"]
        return [(str(c.action), str(c.address), c.fields) for c in plan.changes] + blocked

    def ledger(self) -> Ledger:
        """Return the ledger, for reading."""
        with self.opened() as (_, _, ledger):
            return ledger

    def entries(self, *types: str) -> list[Entry]:
        """Return the ledger's entries, of these types when any are named."""
        return [e for e in _entries(self.ledger()) if not types or e.type in types]

    def folded(self) -> Folded:
        """Return what the ledger says we manage."""
        return fold(self.entries())

    def problems(self) -> list[Problem]:
        """Return what `audit verify` finds, hints about unknown operations included."""
        return list(verify(self.ledger()))

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement on the directory, behind nhictl's back."""
        db = sqlite3.connect(self.root / "directory.db", isolation_level=None)
        try:
            db.execute("PRAGMA foreign_keys = ON")
            return db.execute(statement, values).fetchall()
        finally:
            db.close()

    def rows(self) -> dict[str, dict[str, tuple[Any, ...]]]:
        """Return every object of the directory, by table and native id, with all columns."""
        if not (self.root / "directory.db").exists():
            return {}
        tables = ("identities", "roles", "connections", "grants")
        return {t: {row[0]: row for row in self.sql(f"SELECT * FROM {t}")} for t in tables}

    def names(self, table: str) -> list[str]:
        """Return the names in one table, sorted."""
        return [name for (name,) in self.sql(f"SELECT name FROM {table} ORDER BY 1")]

    def tree(self) -> dict[str, bytes]:
        """Return every file of the workspace with its bytes."""
        return {str(p.relative_to(self.root)): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()}


def _entries(ledger: Ledger) -> Iterable[Entry]:
    return ledger.entries() if ledger.exists() else ()
