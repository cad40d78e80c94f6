"""Make a new workspace: configuration, one example of each kind, editor settings and pipelines.

Rules enforced here:
- nothing is overwritten: when one file exists, all that exist are listed and nothing is written; a `.gitignore` and
  editor settings that are there already stay as they are and are named;
- all or nothing: when a write fails, what was written is taken back;
- the templates are files of the package; they validate and plan as they are.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from nhictl import __version__
from nhictl.model import Exit, NhictlError
from nhictl.scaffold.writing import write_new

Ci = Literal["github", "gitlab", "none"]

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
SCHEMA = ".vscode/nhictl.schema.json"
_TEMPLATES = {
    "nhictl.yaml": "nhictl.yaml",
    "manifests/owners/platform.yaml": "owners/platform.yaml",
    "manifests/roles/deployer.yaml": "roles/deployer.yaml",
    "manifests/connections/github.yaml": "connections/github.yaml",
    "manifests/nhis/shop-api.yaml": "nhis/shop-api.yaml",
    "manifests/nhis/shop-ci.yaml": "nhis/shop-ci.yaml",
    ".vscode/settings.json": "vscode.json",
    ".gitignore": "gitignore",
}
_SHARED = (".gitignore", ".vscode/settings.json")
_PIPELINES: Mapping[Ci, Mapping[str, str]] = {
    "github": {".github/workflows/nhictl.yaml": "ci/github.yaml"},
    "gitlab": {".gitlab-ci.yml": "ci/gitlab.yaml"},
    "none": {},
}


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """The files written, relative to the workspace, the commands to run next, and the files left as they were."""

    files: tuple[Path, ...]
    next_commands: tuple[str, ...]
    kept: tuple[Path, ...] = ()


def scaffold(directory: Path, *, name: str = "", ci: Ci = "none") -> Scaffolded:
    """Write a new workspace into `directory`, which is made when missing.

    `name` is the directory's name by default. Raises NhictlError, with nothing written, when a file exists, the name is
    not one, or writing fails.
    """
    chosen = name or workspace_name(directory.resolve().name)
    if not NAME.match(chosen):
        hint = f"lower-case letters, digits and hyphens, at most 63: {workspace_name(chosen)}"
        raise NhictlError(f"not a name for a workspace: {chosen!r}", hint=hint, exit_code=Exit.USAGE)
    texts = dict(contents(chosen, ci))
    kept = [path for path in _SHARED if (directory / path).is_file() and not (directory / path).is_symlink()]
    for path in kept:
        del texts[path]
    _refuse_existing(directory, texts)
    write_new(directory, texts)
    return Scaffolded(tuple(map(Path, texts)), _next_commands(directory), tuple(map(Path, kept)))


def workspace_name(text: str) -> str:
    """Return a name made of `text`: `My Shop` gives `my-shop`; `workspace` when nothing of it can stay."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain[:63].rstrip("-") or "workspace"


def contents(name: str, ci: Ci) -> Mapping[str, str]:
    """Return the text of each file of a new workspace, by path."""
    from nhictl.manifest import schema_files

    texts = {path: _filled(template, name) for path, template in {**_TEMPLATES, **_PIPELINES[ci]}.items()}
    return {**texts, SCHEMA: schema_files.text("nhictl")}


def _filled(template: str, name: str) -> str:
    text = files("nhictl.scaffold").joinpath("templates", *template.split("/")).read_text(encoding="utf-8")
    return text.replace("@NAME@", name).replace("@VERSION@", __version__)


def _next_commands(directory: Path) -> tuple[str, ...]:
    where = "" if directory.resolve() == Path.cwd() else f" -C {shlex.quote(str(directory))}"
    return (f"nhictl validate{where}", f"nhictl plan{where} -e staging", f"nhictl apply{where} -e staging")


def _refuse_existing(directory: Path, paths: Iterable[str]) -> None:
    taken = sorted({found for path in paths for found in _taken(directory, path)})
    if taken:
        raise NhictlError(
            f"nothing is overwritten, and these exist in {directory}: {', '.join(taken)}",
            hint="choose an empty directory, or move them away first",
        )


def _taken(directory: Path, path: str) -> list[str]:
    """Return `path` when it exists, and those of its folders that are no folders of their own."""
    folders = [parent for parent in Path(path).parents if parent != Path()]
    blocked = [p.as_posix() for p in folders if (directory / p).is_symlink() or (directory / p).is_file()]
    return blocked + ([path] if os.path.lexists(directory / path) else [])
