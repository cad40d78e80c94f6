"""The directory store: what it refuses, and in which order it writes."""

import fcntl
import os
import shutil
import subprocess
import sys

import pytest

from nhictl.ledger import file
from nhictl.ledger.chain import EMPTY, EntryType, compose, encode, split, stamp
from nhictl.ledger.file import FileStore
from nhictl.ledger.store import Busy, Moved, Tail
from nhictl.model import LedgerError

_BY = stamp("run-1", {})


def line(head=EMPTY, **data):
    return compose(head, EntryType.INTENT, data=encode(data), time="2026-11-22T10:00:00.000Z", by=_BY)


@pytest.fixture
def store(tmp_path):
    found = FileStore(tmp_path / "ledger" / "prod")
    found.prepare()
    return found


def test_an_append_is_conditional(store):
    """The second of two appends to the same place is refused and writes nothing."""
    store.append(Tail(), [line(n=1)])
    with pytest.raises(Moved):
        store.append(Tail(), [line(n=2)])
    assert [raw for _, raw in store.read()] == [line(n=1) + b"\n"]


def test_the_tail_follows_the_appends(store):
    """The returned tail is where the log ends; picking its last line gives that line."""
    first = store.append(Tail(), [line(n=1)])
    second = line(first.head, n=2)
    tail = store.append(first, [second])
    assert (tail.head, tail.end) == (split(second).head, len(line(n=1)) + len(second) + 2)
    assert list(store.pick([tail.last, 0])) == [second, line(n=1)]


def test_a_log_longer_or_other_than_expected_is_not_appended_to(store, tmp_path):
    """Size and the last line's hash must both be as expected."""
    tail = store.append(Tail(), [line(n=1)])
    log = tmp_path / "ledger" / "prod" / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"n":1', b'"n":2'))
    with pytest.raises(Moved):
        store.append(tail, [line(tail.head, n=3)])


def test_torn_bytes_are_replaced_only_when_they_are_the_expected_ones(store, tmp_path):
    """The remains of a crash are cut off with the append that replaces them; other bytes are not."""
    tail = store.append(Tail(), [line(n=1)])
    log = tmp_path / "ledger" / "prod" / "log.jsonl"
    log.write_bytes(log.read_bytes() + b"torn")
    with pytest.raises(Moved):
        store.append(Tail(tail.head, tail.last, tail.end, b"tern"), [line(tail.head)])
    store.append(Tail(tail.head, tail.last, tail.end, b"torn"), [line(tail.head)])
    assert [raw for _, raw in store.read()] == [line(n=1) + b"\n", line(tail.head) + b"\n"]


@pytest.mark.parametrize("name", ["log.jsonl", "lock"])
def test_a_symbolic_link_is_refused(store, tmp_path, name):
    """Neither log nor lock is followed elsewhere; the other file stays untouched."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "ledger" / "prod" / name
    path.unlink(missing_ok=True)
    path.symlink_to(victim)
    with pytest.raises(LedgerError, match="symbolic link"):
        store.prepare()
        with store.guard():
            pass
    assert victim.read_text() == "precious"


def test_a_linked_directory_is_refused(tmp_path):
    """The environment's directory is a real one."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "prod").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="not a directory"):
        FileStore(tmp_path / "prod").prepare()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["", "log.jsonl", "lock"])
def test_a_world_writable_place_is_refused(store, tmp_path, name):
    """What everybody can write proves nothing."""
    with store.guard():
        store.append(Tail(), [line()])
    (tmp_path / "ledger" / "prod" / name).chmod(0o777)
    with pytest.raises(LedgerError, match="writable for everyone"):
        store.prepare()
        with store.guard():
            pass


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_something_that_is_no_file_is_refused(store, tmp_path, make):
    """A pipe or a directory in the log's place is an error, and nobody waits for it."""
    log = tmp_path / "ledger" / "prod" / "log.jsonl"
    log.unlink()
    make(log)
    with pytest.raises(LedgerError):
        store.prepare()
    with pytest.raises(LedgerError, match="not a regular file"):
        store.exists()
    with pytest.raises(LedgerError, match="not a regular file"):
        list(store.read())


