"""`nhictl.yaml`: found upward from a folder, checked, and read to a `Workspace`.

Rules enforced here:
- a regular file, never a link; one document of kind Workspace and nothing else; no variables in it;
- no credentials, ever: no password in a URL, no key named after a secret, no key material;
- manifests stand inside the workspace: no absolute path, no `..`; so does a `file:` ledger, apart from them.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from nhictl.kinds.common import date, duration_seconds
from nhictl.kinds.workspace import Environment, Ignore, Limits, Target, Workspace, misplaced_ledger
from nhictl.model import Diagnostic, Document, Exit, NhictlError
from nhictl.model import Path as Place
from nhictl.model import Place as Position
from nhictl.model.secret import holds_secret

FILE = "nhictl.yaml"
_MAX_BYTES = 1 << 20
# spec, environments, NAME, targets, NAME: up to there a mapping may have any name, below it are an adapter's settings.
_SETTINGS = 5
_SECRET_KEY = re.compile(r"secret|passw|token|credential|private-?_?key|access-?_?key|api-?_?key", re.IGNORECASE)
# a setting that names where a secret is: `secretIdFrom: env:NAME`, `secretVariable: NAME`
_PLACE = re.compile(r"[A-Za-z]+From (?:env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+)|[A-Za-z]+Variable [A-Z_][A-Z0-9_]*")
_SECRET_TEXT = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@:]*:[^\s/?#@]+@"
    r"|[?&;](?:password|passwd|token|secret|sslpassword)="
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN(?! (?:CERTIFICATE|PUBLIC KEY)-----)"
    r"|\bgh[pousr]_[0-9A-Za-z]{20}|\bhvs\.[0-9A-Za-z]{20}",
    re.IGNORECASE,
)


def find(start: Path) -> Path:
    """Return the nearest folder with `nhictl.yaml`, from `start` upward. Raises NhictlError when there is none."""
    begin = start.resolve()
    if not begin.is_dir():
        raise NhictlError(f"no such folder: {start}", exit_code=Exit.USAGE)
    for folder in (begin, *begin.parents):
        if os.path.lexists(folder / FILE):
            return folder
    raise NhictlError(
        f"no {FILE} in {begin} or above",
        hint="`nhictl init` makes a workspace; `-C DIR` names the folder of one",
        exit_code=Exit.USAGE,
    )


def load(root: Path) -> tuple[Workspace | None, list[Diagnostic]]:
    """Return the workspace at `root` and what is wrong with its file; None when it cannot be used.

    Raises NhictlError when the file cannot be read.
    """
    return parse(read(root), root)


def read(root: Path) -> bytes:
    """Return the bytes of the workspace's `nhictl.yaml`, a little more than allowed at most. Raises NhictlError."""
    from nhictl.manifest import opening

    path = root / FILE
    try:
        return opening.read(path, _MAX_BYTES)
    except OSError as error:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        hint = "the configuration is a file of the reviewed tree" if error.errno == errno.ELOOP else ""
        raise NhictlError(f"cannot read {path}: {reason}", hint=hint, exit_code=Exit.INVALID) from error


def parse(data: bytes, root: Path) -> tuple[Workspace | None, list[Diagnostic]]:
    """Return the workspace that the bytes of an `nhictl.yaml` mean, and what is wrong with them."""
    from nhictl.manifest import limits
    from nhictl.manifest.reader import parse as documents_of

    documents, problems = documents_of(data, FILE)
    if not problems and len(documents) != 1:
        where = documents[1].span() if documents else None
        text = f"`{FILE}` must hold one document, the Workspace; it has {len(documents)}"
        problems.append(Diagnostic("E213", text, where))
    if not problems:
        with limits.guessing(FILE):
            problems = _problems(documents[0])
    problems = limits.capped(problems)
    return (None if problems else _workspace(documents[0], root)), problems


def _problems(document: Document) -> list[Diagnostic]:
    from nhictl.manifest.installed import unknown
    from nhictl.manifest.schema import check
    from nhictl.manifest.variables import refused

    secrets = dict(_credentials(document, document.value, ()))
    found = [*secrets.values(), *refused(document)]
    found += check(document, skip=secrets, workspace=True)
    found += unknown(document)
    if not found:
        found += [*_paths_outside(document), *_ledger_outside(document)]
    return sorted(set(found), key=lambda d: d.sort_key)


