"""Import, adopt and plan without any server: from live resources to the plans that follow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from nhictl.compile import compile_target
from nhictl.importing import Given, Imported, LiveTarget, imported
from nhictl.kinds.workspace import Limits
from nhictl.ledger.fold import Folded
from nhictl.manifest.fmt import format_text
from nhictl.manifest.reader import parse
from nhictl.manifest.validate import Checked, validate
from nhictl.model import Action, Address, Identity, Managed, Mark, Resource, Snapshot
from nhictl.plan import PlanInput, TargetInput, build
from nhictl.providers.base import Adapter

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
OWNER = "shop/test"


def whole_way(root: Path, adapter: Adapter, live: Iterable[Resource]) -> Imported:
    """Import `live` into the workspace at `root`, adopt, and assert that only marks change and nothing is left."""
    checked = validate(root, today=NOW.date())
    environment = checked.sound().environments["test"]
    resources = {r.address: r for r in live}
    at = LiveTarget(environment.targets[0], adapter, resources)
    found = imported(Given(checked, environment, (at,), {}, {}, NOW.date(), mark=OWNER, owner="team"))
    documents = [d for m in found.manifests for d in parse(m.text.encode(), m.path)[0]]
    for manifest in found.manifests:
        assert format_text(manifest.text, manifest.path) == manifest.text
    whole = Checked(checked.workspace, (*checked.documents, *documents), (), "", 0)
    desired = _desired(whole, adapter)
    adopting = build(_input(adapter, desired, resources, {}, adopt=True))
    assert [f for f in adopting.findings if f.level == "error"] == []
    assert {c.action for c in adopting.changes} <= {Action.ADOPT}
    assert {f.path for c in adopting.changes for f in c.fields} <= {"mark"}
    marked = {a: _marked(r, desired[a]) if a in desired else r for a, r in resources.items()}
    managed = {
        c.address: Managed(c.address, c.subject, c.native_id, c.after.attributes, c.after.handling, c.after.depends_on)
        for c in adopting.changes
        if c.after is not None
    }
    after = build(_input(adapter, desired, marked, managed, adopt=False))
    assert (after.changes, [f for f in after.findings if f.level == "error"]) == ((), [])
    again = Given(
        whole, environment, (at,), {a: r.subject for a, r in desired.items()}, managed, NOW.date(), owner="team"
    )
    assert imported(again).manifests == ()
    return found


def _desired(checked: Checked, adapter: Adapter) -> dict[Address, Resource]:
    from dataclasses import replace

    estate = compile_target(checked, "test", "estate", today=NOW.date(), names={}, previous={})
    compiled = adapter.desired(estate)
    assert [d for d in compiled.diagnostics if d.severity == "error"] == []
    keep = estate.keep()
    return {r.address: replace(r, keep=keep.get(r.subject, ()), adopt=True) for r in compiled.resources}


def _marked(resource: Resource, desired: Resource) -> Resource:
    from dataclasses import replace

    return replace(resource, mark=Mark(OWNER, desired.subject, "x"), mark_known=True)


def _input(adapter: Adapter, desired, live, managed, *, adopt: bool) -> PlanInput:
    snapshot = Snapshot("estate", live, Identity(adapter.name, "scope", "somebody"))
    target = TargetInput("estate", adapter, desired, snapshot)
    refs = frozenset(r.subject for r in desired.values()) if adopt else frozenset()
    limits = Limits(100, 1000, 100, 1000)
    return PlanInput("shop", "test", (target,), Folded(managed), limits, NOW, NOW + dt.timedelta(1), adopt=refs)
