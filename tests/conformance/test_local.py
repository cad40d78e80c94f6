"""The embedded directory passes the conformance suite."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change, Fault, ProviderError, Resource
from nhictl.providers.base import Scope
from nhictl.providers.local import file, session
from nhictl.providers.local.adapter import LocalAdapter, adapter
from tests.conformance.suite import Case, Conformance

_BASE = """
kind: Role
metadata: {name: deployer}
spec:
  owner: payments
  description: Roll out
  local:
    permissions:
      - {actions: [deploy:start, deploy:read], resources: [service/b, service/a]}
      - {actions: [deploy:stop], resources: [service/a], condition: {environment: [prod, staging], ticket: true}}
---
kind: Role
metadata: {name: reader}
spec: {local: {permissions: [{actions: [read], resources: ["*"]}]}}
---
kind: Connection
metadata: {name: github}
spec:
  issuer: {githubActions: {organization: example}}
  local: {audiences: [second, first]}
---
kind: NHI
metadata: {name: payments-ci, labels: {cost-center: "4711", dotted.key: x}}
spec:
  type: workload
  owner: payments
  service: payments
  purpose: Deploy payments
  identity: {githubActions: {repository: example/payments}}
  grants:
    - {role: deployer, via: github}
    - {role: reader, expires: 2027-03-31}
  credentials: {kind: federated, maxTtl: 1h}
  lifecycle: {onRemove: disable, deleteAfter: 30d}
---
kind: NHI
metadata: {name: exporter}
spec:
  type: service-account
  owner: payments
  purpose: Export
  identity: {postgres: {login: exporter}}
  grants: [{role: reader}]
"""
_CHANGED = (
    _BASE.replace("deploy:stop", "deploy:pause")
    .replace("[second, first]", "[third, first]")
    .replace('cost-center: "4711"', 'cost-center: "4712"')
    .replace("dotted.key: x", "other: y")
    .replace("2027-03-31", "2027-06-30")
    .replace("purpose: Deploy payments", "purpose: Deploy payments and refunds")
    .replace("maxTtl: 1h", "maxTtl: 15m")
)
_NARROWED = _CHANGED.replace("    - {role: deployer, via: github}\n", "")
_ONE_LEFT = "---".join(part for part in _BASE.split("---") if "payments-ci" not in part)


@dataclass(slots=True)
class LocalSubject:
    """A directory in a temporary workspace."""

    target: Target
    other: Path
    adapter: LocalAdapter = adapter

    @property
    def path(self) -> Path:
        """Where the directory's file is."""
        return file.directory_path(self.target)

    def mutations(self) -> int:
        """SQLite counts committed writes in the header of the file."""
        return int.from_bytes(self.path.read_bytes()[24:28], "big") if self.path.exists() else 0

    def state(self) -> object:
        """The whole content as SQL, and which files there are."""
        names = sorted(p.name for p in self.target.root.rglob("*"))
        if not self.path.exists():
            return names, ""
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as db:
            return names, list(db.iterdump())

    def make(self) -> None:
        """Make the file, as the first change does."""
        with file.opened(self.path, write=True) as db:
            file.check(db, self.path, write=True)

    def make_foreign(self) -> Address:
        """Insert an identity and a role that nobody marked, with SQL."""
        self.make()
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute(
                "INSERT INTO identities (id, name, type, owner, labels) VALUES (?, 'legacy', 'workload', 'x', ?)",
                (str(uuid.uuid4()), '{"a":"b"}'),
            )
        return Address(self.target.name, "identity", "legacy")

    @contextmanager
    def losing_a_reply(self) -> Iterator[None]:
        """Commit, then say that nobody knows."""
        real = file.transaction

        @contextmanager
        def lossy(db: sqlite3.Connection) -> Iterator[None]:
            with real(db):
                yield
            raise ProviderError(Fault.LOST, "lost")

        with patch.object(session, "transaction", lossy):
            yield

    @contextmanager
    def throttling(self, calls: int) -> Iterator[None]:
        """Hold the file's lock without patience on the other side."""
        self.make()
        with patch.object(file, "BUSY_SECONDS", 0), closing(sqlite3.connect(self.path, timeout=0)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def broken_read(self) -> Iterator[None]:
        """Damage the pages behind the first few: the file still opens."""
        content = self.path.read_bytes()
        kept = len(content) // 4096 // 3 * 4096
        self.path.write_bytes(content[:kept] + b"\x00" * (len(content) - kept))
        yield

    def settling(self) -> AbstractContextManager[None] | None:
        """A transaction is visible at once."""
        return None

    def elsewhere(self) -> Target:
        """The same name and path in another workspace."""
        return Target(self.target.name, "local", self.target.settings, self.other)

    @contextmanager
    def leaks(self, secret: str) -> Iterator[Iterable[Change]]:
        """A value the directory's checks refuse, and one it cannot store."""
        with adapter.connect(self.target, write=False) as opened:
            live = next(r for r in opened.read(Scope(frozenset({"identity"}))))
        after = Resource(live.address, {**live.attributes, "type": secret}, "nhi/any")
        made = Resource(Address(self.target.name, "identity", "new"), after.attributes, "nhi/new")
        yield (
            Change(live.address, Action.UPDATE, "nhi/any", "test", native_id=live.native_id, before=live, after=after),
            Change(made.address, Action.CREATE, "nhi/new", "test", after=made),
        )


@pytest.fixture()
def subject(tmp_path: Path) -> LocalSubject:
    """A directory that does not exist yet."""
    here, other = tmp_path / "here", tmp_path / "other"
    here.mkdir()
    other.mkdir()
    return LocalSubject(Target("directory", "local", {"path": ".nhictl/test.db"}, here), other)


class TestLocal(Conformance):
    """Everything the suite asks, on a SQLite file."""

    cases = (
        Case("change", (_BASE, _CHANGED, _NARROWED)),
        Case("grow-and-shrink", (_ONE_LEFT, _BASE, _ONE_LEFT)),
    )
