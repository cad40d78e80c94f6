"""What was typed, as the record keeps it.

Rules enforced here:
- names of commands and options, and operands, are kept; a secret among the operands is cut out;
- values are kept of options that say where, what and how; of every other option a value is `…`;
- no value that looks like a secret is kept, and no digest that is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nhictl.model.secret import HIDDEN, holds_secret, named_secret, without_secrets

_LENGTH = 300
_FLAGS = frozenset({
    "-y", "--yes", "--no-input", "-v", "--verbose", "-q", "--quiet", "--debug", "--no-progress", "--no-cache",
    "--detailed-exitcode", "--check", "--diff", "--help",
})  # fmt: skip
"""Options without a value: the word after them is an operand."""
_SHOWN = frozenset({
    "-e", "--env", "--target", "--exclude", "--kind", "--owner", "-l", "--selector", "-o", "--output", "-n",
})  # fmt: skip
"""Options whose values say where, what and how."""
_DIGESTS = frozenset({"--expect-digest", "--override-safety"})
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


def recorded(words: Iterable[str]) -> str:
    """Return a command line from the words after the program's name."""
    return " ".join(["nhictl", *_kept(iter(words))])[:_LENGTH]


def _kept(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        if word == "--":
            yield word
            yield from map(without_secrets, words)
        elif word.startswith("--"):
            name, joint, value = word.partition("=")
            yield f"{name}={_value(name, value)}" if joint else name
            if not joint and name not in _FLAGS:
                yield from (_value(name, value) for value in _next(words))
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word, words)
        else:
            yield without_secrets(word)


def _short(word: str, words: Iterator[str]) -> Iterator[str]:
    """Yield short options written as one word: flags, then at most one with a value, joined or the next word."""
    for place, letter in enumerate(word[1:], start=2):
        name = f"-{letter}"
        yield name
        if name not in _FLAGS:
            found = [word[place:]] if word[place:] else _next(words)
            yield from (_value(name, value) for value in found)
            return


def _next(words: Iterator[str]) -> list[str]:
    return [value for value in [next(words, None)] if value is not None]


def _value(option: str, value: str) -> str:
    if option in _DIGESTS:
        return value if _DIGEST.match(value) else HIDDEN
    hidden = option not in _SHOWN or holds_secret(value) or named_secret(value.partition("=")[0])
    return HIDDEN if hidden else value
