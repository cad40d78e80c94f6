"""From a directory and a few options to what the stages work on: workspace, manifests, adapters, ledger, request."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhictl.cli import acting
from nhictl.model import Document, Exit, InvalidManifests, NhictlError, Severity

if TYPE_CHECKING:
    from nhictl.engine.prepare import Names, Request
    from nhictl.kinds.estate import Estate
    from nhictl.kinds.workspace import Environment, Target, Workspace
    from nhictl.ledger import Actor, Ledger
    from nhictl.manifest.validate import Checked
    from nhictl.model import Diagnostic
    from nhictl.providers.base import Adapter
    from nhictl.select import ObjectFacts, Selection


@dataclass(frozen=True, slots=True)
class Loaded:
    """A validated workspace, the environment that was chosen in it, and the commit that is checked out."""

    checked: Checked
    workspace: Workspace
    environment: Environment
    commit: str = ""


def checked_workspace(
    directory: Path, *, cache: bool = True, compiled: bool = False, paths: Sequence[Path] = ()
) -> Checked:
    """Return the checked workspace of `directory`, with all diagnostics. Raises when there is no workspace.

    With `compiled` every target's adapter is asked, too, what it cannot express; an unchanged workspace is then
    answered from the cache alone, without its documents. `paths` narrow the diagnostics to what concerns them.
    """
    from nhictl.manifest.cache import default_directory
    from nhictl.manifest.validate import validate
    from nhictl.manifest.workspace import find

    root = find(directory)
    where = default_directory(os.environ) if cache and _may_cache(os.environ) else None
    judge = _cannot_be_expressed if compiled else None
    return validate(
        root, today=now().date(), cache_directory=where, paths=_within(root, paths), documents=not compiled, judge=judge
    )


def _may_cache(environ: Mapping[str, str]) -> bool:
    """Say whether the cache counts: in CI others may have filled it, so there it does only with NHICTL_CACHE=1."""
    ci = environ.get("CI", "").lower() not in ("", "0", "false")
    return environ.get("NHICTL_CACHE", "" if ci else "1") == "1"


def _within(root: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the paths relative to `root`; none when one of them is the whole workspace. Raises a usage error."""
    _require_existing(paths)
    names = tuple(Path(os.path.relpath(path.resolve(), root.resolve())).as_posix() for path in paths)
    return () if "." in names else names


