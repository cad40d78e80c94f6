"""The help of the whole command line. Asked most, so it needs click alone: neither typer nor any command."""

from __future__ import annotations

import click

COMMANDS = {
    "init": "Make a workspace that validates and plans.",
    "validate": "Check manifests and configuration.",
    "fmt": "Format manifests, keeping every comment.",
    "plan": "Show what apply would change.",
    "apply": "Carry out a plan and record every change.",
    "drift": "Compare live systems with what was last applied.",
    "import": "Write manifests for what is live and not managed.",
    "adopt": "Take an existing object under management.",
    "inventory": "List every identity of every target, managed or not.",
    "get": "List the declared NHIs, or with --live the inventory.",
    "access": "Show what an NHI can do, or who can do something, and through what.",
    "graph": "Draw owners, NHIs, roles, connections and resources.",
    "report": "Write the inventory as one page of HTML.",
    "audit": "Ask the ledger: log, show, verify, export.",
    "history": "Show everything that happened to one NHI.",
    "ledger": "Look after the ledger: lock list, lock break, forget.",
    "explain": "Explain a kind, a field or a code.",
    "schema": "Print the JSON Schema of a kind.",
    "doctor": "Check configuration, credentials, permissions and ledger.",
    "completion": "Print the completion script of a shell.",
    "version": "Print the version.",
}

HELP = """Identity as code for non-human identities: declare, plan, apply, and record who may do what.

\b
Start:     nhictl init shop && cd shop
Daily:     nhictl validate; nhictl plan; nhictl apply; nhictl drift
Ask:       nhictl inventory; nhictl access NHI; nhictl history NHI
Take over: nhictl import --write manifests; nhictl adopt TARGET

Every long option has an environment variable: --no-cache is NHICTL_NO_CACHE.
"""


class _Overview(click.Group):
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_commands(formatter)


def write_commands(formatter: click.HelpFormatter) -> None:
    """Write the table of commands."""
    with formatter.section("Commands"):
        formatter.write_dl(list(COMMANDS.items()))


def text() -> str:
    """Return what `nhictl --help` prints, wrapped to the terminal."""
    group = _Overview("nhictl", help=HELP)
    return group.get_help(click.Context(group, info_name="nhictl", help_option_names=["-h", "--help"]))
