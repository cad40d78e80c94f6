"""The embedded directory's file: what it refuses by itself, and how it is opened."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.model import Action, Address, Change, Fault, FieldChange, Operation, ProviderError, Resource
from nhictl.providers.base import Scope
from nhictl.providers.local.adapter import adapter
from nhictl.providers.local.session import LocalSession, connect

IDENTITY = {
    "enabled": True, "type": "workload", "owner": "o", "purpose": "", "service": "", "labels": {"a": "1"},
    "proof": {}, "credentials": {},
}  # fmt: skip
ROLE = {"description": "", "permissions": ({"action": "read", "resource": "*", "condition": ""},)}
TRUST = {"issuer": {"oidc": {"url": "https://sso"}}, "audiences": ("a",)}


@pytest.fixture()
def target(tmp_path: Path) -> Target:
    """A directory that does not exist yet."""
    return Target("directory", "local", {"path": "data/d.db"}, tmp_path)


@pytest.fixture()
def session(target: Target) -> Iterator[LocalSession]:
    """An open, empty directory."""
    with connect(target, write=True) as opened:
        yield opened


def make(session: LocalSession, kind: str, name: str, attributes: dict) -> Resource:
    """Create an object and return it as it is live."""
    address = Address("directory", kind, name)
    after = Resource(address, attributes, "nhi/x")
    session.apply(Change(address, Action.CREATE, "nhi/x", "", after=after), Operation(f"op-{name}", "w/e"))
    return session.reread([address])[address]


def granted(session: LocalSession) -> tuple[Resource, Resource, Resource, Resource]:
    """Make an identity that holds a role through a connection."""
    identity, role = make(session, "identity", "ci", IDENTITY), make(session, "role", "reader", ROLE)
    connection = make(session, "connection", "sso", TRUST)
    attributes = {"identity": "ci", "role": "reader", "connection": "sso", "expires": ""}
    return identity, role, connection, make(session, "grant", "ci:reader@sso", attributes)


def delete(session: LocalSession, live: Resource) -> None:
    """Delete a live object."""
    change = Change(live.address, Action.DELETE, "nhi/x", "", native_id=live.native_id, before=live)
    session.apply(change, Operation("op-delete", "w/e"))


def test_what_is_in_use_is_not_deleted_and_the_users_are_named(session: LocalSession) -> None:
    """Role, connection and identity stay while a grant refers to them."""
    *used, grant = granted(session)
    said = []
    for live in used:
        with pytest.raises(ProviderError) as refused:
            delete(session, live)
        assert refused.value.fault is Fault.IN_USE
        said.append(refused.value.message)
    assert said == ["identity ci holds reader", "role reader is granted to ci", "connection sso is used by ci"]
    for live in (grant, *used):
        delete(session, live)
    assert list(session.read(Scope())) == []


def test_a_grant_to_nobody_is_refused(session: LocalSession) -> None:
    """A grant needs its identity, role and connection."""
    make(session, "role", "reader", ROLE)
    with pytest.raises(ProviderError, match="identity ghost does not exist"):
        make(session, "grant", "ghost:reader", {"identity": "ghost", "role": "reader", "connection": "", "expires": ""})


def test_labels_of_others_stay(session: LocalSession) -> None:
    """An update sets declared labels, drops those the change drops, and leaves the rest."""
    live = make(session, "identity", "ci", {**IDENTITY, "labels": {"a": "1", "b": "2", "foreign": "3"}})
    after = Resource(live.address, {**IDENTITY, "labels": {"a": "9"}})
    change = Change(
        live.address, Action.UPDATE, "nhi/x", "", native_id=live.native_id, before=live, after=after,
        fields=(FieldChange("labels.a", "1", "9"), FieldChange("labels.b", "2", None)),
    )  # fmt: skip
    session.apply(change, Operation("op-2", "w/e"))
    assert session.reread([live.address])[live.address].attributes["labels"] == {"a": "9", "foreign": "3"}


def test_a_native_id_is_never_used_again(session: LocalSession) -> None:
    """An object made again under its old name is another object."""
    first = make(session, "role", "reader", ROLE)
    delete(session, first)
    assert make(session, "role", "reader", ROLE).native_id != first.native_id


def test_credential_facts_are_shown_and_hold_no_material(target: Target, session: LocalSession) -> None:
    """Kind, status and ages of credentials are facts of the identity."""
    live = make(session, "identity", "ci", IDENTITY)
    row = ("key-1", live.native_id, "access-key", "2026-01-01T00:00:00Z", "2026-11-01T00:00:00Z")
    session.db.execute(
        "INSERT INTO credentials (id, identity_id, kind, created, last_used) VALUES (?, ?, ?, ?, ?)", row
    )
    found = session.reread([live.address])[live.address]
    assert found.facts["credentials"] == (
        {
            "kind": "access-key", "status": "active", "created": "2026-01-01T00:00:00Z",
            "last_used": "2026-11-01T00:00:00Z", "expires": "", "id": "key-1",
        },
    )  # fmt: skip
    assert found.fingerprint() == live.fingerprint()


def test_the_file_is_made_by_the_first_writer_only_and_is_private(target: Target) -> None:
    """Reading a directory that is not there leaves no trace; plan and apply see one identity."""
    with connect(target, write=False) as reading:
        before = reading.identity()
    assert list(target.root.iterdir()) == []
    with connect(target, write=True) as writing:
        assert writing.identity() == before
        assert list(target.root.iterdir()) == []
        make(writing, "role", "reader", ROLE)
        assert writing.identity() == before
    path = target.root / "data/d.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["d.db"]


@pytest.mark.parametrize("path", ["../out.db", "/etc/passwd", "a/../../out.db", "."])
def test_a_path_outside_the_workspace_is_refused(tmp_path: Path, path: str) -> None:
    """Nothing outside the root is read or made."""
    with pytest.raises(ProviderError) as refused, connect(Target("d", "local", {"path": path}, tmp_path), write=True):
        pass
    assert refused.value.fault is Fault.INVALID


def test_a_symbolic_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    """The path is judged where it really leads."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(ProviderError), connect(Target("d", "local", {"path": "link/d.db"}, root), write=False):
        pass


