"""What an import made, for people: the manifests as one text, and a summary of what was made and left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nhictl.model import Address
from nhictl.render.safe import visible
from nhictl.render.text import count

_SHOWN = 20


class Manifest(Protocol):
    """One manifest that was made."""

    @property
    def path(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def ref(self) -> str: ...
    @property
    def keep(self) -> tuple[str, ...]: ...


class Left(Protocol):
    """One live object without a manifest, and why."""

    @property
    def address(self) -> Address: ...
    @property
    def why(self) -> str: ...


class Imported(Protocol):
    """What an import made."""

    @property
    def manifests(self) -> Sequence[Manifest]: ...
    @property
    def ignored(self) -> Sequence[Left]: ...
    @property
    def foreign(self) -> Sequence[Left]: ...
    @property
    def refused(self) -> Sequence[Left]: ...
    @property
    def declared(self) -> int: ...


def files(found: Imported) -> str:
    """Return all manifests as one text of several documents, each under the name of its file."""
    return "---\n".join(f"# {manifest.path}\n{manifest.text}" for manifest in found.manifests).removesuffix("\n")


def summary(found: Imported, *, written: int | None, next_commands: Sequence[str] = ()) -> str:
    """Return what was made and what was left out. `written` files, None when nothing was to be written."""
    lines = [_made(found, written)]
    keeping = [m for m in found.manifests if m.keep]
    if keeping:
        lines.append(f"{count(len(keeping), 'manifest')} keep fields as they are: see the comments above `keep`")
    for title, left in (("left alone by a rule", found.ignored), ("not ours to manage", found.foreign)):
        lines += _left(title, left)
    lines += _left("left out, could not be said", found.refused)
    if found.declared:
        lines.append(f"{count(found.declared, 'object')} declared or managed already")
    if next_commands:
        lines += ["", "Next:", *(f"  {command}" for command in next_commands)]
    return "\n".join(lines)


def _made(found: Imported, written: int | None) -> str:
    if not found.manifests:
        return "Nothing to import"
    kinds = [m.ref.partition("/")[0] for m in found.manifests]
    named = {"nhi": "NHI", "role": "role", "connection": "connection"}
    parts = ", ".join(count(kinds.count(kind), word) for kind, word in named.items() if kind in kinds)
    if written is None:
        return f"Would write {count(len(found.manifests), 'manifest')}: {parts}"
    unchanged = len(found.manifests) - written
    return f"Wrote {count(written, 'manifest')}: {parts}" + (f"; {unchanged} there already" if unchanged else "")


def _left(title: str, left: Sequence[Left]) -> list[str]:
    if not left:
        return []
    lines = [f"{count(len(left), 'object')} {title}:"]
    lines += [f"  {visible(str(one.address))}: {visible(one.why)}" for one in left[:_SHOWN]]
    return lines + ([f"  and {len(left) - _SHOWN} more"] if len(left) > _SHOWN else [])