def _credentials(document: Document, value: Any, path: Place) -> Iterator[tuple[Place, Diagnostic]]:
    if isinstance(value, dict):
        for key, item in value.items():
            nested = isinstance(item, (dict, list)) and len(path) < _SETTINGS
            if _SECRET_KEY.search(str(key)) and not nested and not _PLACE.fullmatch(f"{key} {item}"):
                text = f"`{key}` looks like a credential: there are none in `{FILE}`"
                yield (*path, key), _credential(document, text, (*path, key))
            else:
                yield from _credentials(document, item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _credentials(document, item, (*path, index))
    elif isinstance(value, str) and (_SECRET_TEXT.search(value) or holds_secret(value)):
        yield path, _credential(document, f"there is a credential in this value: there are none in `{FILE}`", path)


def _credential(document: Document, text: str, path: Place) -> Diagnostic:
    hint = "leave it to the provider's own credential chain (environment, profile, instance role), and replace it"
    return Diagnostic("E210", text, document.span(*path), hint=hint)


def _paths_outside(document: Document) -> Iterator[Diagnostic]:
    for index, path in enumerate(document.value["spec"].get("manifests") or ()):
        if ".." in PurePosixPath(path).parts:
            text = "manifests must stand inside the workspace: no `..`"
            yield Diagnostic("E205", text, document.span("spec", "manifests", index))


def _ledger_outside(document: Document) -> Iterator[Diagnostic]:
    spec = document.value["spec"]
    scheme, _, path = spec.get("ledger", "").partition(":")
    if scheme != "file":
        return
    text = misplaced_ledger(path)
    entries = [PurePosixPath(entry) for entry in spec.get("manifests") or ("manifests/",)]
    if not text and any(PurePosixPath(path).is_relative_to(entry) for entry in entries if entry.parts):
        text = "a ledger cannot stand among the manifests"
    if text:
        yield Diagnostic("E205", text, document.span("spec", "ledger"), hint="for example file:.nhictl/ledger")


def _workspace(document: Document, root: Path) -> Workspace:
    spec: Mapping[str, Any] = document.value["spec"]
    return Workspace(
        document.value["metadata"]["name"],
        root,
        tuple(spec.get("manifests") or ("manifests/",)),
        spec.get("ledger", "file:.nhictl/ledger"),
        {name: _environment(document, name, root) for name in spec["environments"]},
        _limits(spec.get("limits") or {}),
        duration_seconds(spec.get("planExpiry", "24h")),
        document,
        tuple(_ignore(index, rule) for index, rule in enumerate(spec.get("ignore") or ())),
    )


def _environment(document: Document, name: str, root: Path) -> Environment:
    data = document.value["spec"]["environments"][name]
    place = ("spec", "environments", name, "targets")
    targets = tuple(
        _target(key, settings, root, document.place(*place, key)) for key, settings in data["targets"].items()
    )
    return Environment(name, data.get("protected", False), data.get("vars") or {}, targets)


def _target(name: str, data: Mapping[str, Any], root: Path, place: Position) -> Target:
    settings = {key: value for key, value in data.items() if key != "provider"}
    return Target(name, data["provider"], settings, root, place)


def _ignore(index: int, data: Mapping[str, Any]) -> Ignore:
    match = data["match"]
    return Ignore(
        index,
        data["reason"],
        targets=tuple(match.get("targets") or ()),
        kinds=tuple(match.get("kinds") or ()),
        names=tuple(match.get("names") or ()),
        paths=tuple(match.get("paths") or ()),
        tags=tuple(sorted((match.get("tags") or {}).items())),
        expires=date(data["expires"]) if "expires" in data else None,
    )


def _limits(data: Mapping[str, Any]) -> Limits:
    usual = Limits()
    return Limits(
        data.get("deletePercent", usual.delete_percent),
        data.get("deleteMax", usual.delete_max),
        data.get("revokePercent", usual.revoke_percent),
        data.get("revokeMax", usual.revoke_max),
    )
