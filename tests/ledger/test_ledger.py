"""Opening, locking, writing, losing and recovering a ledger."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhictl.ledger import EMPTY, process
from nhictl.ledger.verify import verify
from nhictl.model import Exit, LedgerError, LockHeld


def types(ledger):
    return [entry.type for entry in ledger.entries()]


def test_nothing_exists_before_the_first_lock(ledger, tmp_path):
    """Asking creates nothing."""
    assert not ledger.exists()
    assert list(ledger.entries()) == []
    assert ledger.head() == EMPTY
    assert ledger.lock_state() is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_leaves_its_lock_entries_and_unlock(ledger):
    """The log of a first run is genesis, lock, what it recorded, checkpoint, unlock; and it verifies."""
    with ledger.lock("apply") as writer:
        writer.append("plan", {"digest": "sha256:x"})
        writer.append("intent", {"op": "1"})
        writer.append("outcome", {"op": "1", "status": "applied"})
    assert types(ledger) == ["genesis", "lock", "plan", "intent", "outcome", "checkpoint", "unlock"]
    assert verify(ledger) == []


def test_an_idle_run_leaves_no_checkpoint(ledger, make):
    """Only lock and unlock remain of a run that recorded nothing."""
    with ledger.lock("apply"):
        pass
    with make("run-2").lock("apply"):
        pass
    assert types(ledger) == ["genesis", "lock", "unlock", "lock", "unlock"]


def test_append_returns_what_will_be_read(ledger):
    """The returned entry equals the one in the log, hash included."""
    with ledger.lock("apply") as writer:
        entry = writer.append("intent", {"op": "1", "list": ("a", "b"), "é": "😀"})
    found = next(one for one in ledger.entries() if one.type == "intent")
    assert (found, found.hash) == (entry, entry.hash)


_DATA = st.dictionaries(
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=8),
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(blacklist_categories=("Cs",))),
    max_size=4,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(_DATA, max_size=3), max_size=4))
def test_what_is_appended_is_read(make, batches):
    """Batches of any data come back in order, and the log verifies."""
    ledger = make()
    before = ledger.head().seq
    with ledger.lock("apply") as writer:
        for batch in batches:
            writer.append_many([("correction", data) for data in batch])
    found = [entry.data for entry in ledger.entries(before + 1) if entry.type == "correction"]
    assert found == [data for batch in batches for data in batch]
    assert verify(ledger) == []


@pytest.mark.parametrize("kind", ["genesis", "lock", "unlock", "lock_break", "recovered", "checkpoint", "wish", ""])
def test_callers_cannot_forge_the_ledgers_own_entries(ledger, kind):
    """Types the ledger writes itself, and unknown ones, are refused and nothing is written."""
    with ledger.lock("apply") as writer, pytest.raises(LedgerError):
        writer.append(kind, {})
    assert types(ledger) == ["genesis", "lock", "unlock"]


def test_data_that_cannot_be_recorded_leaves_the_writer_usable(ledger):
    """A refused value writes nothing and spoils nothing."""
    with ledger.lock("apply") as writer:
        with pytest.raises(LedgerError):
            writer.append_many([("intent", {"op": "1"}), ("intent", {"op": 1.5})])
        writer.append("intent", {"op": "2"})
    assert [entry.data["op"] for entry in ledger.entries(types=frozenset({"intent"}))] == ["2"]


def test_entries_from_a_sequence_on(ledger):
    """`start` leaves out what came before."""
    with ledger.lock("apply"):
        pass
    assert [entry.seq for entry in ledger.entries(1)] == [1, 2]


def test_files_are_private(ledger, tmp_path):
    """Directories 0700, files 0600, whatever the umask."""
    before = os.umask(0)
    try:
        with ledger.lock("apply"):
            pass
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"ledger": 0o700, "prod": 0o700, "log.jsonl": 0o600, "lock": 0o600}


def test_another_workspace_or_environment_is_refused(ledger, make):
    """A ledger says whose it is; nobody else reads or writes it."""
    with ledger.lock("apply"):
        pass
    other = make(workspace="elsewhere")
    with pytest.raises(LedgerError, match="belongs to shop/prod"):
        list(other.entries())
    with pytest.raises(LedgerError, match="belongs to shop/prod"), other.lock("apply"):
        pass


def test_read_only_refuses_to_write(make, tmp_path):
    """A ledger opened for reading never creates anything."""
    with pytest.raises(LedgerError), make(read_only=True).lock("plan"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_is_told_who_holds_the_lock(make, clock):
    """LockHeld names holder, command, age and the way out, and exits 6."""
    with make().lock("apply"):
        clock.move(125)
        with (
            pytest.raises(LockHeld, match=r"alice on host-a.*apply.*125 s") as caught,
            make("run-2", name="bob").lock("apply"),
        ):
            pass
    assert caught.value.exit is Exit.STALE
    assert "lock break" in caught.value.hint


def test_lock_state_names_the_holder(make, clock):
    """The state tells holder, run, command and when it expires, counted from the run's last entry."""
    ledger = make()
    with ledger.lock("apply", ttl=60) as writer:
        clock.move(30)
        writer.append("intent", {"op": "1"})
        state = make("run-2").lock_state()
        assert (state.holder, state.host, state.run, state.command, state.pid) == (
            "alice",
            "host-a",
            "run-1",
            "apply",
            os.getpid(),
        )
        assert state.since == "2026-11-22T10:00:00.000Z"
        assert state.expires == "2026-11-22T10:01:30.000Z"
    assert ledger.lock_state() is None


