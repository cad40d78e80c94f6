"""References of one object: do the owner, roles, connections, environments and targets it names exist and fit.

Rules enforced here:
- a reference is checked where it is written, with the closest name as a hint, or the kind that has the name;
- a grant stands within its NHI's environments, and its role and connection exist there and share a provider;
- departed owners, expired grants and objects without a target are warnings: they are true and may be on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from nhictl.manifest.index import Index
from nhictl.manifest.placement import exists_in, provider_of
from nhictl.manifest.schema import near_miss
from nhictl.model import Diagnostic, Document, Path, Severity

_Found: TypeAlias = "Iterator[Diagnostic]"


def check(document: Document, index: Index) -> list[Diagnostic]:
    """Return what is wrong with the references of a document that fits its schema."""
    spec = document.value["spec"]
    return list(_CHECKS[document.kind](document, spec, index))


def check_loosely(document: Document, index: Index) -> Iterator[Diagnostic]:
    """Return what is wrong with the plain references of a document that does not fit its schema."""
    spec = document.value.get("spec")
    if document.kind not in _CHECKS or not isinstance(spec, dict):
        return
    if isinstance(spec.get("owner"), str):
        yield from _missing(document, index, "Owner", ("spec", "owner"))
    if _all_strings(spec.get("environments")):
        yield from _environments(document, spec["environments"], index, ("spec", "environments"))
    grants = spec.get("grants")
    for place, grant in enumerate(grants if isinstance(grants, list) else ()):
        for field, kind in (("role", "Role"), ("via", "Connection")):
            if isinstance(grant, dict) and isinstance(grant.get(field), str):
                yield from _missing(document, index, kind, ("spec", "grants", place, field))


def _all_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _missing(document: Document, index: Index, kind: str, path: Path) -> _Found:
    """Return an error unless the name at `path` is one of an object of `kind`. Hot: called for every reference."""
    name: Any = document.value
    for key in path:
        name = name[key]
    if name in index.known[kind] or "${" in name:
        return
    other = next((k for k, objects in index.known.items() if name in objects), "")
    if other:
        text = f"`{name}` is not {_a(kind)} but {_a(other)}"
        yield Diagnostic("E302", text, document.span(*path), hint=near_miss(name, index.known[kind]))
        return
    hint = near_miss(name, index.known[kind]) or _some(kind, list(index.known[kind]))
    yield Diagnostic("E301", f"no {kind} is called `{name}`", document.span(*path), hint=hint)


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "AEIOUN" else f"a {kind}"


def _some(kind: str, names: list[str]) -> str:
    if not names:
        return f"declare one: `kind: {kind}`"
    return "known: " + ", ".join(sorted(names)[:8]) + (", ..." if len(names) > 8 else "")


def _warning(code: str, text: str, document: Document, path: Path, *, hint: str = "") -> Diagnostic:
    return Diagnostic(code, text, document.span(*path), hint=hint, severity=Severity.WARNING)


def _owner(document: Document, spec: Mapping[str, Any], index: Index) -> _Found:
    yield from _missing(document, index, "Owner", ("spec", "owner"))
    if spec["owner"] in index.departed:
        text = f"owner `{spec['owner']}` has departed"
        yield _warning("W601", text, document, ("spec", "owner"), hint="name an owner that answers for it now")


def _environments(document: Document, listed: Any, index: Index, path: Path) -> _Found:
    if index.workspace is None or not listed:
        return
    for place, name in enumerate(listed):
        if name not in index.workspace.environments:
            known = index.workspace.environments
            hint = near_miss(name, known) or "known: " + ", ".join(known)
            text = f"there is no environment `{name}` in nhictl.yaml"
            yield Diagnostic("E306", text, document.span(*path, place), hint=hint)


def _target(document: Document, name: str, index: Index, path: Path) -> _Found:
    """Return an error unless one of the object's environments has a target called `name` of the right provider."""
    workspace, spec = index.workspace, document.value["spec"]
    if workspace is None or "${" in name:
        return
    own = [e for e in workspace.environments.values() if exists_in(spec, e.name)]
    targets = {t.name: t.provider for e in own for t in e.targets}
    provider = provider_of(spec)
    if name not in targets:
        hint = near_miss(name, targets) or ("known here: " + ", ".join(targets) if targets else "")
        where = f"environment {own[0].name}" if len(own) == 1 else "its environments"
        yield Diagnostic("E307", f"there is no target `{name}` in {where}", document.span(*path), hint=hint)
    elif provider and targets[name] != provider:
        text = f"target `{name}` is of provider {targets[name]}, this object is for {provider}"
        yield Diagnostic("E309", text, document.span(*path))


