"""What must hold for every workspace: generated roles, connections, NHIs and grants on a real directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhictl.plan_file import dumps, loads
from tests.support import Manifest, Shop, connection, nhi, role

LONG = bool(os.environ.get("NHICTL_LONG"))
usual = settings(
    max_examples=300 if LONG else 25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
WORDS = st.text("abz*:/", min_size=1, max_size=5)


@st.composite
def workspaces(draw) -> list[Manifest]:
    """Up to three roles, two connections and four NHIs, everything but names at random."""
    roles = [f"r{i}" for i in range(draw(st.integers(0, 3)))]
    links = [f"c{i}" for i in range(draw(st.integers(0, 2)))]
    made = [role(r, *draw(st.sets(WORDS, min_size=1, max_size=3)), resource=draw(WORDS)) for r in roles]
    made += [
        connection(c, *draw(st.sets(st.sampled_from(["https://x.example.com", "https://y.example.com"]))))
        for c in links
    ]
    return made + [draw(nhis(f"n{i}", roles, links)) for i in range(draw(st.integers(0, 4)))]


@st.composite
def nhis(draw, name, roles, links) -> Manifest:
    """One NHI with grants on some of the roles, through some of the connections."""
    held = draw(st.lists(st.sampled_from(roles), unique=True)) if roles else []
    made = nhi(
        name,
        labels=draw(st.dictionaries(st.sampled_from(["zone", "tier", "a.b/c"]), st.sampled_from(["eu", "us"]))),
        purpose=draw(st.sampled_from(["Serves", "Reads ünïcode", "Pays"])),
        enabled=draw(st.booleans()),
        lifecycle={"onRemove": draw(st.sampled_from(["disable", "delete"]))},
    )
    made["spec"]["grants"] = [
        {"role": r} | ({"via": draw(st.sampled_from(links))} if links and draw(st.booleans()) else {}) for r in held
    ]
    return made


@contextmanager
def a_shop():
    """A workspace of its own for one example."""
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))
    try:
        yield Shop(folder / "shop")
    finally:
        shutil.rmtree(folder)


@usual
@given(workspaces(), workspaces())
def test_plan_after_apply_is_empty(first, second):
    """For the first workspace, and for any change to any other that is not refused as a whole."""
    with a_shop() as shop:
        shop.declare(*first).converge()
        shop.declare(*second)
        if not shop.plan().safety:
            shop.converge()


@usual
@given(workspaces(), workspaces(), st.randoms())
def test_order_of_manifests_does_not_matter(first, second, random):
    """The same digest whatever the order of files, of keys and of grants."""
    with a_shop() as shop:
        shop.declare(*first).apply()
        plan = shop.declare(*second).plan()
        places = list(range(len(second) + 1))
        random.shuffle(places)
        for manifest in second:
            random.shuffle(manifest["spec"].get("grants", []))
        again = shop.declare(*second, shuffle=places).plan()
        assert again.digest == plan.digest
        assert [c.address for c in again.changes] == [c.address for c in plan.changes]


@usual
@given(workspaces(), st.data())
def test_touching_one_object_never_changes_another(manifests, data):
    """An edited NHI changes its own resources only; an edited role only itself, its users being listed."""
    with a_shop() as shop:
        shop.declare(*manifests).converge()
        if not manifests:
            return
        one = data.draw(st.sampled_from(manifests))
        ref = f"{one['kind'].lower()}/{one['metadata']['name']}"
        if one["kind"] == "NHI":
            one["spec"]["purpose"] = "Changed"
        elif one["kind"] == "Role":
            one["spec"]["local"]["permissions"][0]["actions"] = ["changed"]
        else:
            one["spec"]["local"]["audiences"] = ["https://changed.example.com"]
        plan = shop.declare(*manifests).plan()
        assert {c.subject for c in plan.changes} == {ref}
        users = {f"nhi/{m['metadata']['name']}" for m in manifests if m["kind"] == "NHI" and _uses(m, one)}
        assert {d.subject for d in plan.access} <= users | {ref}
        assert {d.subject for d in plan.access if d.direct} <= {ref}


def _uses(holder: Manifest, one: Manifest) -> bool:
    return any(one["metadata"]["name"] in (g["role"], g.get("via")) for g in holder["spec"]["grants"])


@usual
@given(workspaces(), workspaces())
def test_plan_is_read_only_and_survives_a_file(first, second):
    """Not one byte of the workspace changes, the ledger included; the saved plan reads back as the same plan."""
    with a_shop() as shop:
        shop.declare(*first).apply()
        shop.declare(*second)
        before, moments = shop.tree(), [p.stat().st_mtime_ns for p in sorted(shop.root.rglob("*"))]
        plan = shop.plan()
        assert shop.tree() == before
        assert [p.stat().st_mtime_ns for p in sorted(shop.root.rglob("*"))] == moments
        assert loads(dumps(plan)) == plan


_PRINT = """
import json, sys, datetime as dt
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.support import Shop
print(json.dumps(Shop(Path(sys.argv[2])).plan().digest))
"""


def test_digest_is_stable_over_processes_and_hash_seeds(tmp_path):
    """Sets and dictionaries leave no trace in it."""
    shop = Shop(tmp_path / "shop").declare(role("r", "b", "a", "c"), connection("c"), nhi("a", "r", via="c")).converge()
    shop.declare(
        role("r", "a", "d", "e"), role("s", "x", "y"), connection("c", "https://z.example.com"), nhi("b", "s", "r")
    )
    root = str(Path(__file__).parents[2])
    found = set()
    for seed in ("0", "1", "4711"):
        command = [sys.executable, "-c", _PRINT, root, str(shop.root)]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        found.add(json.loads(done.stdout))
    assert found == {shop.plan().digest}
