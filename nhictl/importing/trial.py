"""Try out manifests before anybody sees them: validated, compiled and compared with what is live. Pure.

Rules enforced here:
- what would not validate or compile says less, stage by stage, and is left out with the reason when nothing is left;
- whatever still differs from what is live is kept: after adopting, the plan is empty;
- a manifest that would make something new is no import: it is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nhictl.compile import compile_target
from nhictl.diff import diff_resource
from nhictl.importing import naming
from nhictl.importing.compose import LAST_STAGE, kept, staged, text
from nhictl.importing.owners import refs
from nhictl.importing.values import Given, Sketch
from nhictl.keeping import entry, filled
from nhictl.manifest.check import check
from nhictl.manifest.reader import parse
from nhictl.manifest.validate import Checked
from nhictl.model import Address, Diagnostic, Document, Path, Resource, Severity, Value

_ROUNDS = 20
_NEEDED = frozenset({"identity", "grants", "owner", "environments", "targets", "target", "type", "keep", "nativeName"})
_KEYS = 20


@dataclass(slots=True)
class Trial:
    """One import being tried out: sketches by file, their texts and documents, and what was given up and why."""

    given: Given
    sketches: dict[str, Sketch]
    texts: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    named: dict[Address, str] = field(default_factory=dict)
    written: dict[str, tuple[Sketch, Mapping[Address, str]]] = field(default_factory=dict)
    changed: bool = False


def settle(given: Given, sketches: Mapping[str, Sketch]) -> Trial:
    """Return the trial at its end: every text left in it validates, compiles and equals what is live."""
    trial = Trial(given, dict(sketches))
    for _ in range(_ROUNDS):
        _write(trial)
        if any(not d.sound for d in trial.documents.values()):
            continue
        if not _step(trial) and not _unused(trial):
            return trial
    for file in [f for f, s in trial.sketches.items() if not s.whole]:
        _give_up(trial, file, "its manifest does not settle")
    _write(trial)
    return trial


def _write(trial: Trial) -> None:
    """Bring the texts up to date; references follow the sketches that are left."""
    trial.named = {a: s.name for s in trial.sketches.values() for a in s.draft.addresses}
    for file, sketch in list(trial.sketches.items()):
        meant = {address: _name_of(trial, address) for address in refs(staged(sketch))}
        before = trial.written.get(file)
        if before is not None and before[0] is sketch and before[1] == meant:
            continue
        trial.written[file] = (sketch, meant)
        made = text(trial.given, sketch, lambda a, meant=meant: meant.get(a, ""))  # type: ignore[misc]
        trial.texts[file] = made
        documents, wrong = parse(made.encode("utf-8", "surrogatepass"), file)
        if len(documents) != 1 or (wrong and not _leave_out(trial, file, documents[0], wrong[0])):
            _give_up(trial, file, wrong[0].summary if wrong else "its text is not one document")
            continue
        trial.documents[file] = documents[0]


def _unused(trial: Trial) -> bool:
    """Take out what is no object by itself and what nobody refers to any more; return whether there was any."""
    used = {a for s in trial.sketches.values() for a in refs(staged(s))}
    gone = [
        file
        for file, s in trial.sketches.items()
        if not any(a in s.at.resources for a in s.draft.addresses) and not used.intersection(s.draft.addresses)
    ]
    for file in gone:
        for held in (trial.sketches, trial.documents, trial.texts):
            held.pop(file, None)
    return bool(gone)


def _name_of(trial: Trial, address: Address) -> str:
    """Return the manifest name of a live object: of a sketch, or of what is declared."""
    if address in trial.named:
        return trial.named[address]
    return trial.given.declared.get(address, "").partition("/")[2]


def _give_up(trial: Trial, file: str, why: str) -> None:
    trial.refused[file] = why
    del trial.sketches[file]
    trial.documents.pop(file, None)
    trial.texts.pop(file, None)


def _step(trial: Trial) -> bool:
    """Judge everything once; return whether anything had to change."""
    given, trial.changed = trial.given, False
    documents = (*given.checked.documents, *trial.documents.values())
    wrong = _errors(trial, check(documents, given.checked.workspace, given.today))
    if wrong or trial.changed:
        return _less(trial, wrong) or trial.changed
    checked = Checked(given.checked.workspace, documents, (), "", 0)
    differing: dict[str, tuple[str, ...]] = {}
    for at in given.live:
        estate = compile_target(
            checked, given.environment.name, at.target.name,
            today=given.today, names=given.names, previous=given.previous,
        )  # fmt: skip
        compiled = at.adapter.desired(estate)
        wrong |= _errors(trial, compiled.diagnostics)
        mine = _by_file(trial, compiled.resources)
        for file, resources in mine.items():
            absent = [r.address for r in resources if r.address not in at.resources]
            if absent:
                wrong.setdefault(file, f"its manifest would make {absent[0]}")
                continue
            needed = _needed(trial.sketches[file], resources)
            if needed != kept(trial.sketches[file]):
                differing[file] = needed
    for file, keep in differing.items():
        trial.sketches[file] = replace(trial.sketches[file], keep=keep)
    return _less(trial, wrong) or bool(differing) or trial.changed


def _errors(trial: Trial, diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
    """Return the first error of each new file that is not done with by leaving a field out."""
    found: dict[str, Diagnostic] = {}
    for one in diagnostics:
        if one.severity is Severity.ERROR and one.span is not None and one.span.file in trial.sketches:
            found.setdefault(one.span.file, one)
    return {f: d.summary for f, d in found.items() if not _leave_out(trial, f, trial.documents[f], d)}


def _leave_out(trial: Trial, file: str, document: Document, wrong: Diagnostic) -> bool:
    """Leave out the field that an error is about; return False when that is no field a manifest can do without."""
    path = _path_of(document, wrong)
    if path[:1] != ("spec",) or len(path) < 2 or path[1] in _NEEDED:
        return False
    sketch = trial.sketches[file]
    inside = path[1] == sketch.at.target.provider and len(path) > 2
    field_ = tuple(str(step) for step in path[1 : 3 if inside else 2])
    if field_ in sketch.without:
        return False
    trial.sketches[file] = replace(sketch, without=sketch.without | {field_}, keep=None)
    trial.changed = True
    return True


def _path_of(document: Document, wrong: Diagnostic) -> Path:
    """Return the path in a document that a diagnostic points at, empty when it points at none."""
    if wrong.span is None:
        return ()
    at = (wrong.span.line, wrong.span.column)
    places = {**document.positions, **document.value_positions}
    found = [path for path, place in places.items() if place[0] == at[0] and place[1] <= at[1]]
    return max(found, key=lambda path: (places[path][1], len(path)), default=())


def _less(trial: Trial, wrong: Mapping[str, str]) -> bool:
    """Say less in each file that is wrong, or give it up; return whether there was one."""
    for file, why in wrong.items():
        sketch = trial.sketches[file]
        if sketch.stage >= LAST_STAGE[sketch.draft.kind]:
            _give_up(trial, file, why)
        else:
            trial.sketches[file] = replace(sketch, stage=sketch.stage + 1, keep=None)
    return bool(wrong)


def _by_file(trial: Trial, resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    files = {sketch.ref: file for file, sketch in trial.sketches.items()}
    found: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        if resource.subject in files and resource.address not in trial.given.declared:
            found[files[resource.subject]].append(resource)
    return found


def _needed(sketch: Sketch, resources: list[Resource]) -> tuple[str, ...]:
    """Return the fields to keep so that nothing differs: the draft's own, and what would change all the same."""
    always = sketch.draft.keep
    found: dict[str, None] = dict.fromkeys(always)
    for resource in resources:
        live = sketch.at.resources[resource.address]
        desired = filled(replace(resource, keep=always), live)
        unsaid = [k.field for k in map(entry, kept(sketch)) if k and not k.key and k.field not in desired.attributes]
        wanted = [f for f in unsaid if f in live.attributes]
        wanted += list(_differing(sketch, desired, live))
        found |= dict.fromkeys(n if n in always else _exact(n, resource, resources) for n in wanted)
    return tuple(found)


