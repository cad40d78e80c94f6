"""Every example is a workspace that validates, is formatted, and says in its README what it shows."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nhictl.manifest import fmt_files
from nhictl.manifest.validate import validate

EXAMPLES = Path(__file__).parents[2] / "examples"
WORKSPACES = sorted(path.parent for path in EXAMPLES.glob("*/nhictl.yaml"))
TODAY = dt.date(2026, 11, 20)


def test_examples_are_there():
    """The four examples exist."""
    assert {path.name for path in WORKSPACES} >= {"quickstart", "aws", "multi-environment", "enterprise"}


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda path: path.name)
def test_example_validates(workspace):
    """No errors, no warnings."""
    assert validate(workspace, today=TODAY).diagnostics == ()


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda path: path.name)
def test_example_is_formatted(workspace):
    """`nhictl fmt` would change nothing."""
    found = fmt_files.look(fmt_files.manifests_in([workspace]), root=workspace)

    assert [(file.file, file.diagnostics) for file in found if file.changed or file.diagnostics] == []


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda path: path.name)
def test_example_has_modelines(workspace):
    """Every file points editors to a schema that exists."""
    for file in fmt_files.manifests_in([workspace]):
        first = file.read_text().split("\n", 1)[0]
        assert first.startswith("# yaml-language-server: $schema="), file
        assert (file.parent / first.partition("$schema=")[2]).resolve().is_file(), file


@pytest.mark.parametrize("workspace", WORKSPACES, ids=lambda path: path.name)
def test_readme_names_every_manifest(workspace):
    """The README's table leaves no manifest out."""
    readme = (workspace / "README.md").read_text()

    for file in (workspace / "manifests").rglob("*.yaml"):
        folder = f"manifests/{file.parent.name}/"
        assert file.name in readme or f"`{folder}`" in readme, file


def test_quickstart_runs_to_its_end():
    """The quickstart's one command passes every step; drift is found and named."""
    environment = {**os.environ, "NHICTL_VENV": sys.prefix}
    done = subprocess.run(
        ["sh", str(EXAMPLES / "quickstart/run.sh")], capture_output=True, text=True, env=environment, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("Done: every command ended as expected.")
    drift = done.stdout.split("$ nhictl drift")[2]
    assert "payments-deployer" in drift
    assert "deployment/delete" in drift


def _nhictl(workspace, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "nhictl", *arguments], cwd=workspace, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def _copy(name, folder):
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".nhictl"))
    return folder


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_environments_converge(tmp_path, environment):
    """Each environment of its own: planned, applied, and then as declared."""
    workspace = _copy("multi-environment", tmp_path / "orders")

    steps = [_nhictl(workspace, *step, "-e", environment) for step in (["plan"], ["apply", "--yes"])]
    code, said = _nhictl(workspace, "plan", "-e", environment, "--detailed-exitcode")

    assert [step[0] for step in steps] == [0, 0], steps
    assert code == 0, said
    assert ("debugger" in steps[0][1]) == (environment != "prod")


def test_aws_converges(tmp_path, aws_env, aws_account):
    """The account is planned, applied, and then as declared."""
    workspace = _copy("aws", tmp_path / "shop")
    settings = workspace / "nhictl.yaml"
    settings.write_text(settings.read_text().replace('"222222222222"', f'"{aws_account}"'))
    # the server has none of the policies that AWS maintains
    without = ["--exclude", "nhi/vendor-monitoring"]

    planned, plan = _nhictl(workspace, "plan")
    applied, said = _nhictl(workspace, "apply", "--yes", *without)
    again, rest = _nhictl(workspace, "plan", "--detailed-exitcode", *without)

    assert (planned, applied, again) == (0, 0, 0), plan + said + rest
    assert "10 to create" in plan
    assert "9 applied, 0 failed" in said
