"""Options that several commands share. Every long option has an environment variable `NHICTL_...`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


def option(*names: str, **settings: Any) -> Any:
    """Return a typer option whose environment variable is made from its long name, last of `names`."""
    variable = "NHICTL_" + names[-1].removeprefix("--").replace("-", "_").upper()
    return typer.Option(*names, envvar=variable, show_envvar=False, **settings)


class Color(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Format(StrEnum):
    """How a result is written to stdout."""

    TABLE = "table"
    JSON = "json"


class ApplyFormat(StrEnum):
    """How an apply is told on stdout."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


Chdir = Annotated[Path, option("-C", "--chdir", help="Work in this directory.", metavar="DIR")]
Env = Annotated[
    str,
    option("-e", "--env", help="Environment; may be left out when there is one.", metavar="NAME"),
]
Output = Annotated[Format, option("-o", "--output", help="Format of the result.")]
Report = Annotated[
    list[str],
    option("--report", help="Also write a report: markdown=FILE, json=FILE.", metavar="FORMAT=FILE"),
]
Targets = Annotated[
    list[str],
    option("--target", metavar="REF",
        help="Only this target, address or object (prod-aws, nhi/payments-ci); what it needs comes along.",
    ),
]  # fmt: skip
Excludes = Annotated[list[str], option("--exclude", help="Leave this out.", metavar="REF")]
Kinds = Annotated[list[str], option("--kind", help="Only objects of this kind.", metavar="KIND")]
Owners = Annotated[list[str], option("--owner", help="Only objects of this owner.", metavar="NAME")]
Selectors = Annotated[
    list[str],
    option("-l", "--selector", help="Only objects with these labels.", metavar="K=V"),
]
NoInput = Annotated[bool, option("--no-input", help="Never ask; refuse instead.")]
Yes = Annotated[bool, option("-y", "--yes", help="Do not ask for confirmation.")]
Verbose = Annotated[int, option("-v", "--verbose", count=True, show_default=False, help="Say more.")]
Quiet = Annotated[bool, option("-q", "--quiet", help="Say only the result.")]
Debug = Annotated[bool, option("--debug", help="Show a traceback when nhictl itself fails.")]
ColorOption = Annotated[Color, option("--color", help="When to use colour.")]
NoProgress = Annotated[bool, option("--no-progress", help="No progress bars.")]
NoCache = Annotated[bool, option("--no-cache", help="Do not use the manifest cache.")]
Override = Annotated[
    str,
    option("--override-safety", metavar="DIGEST",
        help="Lift safety limits for exactly the plan with this digest.",
    ),
]  # fmt: skip
Paths = Annotated[list[Path], typer.Argument(help="Files or directories; the workspace's manifests by default.")]
ExpectDigest = Annotated[str, option("--expect-digest", help="Apply only the plan with this digest.", metavar="DIGEST")]
ApplyOutput = Annotated[ApplyFormat, option("-o", "--output", help="Format of the result; jsonl for events.")]
