"""Comments that people wrote into a policy: kept when nhictl writes its rules anew. Pure.

Rules enforced here:
- a comment before or inside of a path belongs to that path, one behind the last path to the last; each is written
  before its path, and at the top when the path is gone: no comment is lost;
- text that is not understood as a policy has no comments here.
"""

from __future__ import annotations

from nhictl.providers.vault import hcl


def kept(text: str, body: str) -> str:
    """Return `body`, a policy as `hcl.body` writes it, with the comments of the policy `text`."""
    found = of_paths(text)
    by_line = {hcl.opening(path): path for path in found}
    lines: list[str] = []
    for line in body.split("\n"):
        lines += [*found.pop(by_line.get(line, ""), ()), line]
    top = [line for comments in found.values() for line in comments]
    return "\n".join([*top, *([""] if top else []), *lines])


def of_paths(text: str) -> dict[str, list[str]]:
    """Return the comments of each path that has any, as lines that begin with `#`."""
    if text.lstrip().startswith("{") or not hcl.understood(text):
        return {}
    found: dict[str, list[str]] = {}
    waiting: list[str] = []
    path, depth = "", 0
    for kind, piece in hcl.pieces(text):
        depth += {"{": 1, "}": -1}.get(piece, 0) if kind == "sign" else 0
        if kind == "text" and depth == 0:
            path = piece
        if kind == "comment" and depth == 0:
            waiting += _lines(piece)
        elif kind == "comment":
            found.setdefault(path, []).extend(_lines(piece))
        elif kind == "sign" and piece == "{" and depth == 1:
            found.setdefault(path, []).extend(waiting)
            waiting = []
    if waiting:
        found.setdefault(path, []).extend(waiting)
    return {p: lines for p, lines in found.items() if lines}


def _lines(comment: str) -> list[str]:
    if comment.startswith("/*"):
        inner = (line.strip().removeprefix("*").strip() for line in comment[2:-2].strip().split("\n"))
        return [f"# {line}".rstrip() for line in inner]
    return [f"# {comment.lstrip('#/').strip()}".rstrip()]
