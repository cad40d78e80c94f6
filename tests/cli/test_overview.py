"""The help of the whole command line, said without the command line."""

import subprocess
import sys

import click

from nhictl.cli import overview
from nhictl.cli.app import root


def test_it_says_what_the_command_line_would():
    """The text is the one that the real root command gives, to the letter."""
    context = click.Context(root(), info_name="nhictl", help_option_names=["-h", "--help"])
    assert overview.text() == context.get_help()


def test_it_needs_click_alone():
    """Neither typer, the model nor any provider is imported for `--help`."""
    lines = ["import sys", "sys.argv[1:] = ['--help']", "from nhictl.__main__ import main"]
    lines += ["try: main()", "except SystemExit: print(*sys.modules, file=sys.stderr)"]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: nhictl")
    assert not {"typer", "nhictl.model", "nhictl.cli.app", "yaml", "rich"} & set(done.stderr.split())
