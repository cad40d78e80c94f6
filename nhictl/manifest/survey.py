"""Read a manifest's text event by event: values, the position of everything, and every problem with its place.

This is the thorough reader; `quick` is its fast twin for plain files.

Rules enforced here:
- duplicate keys, anchors, aliases, merge keys, tags and keys that are not strings are refused;
- at most 32 levels deep and 10,000 events per file, checked before anything is built on top;
- no string value holds a hidden character, however it was escaped;
- a problem does not end the reading unless the syntax ends there; then the next document is tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nhictl.manifest import scalars
from nhictl.manifest.events import events, syntax_error
from nhictl.manifest.text import escape_of, hidden, position, refused_character, shown, too_many
from nhictl.model import Diagnostic, Path, Span

if TYPE_CHECKING:
    from yaml import Mark

MAX_DEPTH = 32
MAX_EVENTS = 10_000
MAX_RESTARTS = 10
MAX_PROBLEMS = 50

Place = tuple[int, int, int]

_NEXT_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)


@dataclass(slots=True)
class Surveyed:
    """One document as found. `positions` and `value_positions` are as in `model.Document`."""

    value: Any = None
    empty: bool = True
    sound: bool = True
    positions: dict[Path, Place] = field(default_factory=dict)
    value_positions: dict[Path, Place] = field(default_factory=dict)


@dataclass(slots=True)
class Survey:
    """What a text holds: documents that are not empty, in order, and every problem."""

    documents: list[Surveyed] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A mapping or list not yet closed. `key` is where the next value goes; None where a key is due."""

    value: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None
    discard: bool = False
    is_key: bool = False


class _Stop(Exception):
    """The rest of the file is not read."""


def survey(text: str, file: str) -> Survey:
    """Return everything `text` holds. Never raises on any text."""
    import yaml

    found = Survey()
    start, budget = 0, MAX_EVENTS
    for _ in range(MAX_RESTARTS):
        reading = _Reading(text[start:], file, text.count("\n", 0, start), found, budget)
        try:
            reading.run()
        except _Stop:
            reading.salvage()
            break
        except yaml.YAMLError as error:
            problem, index = syntax_error(error, file, reading.line_offset)
            found.problems.append(problem)
            reading.salvage()
            following = _NEXT_DOCUMENT.search(text, start + max(index, 1))
            if following is None or len(found.problems) >= MAX_PROBLEMS:
                break
            start, budget = following.start(), reading.budget
            continue
        break
    return found


