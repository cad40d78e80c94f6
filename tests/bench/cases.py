"""What is measured: each case sets up its estate, measures commands and returns rows."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.generate import nhi, workspace
from tests.bench.measure import Bench, Usage, nhictl


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of what: manifests, objects of the embedded directory, roles of AWS, changes, ledger entries."""

    files: int = 10_000
    local: int = 10_000
    large: int = 0
    aws: int = 1_000
    changes: int = 10
    entries: int = 100_000
    terraform: int = 10_000


@dataclass(frozen=True, slots=True)
class Aim:
    """What a case may use: CPU seconds, megabytes, calls (least, most), times the CPU of `python -c pass`."""

    cpu: float = 0.0
    memory: float = 0.0
    calls: tuple[int, int] = (0, 0)
    ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `calls` counts requests to the provider; `note` says why there is no measurement."""

    case: str
    usage: Usage | None = None
    calls: Mapping[str, int] | None = None
    aim: Aim | None = None
    note: str = ""


Case = Callable[[Bench, Sizes], Iterator[Row]]


def start(bench: Bench, _sizes: Sizes) -> Iterator[Row]:
    """Measure what an empty run costs."""
    empty = workspace(bench.place / "empty", 1)
    bench.once(nhictl("--help"), empty)
    yield Row("--help", bench.best(nhictl("--help"), empty), aim=Aim(ratio=7.0))
    bench.once(nhictl("version"), empty)
    yield Row("version", bench.best(nhictl("version"), empty))


def validate(bench: Bench, sizes: Sizes) -> Iterator[Row]:
    """Measure validation of many manifests without and with the content cache."""
    # Owners and roles are files, too.
    root = workspace(bench.place / "validate", max(1, sizes.files * 100 // 111))
    count = sum(1 for _ in (root / "manifests").rglob("*.yaml"))
    command = nhictl("validate", "-q")
    bench.once(command, root)
    cold = bench.best(command, root, before=bench.forget_cache)
    yield Row(f"validate {count:,} files, cold", cold, aim=Aim(cpu=1.5))
    yield Row(f"validate {count:,} files, cached", bench.best(command, root), aim=Aim(cpu=0.4))


def local(bench: Bench, sizes: Sizes) -> Iterator[Row]:
    """Measure a plan that finds nothing to do in the embedded directory."""
    usage = _local(bench, sizes.local)
    yield Row(f"no-op plan, {sizes.local:,} local objects", usage, aim=Aim(cpu=2.5, memory=250))
    if sizes.large:
        large = _local(bench, sizes.large)
        times = large.cpu / usage.cpu / (sizes.large / sizes.local)
        note = f"{times:.2f} x linear"
        yield Row(f"no-op plan, {sizes.large:,} local objects", large, note=note)


def _local(bench: Bench, objects: int) -> Usage:
    # Each NHI has a grant, each tenth a role.
    root = workspace(bench.place / f"local-{objects}", max(1, objects * 10 // 21))
    _python(bench, "tests.bench.seed", "estate", str(root))
    command = nhictl("plan", "-q")
    bench.once(command, root)
    usage = bench.best(command, root)
    _nothing_to_do(bench)
    return usage


def _nothing_to_do(bench: Bench) -> None:
    if "No changes" not in bench.said():
        raise AssertionError(f"the plan is not empty: {bench.said()[:2000]}")


def aws(bench: Bench, sizes: Sizes) -> Iterator[Row]:
    """Measure plan and apply against a moto server behind the strict layer, which counts the calls."""
    try:
        import moto  # noqa: F401
    except ImportError:
        yield Row("aws", note="skipped: moto is not installed")
        return
    with _server(bench) as (served, counted):
        root = workspace(bench.place / "aws", sizes.aws, "aws")
        served.once(nhictl("apply", "-y", "-q", "--no-progress"), root)
        command = nhictl("plan", "-q")
        usage = served.best(command, root, before=counted)
        _nothing_to_do(served)
        yield Row(
            f"no-op plan, {sizes.aws:,} aws roles", usage, counted(), Aim(cpu=2.0, memory=120, calls=(1, 5)),
        )  # fmt: skip
        yield from _changes(served, sizes, root, counted)


def _changes(bench: Bench, sizes: Sizes, root: Path, counted: Callable[[], Mapping[str, int]]) -> Iterator[Row]:
    found = []
    for run in range(bench.runs):
        for n in range(sizes.changes):
            text = nhi(n, sizes.aws, aws=True, purpose=f"Changed in run {run}")
            (root / f"manifests/nhis/{n // 1000}/{n}.yaml").write_text(text)
        counted()
        found.append((bench.once(nhictl("apply", "-y", "-q", "--no-progress"), root), counted()))
    usage, calls = min(found, key=lambda pair: pair[0])
    reads = {name: n for name, n in calls.items() if name.startswith(("Get", "List"))}
    writes = {name: n for name, n in calls.items() if name not in reads}
    case = f"apply {sizes.changes} changes among {sizes.aws:,} aws roles"
    yield Row(f"{case}: reads", usage, reads, Aim(calls=(1, 5)))
    yield Row(f"{case}: writes", None, writes, Aim(calls=(sizes.changes, 2 * sizes.changes)))


@contextmanager
def _server(bench: Bench) -> Iterator[tuple[Bench, Callable[[], Mapping[str, int]]]]:
    """Start moto and the strict layer in a process of their own; count calls since the last time asked."""
    command = [sys.executable, "-m", "tests.bench.server"]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        from tests.servers.aws import environment

        served = Bench(bench.place, bench.runs, environment(url))
        yield served, lambda: _counted(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(30)


def _counted(process: subprocess.Popen[str]) -> Mapping[str, int]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("calls\n")
    process.stdin.flush()
    pairs = (part.split("=") for part in process.stdout.readline().split())
    return {name: int(n) for name, n in pairs}


def audit(bench: Bench, sizes: Sizes) -> Iterator[Row]:
    """Measure questions to a long ledger."""
    root = workspace(bench.place / "audit", max(1, min(1000, sizes.entries // 20)))
    _python(bench, "tests.bench.seed", "estate", str(root))
    _python(bench, "tests.bench.seed", "ledger", str(root), str(sizes.entries))
    index = root / ".nhictl/ledger/prod/index.db"
    question = nhictl("audit", "log", "--nhi", "nhi-1")
    cold = bench.best(question, root, before=lambda: index.unlink(missing_ok=True))
    yield Row(f"audit question, {sizes.entries:,} entries", bench.best(question, root), aim=Aim(cpu=0.2))
    yield Row(f"audit question, {sizes.entries:,} entries, index rebuilt", cold)
    yield Row(f"audit verify, {sizes.entries:,} entries", bench.best(nhictl("audit", "verify"), root))


def terraform(bench: Bench, sizes: Sizes) -> Iterator[Row]:
    """Measure Terraform's plan for as many objects of its built-in provider, whose state is written here."""
    from tests.bench.terraform import estate

    if not sizes.terraform:
        return
    if shutil.which("terraform") is None:
        yield Row("terraform", note="skipped: terraform is not on the PATH")
        return
    root = estate(bench.place / "terraform", sizes.terraform)
    quiet = Bench(bench.place, 1, {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"})
    binary = str(shutil.which("terraform"))
    quiet.once([binary, "init", "-input=false"], root)
    usage = quiet.once([binary, "plan", "-input=false", "-detailed-exitcode"], root)
    yield Row(f"terraform: no-op plan, {sizes.terraform:,} objects", usage)


def _python(bench: Bench, module: str, *arguments: str) -> None:
    """Run one of our modules in a process of its own: what it holds must not count as ours."""
    root = Path(__file__).parents[2]
    environ = {**bench.environment(), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=root, env=environ, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace")[-2000:])


CASES: Mapping[str, Case] = {
    "start": start, "validate": validate, "local": local, "aws": aws, "audit": audit, "terraform": terraform,
}  # fmt: skip
