"""The commands, and the boundary at which every error becomes a message and an exit code.

Rules enforced here:
- only the module of the command that runs is imported; help needs the names and summaries below;
- a usage error is exit code 64, never 2: a typo must not read as "changes present".
"""

from __future__ import annotations

import importlib
import keyword
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click
import typer

from nhictl.cli.overview import COMMANDS, HELP, write_commands
from nhictl.cli.parsing import Command, Group, fault_of
from nhictl.model import Exit, InvalidManifests, NhictlError

VARIABLE = "_NHICTL_COMPLETE"


class LazyGroup(Group):
    """A command group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of daily use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, its module imported now."""
        if cmd_name not in COMMANDS:
            return None
        word = "_" if keyword.iskeyword(cmd_name) else ""
        module = importlib.import_module(f"nhictl.cli.{cmd_name}{word}")
        return build(module.app, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command table without importing any command."""
        write_commands(formatter)


def build(app: typer.Typer, name: str) -> click.Command:
    """Return the click command of a module's typer application."""
    command = typer.main.get_command(app)
    command.name = name
    return command


class App(typer.Typer):
    """A typer application whose commands are ours."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Return a decorator that adds a command."""
        return super().command(name, cls=Command, **settings)


def new_app(cls: type[Group] = Group, **options: Any) -> App:
    """Return an empty typer application with the settings all commands share."""
    return App(
        cls=cls, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]}, **options,
    )  # fmt: skip


def root() -> click.Command:
    """Return the whole command line."""
    app = new_app(cls=LazyGroup, help=HELP, no_args_is_help=False)

    @app.callback()
    def _main() -> None:
        pass

    return typer.main.get_command(app)


def option_variables(command: click.Command | None = None) -> dict[str, str]:
    """Return the environment variable of every long option, with one option that has it. Imports every command."""
    top = command or root()
    found: dict[str, str] = {}
    for _, below in walk(top):
        for parameter in below.params:
            if isinstance(parameter.envvar, str):
                found.setdefault(parameter.envvar, parameter.opts[-1])
    return found


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below `command` with the words that name it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is not None:
            yield from walk(below, (*path, name))


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    debug = "--debug" in argv or bool(os.environ.get("NHICTL_DEBUG"))
    if list(argv[:1]) == ["help"]:
        argv = [*argv[1:], "--help"]
    try:
        if VARIABLE in os.environ:
            return _complete(os.environ[VARIABLE])
        return _code(root().main(args=list(argv), prog_name="nhictl", standalone_mode=False))
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.UsageError as error:
        return _said(fault_of(error, _path(argv)))
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("\ninterrupted\n")
        return Exit.INTERRUPTED
    except InvalidManifests as error:
        from nhictl.cli.talk import diagnostics_to_stderr

        diagnostics_to_stderr(error.diagnostics, error.root)
        return error.exit
    except NhictlError as error:
        return _said(error)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last line: a defect of ours, said without its values
        return _defect(error, debug=debug)


def _code(result: object) -> int:
    return int(result) if isinstance(result, int) else 0


def _path(argv: Sequence[str]) -> str:
    """Return the command that a line begins with: `nhictl ledger lock`."""
    command: click.Command | None = root()
    words = ["nhictl"]
    for word in argv:
        command = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if command is None:
            break
        words.append(word)
    return " ".join(words)


def _complete(instruction: str) -> int:
    from click.shell_completion import shell_complete

    return shell_complete(root(), {}, "nhictl", VARIABLE, instruction)


def _said(error: NhictlError) -> int:
    from nhictl.cli.talk import say_error

    say_error(error)
    return error.exit


def _frames(error: BaseException) -> Iterator[str]:
    """Yield the frames of an error and of what caused it, outermost cause first; their messages may hold values."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _frames(cause)
    yield from traceback.format_tb(error.__traceback__, limit=-20)
    yield f"{type(error).__module__}.{type(error).__qualname__} (what it says is left out: it may hold a secret)\n"


def _defect(error: Exception, *, debug: bool) -> int:
    if debug:
        sys.stderr.write("".join(_frames(error)))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119
    sys.stderr.write(
        f"error: nhictl itself failed ({type(error).__name__} at {where}); this is a defect\n"
        "help: run it again with --debug and report what it prints\n"
    )
    return Exit.ERROR
