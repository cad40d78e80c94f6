"""What was typed, as the record keeps it.

Rules enforced here: names of commands and options, and operands, are kept; values of options are not, and a secret
among the operands is cut out.
"""

from __future__ import annotations

from collections.abc import Iterable

from nhictl.model.secret import without_secrets

_LENGTH = 200
_FLAGS = frozenset({
    "-y", "--yes", "--no-input", "-v", "--verbose", "-q", "--quiet", "--debug", "--no-progress", "--no-cache",
    "--detailed-exitcode", "--check", "--diff",
})  # fmt: skip
"""Options without a value: the word after them is an operand."""


def recorded(words: Iterable[str]) -> str:
    """Return a command line from the words after the program's name."""
    kept, value = ["nhictl"], False
    for word in words:
        if word.startswith("--"):
            kept.append(word.partition("=")[0])
            value = "=" not in word and word not in _FLAGS
        elif word.startswith("-") and len(word) > 1:
            kept.append(word[:2])
            value = len(word) == 2 and word not in _FLAGS
        elif value:
            value = False
        else:
            kept.append(without_secrets(word))
    return " ".join(kept)[:_LENGTH]
