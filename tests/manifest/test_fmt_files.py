"""Formatting files: looking writes nothing, writing is all or nothing."""

from __future__ import annotations

import os
import stat

import pytest

from nhictl.manifest import fmt_files
from nhictl.model import NhictlError

UGLY, PRETTY = "kind:   A\n", "kind: A\n"


def _look(path):
    (found,) = fmt_files.look([path], root=path.parent)
    return found


def test_look_writes_nothing(tmp_path):
    """Looking reports the change and leaves the file and its time alone."""
    path = tmp_path / "a.yaml"
    path.write_text(UGLY)
    before = path.stat()

    found = _look(path)

    assert (found.changed, found.file, found.after) == (True, "a.yaml", PRETTY.encode())
    assert path.stat() == before or path.stat().st_mtime_ns == before.st_mtime_ns


def test_difference(tmp_path):
    """The difference is a unified diff with the file's name; nothing for a file in order."""
    path = tmp_path / "a.yaml"
    path.write_text(UGLY)
    diff = fmt_files.difference(_look(path))

    assert diff.startswith("--- a.yaml\n+++ a.yaml (formatted)\n")
    assert "-kind:   A\n+kind: A\n" in diff
    path.write_text(PRETTY)
    assert fmt_files.difference(_look(path)) == ""


def test_write_keeps_mode_and_leaves_nothing_behind(tmp_path):
    """The file is replaced, with its mode, and no temporary file stays."""
    path = tmp_path / "a.yaml"
    path.write_text(UGLY)
    path.chmod(0o640)

    fmt_files.write(_look(path))

    assert path.read_text() == PRETTY
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]


def test_unchanged_file_is_not_rewritten(tmp_path):
    """A file in order keeps its inode."""
    path = tmp_path / "a.yaml"
    path.write_text(PRETTY)
    inode = path.stat().st_ino

    fmt_files.write(_look(path))

    assert path.stat().st_ino == inode


def test_symbolic_link_is_not_followed(tmp_path):
    """A link is refused with a diagnostic, its target stays as it is, folders skip it."""
    target, link = tmp_path / "target.yaml", tmp_path / "link.yaml"
    target.write_text(UGLY)
    link.symlink_to(target)

    found = _look(link)
    fmt_files.write(found)

    assert "symbolic links" in found.diagnostics[0].summary
    assert link.is_symlink()
    assert target.read_text() == UGLY
    assert fmt_files.manifests_in([tmp_path]) == (target,)


def test_changed_meanwhile_is_left_alone(tmp_path):
    """A file edited after it was looked at keeps the edit."""
    path = tmp_path / "a.yaml"
    path.write_text(UGLY)
    found = _look(path)
    path.write_text("kind: B\n")

    with pytest.raises(NhictlError, match="changed while"):
        fmt_files.write(found)

    assert path.read_text() == "kind: B\n"
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]


def test_failed_replace_leaves_the_file_whole(tmp_path, monkeypatch):
    """When the rename fails, the file is as before and the temporary file is gone."""
    path = tmp_path / "a.yaml"
    path.write_text(UGLY)
    found = _look(path)

    def refuse(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(fmt_files.os, "replace", refuse)
    with pytest.raises(NhictlError, match="No space left"):
        fmt_files.write(found)

    assert path.read_text() == UGLY
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]


@pytest.mark.parametrize("content", [b"kind: \xff\n", b"a: 1\na: 2\n", b"a: [\n"])
def test_refused_content_has_diagnostics_and_no_change(tmp_path, content):
    """What the strict reader refuses is reported and left alone."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)

    found = _look(path)

    assert found.diagnostics
    assert not found.changed


def test_missing_file_and_fifo(tmp_path):
    """A missing file or a pipe gives a diagnostic and does not hang."""
    os.mkfifo(tmp_path / "pipe.yaml")

    assert "No such file" in _look(tmp_path / "none.yaml").diagnostics[0].summary
    assert "not a regular file" in _look(tmp_path / "pipe.yaml").diagnostics[0].summary


def test_folders_give_their_yaml_files(tmp_path):
    """Folders are walked without hidden ones; a file named twice comes once."""
    (tmp_path / ".github").mkdir()
    (tmp_path / "deep").mkdir()
    for name in (".github/ci.yaml", "deep/b.yml", "a.yaml", "notes.txt"):
        (tmp_path / name).write_text(PRETTY)

    found = fmt_files.manifests_in([tmp_path, tmp_path / "a.yaml"])

    assert [file.relative_to(tmp_path).as_posix() for file in found] == ["a.yaml", "deep/b.yml"]
