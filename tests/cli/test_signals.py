"""An apply that is told to stop: nothing new is started, what ran is recorded, the next apply goes on from there."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.cli.conftest import Line
from tests.cli.terminal import command, environment, terminal, until
from tests.support import Shop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["INT", "TERM", "HUP"])
def test_a_signal_stops_handing_out_and_is_exit_code_130(shop: Shop, line: Line, number: signal.Signals):
    """The change that runs is finished and recorded; the others wait for the next apply."""
    process = subprocess.Popen(
        command("apply", "--yes", slow=True), cwd=shop.root, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(shop.root / "started")
    process.send_signal(number)
    assert process.stderr is not None
    assert any("stopping: no new change is started" in text for text in process.stderr)
    (shop.root / "go").touch()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Apply: 1 applied, 0 failed, 5 skipped, 0 unknown" in out
    assert "Traceback" not in out + err
    assert shop.problems() == []
    assert shop.ledger().lock_state() is None
    assert len(shop.entries("outcome")) == 1
    assert line("apply", "--yes").code == 0
    assert len(shop.entries("outcome")) == 6
    assert shop.pending() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_signal_before_the_first_change_is_exit_code_130(shop: Shop, number: signal.Signals):
    """While the question stands there."""
    with terminal("apply", cwd=shop.root) as shown:
        shown.wait_for("Only yes is accepted: ")
        shown.process.send_signal(number)
        assert shown.end() == 130
        assert "Traceback" not in shown.seen
    assert shop.entries() == []


def test_a_reader_that_closes_the_pipe_ends_the_program_quietly(shop: Shop):
    """`nhictl audit export | head -1`."""
    shop.converge()
    done = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$@" | head -c 10; echo "rc=${PIPESTATUS[0]}"', "-", *command("audit", "log")],
        cwd=shop.root, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.endswith("rc=0\n")


def in_bash(shop: Shop, script: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which "$@" is nhictl."""
    return subprocess.run(
        ["bash", "-c", script, "-", *command(*words)],
        cwd=shop.root, env=environment(**variables), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_traceback_and_no_other_file(shop: Shop, closed: str):
    """`nhictl apply >&-` must not write into its own database."""
    done = in_bash(shop, f'"$@" {closed}', "apply", "--yes")
    assert done.returncode == 0
    assert "Traceback" not in done.stdout + done.stderr
    assert shop.pending() == []


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["plan", "version"])
def test_a_result_that_cannot_be_written_is_an_error(shop: Shop, words: str, unbuffered: str):
    """A report that was not written must not look written."""
    done = in_bash(shop, '"$@" > /dev/full', words, PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    assert "error: cannot write the result: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["apply --yes -o jsonl", "apply --yes -q", "apply --yes -o json"])
@pytest.mark.parametrize("reader", ["| head -c 10", "2>&1 | head -c 10", "2>&1 >/dev/null | head -c 1", "> /dev/full"])
def test_an_apply_is_whole_although_nobody_reads_on(shop: Shop, words: str, reader: str):
    """Either everything is applied and recorded, or nothing was: when not even the plan could be shown."""
    done = in_bash(shop, f'"$@" {reader} >/dev/null; exit ${{PIPESTATUS[0]}}', *words.split())
    assert "Traceback" not in done.stderr
    if shop.entries():
        assert shop.pending() == []
        assert shop.problems() == []
        assert shop.ledger().lock_state() is None
    else:
        assert done.returncode == 1


@pytest.mark.parametrize("words", ["apply --yes -o json", "apply --yes -o jsonl"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_that_cannot_be_written_is_told_after_the_apply(shop: Shop, words: str, unbuffered: str):
    """Everything is applied and recorded; whoever waits for the result must not take an empty file for it."""
    done = in_bash(shop, '"$@" > /dev/full', *words.split(), PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    assert "error: cannot write the result: No space left on device" in done.stderr
    assert "help: nhictl audit log" in done.stderr
    assert shop.pending() == []


def test_a_plan_that_cannot_be_shown_is_not_applied(shop: Shop):
    """Nothing is changed unseen."""
    done = in_bash(shop, '"$@" > /dev/full', "apply", "--yes")
    assert done.returncode == 1
    assert "error: cannot write the plan: No space left on device; nothing was changed" in done.stderr
    assert shop.entries() == []


def test_a_killed_apply_is_seen_to_be_gone(shop: Shop, line: Line):
    """Its lock stands in the log; whoever looks learns that nobody has to break it."""
    process = subprocess.Popen(
        command("apply", "--yes", slow=True), cwd=shop.root, env=environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(shop.root / "started")
    alive = line("ledger", "lock", "list")
    running = json.loads(line("ledger", "lock", "list", "-o", "json").out)
    process.kill()
    process.wait()
    gone = "its process is gone: the next apply takes over"
    assert gone not in alive.out
    assert [held["gone"] for held in running] == [False]
    assert gone in line("ledger", "lock", "list").out
    assert [held["gone"] for held in json.loads(line("ledger", "lock", "list", "-o", "json").out)] == [True]
    said = " ".join(line("doctor").out.split())
    assert gone in said
    assert "1 operation without a known end" in said
    assert "entry -1" not in said
    assert line("apply", "--yes").code == 0
    assert line("ledger", "lock", "list").out == "not locked\n"


def test_an_interrupt_while_modules_load_shows_no_traceback(monkeypatch, capsys):
    """Nothing has begun then: a word and exit code 130."""
    from nhictl import __main__ as process

    def interrupted(_argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "_run", interrupted)
    monkeypatch.setattr(process.signal, "signal", lambda _number, _handler: None)
    monkeypatch.setattr(process.sys, "argv", ["nhictl", "plan"])
    with pytest.raises(SystemExit) as ended:
        process.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted\n"
