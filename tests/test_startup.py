"""What a command loads: only what it needs. Start-up time is what people and pipelines wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import Shop, nhi, role

HEAVY = ("yaml", "jsonschema", "jsonschema_rs", "rich", "boto3", "botocore", "deepdiff", "sqlite3", "cryptography")
_RUN = """
import sys
sys.argv = ["nhictl", *sys.argv[1:]]
from nhictl.__main__ import main
try:
    main()
except SystemExit:
    pass
sys.stderr.write("\\nLOADED " + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
sys.stderr.write("\\nOURS " + " ".join(sorted(name for name in sys.modules if name.startswith("nhictl."))))
"""


def loaded(cwd: Path, *words: str) -> tuple[set[str], set[str]]:
    """Return the packages, and nhictl's own modules, that one command loads."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stderr.splitlines()
    packages, ours = (next(t for t in lines if t.startswith(word)).split()[1:] for word in ("LOADED", "OURS"))
    return set(packages), set(ours)


@pytest.fixture()
def shop(tmp_path: Path) -> Shop:
    """An applied workspace on the embedded directory."""
    return Shop(tmp_path / "shop").declare(role("reader"), nhi("api", "reader")).converge()


@pytest.mark.parametrize(
    ("words", "never"),
    [
        ("--version", {*HEAVY, "click", "typer"}),
        ("version", {*HEAVY}),
        ("--help", {*HEAVY}),
        ("plan --help", {*HEAVY}),
        ("completion bash", {*HEAVY}),
        ("validate", {"boto3", "botocore", "deepdiff", "rich", "sqlite3", "cryptography", "jsonschema"}),
        ("plan", {"boto3", "botocore", "deepdiff", "rich", "cryptography", "jsonschema"}),
        ("drift", {"boto3", "botocore", "deepdiff", "rich", "cryptography", "jsonschema"}),
        ("inventory", {"boto3", "botocore", "deepdiff", "rich", "cryptography", "jsonschema"}),
        ("apply --yes", {"boto3", "botocore", "deepdiff", "rich", "cryptography", "jsonschema"}),
        ("audit log", {"boto3", "botocore", "deepdiff", "rich", "jsonschema"}),
        ("history api", {"boto3", "botocore", "deepdiff", "rich", "jsonschema"}),
        ("explain NHI", {"boto3", "botocore", "deepdiff", "rich", "sqlite3"}),
        ("fmt --check", {"boto3", "botocore", "deepdiff", "rich", "sqlite3"}),
    ],
)
def test_a_command_loads_what_it_needs(shop: Shop, words: str, never: set[str]):
    """On an unchanged workspace."""
    packages, _ = loaded(shop.root, *words.split())
    assert packages & never == set()


def test_help_loads_no_command(tmp_path: Path):
    """Names and summaries are enough."""
    _, ours = loaded(tmp_path, "--help")
    assert ours <= {"nhictl.__main__", "nhictl.cli", "nhictl.cli.overview"}


def test_help_of_a_command_loads_that_command_only(tmp_path: Path):
    """What it would read and write with is not needed."""
    _, ours = loaded(tmp_path, "plan", "--help")
    assert "nhictl.cli.plan" in ours
    assert {name for name in ours if name.startswith(("nhictl.engine", "nhictl.providers", "nhictl.manifest"))} == set()


@pytest.mark.parametrize("package", ["asyncio", "unittest", "pydantic", "pkg_resources", "http"])
def test_help_loads_none_of_these_either(tmp_path: Path, package: str):
    """Large parts that others drag in."""
    packages, _ = loaded(tmp_path, "--help")
    assert package not in packages