class _Reading:
    """The state of one pass over one piece of text."""

    __slots__ = ("budget", "current", "file", "found", "line_offset", "stack", "text")

    def __init__(self, text: str, file: str, line_offset: int, found: Survey, budget: int) -> None:
        self.text = text
        self.file = file
        self.line_offset = line_offset
        self.found = found
        self.budget = budget
        self.stack: list[_Open] = []
        self.current = Surveyed()

    def run(self) -> None:
        """Read to the end of the text."""
        following = events(self.text)
        handlers = self.handlers()
        for budget in range(self.budget - 1, -1, -1):
            event = following()
            handler = handlers.get(event.__class__)
            if handler is None:
                return
            self.budget = budget
            handler(event)
        self.refuse("E119", f"more than {MAX_EVENTS:,} values in one file", following(), hint="Split the file.")
        raise _Stop

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        import yaml

        return {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.open_mapping,
            yaml.SequenceStartEvent: self.open_list,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.begin,
            yaml.DocumentEndEvent: self.end,
            yaml.StreamStartEvent: lambda _: None,
        }

    def begin(self, _: Any) -> None:
        self.current = Surveyed()

    def end(self, _: Any) -> None:
        if not self.current.empty:
            self.found.documents.append(self.current)
        self.current = Surveyed()

    def salvage(self) -> None:
        """Keep what was read of a document that breaks off: others may refer to it."""
        self.current.sound = False
        self.current.empty |= not isinstance(self.current.value, dict)
        self.stack.clear()
        self.end(None)

    def scalar(self, event: Any) -> None:
        self.properties(event)
        if self.expects_key():
            self.key(event)
            return
        if not self.stack and event.value == "" and event.implicit[0]:
            return
        self.put(self.value(event), event, scalar=True)

    def value(self, event: Any) -> scalars.Scalar:
        text: str = event.value
        if event.style == '"' and (bad := hidden(text)):
            self.hidden(bad[0], event)
        if event.style:
            return text
        try:
            return scalars.resolve(text)
        except scalars.BadNumber as error:
            self.refuse("E120", str(error), event, hint="Quote it when it is not meant as a number.")
            return None

    def key(self, event: Any) -> None:
        frame, name = self.stack[-1], event.value
        plain = not event.style
        if event.style == '"' and (bad := hidden(name)):
            self.hidden(bad[0], event)
        frame.key, frame.discard = name, False
        if plain and name == "<<":
            self.refuse("E115", "merge key `<<`", event, hint="Write the keys out.")
            frame.discard = True
        elif plain and not _is_string(name):
            self.refuse("E117", f"key `{shown(name)}` is not a string", event, hint=f'Quote it: `"{shown(name)}":`.')
        elif name in frame.value:
            self.duplicate(frame, event)
            frame.discard = True
        self.current.positions.setdefault((*frame.path, name), self.place(event))

    def duplicate(self, frame: _Open, event: Any) -> None:
        line, column, width = self.current.positions[(*frame.path, event.value)]
        related = ((Span(self.file, line, column, width), "first here"),)
        summary = f"key `{shown(event.value)}` stands twice in one mapping"
        self.refuse("E112", summary, event, hint=f"Remove one; the first is in line {line}.", related=related)

    def open_mapping(self, event: Any) -> None:
        self.descend({}, event)

    def open_list(self, event: Any) -> None:
        self.descend([], event)

    def descend(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        self.properties(event)
        if len(self.stack) >= MAX_DEPTH:
            self.refuse("E118", f"nested deeper than {MAX_DEPTH} levels", event, hint="Flatten the structure.")
            raise _Stop
        if self.expects_key():
            self.refuse("E117", "key is not a string but a mapping or list", event, hint="Write `key: value`.")
            self.stack.append(_Open(value, (*self.stack[-1].path, "?"), is_key=True))
            return
        self.stack.append(_Open(value, self.put(value, event, scalar=False)))

    def close(self, _: Any) -> None:
        if self.stack.pop().is_key:
            self.stack[-1].key, self.stack[-1].discard = "?", True

    def alias(self, event: Any) -> None:
        self.refuse("E114", f"alias `*{shown(event.anchor)}`", event, hint="Repeat the value.")
        if self.expects_key():
            self.stack[-1].key, self.stack[-1].discard = "?", True
        else:
            self.put(None, event, scalar=True)

    def properties(self, event: Any) -> None:
        if event.anchor is not None:
            hint = "Remove it; repeat the value where it is needed."
            self.refuse("E113", f"anchor `&{shown(event.anchor)}`", event, hint=hint, width=len(event.anchor) + 1)
        if event.tag is not None:
            self.refuse("E116", f"tag `{shown(event.tag)}`", event, hint="Remove it; quotes make a string.", width=1)

    def expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].key is None and isinstance(self.stack[-1].value, dict)

    def put(self, value: Any, event: Any, *, scalar: bool) -> Path:
        """Store a value where it belongs and return its path."""
        place = self.place(event)
        if not self.stack:
            self.current.value, self.current.empty = value, False
            path: Path = ()
            self.current.positions[()] = place if scalar else (*place[:2], 1)
        else:
            path = self.attach(self.stack[-1], value, place)
        if scalar:
            self.current.value_positions.setdefault(path, place)
        return path

    def attach(self, frame: _Open, value: Any, place: Place) -> Path:
        if isinstance(frame.value, list):
            path = (*frame.path, len(frame.value))
            frame.value.append(value)
            self.current.positions.setdefault(path, place)
            return path
        key, frame.key = frame.key or "", None
        if not frame.discard:
            frame.value[key] = value
        return (*frame.path, key)

    def place(self, event: Any) -> Place:
        start: Mark = event.start_mark
        end: Mark = event.end_mark
        width = max(end.column - start.column, 1) if end.line == start.line else 1
        return start.line + self.line_offset + 1, start.column + 1, width

    def hidden(self, char: str, event: Any) -> None:
        """Refuse an escape for `char`, at the escape itself."""
        at, width = escape_of(char, self.text, event.start_mark.index, event.end_mark.index)
        line, column = position(self.text, at)
        span = Span(self.file, line + self.line_offset, column, width)
        self.add(refused_character(char, span, escaped=True))

    def refuse(
        self,
        code: str,
        summary: str,
        event: Any,
        *,
        hint: str,
        width: int = 0,
        related: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        line, column, wide = self.place(event)
        self.add(Diagnostic(code, summary, Span(self.file, line, column, width or wide), hint=hint, related=related))

    def add(self, problem: Diagnostic) -> None:
        self.current.sound = False
        self.found.problems.append(problem)
        if len(self.found.problems) >= MAX_PROBLEMS:
            self.found.problems.append(too_many(problem.span))
            raise _Stop


def _is_string(name: str) -> bool:
    try:
        return isinstance(scalars.resolve(name), str)
    except scalars.BadNumber:
        return False
