"""The PostgreSQL example converges on 15 and 18, by the commands people type."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples/postgres"


def nhictl(workspace: Path, *arguments: str) -> tuple[int, str]:
    """Run one command in a workspace and return its exit code and everything it said."""
    done = subprocess.run(
        [sys.executable, "-m", "nhictl", *arguments], cwd=workspace, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_example_converges(pg, pg_env, tmp_path):
    """Planned, applied over TLS, and then as declared; the server then allows what the manifests say."""
    for name in ("ledger", "warehouse"):
        pg.database(name)
    pg.script((EXAMPLE / "setup.sql").read_text(), "ledger")
    workspace = shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".nhictl"))
    settings = workspace / "nhictl.yaml"
    settings.write_text(
        settings.read_text().replace("host: db.example.com", f"host: 127.0.0.1\n          port: {pg.port}")
    )

    planned, plan = nhictl(workspace, "plan")
    applied, said = nhictl(workspace, "apply", "--yes")
    again, rest = nhictl(workspace, "plan", "--detailed-exitcode")

    assert (planned, applied, again) == (0, 0, 0), plan + said + rest
    assert "5 to create" in plan
    asked = "SELECT has_table_privilege('ledger_importer', 'books.entries', 'INSERT, UPDATE')"
    assert pg.sql(asked, database="ledger") == [(True,)]
    assert pg.password not in plan + said + rest
