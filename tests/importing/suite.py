"""What import and adopt promise for every provider: everything that is live, once, changed in nothing but its mark.

`ImportEstate` is what a provider's tests hand in; `brought_under_management` runs the whole way and asserts every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from nhictl.manifest.reader import parse
from tests.commandline import Said, Shell
from tests.support import NO_LIMITS, OWNER, Manifest, document


class ImportEstate(Protocol):
    """A target with live objects that nhictl never heard of.

    `target` is its settings in `nhictl.yaml`. `seed` makes about `number` identities, each with roles or grants, and
    the connections they come through, behind the adapter's back. `live` returns everything that exists, marks left out.
    """

    target: Mapping[str, Any]

    def seed(self, number: int) -> None:
        """Make `number` identities."""
        ...

    def live(self) -> Any:
        """Return everything that is live, comparable, without nhictl's marks."""
        ...


@dataclass(frozen=True, slots=True)
class Brought:
    """How it went: what import said, and the documents it wrote, by file."""

    said: Said
    documents: Mapping[str, Mapping[str, Any]]

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return the documents of one kind by name."""
        return {d["metadata"]["name"]: d for d in self.documents.values() if d["kind"] == kind}


def workspace(root: Path, target: Mapping[str, Any], *manifests: Manifest, **spec: Any) -> None:
    """Make a workspace with one environment and one target, and an Owner."""
    from nhictl.manifest.fmt import format_text

    whole = {
        "manifests": ["manifests/"], "ledger": "file:.nhictl/ledger", "limits": NO_LIMITS,
        "environments": {"test": {"targets": {"estate": dict(target)}}}, **spec,
    }  # fmt: skip
    root.mkdir(parents=True, exist_ok=True)
    texts = {
        "nhictl.yaml": yaml.safe_dump(document("Workspace", "shop", whole)),
        "manifests/owners.yaml": yaml.safe_dump_all([OWNER, *manifests]),
    }
    (root / "manifests").mkdir(exist_ok=True)
    for name, text in texts.items():
        (root / name).write_text(format_text(text, name))


def files(root: Path) -> dict[str, bytes]:
    """Return every manifest of a workspace with its bytes."""
    folder = root / "manifests"
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def imported(shell: Shell, *words: str) -> Said:
    """Import into the workspace's manifests."""
    return shell("import", "--owner", "team", "--write", str(shell.root / "manifests"), *words)


def documents(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the documents that an import wrote, by file, as nhictl's own reader takes them."""
    found = {}
    for name, data in files(root).items():
        if name != "owners.yaml":
            read, problems = parse(data, name)
            assert problems == []
            [found[name]] = [d.value for d in read]
    return found


def brought_under_management(estate: ImportEstate, shell: Shell, number: int, *, refused: int = 0) -> Brought:
    """Seed, import, adopt: after that the plan is empty, nothing of the target changed, and nothing is left to import.

    `refused` is how many objects cannot be said; the import ends with 7 when there are any.
    """
    workspace(shell.root, estate.target)
    estate.seed(number)
    before = estate.live()
    dry = shell("import", "--owner", "team")
    assert files(shell.root).keys() == {"owners.yaml"}, "without --write nothing is written"
    said = imported(shell)
    assert said.code == dry.code == (7 if refused else 0), said
    assert estate.live() == before
    shell_ok(shell("validate"))
    shell_ok(shell("fmt", "--check"))
    shell_ok(shell("adopt", "--all", "--yes"))
    assert estate.live() == before, "adopting changes nothing but the mark"
    planned = shell("plan", "--detailed-exitcode")
    assert planned.code == 0, planned
    written = files(shell.root)
    again = imported(shell)
    assert again.out == ""
    assert files(shell.root) == written, "importing again changes no byte"
    assert shell("drift").code == 0
    return Brought(said, documents(shell.root))


def shell_ok(said: Said) -> Said:
    """Assert that a command succeeded."""
    assert said.code == 0, said
    return said
