"""The whole line: help, near misses, variables, examples, completion in real shells."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from nhictl.cli.app import COMMANDS, root, walk
from tests.cli.conftest import Line
from tests.cli.terminal import command, environment

EVERY = dict(walk(root()))
NAMES = [" ".join(path) for path in EVERY]


def examples(command: click.Command) -> list[str]:
    """The example lines at the end of a command's help."""
    lines = (command.epilog or "").split("\n")
    return [text.strip() for text in lines if text.strip().startswith("nhictl ")]


def parsed(words: list[str]) -> click.Context:
    """Parse a line down to the command it names, as a run does, and stop before running it."""
    command, context = root(), None
    while True:
        context = command.make_context(command.name or "nhictl", words, parent=context)
        if not isinstance(command, click.Group):
            return context
        _, found, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found


@pytest.mark.parametrize("path", EVERY, ids=NAMES)
def test_every_command_ends_its_help_with_examples_that_parse(path: tuple[str, ...]):
    """An example that the command line refuses teaches nothing."""
    shown = examples(EVERY[path])
    assert shown
    for text in shown:
        said = re.split(r"\s{2,}|\s+[>|]\s", text)[0]
        context = parsed(shlex.split(said)[1:])
        assert context.command_path.split()[-len(path) :] == list(path)


@pytest.mark.parametrize("path", EVERY, ids=NAMES)
def test_help_explains_every_argument_and_option(line: Line, path: tuple[str, ...]):
    """`-h` and `--help` are the same, and nothing in them is bare."""
    said = line(*path, "-h")
    assert (said.code, said.err) == (0, "")
    assert said == line(*path, "--help") == line("help", *path)
    EVERY[path].get_help(click.Context(EVERY[path]))
    for parameter in EVERY[path].params:
        help_ = getattr(parameter, "help", "")
        assert help_, parameter.name
        assert help_.split()[0] in said.out
    assert said.out.rsplit("\n\n", 1)[-1].lstrip().startswith("Examples:")


@pytest.mark.parametrize("path", EVERY, ids=NAMES)
def test_every_long_option_has_its_variable(path: tuple[str, ...]):
    """`--no-cache` is NHICTL_NO_CACHE."""
    for parameter in EVERY[path].params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            long = next(o for o in parameter.opts if o.startswith("--"))
            assert parameter.envvar == "NHICTL_" + long[2:].replace("-", "_").upper()


def test_a_variable_is_obeyed_and_a_flag_wins(line: Line, shop: object, monkeypatch: pytest.MonkeyPatch):
    """The same as the option it stands for."""
    monkeypatch.setenv("NHICTL_OUTPUT", "json")
    assert line("plan").out.startswith("{")
    assert line("plan", "-o", "table").out.startswith("Plan ")


def test_the_command_table_is_the_list_of_commands(line: Line):
    """Without arguments, `help`, `-h` and `--help` show it; nothing is missing and nothing too much."""
    said = line()
    assert said.code == 0
    assert said == line("help") == line("-h") == line("--help")
    table = said.out.split("Commands:")[1]
    assert re.findall(r"^  (\S+)", table, re.MULTILINE) == list(COMMANDS)
    assert {path[0] for path in EVERY} == set(COMMANDS)


@pytest.mark.parametrize("group", ["audit", "ledger", "ledger lock"])
def test_a_group_alone_shows_its_commands(line: Line, group: str):
    """As gh and kubectl do."""
    said = line(*group.split())
    assert (said.code, said.err) == (0, "")
    assert "Commands:" in said.out


