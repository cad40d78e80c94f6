"""YAML events from PyYAML: libyaml where it is there, pure Python otherwise, and its errors in our words.

Events never recurse, so depth can be checked while they come; trees and objects are built elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nhictl.model import Diagnostic, Span

if TYPE_CHECKING:
    from yaml import MarkedYAMLError


def events(text: str) -> Callable[[], Any]:
    """Return a function that gives the next event of `text`. It raises yaml.YAMLError where the syntax ends."""
    import yaml

    if not yaml.__with_libyaml__:
        return _pure(text)
    from yaml._yaml import CParser

    return CParser(text.encode("utf-8")).get_event


def _pure(text: str) -> Callable[[], Any]:
    from yaml import YAMLError
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PureParser(Reader, Scanner, Parser):
        def __init__(self) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)

    following = PureParser().get_event

    def checked() -> Any:
        try:
            return following()  # type: ignore[no-untyped-call]
        except (ValueError, OverflowError) as error:
            raise YAMLError("invalid Unicode character escape") from error

    return checked


_MESSAGES: tuple[tuple[str, str, str], ...] = (
    ("quoted scalar", "quoted string is not closed", "Close the quote on the same line."),
    ("invalid Unicode character escape", "escape is not a Unicode character", "Write the character itself."),
    ("unknown escape character", "unknown escape in a double-quoted string", "Write the backslash twice."),
    ("hexdecimal number", "escape without enough hexadecimal digits", 'Write "\\x41" or "\\u0041".'),
    ("mapping values are not allowed", "`:` where no key can be", "Quote a value that holds `: `; check indentation."),
    ("could not find expected ':'", "a key without `:`", "Write `key: value`, with a space after the colon."),
    ("did not find expected key", "a key was expected here", "Check the indentation against the lines above."),
    ("expected '-' indicator", "a list item was expected here", "Start each item with `- ` in one column."),
    ("flow sequence", "list in brackets is not closed", "Separate items with `,` and close the list with `]`."),
    ("flow mapping", "mapping in braces is not closed", "Separate entries with `,` and close the mapping with `}`."),
    ("document start", "a second document without `---`", "Separate documents with a line `---`."),
    ("cannot start any token", "a character that cannot start a value", "Quote the value."),
    ("block sequence entries are not allowed", "`- ` where no list can start", "Put the list on the next line."),
    ("mapping keys are not allowed", "`?` where no key can stand", "Write `key: value`."),
    ("tag", "malformed tag", "Tags are not allowed: remove it."),
    ("anchor", "malformed anchor", "Anchors are not allowed: remove it."),
    ("alias", "malformed alias", "Aliases are not allowed; quote a value that starts with `*`."),
    ("block scalar", "malformed block string", "Write `|` or `>` and indent the lines below by spaces."),
)  # fmt: skip


def syntax_error(error: Any, file: str, line_offset: int) -> tuple[Diagnostic, int]:
    """Return the diagnostic for a yaml.YAMLError and the character index it stands at."""
    problem = f"{getattr(error, 'context', '') or ''} {getattr(error, 'problem', '') or ''}"
    mark = _mark(error)
    if mark is None:
        index = getattr(error, "position", 0) or 0
        return Diagnostic("E110", "YAML syntax error", Span(file, line_offset + 1)), int(index)
    summary, hint = next(((s, h) for part, s, h in _MESSAGES if part in problem), ("YAML syntax error", ""))
    span = Span(file, line_offset + mark.line + 1, mark.column + 1)
    detail = re.sub(r"\s+", " ", problem).strip()
    return Diagnostic("E110", summary, span, f"The YAML parser says: {detail}.", hint), _index(error, mark)


def _mark(error: MarkedYAMLError) -> Any:
    """Return where to point: for something left open, its start; otherwise the place of the problem."""
    problem, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if problem is None or context is None:
        return problem or context
    wrong, within = error.problem or "", error.context or ""
    left_open = "quoted scalar" in within and "escape" not in wrong and "hexdecimal" not in wrong
    return context if left_open or ("flow" in within and problem.line != context.line) else problem


def _index(error: Any, mark: Any) -> int:
    problem = getattr(error, "problem_mark", None)
    return int((problem or mark).index)
