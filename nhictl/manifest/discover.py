"""Find the manifest files of a workspace.

Rules enforced here:
- `*.yaml` and `*.yml` below the given entries, sorted by relative path, each real file once;
- nothing outside the workspace root is listed: a link that leaves it is an error, a link inside is followed once;
- names that start with a dot are skipped, and so is the workspace's own `nhictl.yaml`;
- what is missing, unreadable, empty or no regular file is an error: it must never look like "nothing declared".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nhictl.manifest.text import hidden, shown
from nhictl.model import Diagnostic, Span

SUFFIXES = (".yaml", ".yml")
CONFIGURATION = "nhictl.yaml"


@dataclass(slots=True)
class _Search:
    root: str
    files: set[str] = field(default_factory=set)
    problems: list[Diagnostic] = field(default_factory=list)
    walked: set[str] = field(default_factory=set)

    def relative(self, path: str) -> str:
        return Path(os.path.relpath(path, self.root)).as_posix()

    def refuse(self, code: str, path: str, summary: str, hint: str) -> None:
        name = self.relative(path)
        safe = name if name.isprintable() and not hidden(name) else shown(name, 200)
        self.problems.append(Diagnostic(code, summary.format(safe), Span(safe), hint=hint))


def manifest_files(root: Path, entries: Sequence[str]) -> tuple[list[Path], list[Diagnostic]]:
    """Return the manifest files below `entries` (directories or files, relative to `root`) and what is wrong."""
    found, problems = manifest_paths(root, entries)
    return [Path(path) for path in found], problems


def manifest_paths(root: Path, entries: Sequence[str]) -> tuple[list[str], list[Diagnostic]]:
    """Return what `manifest_files` does, as strings: a thousand paths cost more than reading the files."""
    search = _Search(os.path.realpath(root))
    for entry in entries:
        _entry(search, entry)
    return sorted(search.files), sorted(search.problems, key=lambda p: p.sort_key)


def inside(path: str, root: str) -> bool:
    """True when the real path `path` is the real path `root` or below it."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _entry(search: _Search, entry: str) -> None:
    if "\0" in entry:
        search.refuse("E130", search.root, "entry with a NUL character", "Correct the path.")
        return
    path = os.path.join(search.root, entry)  # noqa: PTH118 (pathlib drops nothing here, strings are faster)
    mode = _mode(search, path)
    if mode is None:
        return
    real = os.path.realpath(path)
    if stat.S_ISDIR(mode):
        before = len(search.files) + len(search.problems)
        seen = real in search.walked
        _walk(search, real)
        if not seen and len(search.files) + len(search.problems) == before and not _any_below(search, real):
            search.refuse("E134", path, "no manifests in {}", "Name the directory that holds the *.yaml files.")
    elif not real.endswith(SUFFIXES):
        search.refuse("E135", path, "{} is not a *.yaml file", "Name a *.yaml file or a directory.")
    else:
        _file(search, real, mode)


def _any_below(search: _Search, directory: str) -> bool:
    return any(inside(path, directory) for path in search.files)


def _mode(search: _Search, path: str) -> int | None:
    """Return the mode of what `path` leads to when that is inside the root; report it otherwise."""
    if not inside(os.path.realpath(path), search.root):
        hint = "Keep manifests below the directory of nhictl.yaml."
        search.refuse("E132", path, "{} leads out of the workspace", hint)
        return None
    try:
        return Path(path).stat().st_mode
    except FileNotFoundError:
        search.refuse("E130", path, "{} does not exist", "Correct the path or create it.")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "bad path"
        search.refuse("E131", path, f"cannot read {{}}: {reason}", "Correct links and permissions.")
    return None


def _walk(search: _Search, start: str) -> None:
    waiting = [start]
    while waiting:
        directory = waiting.pop()
        if directory in search.walked:
            continue
        search.walked.add(directory)
        waiting += _listed(search, directory)


def _listed(search: _Search, directory: str) -> Iterator[str]:
    """Take the manifest files of one directory; give the directories below it."""
    try:
        with os.scandir(directory) as listing:
            found = sorted(listing, key=lambda item: item.name)
    except OSError as error:
        search.refuse("E131", directory, f"cannot read {{}}: {error.strerror}", "Correct its permissions.")
        return
    at_root = directory == search.root
    for item in found:
        if item.name.startswith(".") or (at_root and item.name == CONFIGURATION):
            continue
        if item.is_symlink():
            yield from _link(search, item.path)
        elif item.is_dir(follow_symlinks=False):
            yield item.path
        elif item.name.endswith(SUFFIXES):
            _file(search, item.path, stat.S_IFREG if item.is_file(follow_symlinks=False) else 0)


def _link(search: _Search, path: str) -> Iterator[str]:
    mode = _mode(search, path)
    if mode is None:
        return
    if stat.S_ISDIR(mode):
        yield os.path.realpath(path)
    elif path.endswith(SUFFIXES):
        _file(search, os.path.realpath(path), mode)


def _file(search: _Search, path: str, mode: int) -> None:
    name = path[len(search.root) :]
    if hidden(name) or not name.isprintable():
        search.refuse("E136", path, "file name with characters that cannot be shown", "Rename the file.")
    elif not stat.S_ISREG(mode):
        search.refuse("E133", path, "{} is not a regular file", "Replace it by a file, or move it away.")
    else:
        search.files.add(path)