def test_a_file_in_the_directorys_place_is_refused(tmp_path):
    """A path through a file is an error for people."""
    (tmp_path / "ledger").write_text("")
    with pytest.raises(LedgerError):
        FileStore(tmp_path / "ledger" / "prod").prepare()


def test_the_guard_is_exclusive_and_can_be_evicted(store):
    """One holder at a time; evicting frees the place although the holder goes on."""
    with store.guard():
        with pytest.raises(Busy), store.guard():
            pass
        assert store.evict()
        with store.guard(), pytest.raises(Busy), store.guard():
            pass
    assert not store.evict()


def test_a_guard_whose_file_is_gone_is_taken_again(store, tmp_path, monkeypatch):
    """Who locks a file that was evicted between open and lock has nothing, and takes the new one."""
    real, path = file._flock, tmp_path / "ledger" / "prod" / "lock"

    def evicted(handle, name):
        monkeypatch.undo()
        real(handle, name)
        path.unlink()

    monkeypatch.setattr(file, "_flock", evicted)
    with store.guard(), pytest.raises(Busy), store.guard():
        pass


def test_reading_nothing_is_empty(tmp_path):
    """A ledger that was never written has no lines and no files."""
    assert list(FileStore(tmp_path / "none").read()) == []


_UNPRIVILEGED = """
import os
from pathlib import Path
from nhictl.ledger.file import FileStore
from nhictl.model import LedgerError
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    FileStore(Path("prod")).prepare()
except LedgerError as error:
    print(error.message)
"""


def test_a_place_without_permission_is_an_error(tmp_path):
    """Without the right to write there, preparing fails for people and creates nothing."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    done = subprocess.run([sys.executable, "-c", _UNPRIVILEGED], cwd=closed, capture_output=True, check=True)
    assert b"Permission denied" in done.stdout
    assert list(closed.iterdir()) == []


_ORDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from nhictl.ledger import Actor, open_ledger
ledger = open_ledger("file:ledger", root=Path(sys.argv[1]), workspace="w", environment="e", run="r",
    actor=Actor("local", "a", "h"), clock=lambda: datetime.now(UTC))
with ledger.lock("apply") as writer:
    writer.append("intent", {"op": "canary-operation"})
    sys.stdout.write("acting"); sys.stdout.flush()
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_an_intent_is_synced_before_the_caller_goes_on(tmp_path):
    """The system calls come in the order write, fsync of the same file, then whatever the caller does."""
    trace = tmp_path / "trace"
    calls = "trace=openat,write,fsync,fdatasync,close"
    subprocess.run(
        ["strace", "-f", "-s", "4000", "-e", calls, "-o", trace, sys.executable, "-c", _ORDER, str(tmp_path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    lines = trace.read_text().splitlines()
    written = next(at for at, text in enumerate(lines) if "write(" in text and "canary-operation" in text)
    handle = lines[written].split("write(")[1].split(",")[0]
    acted = next(at for at, text in enumerate(lines) if "write(1" in text and '"acting"' in text)
    assert any(f"fsync({handle})" in text for text in lines[written:acted])
    created = next(at for at, text in enumerate(lines) if "log.jsonl" in text and "O_CREAT" in text)
    synced = next(at for at in range(created, written) if 'ledger/e", ' in lines[at] and "O_DIRECTORY" in lines[at])
    directory = lines[synced].rsplit("= ", 1)[1]
    assert any(f"fsync({directory})" in text for text in lines[synced:written])


def test_an_append_waits_for_another_writer_and_gives_up(store, tmp_path, monkeypatch):
    """Checking and writing are one step: while another process has the log locked, nothing is appended."""
    monkeypatch.setattr(file, "_PATIENCE", 0.0)
    with (tmp_path / "ledger" / "prod" / "log.jsonl").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match="another process is writing"):
            store.append(Tail(), [line()])
    assert list(store.read()) == []
