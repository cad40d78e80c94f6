"""A workspace from its folder to checked documents.

Rules enforced here:
- every file is read on every run; only what follows from the same bytes, schemas, tool and day is taken from the cache;
- a broken `nhictl.yaml` does not hide what is wrong in the manifests;
- naming paths narrows what is told, never what is looked at: what is wrong elsewhere is counted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nhictl.kinds.workspace import Workspace
from nhictl.manifest import workspace as configuration
from nhictl.manifest.cache import Cache, open_cache, remember, result
from nhictl.manifest.discover import manifest_paths
from nhictl.manifest.load import Loaded, Scan, collector_off, parse_all, scan
from nhictl.manifest.schema_files import digest as schema_digest
from nhictl.model import Diagnostic, Document, InvalidManifests, Severity

Judge = Callable[["Checked"], Sequence[Diagnostic]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A workspace and everything wrong with it, in source order.

    `workspace` is None when `nhictl.yaml` cannot be used. `documents` are all manifests in source order, faulty ones
    included; empty when only the diagnostics were asked for. `digest` is a hexadecimal SHA-256 over all files.
    `elsewhere` is the number of errors left out because they concern none of the named paths.
    """

    workspace: Workspace | None
    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    files: int
    elsewhere: int = 0

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that make the workspace unusable."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.ERROR)

    def sound(self) -> Workspace:
        """Return the workspace. Raises InvalidManifests when there is any error."""
        if self.workspace is None or self.errors:
            raise InvalidManifests(self.diagnostics)
        return self.workspace


def validate(
    root: Path,
    *,
    today: dt.date,
    cache_directory: Path | None = None,
    paths: Sequence[str] = (),
    documents: bool = True,
    judge: Judge | None = None,
) -> Checked:
    """Return the workspace at `root`, checked as of `today`.

    `judge` says what else is wrong with a workspace that has no error so far; its result is cached like the rest.

    `paths` (relative to `root`) narrow the diagnostics to what concerns files below them or `nhictl.yaml`. Without
    `documents` the result may come from the cache alone. Raises NhictlError when `nhictl.yaml` cannot be read.
    """
    root = root.resolve()
    raw = configuration.read(root)
    workspace, problems = configuration.parse(raw, root)
    files, missing = manifest_paths(root, workspace.manifests if workspace else ("manifests/",))
    chosen, more = manifest_paths(root, [path for path in paths if path != configuration.FILE])
    scanned = scan(root, {*files, *chosen})
    problems += [*missing, *more]
    cache = open_cache(cache_directory, schema_digest=schema_digest(), root=root) if cache_directory else None
    digest = hashlib.sha256(raw + b"\0" + scanned.contents.encode()).hexdigest()
    with collector_off():
        key = f"{digest} {today}{' judged' if judge else ''}{_adapters(workspace)}"
        sound = None if problems else judge
        loaded, found = _checked(scanned, workspace, today, (cache, key, documents), judge=sound)
    everything = sorted({*problems, *found}, key=lambda d: d.sort_key)
    named = {configuration.FILE, *(os.path.relpath(f, root).replace(os.sep, "/") for f in chosen)}
    told = [d for d in everything if not paths or d in more or _concerns(d, named)]
    elsewhere = sum(d.severity is Severity.ERROR for d in everything) - sum(d.severity is Severity.ERROR for d in told)
    return Checked(workspace, loaded, tuple(told), digest, len(scanned.sources), elsewhere)


def _concerns(diagnostic: Diagnostic, files: set[str]) -> bool:
    spans = [diagnostic.span, *(span for span, _ in diagnostic.related)]
    return diagnostic.span is None or any(span is not None and span.file in files for span in spans)


def _adapters(workspace: Workspace | None) -> str:
    """Return what the result depends on besides nhictl itself: the releases of adapters of others."""
    from nhictl.manifest.installed import versions

    environments = workspace.environments.values() if workspace else ()
    return versions({target.provider for environment in environments for target in environment.targets})


def _checked(
    scanned: Scan,
    workspace: Workspace | None,
    today: dt.date,
    memory: tuple[Cache | None, str, bool],
    *,
    judge: Judge | None,
) -> tuple[tuple[Document, ...], list[Diagnostic]]:
    cache, key, wanted = memory
    known = result(cache, scanned.root, key)
    if known is not None and not wanted:
        return (), known
    loaded = parse_all(scanned, cache)
    if known is None:
        known = _judged(loaded, workspace, today)
        if judge is not None and not any(d.severity is Severity.ERROR for d in known):
            known += judge(Checked(workspace, loaded.documents, tuple(known), "", 0))
        remember(cache, scanned.root, key, known)
    return loaded.documents, known


def _judged(loaded: Loaded, workspace: Workspace | None, today: dt.date) -> list[Diagnostic]:
    from nhictl.manifest.check import check

    return check(loaded.documents, workspace, today, before=loaded.diagnostics)
