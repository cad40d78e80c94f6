"""A machine with the tools and no network: tests that need a server are skipped with the reason, or fail in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
JAVA = "echo 'openjdk version \"17.0.1\"' >&2"
NO_HOST = "echo 'Could not resolve host' >&2; exit 1"
GO = f'[ "$1" = env ] && {{ echo go1.26.8; exit; }}; {NO_HOST}'
CASES = [
    ("keycloak", "keycloak", {"java": JAVA, "mvn": NO_HOST}),
    ("vault", "vault", {"go": GO}),
    ("browser", "axe", {"npm": NO_HOST}),
    ("postgres", "pg_server", {"npm": NO_HOST, "node": NO_HOST}),
]


def passed(folder: Path, module: str, fixture: str, tools: dict[str, str], **environ: str) -> tuple[int, str]:
    """Run one test that asks for a fixture where there are these tools and an empty cache."""
    tests = folder / "test_one.py"
    tests.write_text(f'pytest_plugins = ("tests.servers.{module}",)\n\n\ndef test_one({fixture}):\n    pass\n')
    for name, script in tools.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    env = {"PATH": str(folder), "HOME": str(folder), "PYTHONPATH": str(ROOT), **environ}
    # of the two PostgreSQL, Debian's may be there whatever is in the PATH
    chosen = ("-k", "not pg15")
    command = [sys.executable, "-m", "pytest", "-rsEf", "-c", os.devnull, "--rootdir", str(folder), *chosen, str(tests)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("module", "fixture", "tools"), CASES, ids=[case[0] for case in CASES])
def test_what_cannot_be_fetched_is_skipped_with_the_reason(tmp_path, module, fixture, tools):
    """The run passes, and says what could not be had."""
    code, said = passed(tmp_path, module, fixture, tools)
    assert code == 0, said
    assert "1 skipped" in said
    assert "Could not resolve host" in said


@pytest.mark.parametrize(("module", "fixture", "tools"), CASES, ids=[case[0] for case in CASES])
def test_what_cannot_be_fetched_fails_where_servers_are_required(tmp_path, module, fixture, tools):
    """The run of CI does not pass without its servers."""
    code, said = passed(tmp_path, module, fixture, tools, NHICTL_TEST_REQUIRE_SERVERS="1")
    assert code == 1, said
    assert "Could not resolve host" in said
    assert "NHICTL_TEST_REQUIRE_SERVERS" in said


def test_openbao_that_cannot_be_fetched_is_said_as_openbao(tmp_path):
    """Where it was chosen; Vault does not stand in for it."""
    _, said = passed(tmp_path, "vault", "vault", {"go": GO, "vault": "exit 1"}, NHICTL_TEST_OPENBAO="1")
    assert "1 skipped" in said
    assert "OpenBao (Go cannot get its modules" in said
