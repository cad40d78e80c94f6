"""A `file:` ledger stays in the workspace, or on the volume the machine names."""

from pathlib import Path

import pytest

from nhictl.ledger.place import VARIABLE, directory
from nhictl.model import LedgerError


def test_below_the_workspace(tmp_path: Path) -> None:
    """A relative path is one below the root, there or not."""
    assert directory("file:.nhictl/ledger", tmp_path, {}) == tmp_path / ".nhictl" / "ledger"


@pytest.mark.parametrize(
    "url", ["file:../x", "file:a/../../x", "file:/tmp/x", "file:///tmp/x", "file:.git/x", "file:."]
)
def test_outside_is_refused(tmp_path: Path, url: str) -> None:
    """No way of writing it leads out of the root, to the root itself, or into `.git`."""
    with pytest.raises(LedgerError):
        directory(url, tmp_path, {})


@pytest.mark.parametrize("name", [".nhictl", ".nhictl/ledger"])
def test_links_are_refused(tmp_path: Path, name: str) -> None:
    """No part of the path may be a link, wherever it leads."""
    root = tmp_path / "w"
    (root / name).parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (root / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="symbolic link"):
        directory("file:.nhictl/ledger", root, {})


def test_a_volume_is_named_by_the_machine(tmp_path: Path) -> None:
    """An absolute path counts below NHICTL_LEDGER_ROOT, and only without links and dots."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "link").symlink_to(tmp_path)
    named = {VARIABLE: str(volume)}
    assert directory(f"file://{volume}/shop", tmp_path / "w", named) == volume / "shop"
    for path in (f"{volume}/../x", f"{volume}-other/x", f"{volume}/link/x", "/tmp/x"):
        with pytest.raises(LedgerError):
            directory(f"file://{path}", tmp_path / "w", named)
    with pytest.raises(LedgerError):
        directory("file:///x", tmp_path / "w", {VARIABLE: ""})
