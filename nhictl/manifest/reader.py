"""Text to documents: the one way YAML enters nhictl.

Rules enforced here:
- the text rules of `text`, then the YAML subset of `survey`; `quick` only ever short-cuts what `survey` would accept;
- a document is a mapping; kind and name are taken as found, empty when absent (the schemas report that);
- a document with a refused part is kept, marked not sound: others may refer to it, nobody may judge or apply it;
- positions are found again in the text when a diagnostic asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from nhictl.manifest import quick, text
from nhictl.model import Diagnostic, Document, Path, Severity, Span

if TYPE_CHECKING:
    from nhictl.manifest.survey import Place, Surveyed

# What a content cache keeps of a document: its value, and whether a variable is in it.
Known: TypeAlias = tuple[dict[str, Any], bool]

NAME = ("metadata", "name")


def parse(data: bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    """Return the documents in `data` and everything wrong with its text, in source order. Never raises.

    `file` is relative to the workspace root and only goes into positions.
    """
    decoded = text.decode(data, file)
    if not decoded.problems:
        values = quick.values(decoded.characters.replace("\r\n", "\n"))
        if values:
            return documents(values, data, file), []
    return _parse_carefully(decoded, file)


def documents(found: Iterable[Known], data: bytes, file: str) -> list[Document]:
    """Return sound documents of known values, whose positions are looked up in `data` when asked for."""
    found = list(found)
    source = _Source(data, file, identify(found[0][0])[1] if len(found) == 1 else "")
    return [
        Document(*identify(value), value, file, Places(source, i, keys=True), Places(source, i, keys=False), variables)
        for i, (value, variables) in enumerate(found)
    ]


def identify(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and name as far as they are there and strings."""
    kind, metadata = value.get("kind"), value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return kind if isinstance(kind, str) else "", name if isinstance(name, str) else ""


def has_variables(value: object) -> bool:
    """True when any string in `value`, keys included, contains `${`."""
    # Strings print with their quotes, so the two characters cannot come from two of them.
    return "${" in str(value)


class Places(Mapping["Path", "Place"]):
    """The positions of one document, found in the text when first asked for."""

    __slots__ = ("_index", "_keys", "_source")

    def __init__(self, source: _Source, index: int, *, keys: bool) -> None:
        self._source = source
        self._index = index
        self._keys = keys

    def _found(self) -> Mapping[Path, Place]:
        document = self._source.surveyed()[self._index]
        return document.positions if self._keys else document.value_positions

    def __getitem__(self, path: Path) -> Place:
        if path == NAME and not self._keys and (quickly := self._source.name()):
            return quickly
        return self._found()[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._found())

    def __len__(self) -> int:
        return len(self._found())


class _Source:
    """The text of one file and, once needed, its survey."""

    __slots__ = ("_data", "_documents", "_file", "_name")

    def __init__(self, data: bytes, file: str, name: str) -> None:
        self._data = data
        self._name = name
        self._file = file
        self._documents: list[Surveyed] | None = None

    def name(self) -> Place | None:
        """Return the position of the only document's name where it is plain to see: everything asks for this one."""
        if self._documents is not None or not self._name:
            return None
        characters = text.decode(self._data, self._file).characters
        found = quick.name_span(characters, self._name)
        return (*text.position(characters, found[0]), found[1]) if found else None

    def surveyed(self) -> list[Surveyed]:
        if self._documents is None:
            from nhictl.manifest.survey import survey

            decoded = text.decode(self._data, self._file)
            self._documents = survey(decoded.characters, self._file).documents
        return self._documents


def _parse_carefully(decoded: text.Text, file: str) -> tuple[list[Document], list[Diagnostic]]:
    from nhictl.manifest.survey import survey

    found = survey(decoded.characters, file)
    problems = list(decoded.problems)
    # Where characters were replaced, a syntax error may be of our own making.
    problems += [p for p in found.problems if p.code != "E110"] if problems else found.problems
    kept = []
    for document in found.documents:
        if isinstance(document.value, dict):
            kept.append(_document(document, file, sound=document.sound and not decoded.problems))
        else:
            problems.append(_not_a_mapping(document, file))
    if not kept and not problems:
        problems.append(_nothing(file))
    return kept, sorted(problems, key=lambda p: p.sort_key)


def _document(found: Surveyed, file: str, *, sound: bool) -> Document:
    variables = has_variables(found.value)
    positions = (found.positions, found.value_positions)
    return Document(*identify(found.value), found.value, file, *positions, variables, sound)


def _not_a_mapping(document: Surveyed, file: str) -> Diagnostic:
    line, column, width = document.positions[()]
    what = "a list" if isinstance(document.value, list) else "a single value"
    hint = "Start with `apiVersion:` and `kind:`."
    return Diagnostic("E121", f"document is {what}, not a mapping", Span(file, line, column, width), hint=hint)


def _nothing(file: str) -> Diagnostic:
    summary = "file declares nothing"
    return Diagnostic("W690", summary, Span(file), hint="Remove the file.", severity=Severity.WARNING)
