"""Format the text of manifests: one layout, every value the same, every comment kept.

Rules enforced here:
- text the strict reader refuses is not formatted;
- the result is compared with the text before it is given out: the same values, spelled with the same type, and the same
  comments, or formatting is refused;
- formatting twice gives what formatting once gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from nhictl.manifest.fmt_comments import layout, loader
from nhictl.manifest.fmt_order import ordered
from nhictl.manifest.fmt_read import read
from nhictl.manifest.fmt_write import write
from nhictl.model import Diagnostic, InvalidManifests, Severity, Span

UNSAFE = "E190"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BREAKS = ("\x85", "\u2028", "\u2029")


def format_text(text: str, file: str, *, schemas: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Return the canonical layout of `text`; `file` is named in diagnostics.

    `schemas` are JSON Schemas by kind: keys follow the order of their properties. Without them the
    published ones are used. Raises InvalidManifests for text the strict reader refuses, or that cannot be laid out
    without a change of a value or a comment.
    """
    import yaml

    values = _parsed(text, file)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        result = laid_out(plain, published() if schemas is None else schemas)
        same = meaning(plain) == meaning(result) and _parsed(result, file) == values
    except (ValueError, yaml.YAMLError, InvalidManifests) as error:
        raise _unsafe(file, str(error)) from error
    if not same:
        raise _unsafe(file, "the layout of this file cannot be changed without changing what it says")
    return result


def laid_out(text: str, schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the canonical layout of text with `\\n` line ends, unchecked. Raises ValueError outside the subset."""
    if any(character in text for character in _BREAKS):
        raise ValueError("a line or paragraph separator (U+0085, U+2028, U+2029) stands in the text")
    pages, rest = read(text)
    return write([ordered(page, schemas) for page in pages], rest)


def meaning(text: str) -> tuple[list[Any], Counter[str]]:
    """Return what must survive: values with the way their scalars resolve, and how often each comment stands there."""
    import yaml

    values = [_value(root) for root in yaml.compose_all(text, Loader=loader())]
    return values, Counter(comment.text for comment in layout(text).comments)


def _value(node: Any) -> Any:
    if node.id == "sequence":
        return [_value(item) for item in node.value]
    if node.id == "mapping":
        pairs = [(_value(key), _value(value)) for key, value in node.value]
        if len(dict(pairs)) != len(pairs):
            raise ValueError(f"line {node.start_mark.line + 1}: a key stands twice")
        return dict(pairs)
    if node.style:
        return ("text", node.value)
    return ("plain", "null" if node.value in _NULLS else node.value)


def _parsed(text: str, file: str) -> list[Mapping[str, Any]]:
    from nhictl.manifest.reader import parse

    documents, diagnostics = parse(text.encode("utf-8", "surrogatepass"), file)
    errors = tuple(found for found in diagnostics if found.severity is Severity.ERROR)
    if errors:
        raise InvalidManifests(errors)
    return [document.value for document in documents]


def _unsafe(file: str, why: str) -> InvalidManifests:
    hint = "the file is left as it is; reformat the unusual part by hand"
    return InvalidManifests((Diagnostic(UNSAFE, "cannot be formatted safely", Span(file), why, hint),))


def published() -> Mapping[str, Mapping[str, Any]]:
    """Return the published schemas by kind."""
    from nhictl.manifest import schema_files

    return {kind: schema_files.published(kind.lower()) for kind in schema_files.KINDS}
