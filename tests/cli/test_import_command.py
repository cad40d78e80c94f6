"""`nhictl import` and `adopt` on the command line: what is printed, what is written, how it ends."""

from pathlib import Path

import pytest

from tests.commandline import Shell
from tests.importing.suite import workspace
from tests.importing.test_local_import import Directory


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A command line in a workspace whose directory holds one identity nobody declared."""
    directory = Directory(tmp_path)
    workspace(tmp_path, directory.target)
    directory.sql(
        "INSERT INTO identities (id, name, type, purpose, owner, proof)"
        " VALUES ('i', 'api', 'workload', 'Serves', 'team', '{\"local\":{}}')"
    )
    return Shell(tmp_path, capsys, [])


def test_without_write_the_manifests_are_printed(shell):
    """The dry run prints YAML on stdout, the summary beside it, and writes nothing."""
    said = shell("import", "--owner", "team")
    assert said.code == 0
    assert said.out.startswith("# nhis/api.yaml\n# - Imported from estate/identity/api.\napiVersion:")
    assert "Would write 1 manifest: 1 NHI" in said.err
    assert not (shell.root / "manifests" / "nhis").exists()


def test_quiet_says_nothing_beside_the_result(shell):
    """With -q there are only the manifests."""
    assert shell("import", "--owner", "team", "-q").err == ""


def test_what_is_written_is_named(shell):
    """Each file on a line of stdout, then what to do next."""
    said = shell("import", "--owner", "team", "--write", str(shell.root / "manifests"))
    assert said.out == f"{shell.root / 'manifests' / 'nhis' / 'api.yaml'}\n"
    assert "nhictl adopt --all" in said.err


def test_a_folder_that_nobody_reads_is_said(shell):
    """Manifests outside of the workspace's folders are written, and the next step says that no command sees them."""
    said = shell("import", "--owner", "team", "--write", str(shell.root / "elsewhere"))
    assert said.code == 0
    assert "no command reads them" in said.err


def test_an_unknown_target_is_a_usage_error(shell):
    """The targets there are stand in the message."""
    said = shell("import", "prod", "--owner", "team")
    assert said.code == 64
    assert "one of: estate" in said.err


@pytest.mark.parametrize("words", [("adopt",), ("adopt", "--all", "nhi/api")])
def test_adopt_needs_one_way_to_say_what(shell, words):
    """Neither nothing nor both."""
    assert shell(*words, "--yes").code == 64


def test_adopting_a_target_changes_nothing_else(shell):
    """What is declared and does not exist is not made, and what is managed is not changed."""
    shell("import", "--owner", "team", "--write", str(shell.root / "manifests"))
    new = (shell.root / "manifests" / "nhis" / "api.yaml").read_text().replace("name: api", "name: web")
    (shell.root / "manifests" / "nhis" / "web.yaml").write_text(new)
    said = shell("adopt", "estate", "--yes")
    assert said.code == 0
    assert "1 to adopt" in said.out
    assert "nhi/web" not in said.out
    assert "1 to create" in shell("plan").out
