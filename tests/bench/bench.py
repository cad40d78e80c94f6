"""Measure nhictl and print one table: CPU, wall, memory, provider calls, and what each of them should be.

    python tests/bench/bench.py [--quick | --long] [--only CASE] [--runs N] [--json FILE]

`ratio` is CPU against `python -c pass`, measured in the same run. The aims are for a machine on which that takes
10 ms; on a slower or busier one a CPU aim holds, too, when the ratio does (`scaled`). Terraform is measured where it
is on the PATH. NHICTL_LONG adds what --long adds: ten times as many objects.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.cases import CASES, Row, Sizes
from tests.bench.measure import Bench, Usage

QUICK = Sizes(files=1_000, local=1_000, aws=100, entries=10_000, terraform=1_000)
PASS_SECONDS = 0.010


def measure(bench: Bench, sizes: Sizes, only: Sequence[str] = ()) -> Iterable[Row]:
    """Yield the rows of the cases; the first is `python -c pass`."""
    bench.once([sys.executable, "-c", "pass"], bench.place)
    many = Bench(bench.place, 10 if bench.runs > 1 else 1)
    yield Row("python -c pass", many.best([sys.executable, "-c", "pass"], bench.place))
    for name, case in CASES.items():
        if not only or name in only:
            yield from case(bench, sizes)


def verdict(row: Row, unit: Usage) -> str:
    """Return whether the aim of a row holds: yes, no, scaled (by the ratio alone), or nothing without an aim."""
    if row.aim is None:
        return ""
    said = []
    if row.usage is not None:
        ratio = row.usage.cpu / unit.cpu
        if row.aim.cpu:
            scaled = "scaled" if ratio <= row.aim.cpu / PASS_SECONDS else "no"
            said.append("yes" if row.usage.cpu <= row.aim.cpu else scaled)
        if row.aim.ratio:
            said.append("yes" if ratio <= row.aim.ratio else "no")
        if row.aim.memory:
            said.append("yes" if row.usage.memory <= row.aim.memory else "no")
    if row.calls is not None:
        least, most = row.aim.calls
        said.append("yes" if least <= sum(row.calls.values()) <= most else "no")
    return "no" if "no" in said else "scaled" if "scaled" in said else "yes"


def aim_text(row: Row) -> str:
    """Return an aim in words."""
    if row.aim is None:
        return ""
    parts = [
        f"{row.aim.cpu} s" if row.aim.cpu else "",
        f"{row.aim.ratio:g} x" if row.aim.ratio else "",
        f"{row.aim.memory:g} MB" if row.aim.memory else "",
        f"{row.aim.calls[0]} to {row.aim.calls[1]} calls" if row.aim.calls[1] else "",
    ]
    return ", ".join(part for part in parts if part)


def line(row: Row, unit: Usage) -> tuple[str, ...]:
    """Return the cells of a row."""
    calls = "" if row.calls is None else str(sum(row.calls.values()))
    if row.usage is None:
        return (row.case, "", "", "", calls, "", aim_text(row), verdict(row, unit) or row.note)
    used = row.usage
    return (
        row.case, f"{used.cpu:.3f}", f"{used.wall:.3f}", f"{used.memory:.0f}", calls, f"{used.cpu / unit.cpu:.1f}",
        aim_text(row), verdict(row, unit) or row.note,
    )  # fmt: skip


HEAD = ("case", "CPU s", "wall s", "MB", "calls", "ratio", "aim", "holds")
WIDTHS = (50, 8, 8, 6, 6, 8, 24, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(description="Measure nhictl.")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, one run each")
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("NHICTL_LONG")))
    parser.add_argument("--only", action="append", default=[], choices=list(CASES))
    parser.add_argument("--runs", type=int, default=0, help="the best of so many runs; 3 by default")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    given = parser.parse_args(arguments)
    sizes = QUICK if given.quick else Sizes(large=100_000 if given.long else 0)
    with tempfile.TemporaryDirectory(prefix="nhictl-bench-") as place:
        bench = Bench(Path(place), given.runs or (1 if given.quick else 3))
        rows = show(measure(bench, sizes, given.only))
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 0


def show(rows: Iterable[Row]) -> list[Row]:
    """Print each row as it comes; return them all."""
    found: list[Row] = []
    _print(HEAD)
    for row in rows:
        found.append(row)
        unit = found[0].usage or Usage(PASS_SECONDS, 0, 0)
        _print(line(row, unit))
    return found


def _print(cells: Sequence[str]) -> None:
    aligned = [
        cell.ljust(width) if place in (0, 6, 7) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    print("  ".join(aligned).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
