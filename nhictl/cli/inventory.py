"""`nhictl inventory`: every identity of every target, who answers for it and what it can do. Read-only."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhictl.cli import options as o
from nhictl.cli.app import new_app
from nhictl.cli.talk import out, style
from nhictl.model import Address, Exit, NhictlError

if TYPE_CHECKING:
    from nhictl.cli.context import Loaded
    from nhictl.inventory.choose import Choice, Chosen
    from nhictl.model import Inventory

app = new_app()


class InventoryFormat(StrEnum):
    """How an inventory is written to stdout."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Whose(StrEnum):
    """Whose an identity is, as `--standing` takes it."""

    MANAGED = "managed"
    ADOPTED = "adopted"
    UNMANAGED = "unmanaged"
    ORPHAN = "orphan"
    IGNORED = "ignored"
    BUILTIN = "builtin"


class NhiType(StrEnum):
    """What sort of NHI a manifest declares."""

    WORKLOAD = "workload"
    SERVICE_ACCOUNT = "service-account"
    AI_AGENT = "ai-agent"
    THIRD_PARTY = "third-party"
    BREAK_GLASS = "break-glass"


class Tier(StrEnum):
    """The risk tier a manifest declares."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


Output = Annotated[InventoryFormat, o.option("-o", "--output", help="Format of the result.")]
Standings = Annotated[list[Whose], o.option("--standing", help="Only identities that stand like this.")]
Types = Annotated[list[NhiType], o.option("--type", help="Only NHIs of this type.")]
Tiers = Annotated[list[Tier], o.option("--tier", help="Only NHIs of this risk tier.")]
Providers = Annotated[list[str], o.option("--provider", help="Only identities of this provider.", metavar="NAME")]
Matches = Annotated[
    list[str], o.option("--match", help="Only identities with such a name (ci-*); live or declared.", metavar="GLOB")
]
Stale = Annotated[
    str,
    o.option("--stale", metavar="DURATION",
        help="Only identities not used for this long (90d); an unknown last use is told, not counted.",
    ),
]  # fmt: skip

EXAMPLES = """\b
Examples:
  nhictl inventory
  nhictl inventory -e prod -v --match 'payments-*'
  nhictl inventory --standing unmanaged --standing orphan
  nhictl inventory --stale 90d -o csv > stale.csv
  nhictl inventory --owner payments --target aws-prod -o json
"""


@app.command(epilog=EXAMPLES)
def inventory(
    chdir: o.Chdir = Path(),
    env: o.Env = "",
    output: Output = InventoryFormat.TABLE,
    target: o.Targets = [],  # noqa: B006
    exclude: o.Excludes = [],  # noqa: B006
    owner: o.Owners = [],  # noqa: B006
    type_: Types = [],  # noqa: B006
    standing: Standings = [],  # noqa: B006
    provider: Providers = [],  # noqa: B006
    tier: Tiers = [],  # noqa: B006
    match: Matches = [],  # noqa: B006
    selector: o.Selectors = [],  # noqa: B006
    stale: Stale = "",
    verbose: o.Verbose = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    color: o.ColorOption = o.Color.AUTO,
    no_progress: o.NoProgress = False,
    no_cache: o.NoCache = False,
) -> None:
    """List every identity of every target: whose it is, what it can do, what proves it, and since when.

    Nothing is changed or recorded. What a provider does not tell is shown as unknown.
    """
    from nhictl.cli import context
    from nhictl.inventory.choose import Choice
    from nhictl.select import parse_labels

    choice = Choice(
        tuple(target), tuple(exclude), tuple(owner), tuple(t.value for t in type_), tuple(s.value for s in standing),
        tuple(provider), tuple(t.value for t in tier), tuple(match), parse_labels(selector), _seconds(stale),
    )  # fmt: skip
    loaded = context.load(chdir, env, cache=not no_cache)
    chosen, auth_failed = _taken(loaded, choice, progress=not quiet and not no_progress)
    _show(chosen, output, color=color.value, verbose=verbose)
    if chosen.inventory.unreadable:
        raise typer.Exit(Exit.AUTH if auth_failed else Exit.ERROR)


def _seconds(text: str) -> int:
    """Return the seconds of `--stale`, 0 for none. Raises a usage error."""
    from nhictl.kinds.common import duration_seconds

    try:
        return duration_seconds(text) if text else 0
    except ValueError as error:
        raise NhictlError(f"--stale: {error}", hint="90d, 12w, 24h", exit_code=Exit.USAGE) from None


def _taken(loaded: Loaded, choice: Choice, *, progress: bool) -> tuple[Chosen, bool]:
    """Read what the choice needs and return the chosen part, and whether a target refused our credentials."""
    from nhictl.cli.taking import taken
    from nhictl.inventory.choose import choose

    names = {t.name for t in loaded.environment.targets}
    only = choice.targets if set(choice.targets) <= names else ()
    found = taken(loaded, only=only, progress=progress)
    _require_known(loaded, choice, found.inventory)
    return choose(found.inventory, choice, found.given.now), found.auth_failed


def _require_known(loaded: Loaded, choice: Choice, inventory: Inventory) -> None:
    """Raise a usage error for a reference, an owner or a provider that nothing has: a typo is not "none"."""
    from nhictl.select import Selection, check_known

    named = [(item.address, item.subject) for item in inventory.items]
    named += [(Address(t.name, "", ""), "") for t in loaded.environment.targets]
    named += [(Address("", "", ""), d.ref) for d in loaded.checked.documents if d.kind == "NHI"]
    check_known(Selection(choice.targets, choice.excludes), named)
    owners = {item.owner for item in inventory.items} | {d.name for d in loaded.checked.documents if d.kind == "Owner"}
    _one_of("owner", choice.owners, owners)
    _one_of("provider", choice.providers, {t.provider for t in loaded.environment.targets})


def _one_of(what: str, wanted: tuple[str, ...], known: set[str]) -> None:
    for word in wanted:
        if word not in known:
            hint = f"one of {', '.join(sorted(known - {''})[:10])}" if known else ""
            raise NhictlError(f"no such {what} here: {word}", hint=hint, exit_code=Exit.USAGE)


def _show(chosen: Chosen, output: InventoryFormat, *, color: str, verbose: int) -> None:
    if output is InventoryFormat.TABLE:
        from nhictl.render.inventory import render

        out(render(chosen, style(color, verbose=verbose)))
        return
    from nhictl.render.inventory_data import render_csv, render_json

    out(render_json(chosen) if output is InventoryFormat.JSON else render_csv(chosen))
