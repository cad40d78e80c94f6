"""Refuse secrets in manifests, before anything else looks at them.

Rules enforced here:
- a value that is a secret by its form, or whose key says so, is refused at its place and repeated nowhere;
- a file with one is never kept in the cache, and its documents are judged no further;
- durations, switches, variables and conditions (`token.example.com:sub`) are no secrets, whatever they are called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from nhictl.model import Diagnostic, Document, Path
from nhictl.model.secret import holds_secret, named_secret

_NAMED = re.compile(
    r"(?:secret|passw(?:or)?d|passphrase|token|credentials?(?!: *(?:[{#\n]|\Z))|(?:private|access|api|signing)[-_]?key)"
    r"[\"']?[ \t]*:",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"\$\{[^${}]+\}|[0-9]+ *[a-z]?|", re.IGNORECASE)
_HINT = "manifests name places, never values (`deliverTo`); replace a credential that was written down"


def refused(documents: Iterable[Document], text: str) -> tuple[list[Document], list[Diagnostic]]:
    """Return the documents of `text`, those with a secret marked not sound, and what is wrong with them."""
    found = list(documents)
    if not (_NAMED.search(text) or holds_secret(text)):
        return found, []
    problems: list[Diagnostic] = []
    for number, document in enumerate(found):
        places = list(_secrets(document.value, ()))
        if places:
            problems += [Diagnostic("E210", said, document.span(*path), hint=_HINT) for path, said in places]
            found[number] = replace(document, sound=False)
    return found, problems


def _secrets(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if holds_secret(key):
                yield (*path, key), "there is a credential in this key"
            elif named_secret(key) and _is_value(item):
                yield (*path, key), f"`{key}` looks like a credential"
            else:
                yield from _secrets(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets(item, (*path, index))
    elif isinstance(value, str) and holds_secret(value):
        yield path, "there is a credential in this value"


def _is_value(item: object) -> bool:
    if isinstance(item, str):
        return _HARMLESS.fullmatch(item) is None
    return isinstance(item, (int, float)) and not isinstance(item, bool)
