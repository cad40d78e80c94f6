"""How much is said about one file, and how much work goes into saying it: bounded, whatever the file holds.

Rules enforced here:
- at most 50 problems of one document and 100 of one file are told, errors before warnings; one more line counts the
  rest;
- once a file has 100 errors its other documents are not judged; they cannot pass, for the file is wrong already;
- the closest known name is looked for among 20 unknown names of a file, none longer than 64 characters, and within
  50,000 comparisons of a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import groupby

from nhictl.model import Diagnostic, Severity, Span

PER_DOCUMENT = 50
PER_FILE = 100
GUESSES = 20
LONGEST_GUESS = 64
COMPARISONS = 50_000


@dataclass(slots=True)
class Tally:
    """What was told of each file so far (`errors`), left out (`left`), and how many documents were not judged."""

    errors: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)

    def full(self, file: str) -> bool:
        """Say whether the next document of `file` is not to be judged, and count it then."""
        if self.errors[file] < PER_FILE:
            return False
        self.unjudged[file] += 1
        return True

    def limited(self, file: str, problems: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
        """Return what is told of the problems of one document."""
        kept = _worst(problems, PER_DOCUMENT)
        self.errors[file] += sum(d.severity is Severity.ERROR for d in kept)
        self.left[file] += len(problems) - len(kept)
        return kept


def capped(problems: Iterable[Diagnostic], tally: Tally | None = None) -> list[Diagnostic]:
    """Return in source order what is told of all problems, with one line for each file of which more is wrong."""
    tally = tally or Tally()
    found: list[Diagnostic] = []
    for file, group in groupby(sorted(problems, key=lambda d: d.sort_key), key=lambda d: d.sort_key[0]):
        listed = list(group)
        kept = _worst(listed, PER_FILE) if file else listed
        found += kept
        more, unjudged = tally.left[file] + len(listed) - len(kept), tally.unjudged[file]
        if more or unjudged:
            found.append(_rest(kept[-1].span, more, unjudged))
    return found


def _worst(problems: Sequence[Diagnostic], most: int) -> Sequence[Diagnostic]:
    """Return at most so many problems, errors before warnings, in the order they came in."""
    if len(problems) <= most:
        return problems
    order = sorted(range(len(problems)), key=lambda i: problems[i].severity is not Severity.ERROR)
    return [problems[i] for i in sorted(order[:most])]


def _rest(span: Span | None, more: int, unjudged: int) -> Diagnostic:
    left = f"{more:,} more {'problem' if more == 1 else 'problems'} in this file" if more else ""
    rest = f"{unjudged:,} {'document' if unjudged == 1 else 'documents'} of this file not judged" if unjudged else ""
    text = "; ".join(part for part in (left, rest) if part)
    return Diagnostic("W691", text, span, hint="fix the ones shown first", severity=Severity.WARNING)


@dataclass(slots=True)
class Guesses:
    """The names of each file that were worth a guess, and the comparisons left for the run."""

    file: str = ""
    words: dict[str, set[str]] = field(default_factory=dict)
    left: int = COMPARISONS

    def allow(self, word: str, known: Collection[str]) -> bool:
        """Say whether the name closest to `word` may be looked for among `known`, and count it."""
        words = self.words.setdefault(self.file, set())
        if len(known) > self.left or (word not in words and len(words) >= GUESSES):
            return False
        words.add(word)
        self.left -= len(known)
        return True


_guesses: ContextVar[Guesses | None] = ContextVar("guesses", default=None)


@contextmanager
def guessing(file: str = "") -> Iterator[Guesses]:
    """Bound the guesses made in this block, which judges the files that `file` is set to in turn."""
    guesses = Guesses(file)
    token = _guesses.set(guesses)
    try:
        yield guesses
    finally:
        _guesses.reset(token)


def may_guess(word: str, known: Collection[str]) -> bool:
    """Say whether the closest of the `known` names is worth looking for."""
    guesses = _guesses.get()
    return len(word) <= LONGEST_GUESS and (guesses is None or guesses.allow(word, known))
