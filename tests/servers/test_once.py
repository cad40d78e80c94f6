"""One server for several users: started once, ended by process id when the last one leaves or dies."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers import once
from tests.servers.cache import kept

HERE = "tests.servers.tiny"
ROOT = Path(__file__).parent.parent.parent


def gone(pid: int) -> bool:
    """Wait for a process to end; False when it does not."""
    deadline = time.monotonic() + 30
    while once.alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not once.alive(pid)


def test_users_share_one_server_and_the_last_ends_it(tmp_path):
    """Who comes second gets the same; the server is there until both have left."""
    with once.hold(HERE, tmp_path) as first:
        with once.hold(HERE, tmp_path) as second:
            assert second == first
        assert once.alive(first.pid)
    assert gone(first.pid)


def test_a_user_that_is_killed_leaves_no_server(tmp_path):
    """The kernel gives the lock back of who cannot."""
    script = (
        "import sys, time, pathlib\nfrom tests.servers import once\n"
        f"with once.hold({HERE!r}, pathlib.Path(sys.argv[1])) as running:\n"
        "    print(running.pid, flush=True)\n    time.sleep(600)\n"
    )
    user = subprocess.Popen([sys.executable, "-c", script, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    pid = int(user.stdout.readline())
    assert once.alive(pid)
    user.kill()
    user.communicate()
    assert gone(pid)


def test_after_the_end_a_new_one_is_started(tmp_path):
    """A folder can be used again."""
    with once.hold(HERE, tmp_path) as first:
        pass
    with once.hold(HERE, tmp_path) as second:
        assert once.alive(second.pid)
    assert gone(first.pid)
    assert gone(second.pid)


def test_a_server_that_does_not_start_says_how_it_ended(tmp_path):
    """The end of its output is in the error, and a next try is made anew."""
    with pytest.raises(once.ServerFailed, match="no such luck"), once.hold("tests.servers.tiny_broken", tmp_path):
        pytest.fail("a broken server was said to run")


def test_what_failed_half_way_is_not_kept(tmp_path, monkeypatch):
    """A cached folder is there whole or not at all."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def broken(folder: Path) -> None:
        (folder / "part").touch()
        raise OSError("interrupted")

    with pytest.raises(OSError, match="interrupted"):
        kept("thing", broken)
    assert [p.name for p in (tmp_path / "nhictl-tests").iterdir()] == ["thing.lock"]
    assert (kept("thing", lambda folder: (folder / "whole").touch()) / "whole").exists()
    assert kept("thing", broken) == tmp_path / "nhictl-tests" / "thing"