def test_another_database_is_refused(tmp_path: Path) -> None:
    """A SQLite file of somebody else is neither read nor changed."""
    with closing(sqlite3.connect(tmp_path / "d.db")) as db, db:
        db.execute("CREATE TABLE users (id)")
    for write in (False, True):
        target = Target("d", "local", {"path": "d.db"}, tmp_path)
        with pytest.raises(ProviderError, match="not a directory"), connect(target, write=write):
            pass


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Text is not read as an empty directory."""
    (tmp_path / "d.db").write_text("hello " * 1000)
    target = Target("d", "local", {"path": "d.db"}, tmp_path)
    with pytest.raises(ProviderError, match="not a SQLite database"), connect(target, write=False):
        pass


def test_a_write_killed_half_way_is_not_seen_and_does_not_block_readers(target: Target, session: LocalSession) -> None:
    """A reader rolls a dead writer's journal back in a copy and changes no file; the next writer heals the file."""
    make(session, "role", "reader", ROLE)
    path = target.root / "data/d.db"
    killed = textwrap.dedent("""
        import os, sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("PRAGMA cache_size = 1")
        db.execute("PRAGMA cache_spill = 1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE roles SET description = 'half'")
        for i in range(5000):
            db.execute("INSERT INTO roles (id, name, description) VALUES (?, ?, ?)", (str(i), str(i), "x" * 200))
        os._exit(9)
    """)
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    files = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    assert set(files) == {"d.db", "d.db-journal"}
    with connect(target, write=False) as reading:
        assert [r.address.name for r in reading.read(Scope())] == ["reader"]
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == files
    with connect(target, write=True) as writing:
        assert [r.attributes["description"] for r in writing.read(Scope())] == [""]


def test_capabilities_name_what_sessions_accept(session: LocalSession) -> None:
    """An action that no kind lists is refused by the session too."""
    live = make(session, "role", "reader", ROLE)
    for action in (Action.DISABLE, Action.ROTATE, Action.REPLACE):
        assert action not in adapter.capabilities.kinds["role"].actions
        with pytest.raises(ProviderError, match="cannot"):
            session.apply(
                Change(live.address, action, "", "", native_id=live.native_id, after=live), Operation("o", "w/e")
            )
