"""Our mark in the comment of a role: the last line, one JSON object; what somebody else wrote stands before it.

Rules enforced here:
- text that is not ours is kept byte by byte, whatever it looks like; whoever may comment can imitate our line, so what
  in it could not be ours counts as nothing;
- besides the mark the line says which grants are meant for every object of a schema (`all`), and what a role that
  may not log in is (`kind`), for the catalogs do not know either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from nhictl.model import Mark
from nhictl.providers.postgres.names import CLASSES, GROUP, LOGIN, PRIVILEGES

_BEGIN = '{"nhictl":{'


@dataclass(frozen=True, slots=True)
class Comment:
    """A role's comment, taken apart. `everything` maps (database, on, schema) to privileges; `text` is theirs."""

    text: str = ""
    mark: Mark | None = None
    kind: str = ""
    everything: Mapping[tuple[str, str, str], str] = field(default_factory=dict)


def parse(text: str | None) -> Comment:
    """Return what a comment says; anything that is not exactly our line is somebody else's text."""
    whole = text or ""
    head, newline, last = whole.rpartition("\n")
    if not last.startswith(_BEGIN):
        return Comment(whole)
    try:
        data = json.loads(last)
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair cannot be sent or written anywhere
    except (ValueError, RecursionError):
        return Comment(whole)
    ours = data.get("nhictl")
    if set(data) != {"nhictl"} or not isinstance(ours, dict):
        return Comment(whole)
    return Comment(head if newline else "", _mark(ours), _kind(ours), _everything(ours))


def _mark(ours: Mapping[str, object]) -> Mark | None:
    owner, ref, operation = (ours.get(key, "") for key in ("owner", "ref", "operation"))
    if not (isinstance(owner, str) and isinstance(ref, str) and isinstance(operation, str) and owner):
        return None
    if "\0" in owner + ref + operation:
        return None
    return Mark(owner, ref, operation)


def _kind(ours: Mapping[str, object]) -> str:
    ref = str(ours.get("ref", ""))
    if ours.get("kind") in (LOGIN, GROUP):
        return str(ours["kind"])
    return LOGIN if ref.startswith("nhi/") else GROUP if ref.startswith("role/") else ""


def _everything(ours: Mapping[str, object]) -> dict[tuple[str, str, str], str]:
    found = ours.get("all")
    rows = [row for row in found if _is_row(row)] if isinstance(found, list) else []
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _is_row(row: object) -> bool:
    if (
        not isinstance(row, list)
        or len(row) != 4
        or not all(isinstance(part, str) and "\0" not in part for part in row)
    ):
        return False
    known = PRIVILEGES[row[1]] if row[1] in CLASSES else ()
    return bool(row[3].split()) and set(row[3].split()) <= set(known)


def compose(comment: Comment) -> str:
    """Return the comment as text; empty when there is nothing to say."""
    ours: dict[str, object] = {}
    if comment.mark is not None:
        ours = {"owner": comment.mark.owner, "ref": comment.mark.ref, "operation": comment.mark.operation}
    if comment.kind:
        ours["kind"] = comment.kind
    if comment.everything:
        ours["all"] = [[*place, privileges] for place, privileges in sorted(comment.everything.items())]
    if not ours:
        return comment.text
    line = json.dumps({"nhictl": ours}, ensure_ascii=False, separators=(",", ":"))
    return f"{comment.text}\n{line}" if comment.text else line
