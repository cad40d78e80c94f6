"""Refuse secrets in manifests, before anything else looks at them.

Rules enforced here:
- a value that is a secret by its form, or whose key says so, is refused at its place and repeated nowhere;
- a file with one is never kept in the cache, and its documents are judged no further;
- durations, switches, variables and conditions (`token.example.com:sub`) are no secrets, whatever they are called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from nhictl.model import Diagnostic, Document, Path
from nhictl.model.secret import CREDENTIAL_KINDS, HINTS, hints_at_secret, holds_secret, named_secret

_NAMED = re.compile(
    r"(?:secret|passw(?:or)?d|passphrase|token|credentials?(?!: *(?:[{#\n]|\Z))|(?:private|access|api|signing)[-_]?key)"
    r"[\"']?[ \t]*:",
    re.IGNORECASE,
)
_WORDS = ("secret", "passw", "passphrase", "token", "credential", "key", *HINTS)
_FIELDS = frozenset({"kind", "maxTtl", "rotateEvery", "overlap", "deliverTo"})
_PLACE = re.compile(r"[a-z][a-z0-9+-]*:[A-Za-z0-9_./${}-]*/[A-Za-z0-9_./${}-]*")
_HARMLESS = re.compile(r"\$\{[^${}]+\}|[0-9]+ *[a-z]?|", re.IGNORECASE)
_HINT = "manifests name places, never values (`deliverTo`); replace a credential that was written down"


def refused(documents: Iterable[Document], text: str) -> tuple[list[Document], list[Diagnostic]]:
    """Return the documents of `text`, those with a secret marked not sound, and what is wrong with them."""
    found = list(documents)
    suspicious = any(map(_suspect, text.split("\n"))) and (_NAMED.search(text) is not None or holds_secret(text))
    problems: list[Diagnostic] = []
    for number, document in enumerate(found):
        places = [*(_secrets(document.value, ()) if suspicious else ()), *_beside_places(document.value)]
        if places:
            problems += [Diagnostic("E210", said, document.span(*path), hint=_HINT) for path, said in places]
            found[number] = replace(document, sound=False)
    return found, problems


@lru_cache(maxsize=20_000)
def _suspect(line: str) -> bool:
    """True when a line has to be looked at more closely. Most lines of an estate are in many files: asked once."""
    if not line.isascii():
        return True
    lower = line.lower()
    return any(word in lower for word in _WORDS) and (_NAMED.search(line) is not None or hints_at_secret(lower))


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


def _beside_places(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield what stands below `credentials` and is no field of it: where else would somebody put the secret itself."""
    spec = value.get("spec")
    block = spec.get("credentials") if isinstance(spec, dict) else None
    if not isinstance(block, dict) or block.keys() <= _FIELDS:
        return
    for key, item in block.items():
        plain = isinstance(item, str) and (_PLACE.fullmatch(item) or item in CREDENTIAL_KINDS)
        if key not in _FIELDS and not named_secret(key) and _is_value(item) and not plain:
            yield ("spec", "credentials", key), f"`{key}` looks like a credential"


def _is_value(item: object) -> bool:
    if isinstance(item, str):
        return _HARMLESS.fullmatch(item) is None
    return isinstance(item, (int, float)) and not isinstance(item, bool)
