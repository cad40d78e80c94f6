"""Source lines as diagnostics may show them: every value that could be a secret is cut out.

Rules enforced here:
- a value is hidden when its key sounds like a secret, when it has the form of one, or when it stands below
  `credentials`; durations, switches and the names of kinds of credentials are shown;
- a secret that goes on over several lines is hidden in all of them;
- lines are judged by their indentation and not parsed: a broken file, too, keeps its secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nhictl.model.secret import CREDENTIAL_KINDS, HIDDEN, SECRET_TEXT, holds_secret, named_secret

Range = tuple[int, int]

_KEY = re.compile(
    r"""(?:(?<=[\s{,\[])|^)(?:"([^"\\]*)"|'([^']*)'|([^\s"'{}\[\],#:][^\s"'{}\[\],#:]*))\s*:(?=\s|$|["'])"""
)
_PLAIN = re.compile(rf"[0-9]+[smhdwy]?|true|false|null|~|{'|'.join(CREDENTIAL_KINDS)}|\$\{{[^${{}}]*\}}")
_VALUE = re.compile(r"""\s*("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^,}\]#]*?)\s*(?=[,}\]]|#|$)""")
_SOUNDS = re.compile(r"secret|passw|passphrase|token|credential|(?:private|access|api|signing)[-_]?key", re.IGNORECASE)
_BLOCK = "credentials"
_FAR = 200


def hidden(lines: Sequence[str], number: int) -> list[Range]:
    """Return the ranges of line `number` (from 1) that must not be shown, in order, as character offsets."""
    line = lines[number - 1].rstrip("\r\n")
    found = [(m.start(), m.end()) for m in SECRET_TEXT.finditer(line)] if holds_secret(line) else []
    start = len(line) - len(line.lstrip())
    if start < len(line):
        owner = _owner(lines, number)
        inside = owner == _BLOCK
        if owner == "secret" or _in_private_key(lines, number) or (inside and not _KEY.search(line)):
            found.append((start, len(line)))
        else:
            found += _values(line, inside=inside)
    return merged(found)


def cut(line: str, ranges: Sequence[Range]) -> str:
    """Return `line` with the ranges replaced by dots."""
    parts, at = [], 0
    for start, end in ranges:
        parts += [line[at:start], HIDDEN]
        at = end
    return "".join([*parts, line[at:]])


def moved(offset: int, ranges: Sequence[Range]) -> int:
    """Return where a character of a line is once the ranges are cut; what is cut is at its dots."""
    shift = 0
    for start, end in ranges:
        if offset <= start:
            break
        if offset < end:
            return start - shift
        shift += end - start - len(HIDDEN)
    return offset - shift


def masked(lines: Sequence[str]) -> list[str]:
    """Return all lines with what must not be shown cut out."""
    return [cut(line, hidden(lines, number)) if line.strip() else line for number, line in enumerate(lines, 1)]


def _values(line: str, *, inside: bool) -> Iterator[Range]:
    for match in _KEY.finditer(line):
        key = next((g for g in match.groups() if g is not None), "")
        rest = line[match.end() :].strip()
        if key.lower() == _BLOCK:
            inside = inside or rest.startswith("{")
            if rest and not rest.startswith(("{", "#")):
                yield _rest(line, match.end())
                return
        elif _sounds_secret(key) and not _PLAIN.fullmatch(rest):
            if rest:
                yield _rest(line, match.end())
            return
        elif inside and rest and not rest.startswith(("{", "[")):
            value = _VALUE.match(line, match.end())
            if value is None:
                yield _rest(line, match.end())
                return
            if value[1] and not _PLAIN.fullmatch(value[1].strip("\"'")):
                yield value.start(1), value.end(1)


def _sounds_secret(key: str) -> bool:
    return named_secret(key) or (_SOUNDS.search(key) is not None and not {".", ":"} & set(key))


def _rest(line: str, start: int) -> Range:
    return start + len(line[start:]) - len(line[start:].lstrip()), len(line)


def _owner(lines: Sequence[str], number: int) -> str:
    """Say what the line belongs to: `secret` or `credentials` when a key further out is called so, else nothing."""
    depth, found = _depth(lines[number - 1]), ""
    for line in reversed(lines[max(0, number - 1 - _FAR) : number - 1]):
        inner = _depth(line)
        if not line.strip() or inner >= depth:
            continue
        depth = inner
        last = None
        for match in _KEY.finditer(line):
            last = match
        if last is not None:
            key = next((g for g in last.groups() if g is not None), "")
            if key.lower() == _BLOCK:
                found = _BLOCK
            elif _sounds_secret(key):
                return "secret"
        if depth == 0:
            break
    return found


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _in_private_key(lines: Sequence[str], number: int) -> bool:
    for line in reversed(lines[max(0, number - 1 - _FAR) : number - 1]):
        if "-----END" in line:
            return False
        if "-----BEGIN" in line:
            return "PRIVATE KEY" in line.upper()
    return False


def merged(ranges: Sequence[Range]) -> list[Range]:
    """Return overlapping ranges as one, in order."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
