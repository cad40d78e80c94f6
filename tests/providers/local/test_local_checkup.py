"""What `doctor` learns about the embedded directory: the file, its mode, and what the file system refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nhictl.kinds.workspace import Target
from nhictl.providers.base import Checkup
from nhictl.providers.local.adapter import adapter
from nhictl.providers.local.file import allowed, check, opened


def looked_at(root: Path) -> Checkup:
    """What a reading session says about the file `directory.db`."""
    with adapter.connect(Target("directory", "local", {"path": "directory.db"}, root), write=False) as session:
        return session.checkup(())


def made(root: Path) -> Path:
    """A directory that exists."""
    path = root / "directory.db"
    with opened(path, write=True) as db:
        check(db, path, write=True)
    return path


def test_a_missing_file_lacks_nothing(tmp_path: Path):
    """The first apply makes it; asking does not."""
    assert looked_at(tmp_path) == Checkup(f"file {tmp_path / 'directory.db'}, not made yet")
    assert list(tmp_path.iterdir()) == []


def test_says_the_file_and_its_mode(tmp_path: Path):
    """The file is the credential: who may read it may read the directory."""
    path = made(tmp_path)
    assert looked_at(tmp_path) == Checkup(f"file {path}, mode 0600")


def test_names_what_the_file_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A journal is written beside the file, so that its folder must be writable too."""
    path = made(tmp_path)
    monkeypatch.setattr(os, "access", lambda _path, wanted: wanted == os.R_OK)
    found = allowed(path)
    assert found.missing_for_plan == ()
    assert found.missing_for_apply == (f"write to {path}", f"write to {tmp_path}")


def test_a_folder_nobody_may_write_to_lacks_the_first_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The nearest folder that exists decides."""
    monkeypatch.setattr(os, "access", lambda _path, _wanted: False)
    assert allowed(tmp_path / "a" / "b" / "directory.db").missing_for_apply == (f"write to {tmp_path}",)