def _require_existing(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise NhictlError(f"{path} does not exist", exit_code=Exit.USAGE)


def _cannot_be_expressed(checked: Checked) -> list[Diagnostic]:
    """Return what the adapters say about each target, as if nothing were managed yet."""
    from nhictl.compile import compile_target

    found: dict[Diagnostic, None] = {}
    for environment in checked.sound().environments.values():
        try:
            known = adapters(environment)
        except InvalidManifests as error:
            found.update(dict.fromkeys(error.diagnostics))
            continue
        for target in environment.targets:
            estate = compile_target(checked, environment.name, target.name, today=now().date(), names={}, previous={})
            found.update(dict.fromkeys(known[target.provider].desired(estate).diagnostics))
    return list(found)


def configured(directory: Path) -> Workspace:
    """Return the workspace's configuration alone, manifests unread. Raises InvalidManifests when it is wrong."""
    from nhictl.manifest import workspace

    root = workspace.find(directory)
    found, diagnostics = workspace.load(root)
    if found is None:
        with below(root):
            raise InvalidManifests(tuple(sorted(diagnostics, key=lambda d: d.sort_key)))
    return found


@contextmanager
def below(root: Path) -> Iterator[None]:
    """Say of what is found invalid in here that its files are below `root`."""
    try:
        yield
    except InvalidManifests as error:
        error.root = root
        raise


def files_to_format(directory: Path, paths: Sequence[Path]) -> tuple[Path, list[Path]]:
    """Return the root that names are relative to, and the files: those given, or the workspace's own."""
    from nhictl.manifest.discover import manifest_files
    from nhictl.manifest.fmt_files import manifests_in

    if paths:
        _require_existing(paths)
        return directory, list(manifests_in(paths))
    workspace = configured(directory)
    root = workspace.root
    found, problems = manifest_files(root, workspace.manifests)
    if problems:
        with below(root):
            raise InvalidManifests(tuple(problems))
    return root, [root / "nhictl.yaml", *found]


def load(directory: Path, environment: str, *, cache: bool = True) -> Loaded:
    """Return the workspace, refusing manifests with errors. Warnings are left to `validate`."""
    from nhictl.ledger.checkout import commit
    from nhictl.manifest.workspace import find

    checked = checked_workspace(directory, cache=cache)
    errors = tuple(d for d in checked.diagnostics if d.severity is Severity.ERROR)
    if errors or checked.workspace is None:
        with below(find(directory)):
            raise InvalidManifests(errors)
    workspace = checked.workspace
    return Loaded(checked, workspace, choose(workspace, environment), commit(workspace.root))


def choose(workspace: Workspace, name: str) -> Environment:
    """Return the environment called `name`, or the only one. Raises a usage error otherwise."""
    known = ", ".join(sorted(workspace.environments))
    if not name and len(workspace.environments) == 1:
        return next(iter(workspace.environments.values()))
    if not name:
        raise NhictlError("which environment?", hint=f"-e NAME, one of: {known}", exit_code=Exit.USAGE)
    if name not in workspace.environments:
        raise NhictlError(f"no environment is named {name}", hint=f"one of: {known}", exit_code=Exit.USAGE)
    return workspace.environments[name]


def adapters(environment: Environment) -> dict[str, Adapter]:
    """Return the adapter of every provider that the environment's targets use.

    Raises InvalidManifests when a target's settings do not fit an adapter that is not built in.
    """
    from nhictl.manifest import installed

    return installed.adapters(environment, _built_in)


def _built_in(name: str) -> Adapter:
    import importlib

    module = importlib.import_module(f"nhictl.providers.{name}.adapter")
    adapter: Adapter = module.adapter
    return adapter


def now() -> dt.datetime:
    """Return the current time; the only place where a command reads the clock."""
    return dt.datetime.now(dt.UTC)


def new_run() -> str:
    """Return a name for this run, unique and sortable by time: `20261122T101500Z-1f2e3d4c`."""
    return f"{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def ledger_of(loaded: Loaded, command: str, *, run: str = "", read_only: bool = True) -> Ledger:
    """Return the ledger of the loaded environment, nothing touched yet."""
    who = acting.actor(command, commit=loaded.commit)
    return open_ledger_of(loaded.workspace, loaded.environment, actor=who, run=run, read_only=read_only)


def open_ledger_of(
    workspace: Workspace, environment: Environment, *, actor: Actor, run: str = "", read_only: bool = True
) -> Ledger:
    """Return the ledger of an environment, nothing touched yet."""
    from nhictl.ledger import open_ledger, signing

    return open_ledger(
        workspace.ledger,
        root=workspace.root,
        workspace=workspace.name,
        environment=environment.name,
        actor=actor,
        run=run or new_run(),
        clock=now,
        read_only=read_only,
        signer=None if read_only else signing.configured(os.environ),
    )


def selection(
    loaded: Loaded,
    *,
    targets: Sequence[str] = (),
    excludes: Sequence[str] = (),
    kinds: Sequence[str] = (),
    owners: Sequence[str] = (),
    selectors: Sequence[str] = (),
    paths: Sequence[Path] = (),
) -> Selection:
    """Return the selection the options describe; files select the objects they declare."""
    from nhictl.select import Selection, check_declared, parse_labels

    named = [*targets, *_declared_in(loaded, paths)]
    chosen = Selection(tuple(named), tuple(excludes), tuple(kinds), tuple(owners), parse_labels(selectors))
    if chosen.kinds or chosen.owners or chosen.labels:
        check_declared(chosen, facts(loaded.checked.documents))
    return chosen


def _declared_in(loaded: Loaded, paths: Sequence[Path]) -> list[str]:
    root = loaded.workspace.root.resolve()
    found = []
    for path in paths:
        full = path.resolve()
        inside = [
            d.ref for d in loaded.checked.documents if (root / d.file).resolve().is_relative_to(full) and _planned(d)
        ]
        if not inside:
            raise NhictlError(f"{path} declares no object of this workspace", exit_code=Exit.USAGE)
        found += inside
    return found


def _planned(document: Document) -> bool:
    return document.kind in ("NHI", "Role", "Connection")


def facts(documents: Sequence[Document]) -> dict[str, ObjectFacts]:
    """Return what selectors may ask about each declared object, by reference."""
    from nhictl.select import ObjectFacts

    return {
        d.ref: ObjectFacts(d.value["spec"].get("owner") or "", d.value["metadata"].get("labels") or {})
        for d in documents
        if _planned(d)
    }


def former_names(documents: Sequence[Document]) -> dict[str, tuple[str, ...]]:
    """Return the former references of each object that says `previously`."""
    return {
        d.ref: tuple(f"{d.kind.lower()}/{old}" for old in d.value["metadata"]["previously"])
        for d in documents
        if d.value["metadata"].get("previously")
    }


def request(loaded: Loaded, chosen: Selection, **more: Any) -> Request:
    """Return the planning request for a loaded workspace."""
    from nhictl.engine.prepare import Request

    moment = now()

    def compile_one(target: Target, names: Names) -> Estate:
        from nhictl.compile import compile_target

        return compile_target(
            loaded.checked,
            loaded.environment.name,
            target.name,
            today=moment.date(),
            names=names.names,
            previous=names.previous,
        )

    return Request(
        workspace=loaded.workspace,
        environment=loaded.environment,
        compile=compile_one,
        former=former_names(loaded.checked.documents),
        facts=facts(loaded.checked.documents) if chosen.partial else {},
        now=moment,
        commit=loaded.commit,
        selection=chosen,
        **more,
    )