def _exact(name: str, resource: Resource, resources: list[Resource]) -> str:
    """Return an entry of `keep`, with the kind where an object of another kind has a field of that name, too."""
    field_, kind = name.partition(".")[0], resource.address.kind
    shared = any(field_ in r.attributes and r.address.kind != kind for r in resources)
    return f"{kind}/{name}" if shared else name


def _differing(sketch: Sketch, desired: Resource, live: Resource) -> Iterator[str]:
    kind = sketch.at.adapter.capabilities.kinds[desired.address.kind]
    changed = {c.path.partition(".")[0] for c in diff_resource(kind, desired, live)}
    for name in sorted(changed):
        yield from _keys(name, desired.attributes.get(name), live.attributes.get(name), partial=name in kind.partial)


def _keys(name: str, wanted: Value, there: Value, *, partial: bool) -> Iterator[str]:
    """Yield the keys of a mapping that differ, or the field itself where that says less than the keys."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping) and set(wanted) <= set(there):
        among = wanted if partial else there
        keys = sorted(k for k in among if wanted.get(k) != there[k])
        if len(keys) <= _KEYS and len(keys) < len(there) and all(k.isprintable() and len(k) < 200 for k in keys):
            yield from (f"{name}.{key}" for key in keys)
            return
    yield name


def group_of(sketch: Sketch, group_by: str) -> str:
    """Return the folder that a manifest is grouped under, empty for none."""
    return {"owner": sketch.owner, "provider": sketch.at.target.provider}.get(group_by, "")


def files(given: Given, sketches: Iterable[Sketch]) -> dict[str, Sketch]:
    """Return the sketches by file."""
    return {naming.path(s.draft, s.name, group=group_of(s, given.group_by)): s for s in sketches}
