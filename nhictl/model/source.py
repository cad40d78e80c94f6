"""Where things stand in files, and what is said about them: spans, documents and diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file. `file` is relative to the workspace root; line and column count from 1, in characters."""

    file: str
    line: int = 1
    column: int = 1
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """How bad a diagnostic is; only errors fail a run."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to say about an input: what is wrong, where, and the way out.

    `code` is known to `nhictl explain`. `related` names other places that belong to it (the first of two duplicates)
    with a short label. No part of it carries a value from a secret-typed field.
    """

    code: str
    summary: str
    span: Span | None = None
    detail: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
    related: tuple[tuple[Span, str], ...] = ()

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Source order: file, line, column, then code and text."""
        at = self.span or Span("")
        return (at.file, at.line, at.column, self.code, self.summary)


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest document. `value` is the parsed tree (plain dict, list, str, int, float, bool, None: read only).

    `positions` maps the path of every key and list item to (line, column, width) of the key, and of the item itself
    for list items; `value_positions` the same for scalar values. The root path is `()`. A document that is not
    `sound` has parts the reader refused: it counts where others refer to it, and is not judged any further.
    """

    kind: str
    name: str
    value: Mapping[str, Any]
    file: str
    positions: Mapping[Path, tuple[int, int, int]] = field(default_factory=dict, repr=False, compare=False)
    value_positions: Mapping[Path, tuple[int, int, int]] = field(default_factory=dict, repr=False, compare=False)
    has_variables: bool = False
    sound: bool = True

    @property
    def ref(self) -> str:
        """`kind/name` in lower case, the short reference of the object: `nhi/payments-ci`."""
        return f"{self.kind.lower()}/{self.name}"

    def place(self, *path: str | int) -> Place:
        """Return the position of `path`, found only when it is asked for."""
        return Place(self, path)

    def span(self, *path: str | int) -> Span:
        """Return the position of the value at `path`; of its key, or of the nearest parent known, otherwise."""
        at = tuple(path)
        found = self.value_positions.get(at) or self.positions.get(at)
        while found is None and at:
            at = at[:-1]
            found = self.positions.get(at)
        line, column, width = found or (1, 1, 1)
        return Span(self.file, line, column, width)


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a document that is looked up when it is needed: positions of a whole estate cost seconds."""

    document: Document
    path: Path

    def span(self) -> Span:
        """Return the position."""
        return self.document.span(*self.path)
