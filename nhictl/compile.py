"""Checked documents to the desired objects of one target: variables resolved, values typed. Pure.

Rules enforced here:
- nothing is compiled from a workspace with an error in it;
- an object is in the estate of each target `manifest.placement` puts it in, and in no other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TypeVar

from nhictl.kinds import connection, nhi, role
from nhictl.kinds.estate import Estate
from nhictl.kinds.workspace import Environment, Target, Workspace
from nhictl.manifest.load import collector_off
from nhictl.manifest.placement import exists_in, place
from nhictl.manifest.validate import Checked
from nhictl.manifest.variables import Scope, resolve, scope
from nhictl.model import Diagnostic, Document, Exit, InvalidManifests, NhictlError

_Named = TypeVar("_Named", role.Role, connection.Connection)
_KINDS = ("Role", "Connection", "NHI")


def compile_target(
    checked: Checked,
    environment: str,
    target: str,
    *,
    today: dt.date,
    names: Mapping[tuple[str, str], str],
    previous: Mapping[str, str],
) -> Estate:
    """Return the estate of one target of one environment.

    `names` and `previous` come from the ledger, see `Estate`. Raises InvalidManifests when the workspace has errors,
    NhictlError when there is no such environment or target.
    """
    workspace = checked.sound()
    env, where = find_target(workspace, environment, target)
    with collector_off():
        placed = _placed(checked, env, where)
        return Estate(
            f"{workspace.name}/{env.name}",
            env,
            where,
            tuple(nhi.parse(d) for d in placed["NHI"]),
            _by_name([role.parse(d) for d in placed["Role"]]),
            _by_name([connection.parse(d) for d in placed["Connection"]]),
            today,
            names,
            previous,
        )


def find_target(workspace: Workspace, environment: str, target: str) -> tuple[Environment, Target]:
    """Return an environment and a target of it by name. Raises NhictlError with the closest names."""
    from nhictl.manifest.schema import near_miss

    env = workspace.environments.get(environment)
    if env is None:
        hint = near_miss(environment, workspace.environments) or "known: " + ", ".join(workspace.environments)
        raise NhictlError(f"no environment `{environment}`", hint=hint, exit_code=Exit.USAGE)
    found = {t.name: t for t in env.targets}
    if target not in found:
        hint = near_miss(target, found) or "known: " + ", ".join(found)
        raise NhictlError(f"no target `{target}` in environment {env.name}", hint=hint, exit_code=Exit.USAGE)
    return env, found[target]


def _placed(checked: Checked, environment: Environment, target: Target) -> Mapping[str, list[Document]]:
    """Return the documents of each kind realised in `target`, resolved."""
    roles = {d.name: d for d in checked.documents if d.kind == "Role"}
    within = scope(environment, target)
    found: dict[str, list[Document]] = {kind: [] for kind in _KINDS}
    for document in checked.documents:
        if document.kind not in found or not exists_in(document.value["spec"], environment.name):
            continue
        if any(t is target for t in place(document, environment, roles).targets):
            found[document.kind].append(_resolved(document, within))
    return found


def _resolved(document: Document, within: Scope) -> Document:
    if not document.has_variables:
        return document
    done = resolve(document, within)
    if done.unresolved:
        problems = done.problems or (Diagnostic("E401", "a variable has no value", document.span()),)
        raise InvalidManifests(problems)
    return done.document


def _by_name(items: list[_Named]) -> Mapping[str, _Named]:
    return {item.meta.name: item for item in items}