def test_an_exception_in_the_run_still_unlocks(ledger):
    """The lock is released whatever ends the run, and the cause comes through."""
    with pytest.raises(KeyboardInterrupt), ledger.lock("apply"):
        raise KeyboardInterrupt
    assert ledger.lock_state() is None


def orphan(make, log_path, **over):
    """Record a lock of a run of another host, with nothing holding the lock file here."""
    ledger = make("run-1", **over)
    with ledger.lock("apply", ttl=60):
        kept = log_path.read_bytes()
    log_path.write_bytes(kept)


def test_a_dead_holder_on_another_host_is_waited_for(make, log_path, clock):
    """Until its time to live has run out, a lock of another host is respected; then it is taken over, visibly."""
    orphan(make, log_path, host="host-b")
    clock.move(59)
    with pytest.raises(LockHeld, match="host-b"), make("run-2").lock("apply"):
        pass
    clock.move(1)
    ledger = make("run-2")
    with ledger.lock("apply"):
        pass
    taken = [entry for entry in ledger.entries() if entry.type == "lock"][1]
    assert taken.data["supersedes"] == 1
    assert verify(ledger) == []


def test_breaking_a_lock_records_who_and_why(make, log_path):
    """A broken lock is free for the next run; the entry names the broken run and the reason."""
    orphan(make, log_path, host="host-b")
    entry = make("run-2", name="bob").break_lock("host-b burnt down")
    assert (entry.type, entry.data["reason"], entry.data["run"]) == ("lock_break", "host-b burnt down", "run-1")
    ledger = make("run-3")
    with ledger.lock("apply"):
        pass
    assert verify(ledger) == []


def test_breaking_no_lock_is_an_error(ledger):
    """There is nothing to break before the first run, nor after an orderly one."""
    with pytest.raises(LedgerError):
        ledger.break_lock("why not")
    with ledger.lock("apply"):
        pass
    with pytest.raises(LedgerError, match="not locked"):
        ledger.break_lock("why not")


def test_a_lock_is_broken_while_its_holder_writes(make, monkeypatch):
    """An entry of the holder between reading and breaking makes the break try again, not fail."""
    zombie, breaker = make("run-1"), make("run-2")
    real, entered = breaker.scan, []
    with pytest.raises(LockHeld), zombie.lock("apply") as writer:

        def scan():
            found = real()
            if not entered:
                entered.append(writer.append("intent", {"op": "1"}))
            return found

        monkeypatch.setattr(breaker, "scan", scan)
        breaker.break_lock("hangs")
    assert types(zombie) == ["genesis", "lock", "intent", "lock_break"]


@pytest.mark.parametrize("reason", ["", "  "])
def test_breaking_needs_a_reason(make, reason):
    """A break without a reason is refused."""
    with make().lock("apply"), pytest.raises(LedgerError, match="reason"):
        make("run-2").break_lock(reason)


