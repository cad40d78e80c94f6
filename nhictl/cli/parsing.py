"""The classes behind every command: what they say to a mistyped line, and the help of their arguments.

Rules enforced here:
- a name nobody knows is answered with the nearest that exists, or with what other tools' users mean by it;
- a group without a command shows its help, as the whole line does.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from typing import Any

import click
from typer.core import TyperCommand, TyperGroup

from nhictl.model import Exit, NhictlError

_HABITS = {
    "check": "validate", "lint": "validate", "format": "fmt", "diff": "plan", "preview": "plan", "deploy": "apply",
    "up": "apply", "sync": "apply", "import": "adopt", "status": "drift", "refresh": "drift", "describe": "explain",
    "log": "audit log", "logs": "audit log", "show": "audit show", "verify": "audit verify",
    "export": "audit export", "unlock": "ledger lock break", "force-unlock": "ledger lock break",
    "lock": "ledger lock list", "locks": "ledger lock list", "forget": "ledger forget", "new": "init",
    "list": "inventory", "ls": "inventory",
}  # fmt: skip


class UsageFault(NhictlError):
    """A line that cannot be understood. `hint` is the way out."""

    exit = Exit.USAGE


class Group(TyperGroup):
    """A group of commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with. Raises UsageFault with a near miss."""
        name = args[0]
        found = self.get_command(ctx, name)
        if found is not None or ctx.resilient_parsing:
            return (name if found else None), found, args[1:]
        if name.startswith("-"):
            return super().resolve_command(ctx, args)
        raise UsageFault(f"no such command: {name}", hint=_near_command(self, ctx, name))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command; nothing at all asks for help."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)


class Command(TyperCommand):
    """A command."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write arguments and options. click from 8.5 on forgets what typer says about arguments."""
        said = _argument_help(self.callback)
        for parameter in self.params:
            if isinstance(parameter, click.Argument) and not getattr(parameter, "help", None):
                parameter.help = said.get(parameter.name or "")  # type: ignore[attr-defined,unused-ignore]
        super().format_options(ctx, formatter)


def _argument_help(callback: Any) -> dict[str, str]:
    from typing import get_type_hints

    hints = get_type_hints(inspect.unwrap(callback), include_extras=True) if callback else {}
    texts = {
        name: [getattr(m, "help", None) for m in getattr(hint, "__metadata__", ())] for name, hint in hints.items()
    }
    return {name: found[0] for name, found in texts.items() if found and found[0]}


def _near_command(group: click.Group, ctx: click.Context, name: str) -> str:
    near = _near(name, group.list_commands(ctx), f"{ctx.command_path} --help shows all commands")
    if ctx.parent is None and name.lower() in _HABITS:
        return f"did you mean {ctx.command_path} {_HABITS[name.lower()]}?"
    return near


def _near(word: str, known: Iterable[str], otherwise: str) -> str:
    found = difflib.get_close_matches(word, list(known), n=3, cutoff=0.55)
    return f"did you mean {' or '.join(found)}?" if found else otherwise


def fault_of(error: click.UsageError, path: str) -> UsageFault:
    """Return a usage error of the command `path` in nhictl's words."""
    if isinstance(error, click.NoSuchOption):
        return UsageFault(f"no such option: {error.option_name}", hint=_near_option(error, path))
    if isinstance(error, click.MissingParameter) and error.param is not None:
        kind = "option" if isinstance(error.param, click.Option) else "argument"
        name = error.param.opts[-1] if kind == "option" else error.param.make_metavar(ctx=error.ctx)  # type: ignore[arg-type]
        return UsageFault(f"missing {kind} {name}", hint=f"{path} --help")
    said = error.format_message().rstrip(".")
    return UsageFault(said[:1].lower() + said[1:], hint=f"{path} --help")


def _near_option(error: click.NoSuchOption, path: str) -> str:
    context = error.ctx
    if context is not None and isinstance(context.command, click.Group):
        return f"flags stand after the command: {path} COMMAND {error.option_name}"
    known = [o for p in context.command.params for o in p.opts] if context is not None else []
    return _near(error.option_name, [o for o in known if o.startswith("--")], f"{path} --help")