def _placed(document: Document, spec: Mapping[str, Any], index: Index) -> _Found:
    """Check owner, environments and target of a Role or Connection."""
    yield from _owner(document, spec, index)
    yield from _environments(document, spec.get("environments"), index, ("spec", "environments"))
    if "target" in spec:
        yield from _target(document, spec["target"], index, ("spec", "target"))
    elif index.workspace is not None:
        provider = provider_of(spec)
        own = [e for e in index.workspace.environments.values() if exists_in(spec, e.name)]
        if own and not any(t.provider == provider for e in own for t in e.targets):
            text = f"nothing realises {document.ref}: no environment it exists in has a target of provider {provider}"
            yield _warning("W604", text, document, ("spec", provider))


def _left_on(document: Document, spec: Mapping[str, Any], *, ended: bool) -> _Found:
    """Tell where an NHI that is switched off, or has ended, stays on because that is kept as it is."""
    for place, kept in enumerate(spec.get("keep") or ()):
        if kept.rpartition("/")[2] != "enabled":
            continue
        hint = "take it out of `keep`"
        if spec.get("enabled") is False:
            text = f"{document.ref} is switched off and keeps `{kept}`: it would stay on"
            yield Diagnostic("E567", text, document.span("spec", "keep", place), hint=hint)
        elif ended:
            text = f"{document.ref} has ended and keeps `{kept}`: it stays on"
            yield _warning("W617", text, document, ("spec", "keep", place), hint=hint)


def _nhi(document: Document, spec: Mapping[str, Any], index: Index) -> _Found:
    yield from _owner(document, spec, index)
    yield from _environments(document, spec["environments"], index, ("spec", "environments"))
    for place, name in enumerate(spec.get("targets") or ()):
        yield from _target(document, name, index, ("spec", "targets", place))
    if "existing" in spec["identity"] and not spec.get("keep"):
        text, hint = f"nothing says what proves {document.ref}", "name in `keep` the field that does, such as `trust`"
        yield Diagnostic("E566", text, document.span("spec", "identity", "existing"), hint=hint)
    seen: dict[tuple[str, str], list[tuple[int, set[str]]]] = {}
    for place in range(len(spec.get("grants") or ())):
        yield from _grant(document, place, index)
        yield from _twice(document, place, seen)
    today = index.today.isoformat()
    ends = (spec.get("lifecycle") or {}).get("expires", "")
    ended = bool(ends and ends <= today)
    if ended:
        path = ("spec", "lifecycle", "expires")
        yield _warning("W603", f"{document.ref} has ended: it is kept without access", document, path)
    yield from _left_on(document, spec, ended=ended)
    if "agent" in spec and "sponsor" in spec["agent"]:
        yield from _sponsor(document, spec["agent"]["sponsor"], index)
    for place in range(len((spec.get("breakGlass") or {}).get("approvers") or ())):
        yield from _full(document, ("spec", "breakGlass", "approvers", place), index)


def _sponsor(document: Document, name: str, index: Index) -> _Found:
    path = ("spec", "agent", "sponsor")
    if "${" in name:
        return
    if name not in index.members:
        hint = near_miss(name, index.members) or "a sponsor is a member of an Owner"
        yield Diagnostic("E301", f"no member of an Owner is called `{name}`", document.span(*path), hint=hint)
    elif index.members[name]:
        yield _warning("W601", f"sponsor `{name}` has departed", document, path)


def _full(document: Document, path: Path, index: Index) -> _Found:
    """Check a reference of the form `kind/name`."""
    text: Any = document.value
    for key in path:
        text = text[key]
    kind, _, name = text.partition("/")
    kind = next(k for k in index.known if k.lower() == kind)
    if name in index.known[kind]:
        if kind == "Owner" and name in index.departed:
            yield _warning("W601", f"owner `{name}` has departed", document, path)
        return
    other = next((k for k, objects in index.known.items() if name in objects), "")
    near = near_miss(name, index.known[kind]).replace("`", f"`{kind.lower()}/", 1)
    hint = f"did you mean `{other.lower()}/{name}`?" if other else near
    yield Diagnostic("E301", f"no {kind} is called `{name}`", document.span(*path), hint=hint)


