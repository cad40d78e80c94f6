"""Manifest text as a tree that loses nothing: values as written, and every comment at the node it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as it will be written. `lines` after the first have no indent. `block` is a literal or folded scalar,
    `keep` one whose trailing empty lines are content.
    """

    lines: tuple[str, ...]
    block: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """A mapping or list. `flow` is the style it was written in; `foot` are comment lines after its last entry."""

    mapping: bool
    flow: bool
    entries: tuple[Entry, ...]
    foot: tuple[str, ...] = ()


Node: TypeAlias = "Scalar | Collection"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, or a list item (`key` is None). `name` is the value of the key, `key` its spelling.

    `before` are comment lines above it, empty ones for a gap; the comment `opening` follows the key or the dash,
    `trailing` the value.
    """

    value: Node
    key: str | None = None
    name: str = ""
    before: tuple[str, ...] = ()
    opening: str = ""
    trailing: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One document of a file: comment lines above it, its root, a comment beside a scalar root, comments below it."""

    header: tuple[str, ...]
    root: Node
    trailing: str = ""
    foot: tuple[str, ...] = ()