def test_a_lock_file_held_without_a_lock_entry_can_be_broken(make):
    """A run that holds the file and records nothing blocks others only until a person breaks it."""
    ledger = make()
    with ledger.lock("apply"):
        pass
    with ledger.store.guard():
        with pytest.raises(LockHeld, match="records nothing"), make("run-2").lock("apply"):
            pass
        make("run-2").break_lock("hangs")
        with make("run-3").lock("apply"):
            pass
    assert verify(ledger) == []


def test_a_released_writer_refuses(ledger):
    """After the lock is released nothing can be appended with its writer."""
    with ledger.lock("apply") as writer:
        pass
    with pytest.raises(LedgerError, match="released"):
        writer.append("intent", {"op": "1"})


def test_who_lost_the_lock_cannot_write(make):
    """A run whose lock was broken fails at its next append, is told by whom, and leaves no entry."""
    zombie = make("run-1")
    with pytest.raises(LockHeld, match="bob took it"), zombie.lock("apply") as writer:
        make("run-2", name="bob").break_lock("hangs")
        writer.append("intent", {"op": "1"})
    assert types(zombie) == ["genesis", "lock", "lock_break"]


def test_who_lost_the_lock_stays_out_while_another_works(make):
    """After a break the next run takes the lock although the zombie lives; both cannot append."""
    zombie, fresh = make("run-1"), make("run-3")
    with pytest.raises(LockHeld), zombie.lock("apply") as old:
        make("run-2").break_lock("hangs")
        with fresh.lock("apply") as new:
            new.append("intent", {"op": "2"})
            for _ in range(2):
                with pytest.raises(LockHeld):
                    old.append("intent", {"op": "1"})
            new.append("outcome", {"op": "2", "status": "applied"})
    assert [entry.run for entry in fresh.entries() if entry.type in ("intent", "outcome")] == ["run-3", "run-3"]
    assert verify(fresh) == []


def test_a_log_swapped_under_a_run_is_noticed(make, log_path):
    """A log that was cut, extended or changed at its end takes no further entry of the run."""
    for damage in (_cut, _edit, _grow):
        with pytest.raises(LockHeld), make().lock("apply") as writer:
            good = log_path.read_bytes()
            damage(log_path)
            writer.append("intent", {"op": "1"})
        log_path.write_bytes(good)


def _cut(path):
    os.truncate(path, path.stat().st_size - 1)


def _grow(path):
    path.write_bytes(path.read_bytes() + b"x")


def _edit(path):
    path.write_bytes(path.read_bytes()[:-4] + b"9}}\n")


