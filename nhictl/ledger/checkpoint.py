"""Checkpoints: RFC 6962 Merkle roots over the lines of the log. Pure.

Rules enforced here:
- leaf = SHA-256(0x00 || line), node = SHA-256(0x01 || left || right), the tree of RFC 6962 section 2.1;
- a checkpoint at sequence n covers the n lines before it, and keeps the roots of the perfect subtrees ("range"), so
  that the next one needs only the lines since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any


@dataclass(frozen=True, slots=True)
class Range:
    """A Merkle tree over `size` lines as the roots of its perfect subtrees, largest first."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """Return the RFC 6962 tree head."""
        if not self.roots:
            return sha256().digest()
        result = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            result = _node(left, result)
        return result


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def extend(tree: Range, lines: Iterable[bytes]) -> Range:
    """Return the tree with `lines` (without newlines) added."""
    size, roots = tree.size, list(tree.roots)
    for line in lines:
        roots.append(sha256(b"\x00" + line).digest())
        bits = size
        while bits & 1:
            right = roots.pop()
            roots[-1] = _node(roots[-1], right)
            bits >>= 1
        size += 1
    return Range(size, tuple(roots))


def as_data(tree: Range) -> dict[str, Any]:
    """Return the data of a checkpoint entry."""
    return {"size": tree.size, "root": tree.root().hex(), "range": [root.hex() for root in tree.roots]}


def from_data(data: Mapping[str, Any]) -> Range:
    """Return the tree a checkpoint entry describes. Raises ValueError when size, range and root do not agree."""
    try:
        size = int(data["size"])
        tree = Range(size, tuple(bytes.fromhex(text) for text in data["range"]))
    except (KeyError, TypeError) as error:
        raise ValueError("not a checkpoint") from error
    if size.bit_count() != len(tree.roots) or tree.root().hex() != data.get("root"):
        raise ValueError("size, range and root of the checkpoint do not agree")
    return tree
