"""Parts of the README are made from the code: command table, exit codes, manifest reference, provider matrix.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. NHICTL_UPDATE_DOCS=1 writes it anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nhictl.cli.app import COMMANDS
from nhictl.manifest.explain import Field, explain
from nhictl.manifest.schema_files import KINDS
from nhictl.model import Action, Exit
from nhictl.providers.aws.adapter import adapter as aws
from nhictl.providers.keycloak.adapter import adapter as keycloak
from nhictl.providers.local.adapter import adapter as local
from nhictl.providers.postgres.adapter import adapter as postgres
from nhictl.providers.vault.adapter import adapter as vault

README = Path(__file__).parents[2] / "README.md"
PART = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
ADAPTERS = (local, aws, vault, keycloak, postgres)
DEEPEST = 4
EXITS = {
    Exit.DONE: "done",
    Exit.ERROR: "error: nothing, or not everything, could be done",
    Exit.CHANGES: "changes or drift present: `drift`, `plan --detailed-exitcode`, `fmt --check`",
    Exit.DENIED: "denied by policy or approval missing (reserved)",
    Exit.AUTH: "authentication failed",
    Exit.SAFETY: "a safety limit or a protection refuses the plan",
    Exit.STALE: "stale or edited plan, conflict, or lock held",
    Exit.PARTIAL: "partly applied",
    Exit.USAGE: "usage error",
    Exit.INVALID: "invalid manifests or configuration",
    Exit.INTERRUPTED: "interrupted; what ran was waited for and recorded",
}


def commands() -> Iterator[str]:
    """The command table."""
    yield "| command | does |"
    yield "|---|---|"
    for name, summary in COMMANDS.items():
        yield f"| `nhictl {name}` | {summary} |"


def exits() -> Iterator[str]:
    """The table of exit codes."""
    yield "| code | means |"
    yield "|---|---|"
    for code in Exit:
        yield f"| {int(code)} | {EXITS[code]} |"


def kinds() -> Iterator[str]:
    """The reference: every field of every kind, folded."""
    for kind in KINDS:
        top = explain(kind)
        assert isinstance(top, Field)
        yield f"<details><summary><b>{kind}</b>: {_cell(top.description)}</summary>"
        yield ""
        yield "| field | type | meaning |"
        yield "|---|---|---|"
        for found in _fields(kind, 1):
            need = ", required" if found.required else ""
            yield f"| `{found.path.partition('.')[2]}` | {found.type}{need} | {_cell(found.description)} |"
        yield ""
        yield "</details>"
        yield ""


def _fields(path: str, depth: int) -> Iterator[Field]:
    found = explain(path)
    assert isinstance(found, Field)
    for child in found.children:
        below = explain(f"{path}.{child.name}")
        assert isinstance(below, Field)
        if below.path.count(".") > 1 or child.name == "spec":
            if child.name != "spec":
                yield below
            if depth < DEEPEST:
                yield from _fields(f"{path}.{child.name}", depth + 1)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def providers() -> Iterator[str]:
    """The provider matrix, from the adapters' capabilities."""
    actions = [a for a in Action if a is not Action.ROTATE]
    able = " | ".join(a.value for a in actions)
    yield f"| provider | kind | {able} | rename | mark | replaced when these change |"
    yield "|---|---|" + "---|" * (len(actions) + 3)
    for adapter in ADAPTERS:
        for name, kind in sorted(adapter.capabilities.kinds.items()):
            may = ["yes" if a in kind.actions else "-" for a in actions]
            extra = ["yes" if kind.rename else "-", kind.mark, ", ".join(sorted(kind.immutable)) or "-"]
            yield f"| `{adapter.name}` | `{name}` | " + " | ".join([*may, *extra]) + " |"
    yield ""
    for adapter in ADAPTERS:
        facts = adapter.capabilities
        writes = f"{facts.workers} parallel writes; settle time {facts.settle:g} s"
        yield f"`{adapter.name}`: reads {facts.reads}; {writes}; revoking issued access: {facts.revoke}."
        yield ""


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "commands": commands,
    "exits": exits,
    "kinds": kinds,
    "providers": providers,
}


def filled(text: str) -> str:
    """Return the document with every generated part as the code has it now."""
    return PART.sub(lambda m: m[1] + "\n".join(PARTS[m[2]]()).rstrip("\n") + "\n" + m[4], text)


def test_generated_parts_are_what_the_code_says():
    """Command table, exit codes, manifest reference and provider matrix of the README are current."""
    text = README.read_text(encoding="utf-8")
    new = filled(text)
    if os.environ.get("NHICTL_UPDATE_DOCS") == "1":
        README.write_text(new, encoding="utf-8")
    assert new == text or os.environ.get("NHICTL_UPDATE_DOCS") == "1"


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_there(name):
    """The README has each generated part once."""
    assert README.read_text(encoding="utf-8").count(f"<!-- generated: {name} -->") == 1