def test_threads_share_syncs(ledger, monkeypatch):
    """Appends of many threads all arrive, chained, with fewer syncs than entries."""
    synced = []
    real = os.fsync
    with ledger.lock("apply") as writer:
        monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(1), real(handle))[1])
        threads = [
            threading.Thread(target=lambda n=n: [writer.append("intent", {"op": f"{n}-{i}"}) for i in range(20)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        monkeypatch.undo()
    assert len({entry.data["op"] for entry in ledger.entries() if entry.type == "intent"}) == 160
    assert len(synced) < 160
    assert [problem for problem in verify(ledger) if problem.level != "info"] == []


def test_a_failed_sync_stops_the_writer(ledger, monkeypatch):
    """When the disk does not confirm, the caller is told, and nothing more is accepted."""

    def refuse(_handle):
        raise OSError(5, "Input/output error")

    with pytest.raises(LedgerError, match="Input/output"), ledger.lock("apply") as writer:
        monkeypatch.setattr(os, "fsync", refuse)
        try:
            writer.append("intent", {"op": "1"})
        finally:
            monkeypatch.undo()
            with pytest.raises(LedgerError):
                writer.append("intent", {"op": "2"})
    assert ledger.lock_state() is not None


def test_time_does_not_run_backwards(ledger, clock):
    """A clock set back does not put entries before their predecessors."""
    with ledger.lock("apply") as writer:
        clock.move(-3600)
        entry = writer.append("intent", {"op": "1"})
    assert entry.time == "2026-11-22T10:00:00.000Z"


def test_a_torn_tail_is_repaired_by_the_next_run(make, log_path):
    """Wherever in the last line a crash cut, reading goes on, and the next run removes and records the remains."""
    with make().lock("apply") as writer:
        writer.append("intent", {"op": "1"})
        whole = log_path.read_bytes()
    start = whole[:-1].rfind(b"\n") + 1
    for cut in range(start + 1, len(whole)):
        log_path.write_bytes(whole[:cut])
        assert [entry.type for entry in make().entries()] == ["genesis", "lock"]
        ledger = make("run-2")
        with ledger.lock("apply"):
            pass
        recovered = [entry for entry in ledger.entries() if entry.type == "recovered"]
        assert [entry.data["bytes"] for entry in recovered] == [cut - start]
        assert verify(ledger) == []


def test_zeros_after_a_power_failure_are_a_torn_tail(make, log_path):
    """Where the file grew and its content did not arrive, the zeros are removed and recorded."""
    with make().lock("apply"):
        pass
    log_path.write_bytes(log_path.read_bytes() + b"\0" * 4096)
    ledger = make("run-2")
    with ledger.lock("apply"):
        pass
    assert [entry.data["bytes"] for entry in ledger.entries() if entry.type == "recovered"] == [4096]
    assert verify(ledger) == []


def test_a_torn_first_line_is_started_over(make, log_path):
    """A crash while the very first lines were written leaves a ledger that can be begun."""
    with make().lock("apply"):
        pass
    log_path.write_bytes(log_path.read_bytes()[:50])
    ledger = make("run-2")
    with ledger.lock("apply"):
        pass
    assert types(ledger) == ["genesis", "lock", "recovered", "unlock"]
    assert verify(ledger) == []


def test_a_broken_log_takes_no_run(make, log_path):
    """Nothing is appended to a log whose chain does not hold."""
    with make().lock("apply"):
        pass
    damaged = log_path.read_bytes().replace(b"alice", b"malic", 1)
    log_path.write_bytes(damaged)
    with pytest.raises(LedgerError, match=r"\(sequence 1\)"), make("run-2").lock("apply"):
        pass
    assert log_path.read_bytes() == damaged


def test_reading_changes_nothing(make, log_path):
    """Entries, head and lock state leave every file and directory as it was."""
    with make().lock("apply"):
        pass
    paths = [log_path, log_path.parent, log_path.parent.parent]
    before = [(path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in paths]
    reader = make("run-2", read_only=True)
    assert (len(list(reader.entries())), reader.head().seq, reader.lock_state()) == (3, 2, None)
    assert [(path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in paths] == before


@pytest.mark.parametrize(
    "url", ["", "ledger", "postgresql://h/db", "s3://bucket/x", "file:", "file://host/x", "file:x?y", "file:x#y"]
)
def test_an_unknown_url_is_refused(url, make, tmp_path, clock):
    """Only file: is understood; everything else says so."""
    from nhictl.ledger import Actor, open_ledger

    with pytest.raises(LedgerError):
        open_ledger(
            url, root=tmp_path, workspace="w", environment="e", actor=Actor("local", "a", "h"), run="r", clock=clock
        )


@pytest.mark.parametrize("environment", ["", "..", "a/b", ".hidden", "a\0"])
def test_an_environment_cannot_leave_the_directory(environment, make):
    """An environment is one directory name."""
    with pytest.raises(LedgerError):
        make(environment=environment)


_HOLDER = """
import os, socket, sys
from datetime import UTC, datetime
from pathlib import Path
from nhictl.ledger import Actor, open_ledger
root, run, count, point = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
ledger = open_ledger("file:ledger", root=root, workspace="shop", environment="prod", run=run,
    actor=Actor("local", "carol", "host-a"), clock=lambda: datetime.now(UTC))
def die(*_):
    os.kill(os.getpid(), 9)
with ledger.lock("apply") as writer:
    for number in range(count):
        print(writer.append("intent", {"op": f"{run}-{number}"}).seq, flush=True)
    real_write, real_sync = os.write, os.fsync
    if point == "before-write":
        os.write = die
    elif point == "half-write":
        os.write = lambda handle, data: (real_write(handle, data[: len(data) // 2]), die())
    elif point == "before-sync":
        os.fsync = die
    elif point == "after-sync":
        os.fsync = lambda handle: (real_sync(handle), die())
    if point == "wait":
        sys.stdin.read()
    elif point != "none":
        writer.append("intent", {"op": "last"})
"""


def holder(tmp_path, run, count=3, point="none", **over):
    command = [sys.executable, "-c", _HOLDER, str(tmp_path), run, str(count), point]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, **over)


@pytest.mark.parametrize("point", ["before-write", "half-write", "before-sync", "after-sync"])
def test_a_killed_run_is_succeeded_at_once(make, tmp_path, point, clock):
    """After kill -9 anywhere in an append, what was acknowledged is there and the next run takes over at once."""
    child = holder(tmp_path, "run-1", 3, point)
    acknowledged = [int(line) for line in child.communicate(timeout=60)[0].split()]
    assert child.returncode == -signal.SIGKILL
    ledger = make("run-2")
    with ledger.lock("apply"):
        pass
    seen = {entry.seq for entry in ledger.entries() if entry.type == "intent" and entry.run == "run-1"}
    assert set(acknowledged) <= seen
    assert {entry.data.get("supersedes") for entry in ledger.entries() if entry.type == "lock"} == {None, 1}
    assert [problem.code for problem in verify(ledger) if problem.level == "error"] == []


def test_a_living_run_in_another_process_is_never_succeeded(make, tmp_path, clock):
    """While its process lives, a lock is respected however old; broken, its process cannot append."""
    child = holder(tmp_path, "run-1", 1, "wait", stderr=subprocess.PIPE)
    child.stdout.readline()
    clock.move(10**8)
    with pytest.raises(LockHeld, match="carol"), make("run-2").lock("apply"):
        pass
    make("run-2").break_lock("does not answer")
    with make("run-3").lock("apply") as writer:
        writer.append("intent", {"op": "mine"})
        _, talk = child.communicate(b"", timeout=60)
        assert child.returncode == 1
        assert b"LockHeld" in talk
    assert [problem.code for problem in verify(make()) if problem.level == "error"] == []


def test_processes_take_turns(make, tmp_path):
    """Of several processes that want the lock at once, each entry is by the holder; the log verifies."""
    children = [holder(tmp_path, f"run-{number}", 5, stderr=subprocess.DEVNULL) for number in range(3)]
    for child in children:
        child.communicate(timeout=60)
    ledger = make("run-x")
    won = [number for number, child in enumerate(children) if child.returncode == 0]
    assert won
    found = [entry.run for entry in ledger.entries() if entry.type == "intent"]
    assert sorted(found) == sorted(f"run-{number}" for number in won for _ in range(5))
    assert [problem.code for problem in verify(ledger) if problem.level == "error"] == []


_FULL = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from nhictl.ledger import Actor, open_ledger
from nhictl.model import LedgerError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = open_ledger("file:ledger", root=Path(sys.argv[1]), workspace="shop", environment="prod", run="run-1",
    actor=Actor("local", "carol", "host-a"), clock=lambda: datetime.now(UTC))
try:
    with ledger.lock("apply") as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        for number in range(100):
            writer.append("intent", {"op": str(number), "pad": "x" * 100})
            print(number, flush=True)
except LedgerError as error:
    print(error.message, file=sys.stderr)
    sys.exit(int(error.exit))
"""


def test_a_full_disk_is_an_error_and_leaves_no_half_line(make, tmp_path, log_path):
    """When the log cannot grow the append fails, what was acknowledged stays, and the half line is cut off."""
    done = subprocess.run([sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"cannot be used" in done.stderr
    assert log_path.read_bytes().endswith(b"\n")
    ledger = make("run-2")
    assert len([entry for entry in ledger.entries() if entry.type == "intent"]) == len(done.stdout.split()) > 0
    with ledger.lock("apply"):
        pass
    assert [problem.code for problem in verify(ledger) if problem.level == "error"] == []


def test_deleting_the_lock_file_by_hand_frees_nothing(make, tmp_path, log_path):
    """While the holder's process lives on this host, its lock entry counts even without the lock file."""
    child = holder(tmp_path, "run-1", 1, "wait")
    child.stdout.readline()
    (log_path.parent / "lock").unlink()
    with pytest.raises(LockHeld, match="carol"), make("run-2").lock("apply"):
        pass
    child.communicate(b"", timeout=60)
    assert child.returncode == 0


def test_a_dead_child_nobody_waited_for_is_gone():
    """A zombie process in the sense of the system has no birth: it cannot act any more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.birth(child.pid) == ""
    assert process.birth(os.getpid()) == process.birth(os.getpid()) != ""