@pytest.mark.parametrize(
    ("words", "error", "help_"),
    [
        ("paln", "no such command: paln", "did you mean plan?"),
        ("ledger lok", "no such command: lok", "did you mean lock?"),
        ("diff", "no such command: diff", "did you mean nhictl plan?"),
        ("verify", "no such command: verify", "did you mean nhictl audit verify?"),
        ("xyzzy", "no such command: xyzzy", "nhictl --help shows all commands"),
        ("plan --detailed-exit", "no such option: --detailed-exit", "did you mean --detailed-exitcode?"),
        ("plan -x", "no such option: -x", "nhictl plan --help"),
        ("-e prod plan", "no such option: -e", "flags stand after the command: nhictl COMMAND -e"),
        ("plan -o yml", "invalid value for '-o' / '--output': 'yml' is not one of 'table', 'json'",
         "nhictl plan --help"),
        ("history", "missing argument NHI", "nhictl history --help"),
        ("ledger lock break", "missing option --reason", "nhictl ledger lock break --help"),
        ("apply one two", "got unexpected extra argument (two)", "nhictl apply --help"),
        ("plan --env", "option '--env' requires an argument", "nhictl plan --help"),
        ("schema Nhy", "no such kind: Nhy", "one of "),
    ],
)  # fmt: skip
def test_a_line_nobody_understands_is_exit_code_64_with_a_way_out(line: Line, words: str, error: str, help_: str):
    """Never 2, which reads as "changes present"; nothing on stdout."""
    said = line(*words.split())
    assert (said.code, said.out) == (64, "")
    assert said.err.startswith(f"error: {error}\nhelp: {help_}")


@pytest.fixture()
def installed(tmp_path: Path) -> Iterator[str]:
    """A PATH on which `nhictl` is this nhictl."""
    script = tmp_path / "bin" / "nhictl"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m nhictl "$@"\n')
    script.chmod(0o755)
    yield f"{script.parent}:/usr/bin:/bin"


def completed(path: str, typed: str) -> set[str]:
    """What bash offers after the script was loaded and `typed` stands on the line."""
    words = shlex.join(shlex.split(typed) + ([""] if typed.endswith(" ") else []))
    script = (
        'eval "$(nhictl completion bash)"; complete -p nhictl >/dev/null || exit 9; '
        f"COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _nhictl_completion nhictl; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_and_values(installed: str):
    """With the script that `completion bash` prints, in a real bash."""
    assert completed(installed, "nhictl p") == {"plan"}
    assert completed(installed, "nhictl ledger lock ") == {"list", "break"}
    assert completed(installed, "nhictl plan --detailed") == {"--detailed-exitcode"}
    assert completed(installed, "nhictl plan --color ") == {"auto", "always", "never"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_prints_a_script_each_shell_can_parse(line: Line, shell: str, tmp_path: Path):
    """Where the shell is there to say so."""
    said = line("completion", shell)
    assert (said.code, said.err) == (0, "")
    assert "_NHICTL_COMPLETE" in said.out
    script = tmp_path / "script"
    script.write_text(said.out)
    if shutil.which(shell):
        assert subprocess.run([shell, "-n", str(script)], check=False).returncode == 0


@pytest.mark.parametrize("instruction", ["zsh_complete", "fish_complete", "bash_complete"])
def test_completion_is_answered_before_anything_runs(
    line: Line, shop: object, instruction: str, monkeypatch: pytest.MonkeyPatch
):
    """Even when the line so far could run."""
    monkeypatch.setenv("_NHICTL_COMPLETE", instruction)
    monkeypatch.setenv("COMP_WORDS", "nhictl pl")
    monkeypatch.setenv("COMP_CWORD", "pl" if instruction.startswith("fish") else "1")
    said = line()
    assert (said.code, said.err) == (0, "")
    assert "plan" in said.out


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], ["help"]])
@pytest.mark.parametrize("width", ["50", "80", "200"])
def test_the_quick_help_is_the_help(line: Line, monkeypatch: pytest.MonkeyPatch, words: list[str], width: str):
    """Answered without the command line, it is the same to the letter, and so is its exit code."""
    monkeypatch.setenv("COLUMNS", width)
    slow = line(*words)
    quick = subprocess.run(command(*words), env=environment(COLUMNS=width), capture_output=True, text=True, check=False)
    assert (quick.returncode, quick.stdout, quick.stderr) == (slow.code, slow.out, slow.err)
