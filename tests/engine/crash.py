"""Kill a real apply at a named point, and say what must hold afterwards.

`killed` forks, runs the command line in the child and lets a failpoint kill it with SIGKILL: the same death as that of
a process of its own, without the price of starting one. `settled` is the judge; tests/engine/test_seeded.py shows that
it sees the defects it is there for.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from nhictl import failpoints
from nhictl.ledger.fold import fold
from nhictl.model import Action, Status
from tests.support import Manifest, Shop, connection, nhi, role

FOREIGN = (
    "INSERT INTO roles (id, name, description) VALUES ('foreign-1', 'foreign', 'somebody else''s')",
    "INSERT INTO identities (id, name, type) VALUES ('foreign-2', 'foreign', 'workload')",
    "INSERT INTO grants (id, identity_id, role_id) VALUES ('foreign-3', 'foreign-2', 'foreign-1')",
)
BEFORE: tuple[Manifest, ...] = (
    role("reader", "read"),
    role("writer", "read", "write"),
    role("unused"),
    connection("github"),
    nhi("api", "reader", "writer"),
    nhi("ci", "writer", via="github"),
    nhi("gone", "reader", lifecycle={"onRemove": "delete"}),
    nhi("paused", "reader"),
    nhi("kept", lifecycle={"onRemove": "retain"}),
    nhi("strict"),
)
AFTER: tuple[Manifest, ...] = (
    role("reader", "read", "list"),
    role("author", "read", "write", previously=["writer"]),
    role("fresh", "call"),
    connection("github", "https://b.example.com"),
    nhi("api", "author", "fresh", labels={"zone": "eu"}),
    nhi("cd", "author", previously=["ci"], via="github"),
    nhi("new", "fresh", "reader", via="github"),
    nhi("strict", lifecycle={"onRemove": "delete"}),
    nhi("taken", adopt=True),
)
SCENARIOS: dict[str, tuple[tuple[Manifest, ...], tuple[Manifest, ...]]] = {
    "create": ((), (role("r"), connection("c"), nhi("a", "r", via="c"), nhi("b", "r"))),
    "change": (BEFORE, AFTER),
    "remove": (BEFORE, (role("reader", "read"), nhi("api", "reader"))),
}
Objects = dict[str, list[tuple[object, ...]]]


def world(root: Path, name: str) -> Shop:
    """Return a workspace that is at the first state of a scenario and declares the second, foreign objects beside."""
    first, second = SCENARIOS[name]
    shop = Shop(root, now=dt.datetime.now(dt.UTC))
    if first:
        shop.declare(*first).converge()
        for statement in FOREIGN:
            shop.sql(statement)
        shop.sql("INSERT INTO identities (id, name, type) VALUES ('taken-1', 'taken', 'workload')")
    return shop.declare(*second)


def copied(shop: Shop, root: Path) -> Shop:
    """Return a copy of a workspace; its directory gets the place's own id only when it is made there."""
    shutil.copytree(shop.root, root)
    return replace(shop, root=root, now=dt.datetime.now(dt.UTC))


def killed(shop: Shop, point: str = "", run: Callable[[], int] | None = None) -> bool:
    """Run `nhictl apply --yes`, or `run`, in a child that dies at `point` (`name:n`). Return whether it was killed.

    A child that ends by itself must have ended well.
    """
    log = shop.root.parent / "apply.log"
    child = os.fork()
    if child == 0:
        _die_or_exit(run or partial(_apply, shop), point, log)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, log.read_text()
    return False


def _apply(shop: Shop) -> int:
    from nhictl.cli.app import run

    return run(["apply", "--yes", "--no-cache", "--no-progress", "-C", str(shop.root)])


def _die_or_exit(run: Callable[[], int], point: str, log: Path) -> None:
    code = 99
    try:
        sys.stdout = sys.stderr = log.open("w", buffering=1)
        failpoints._hits.clear()
        os.environ["NHICTL_FAILPOINT"] = point
        code = run()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def objects(shop: Shop) -> Objects:
    """Return what is in the directory but for native ids, marks' operations and times, sorted."""
    owned = "mark_owner, mark_ref"
    queries = {
        "identities": f"SELECT name, enabled, type, owner, purpose, labels, proof, {owned} FROM identities",
        "roles": f"SELECT name, description, {owned} FROM roles",
        "permissions": "SELECT r.name, p.action, p.resource FROM permissions p JOIN roles r ON r.id = p.role_id",
        "connections": f"SELECT name, issuer, audiences, {owned} FROM connections",
        "grants": "SELECT i.name, r.name, c.name, g.mark_owner, g.mark_ref FROM grants g"
        " JOIN identities i ON i.id = g.identity_id JOIN roles r ON r.id = g.role_id"
        " LEFT JOIN connections c ON c.id = g.connection_id",
    }
    return {table: sorted(shop.sql(query), key=repr) for table, query in queries.items()}


def native_ids(shop: Shop) -> dict[str, str]:
    """Return the kind of every object by its native id."""
    return {key: table for table, rows in shop.rows().items() for key in rows}


def settled(shop: Shop, expected: Objects, before: Sequence[str] = ()) -> None:
    """Demand that a converged workspace is right: nothing lost, duplicated or wrong, and everything accounted for.

    `expected` is what an apply without any accident leaves; `before` are native ids that had to survive it.
    """
    shop.now = dt.datetime.now(dt.UTC)
    assert objects(shop) == expected
    assert [p for p in shop.problems() if p.level == "error" or p.code == "unknown"] == []
    folded = fold(shop.entries())
    assert folded.unresolved == ()
    _recorded(shop)
    _counted(shop)
    assert set(before) <= set(native_ids(shop))
    assert shop.pending() == []


def _recorded(shop: Shop) -> None:
    """What is managed is what is marked, under its native id."""
    snapshot = shop.prepared().snapshots["directory"].resources
    marked = {str(a): r.native_id for a, r in snapshot.items() if r.mark and r.mark.owner == "shop/test"}
    managed = {str(a): m.native_id for a, m in shop.folded().managed.items()}
    assert managed == marked
    assert all(managed.values())


def _counted(shop: Shop) -> None:
    """Every operation has one intent and one settled outcome, and no object was created twice."""
    intents = {e.data["op"]: e for e in shop.entries("intent")}
    outcomes = [e for e in shop.entries("outcome") if e.data["status"] != Status.INDETERMINATE.value]
    assert Counter(e.data["op"] for e in outcomes) == Counter(intents.keys())
    applied = [e.data["op"] for e in outcomes if e.data["status"] == Status.APPLIED.value]
    made = Counter(intents[op].data["address"] for op in applied if intents[op].data["action"] == Action.CREATE.value)
    gone = Counter(intents[op].data["address"] for op in applied if intents[op].data["action"] == Action.DELETE.value)
    assert all(count <= 1 + gone[address] for address, count in made.items()), made
    ids = [e.data["nativeId"] for e in outcomes if e.data["op"] in applied and e.data["action"] == "create"]
    assert len(ids) == len(set(ids))


def tear(shop: Shop, bytes_lost: int) -> None:
    """Cut the end of the ledger's last line off, as a power cut may do to what was written but not synced."""
    log = shop.root / ".nhictl" / "ledger" / "test" / "log.jsonl"
    raw = log.read_bytes()
    last = len(raw) - (raw.rstrip(b"\n").rfind(b"\n") + 1)
    with log.open("r+b") as file:
        file.truncate(len(raw) - min(bytes_lost, last))
