"""A cluster with the databases `ledger` and `warehouse`, and a world that plans and applies there.

`world` is the superuser's through the fault layer; `as_user(name)` gives one that connects as somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nhictl.kinds.workspace import Target
from nhictl.model import Address, Change, Resource
from nhictl.providers.postgres.adapter import adapter
from tests.conformance.world import World
from tests.servers.pgfaults import Proxy
from tests.servers.postgres import PgServer

PASSWORD = "for-tests-only"
SEED = """
CREATE ROLE ledger_owner;
GRANT CREATE ON DATABASE ledger TO ledger_owner;
CREATE SCHEMA books AUTHORIZATION ledger_owner;
SET ROLE ledger_owner;
CREATE TABLE books.entries (id int, amount int);
CREATE TABLE books.accounts (id int);
CREATE SEQUENCE books.numbers;
CREATE FUNCTION books.total(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
"""
Worlds = Callable[..., World]


@pytest.fixture()
def estate(pg: PgServer) -> PgServer:
    """The cluster with two databases, tables of `ledger_owner` in one of them, and no other role."""
    for name in ("ledger", "warehouse"):
        pg.database(name)
    pg.script(SEED, "ledger")
    return pg


@pytest.fixture()
def target(estate: PgServer, pg_proxy: Proxy, pg_env: Mapping[str, str], tmp_path: Path) -> Target:
    """The target behind the fault layer."""
    return Target("db", "postgres", {"host": "127.0.0.1", "port": pg_proxy.port, "plain": True}, tmp_path)


@pytest.fixture()
def world(target: Target) -> World:
    """The superuser's world."""
    return World(replace(adapter, sleep=lambda _: None), target)


@pytest.fixture()
def as_user(world: World, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    """Give a world that connects as a login with the tests' password, remembering what another did."""

    def made(name: str, *, remembering: World | None = None) -> World:
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
        target = replace(world.target, settings={**world.target.settings, "user": name})
        return World(world.adapter, target, dict(remembering.managed) if remembering else {})

    return made


def role(name: str, **block: Any) -> dict[str, Any]:
    """Return a Role of the database `ledger`."""
    return {"kind": "Role", "metadata": {"name": name}, "spec": {"postgres": {"database": "ledger", **block}}}


def nhi(name: str, *roles: str, login: str = "", **spec: Any) -> dict[str, Any]:
    """Return an NHI with a PostgreSQL login."""
    usual = {"type": "service-account", "owner": "payments", "purpose": "p"}
    identity = {"postgres": {"login": login} if login else {}}
    body = {**usual, "identity": identity, "grants": [{"role": r} for r in roles], **spec}
    return {"kind": "NHI", "metadata": {"name": name}, "spec": body}


def state(*manifests: dict[str, Any]) -> str:
    """Return manifests as a state of the world."""
    return yaml.safe_dump_all(manifests, allow_unicode=True)


def address(kind: str, name: str) -> Address:
    """Return an address in the target."""
    return Address("db", kind, name)


def changed(live: Resource, **attributes: Any) -> Change:
    """Return the update that gives a live role other attributes."""
    after = replace(live, attributes={**live.attributes, **attributes})
    subject = live.mark.ref if live.mark else "nhi/x"
    return Change(live.address, "update", subject, "test", native_id=live.native_id, before=live, after=after)  # type: ignore[arg-type]
