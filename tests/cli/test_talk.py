"""Excerpts show lines of the workspace's own files only."""

from pathlib import Path

import pytest

from nhictl.cli.talk import sources
from tests.cli.conftest import Line, configure
from tests.support import Shop


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with one file, and a file beside it."""
    root = tmp_path / "w"
    (root / "manifests").mkdir(parents=True)
    (root / "manifests" / "a.yaml").write_text("kind: NHI\n")
    (tmp_path / "secret").write_text("hunter2\n")
    return root


def test_a_file_of_the_workspace_is_shown(root: Path) -> None:
    """Its lines are given."""
    assert sources(root)("manifests/a.yaml") == ["kind: NHI"]


@pytest.mark.parametrize("name", ["../secret", "link", "folder/secret", "manifests/../../secret", "gone", "manifests"])
def test_nothing_else_is_shown(root: Path, name: str) -> None:
    """No way out of the root, by name or by link, gives lines; nor does what is no file."""
    (root / "link").symlink_to(root.parent / "secret")
    (root / "folder").symlink_to(root.parent)
    assert sources(root)(name) is None
    assert sources(root)(str(root.parent / "secret")) is None


def test_a_huge_file_is_not_shown(root: Path) -> None:
    """More than 2 MiB is not read for an excerpt."""
    (root / "big.yaml").write_bytes(b"x" * (2 * 1024 * 1024 + 1))
    assert sources(root)("big.yaml") is None


@pytest.mark.parametrize("words", ["plan", "drift", "history api", "validate", "fmt"])
def test_excerpts_come_from_the_workspace_wherever_one_stands(
    shop: Shop, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """With -C, too, and not from a file of the same name here."""
    (shop.root / "nhictl.yaml").write_text("theirs: 1\ntheirs: 2\n")
    (tmp_path / "nhictl.yaml").write_text("ours: 1\nours: 2\n")
    monkeypatch.chdir(tmp_path)
    said = line(*words.split(), "-C", str(shop.root))
    assert said.code == 65
    assert "theirs" in said.all
    assert "ours" not in said.all.replace("theirs", "")


def test_what_the_targets_cannot_express_is_shown_with_its_line(shop: Shop, line: Line) -> None:
    """Found while planning, not while reading."""
    targets = {name: {"provider": "local", "path": f"{name}.db"} for name in ("directory", "other")}
    configure(shop.root, environments={"test": {"targets": targets}})
    said = line("plan")
    assert said.code == 65
    assert "name: api" in said.err or "- test" in said.err


def test_without_a_root_nothing_is_shown() -> None:
    """Whoever does not know where the files are shows none."""
    assert sources(None)("nhictl.yaml") is None
