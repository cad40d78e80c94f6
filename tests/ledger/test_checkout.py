"""The commit of a run is read from the repository's files; nothing of the repository is executed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nhictl.ledger.checkout import commit


def git(root: Path, *arguments: str) -> str:
    """Run Git as a person would."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", "-C", root, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.yaml").write_text("x")
    git(root, "add", "a.yaml")
    git(root, "commit", "-qm", "one")
    return root


def test_the_commit_of_a_branch_and_of_a_detached_head(repository):
    """Loose and packed references, and a commit checked out by its id."""
    head = git(repository, "rev-parse", "HEAD")
    assert commit(repository) == head
    git(repository, "pack-refs", "--all")
    assert commit(repository) == head
    git(repository, "checkout", "-q", "--detach")
    assert commit(repository) == head


def test_a_folder_below_and_a_work_tree_elsewhere(repository, tmp_path):
    """The nearest work tree above counts; a linked work tree has its own HEAD and shared references."""
    head = git(repository, "rev-parse", "HEAD")
    (repository / "ws" / "deep").mkdir(parents=True)
    assert commit(repository / "ws" / "deep") == head
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    assert commit(tmp_path / "linked") == head


def test_nothing_outside_a_repository(tmp_path):
    """No repository, and one without a commit."""
    assert commit(tmp_path) == ""
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) == ""


def test_a_repository_among_the_files_is_neither_run_nor_believed(repository, tmp_path):
    """A bare repository that a branch brings along names a program in a filter: it stays unread."""
    head = git(repository, "rev-parse", "HEAD")
    workspace = repository / "ws"
    (workspace / "refs").mkdir(parents=True)
    (workspace / "objects").mkdir()
    (workspace / "HEAD").write_text("f" * 40 + "\n")
    ran = tmp_path / "ran"
    (workspace / "config").write_text(f'[core]\n\tworktree = .\n[filter "x"]\n\tclean = "touch {ran}; cat"\n')
    (workspace / ".gitattributes").write_text("* filter=x\n")
    (workspace / "nhictl.yaml").write_text("x")
    assert commit(workspace) == head
    assert not ran.exists()


@pytest.mark.parametrize("text", ["ref: ../../etc/passwd", "ref: refs/../../x", "root:x:0:0", "", "a" * 5000])
def test_an_odd_head_is_no_commit(repository, text):
    """Only a full object id ever comes back."""
    (repository / ".git" / "HEAD").write_text(text)
    assert commit(repository) == ""


def test_links_and_pipes_are_not_read(repository, tmp_path):
    """A reference that is a link or a pipe tells nothing and blocks nothing."""
    secret = tmp_path / "secret"
    secret.write_text("a" * 40)
    branch = repository / ".git/refs/heads/main"
    branch.unlink()
    branch.symlink_to(secret)
    assert commit(repository) == ""
    branch.unlink()
    os.mkfifo(branch)
    assert commit(repository) == ""
