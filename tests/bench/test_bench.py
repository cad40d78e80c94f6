"""The benchmark runs end to end at a size that takes seconds; what it counts, not what it times, is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.bench import aim_text, measure, show, verdict
from tests.bench.cases import Aim, Row, Sizes
from tests.bench.generate import workspace
from tests.bench.measure import Bench, Usage, nhictl

ROOT = Path(__file__).parents[2]
TINY = Sizes(files=20, local=42, large=84, aws=12, changes=3, entries=200, terraform=0)


def rows(tmp_path, *only):
    return {row.case: row for row in show(measure(Bench(tmp_path, 1), TINY, only))}


def test_local_cases_measure_every_command(tmp_path):
    """Start, validation, plan and audit give a row each, with usage."""
    found = rows(tmp_path, "start", "validate", "local", "audit")

    assert list(found) == [
        "python -c pass", "--help", "version", "validate 20 files, cold", "validate 20 files, cached",
        "no-op plan, 42 local objects", "no-op plan, 84 local objects", "audit question, 200 entries",
        "audit question, 200 entries, index rebuilt", "audit verify, 200 entries",
    ]  # fmt: skip
    assert all(row.usage is not None and row.usage.cpu > 0 and row.usage.memory > 1 for row in found.values())
    assert "x linear" in found["no-op plan, 84 local objects"].note


def test_calls_to_aws_do_not_grow_with_roles(tmp_path):
    """An unchanged workspace is planned in five calls; a change costs one or two writes and no read of its own."""
    pytest.importorskip("moto")
    found = rows(tmp_path, "aws")

    plan = found["no-op plan, 12 aws roles"]
    reads = found["apply 3 changes among 12 aws roles: reads"]
    writes = found["apply 3 changes among 12 aws roles: writes"]
    assert sum(plan.calls.values()) <= 5
    assert sum(reads.calls.values()) <= 5, reads.calls
    assert 3 <= sum(writes.calls.values()) <= 6, writes.calls


def test_a_seeded_estate_is_what_apply_leaves(tmp_path):
    """The fast set-up records the same plan, intents and outcomes as a real apply, and the ledger verifies."""
    bench = Bench(tmp_path)
    real, fast = workspace(tmp_path / "real", 5), workspace(tmp_path / "fast", 5)
    bench.once(nhictl("apply", "-y"), real)
    command = [sys.executable, "-m", "tests.bench.seed", "estate", str(fast)]
    subprocess.run(command, cwd=ROOT, env=bench.environment(), check=True)

    bench.once(nhictl("audit", "verify"), fast)
    assert essence(fast) == essence(real)


def essence(root):
    """What a ledger says, without what differs between any two runs: ids, times, order of parallel work."""
    lines = (root / ".nhictl/ledger/prod/log.jsonl").read_text().splitlines()
    kept = []
    for entry in map(json.loads, lines):
        if entry["type"] in ("intent", "outcome"):
            drop = ("op", "nativeId", "plan")
            kept.append((entry["type"], json.dumps({k: v for k, v in entry["data"].items() if k not in drop})))
    return sorted(kept)


@pytest.mark.parametrize(
    ("usage", "calls", "said"),
    [
        (Usage(1.0, 1.0, 50.0), None, "yes"),
        (Usage(2.0, 2.0, 50.0), None, "scaled"),
        (Usage(4.0, 4.0, 50.0), None, "no"),
        (Usage(1.0, 1.0, 300.0), None, "no"),
        (Usage(1.0, 1.0, 50.0), {"ListRoles": 6}, "no"),
    ],
)
def test_the_verdict_says_whether_an_aim_holds(usage, calls, said):
    """An aim of CPU holds by itself or, on a slow machine, by the ratio; memory and calls hold or do not."""
    row = Row("case", usage, calls, Aim(cpu=1.5, memory=250, calls=(1, 5)))

    assert verdict(row, Usage(0.02, 0.02, 8.0)) == said
    assert aim_text(row) == "1.5 s, 250 MB, 1 to 5 calls"
