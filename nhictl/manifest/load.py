"""Manifest files to documents, with a content cache.

Rules enforced here:
- every file is read on every run: the cache is keyed by what is in a file, never by its time or size;
- only regular files are opened, never through a link, never blocking; what cannot be read is an error;
- a file with any problem is read anew each time; only faultless ones are kept in the cache, none with a secret.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nhictl.manifest import credentials, opening, reader
from nhictl.manifest.cache import Cache
from nhictl.manifest.text import MAX_BYTES
from nhictl.model import Diagnostic, Document, Span

SPARE = 1_000


@dataclass(frozen=True, slots=True)
class Source:
    """One file as read. `digest` is the SHA-256 of `data`."""

    file: str
    data: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """The contents of a workspace's files. `contents` is a digest over all names and contents, problems included."""

    root: Path
    sources: tuple[Source, ...]
    contents: str
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """The documents of a workspace in source order, and everything wrong with their text.

    `contents` is a hexadecimal SHA-256 over all names and contents; `files` counts the files read.
    """

    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]
    contents: str
    files: int


def load(root: Path, paths: Iterable[Path | str], cache: Cache | None = None) -> Loaded:
    """Read and parse `paths`, all below `root`."""
    return parse_all(scan(root, paths), cache)


def scan(root: Path, paths: Iterable[Path | str]) -> Scan:
    """Read `paths`, all below `root`, without parsing anything."""
    real = os.path.realpath(root)
    inside = real + os.sep
    sources: list[Source] = []
    problems: list[Diagnostic] = []
    for path in [os.fspath(path) for path in paths]:
        name = path[len(inside) :] if path.startswith(inside) else os.path.relpath(path, real)
        name = name.replace(os.sep, "/")
        try:
            data = opening.read(path, MAX_BYTES)
        except OSError as error:
            problems.append(_unreadable(name, error))
        else:
            sources.append(Source(name, data, hashlib.sha256(data).digest()))
    sources.sort(key=lambda source: source.file)
    return Scan(Path(real), tuple(sources), _digest(sources, problems), tuple(problems))


def parse_all(scanned: Scan, cache: Cache | None = None) -> Loaded:
    """Parse what was read, taking from `cache` what is known and adding what is new."""
    slot = f"documents {scanned.root}"
    documents: list[Document] = []
    problems = list(scanned.diagnostics)
    with collector_off():
        kept = cache.read(slot) if cache else None
        known: dict[bytes, list[reader.Known]] = kept if isinstance(kept, dict) else {}
        fresh: dict[bytes, list[reader.Known]] = {}
        for source in scanned.sources:
            values = known.get(source.digest)
            if values is not None:
                documents += reader.documents(values, source.data, source.file)
                continue
            found, wrong = reader.parse(source.data, source.file)
            found, secrets = credentials.refused(found, source.data.decode("utf-8", "replace"))
            wrong += secrets
            documents += found
            problems += wrong
            if not wrong:
                fresh[source.digest] = [(dict(d.value), d.has_variables) for d in found]
        if cache and fresh:
            cache.write(slot, _trimmed(known, scanned.sources) | fresh)
    problems.sort(key=lambda p: p.sort_key)
    return Loaded(tuple(documents), tuple(problems), scanned.contents, len(scanned.sources))


@contextmanager
def collector_off() -> Iterator[None]:
    """Switch the garbage collector off: nothing that is built here can be garbage, and it would look at all of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _trimmed(known: Mapping[bytes, list[reader.Known]], sources: tuple[Source, ...]) -> dict[bytes, list[reader.Known]]:
    """Return what is known, without the contents no file has now when those are many."""
    used = {source.digest for source in sources} & known.keys()
    if len(known) - len(used) <= len(sources) + SPARE:
        return dict(known)
    return {digest: known[digest] for digest in used}


def _unreadable(name: str, error: OSError) -> Diagnostic:
    code = "E133" if isinstance(error, IsADirectoryError) else "E131"
    reason = error.strerror or "unknown reason"
    hint = "Nothing is planned while a manifest cannot be read."
    return Diagnostic(code, f"cannot read the file: {reason}", Span(name), hint=hint)


def _digest(sources: Iterable[Source], problems: Iterable[Diagnostic]) -> str:
    total = hashlib.sha256()
    for source in sources:
        total.update(source.file.encode("utf-8", "surrogateescape") + b"\0" + source.digest)
    for problem in problems:
        total.update(f"\0{problem.code} {problem.span}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()