def _grant(document: Document, place: int, index: Index) -> _Found:
    spec = document.value["spec"]
    grant, at = spec["grants"][place], ("spec", "grants", place)
    yield from _missing(document, index, "Role", (*at, "role"))
    if "via" in grant:
        yield from _missing(document, index, "Connection", (*at, "via"))
        yield from _one_provider(document, grant, index, (*at, "via"))
    if "expires" in grant and grant["expires"] <= index.today.isoformat():
        text = f"the grant of role `{grant['role']}` has expired: it gives nothing"
        yield _warning("W602", text, document, (*at, "expires"), hint="remove it, or give it a later day")
    own = spec["environments"]
    for number, name in enumerate(grant.get("environments") or ()):
        if name not in own:
            text = f"environment `{name}` is not one of the environments of {document.ref}"
            hint = near_miss(name, own) or "its environments: " + ", ".join(own)
            yield Diagnostic("E308", text, document.span(*at, "environments", number), hint=hint)
    held = [e for e in grant.get("environments") or own if e in own]
    yield from _there(document, ("Role", grant["role"]), (*at, "role"), held=held, index=index)
    if "via" in grant:
        yield from _there(document, ("Connection", grant["via"]), (*at, "via"), held=held, index=index)


def _there(document: Document, ref: tuple[str, str], path: Path, *, held: list[str], index: Index) -> _Found:
    """Return an error unless the object `ref` (kind, name) exists in all environments the grant is `held` in."""
    found = index.good[ref[0]].get(ref[1])
    own = found.value["spec"].get("environments") if found else None
    absent = [e for e in held if own and e not in own]
    if found is not None and absent:
        text = f"{found.ref} does not exist in environment " + ", ".join(f"`{e}`" for e in absent)
        related = ((found.span("spec", "environments"), "its environments"),)
        hint = "narrow the grant with `environments`, or add it there"
        yield Diagnostic("E308", text, document.span(*path), hint=hint, related=related)


def _one_provider(document: Document, grant: Mapping[str, Any], index: Index, path: Path) -> _Found:
    role = index.good["Role"].get(grant["role"])
    connection = index.good["Connection"].get(grant["via"])
    if role is None or connection is None:
        return
    one, two = provider_of(role.value["spec"]), provider_of(connection.value["spec"])
    if one != two:
        text = f"{connection.ref} is a connection of provider {two}, {role.ref} a role of {one}"
        yield Diagnostic("E311", text, document.span(*path), hint="use a connection with a block of the same provider")


def _twice(document: Document, place: int, seen: dict[tuple[str, str], list[tuple[int, set[str]]]]) -> _Found:
    spec = document.value["spec"]
    grant = spec["grants"][place]
    here = set(grant.get("environments") or spec["environments"])
    earlier = seen.setdefault((grant["role"], grant.get("via", "")), [])
    first = next((number for number, there in earlier if there & here), None)
    if first is not None:
        related = ((document.span("spec", "grants", first), "first granted here"),)
        text = f"role `{grant['role']}` is granted twice"
        yield Diagnostic("E310", text, document.span("spec", "grants", place, "role"), related=related)
    earlier.append((place, here))


def _owner_itself(document: Document, spec: Mapping[str, Any], index: Index) -> _Found:
    if "backup" in spec:
        yield from _missing(document, index, "Owner", ("spec", "backup"))
        if spec["backup"] in index.departed:
            yield _warning("W601", f"backup owner `{spec['backup']}` has departed", document, ("spec", "backup"))


def _policy(document: Document, spec: Mapping[str, Any], index: Index) -> _Found:
    yield from _environments(document, spec.get("environments"), index, ("spec", "environments"))
    for place, rule in enumerate(spec["rules"]):
        match, at = rule.get("match") or {}, ("spec", "rules", place, "match")
        yield from _environments(document, match.get("environments"), index, (*at, "environments"))
        for number in range(len(match.get("owners") or ())):
            yield from _missing(document, index, "Owner", (*at, "owners", number))


def _exception(document: Document, spec: Mapping[str, Any], index: Index) -> _Found:
    yield from _environments(document, spec.get("environments"), index, ("spec", "environments"))
    for field in ("subjects", "approvedBy"):
        for place in range(len(spec.get(field) or ())):
            yield from _full(document, ("spec", field, place), index)
    if "owner" in spec:
        yield from _owner(document, spec, index)
    if spec["expires"] <= index.today.isoformat():
        yield _warning("W603", f"{document.ref} has ended", document, ("spec", "expires"))


_CHECKS: Mapping[str, Callable[[Document, Mapping[str, Any], Index], _Found]] = {
    "Owner": _owner_itself,
    "Role": _placed,
    "Connection": _placed,
    "NHI": _nhi,
    "Policy": _policy,
    "Exception": _exception,
}
