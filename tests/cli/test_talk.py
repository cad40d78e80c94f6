"""Excerpts show lines of the workspace's own files only."""

from pathlib import Path

import pytest

from nhictl.cli.talk import sources


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one file, and a file beside it."""
    root = tmp_path / "w"
    (root / "manifests").mkdir(parents=True)
    (root / "manifests" / "a.yaml").write_text("kind: NHI\n")
    (tmp_path / "secret").write_text("hunter2\n")
    monkeypatch.setattr(sources, "root", root)
    return root


def test_a_file_of_the_workspace_is_shown(root: Path) -> None:
    """Its lines are given."""
    assert sources()("manifests/a.yaml") == ["kind: NHI"]


@pytest.mark.parametrize("name", ["../secret", "link", "folder/secret", "manifests/../../secret", "gone", "manifests"])
def test_nothing_else_is_shown(root: Path, name: str) -> None:
    """No way out of the root, by name or by link, gives lines; nor does what is no file."""
    (root / "link").symlink_to(root.parent / "secret")
    (root / "folder").symlink_to(root.parent)
    assert sources()(name) is None
    assert sources()(str(root.parent / "secret")) is None


def test_a_huge_file_is_not_shown(root: Path) -> None:
    """More than 2 MiB is not read for an excerpt."""
    (root / "big.yaml").write_bytes(b"x" * (2 * 1024 * 1024 + 1))
    assert sources()("big.yaml") is None
