"""`${env.*}`, `${vars.*}` and `${nhi.*}` in strings, resolved on the parsed tree.

Rules enforced here:
- only string values are looked at, never keys, and never `apiVersion`, `kind`, `metadata` and lists of environments;
- a string that is one variable and nothing else takes the variable's type; inside other text the value is put as text;
- a value that was put in is never looked at again; `$${` is a literal `${`;
- an unknown or malformed variable is an error at its own position; nothing is ever left out or emptied in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from nhictl.kinds.workspace import Environment, Target
from nhictl.manifest.schema import WITH_VARIABLES, near_miss
from nhictl.model import Diagnostic, Document, Path, Span

Scalar: TypeAlias = "str | int | bool"

_PART = re.compile(r"\$\$\{|\$\{([^${}]*)\}|\$\{")
_NAME = re.compile(r"(env|vars|nhi)\.[A-Za-z][A-Za-z0-9_-]*\Z")
_NHI_FIELDS = ("owner", "service", "type", "tier", "purpose", "dataSensitivity")
_SETTINGS = ("account", "region")
_NAMES = 50
_TARGET_NAMES = ("env.target", *(f"env.{name}" for name in _SETTINGS))


@dataclass(frozen=True, slots=True)
class Scope:
    """What variables mean: full name (`env.name`) to value. `where` is how messages call the scope. `later` are names
    that get a value only when a target is chosen: they stay, without an error.
    """

    values: Mapping[str, Scalar]
    where: str = ""
    later: tuple[str, ...] = ()


def scope(environment: Environment, target: Target) -> Scope:
    """Return the scope of one target of an environment."""
    values = {**_shared(environment), "env.target": target.name}
    values |= {f"env.{name}": target.settings[name] for name in _SETTINGS if name in target.settings}
    return Scope(values, f"environment {environment.name}, target {target.name}")


def trial(environment: Environment) -> Scope:
    """Return a scope to check an object's shape before its target is known: settings of the first target with them."""
    values: dict[str, Scalar] = {}
    for target in reversed(environment.targets):
        values |= scope(environment, target).values
    return Scope(_shared(environment) | values, f"environment {environment.name}", _TARGET_NAMES)


def without_target(environment: Environment) -> Scope:
    """Return the scope of an environment before a target is chosen."""
    return Scope(_shared(environment), f"environment {environment.name}", _TARGET_NAMES)


def _shared(environment: Environment) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {f"vars.{name}": value for name, value in environment.vars.items()}
    values["env.name"] = environment.name
    values["env.protected"] = environment.protected
    return values


@dataclass(slots=True)
class _Run:
    """One document being resolved. `unresolved` are the paths of strings that keep their variables; `by_target` says
    that something depends on the target; `nhi_known`, that the scope has what it can have of `${nhi.*}`. `seen` has
    the index of the problem with a name in a string, and how often it is there.
    """

    document: Document
    scope: Scope
    problems: list[Diagnostic] = field(default_factory=list)
    unresolved: list[Path] = field(default_factory=list)
    by_target: bool = False
    nhi_known: bool = False
    seen: dict[tuple[Path, str], list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A document with its variables replaced, what was wrong, and the paths of strings left as they were. `by_target`
    is true when the result depends on the target.
    """

    document: Document
    problems: tuple[Diagnostic, ...] = ()
    unresolved: tuple[Path, ...] = ()
    by_target: bool = False


def resolve(document: Document, within: Scope) -> Resolved:
    """Return `document` with every variable replaced by what it means in `within`."""
    if not document.has_variables:
        return Resolved(document)
    if document.kind not in WITH_VARIABLES:
        return Resolved(document, refused(document), places(document))
    run = _Run(document, within)
    changes: dict[Path, Scalar] = {}
    for path, text in _sites(document.value):
        if _allowed(path):
            changes[path] = _text(run, text, path)
        else:
            run.unresolved.append(path)
            run.problems.append(_not_here(document, text, path, f"in `{_name(path)}`"))
    changed = _with_value(document, _replaced(document.value, changes))
    return Resolved(changed, _counted(run), tuple(run.unresolved), run.by_target)


def _sites(value: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Return the strings with `${` in them and their paths. Hot: only containers get paths on the way."""
    found: list[tuple[Path, str]] = []
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, node = waiting.pop()
        for key, item in node.items() if type(node) is dict else enumerate(node):
            kind = type(item)
            if kind is str:
                if "${" in item:
                    found.append(((*path, key), item))
            elif kind is dict or kind is list:
                waiting.append(((*path, key), item))
    return found


def _allowed(path: Path) -> bool:
    """True below `spec`, except in the lists that say where an object is."""
    if path[0] != "spec" or path[1:2] in (("environments",), ("targets",)):
        return False
    return path[1:2] != ("grants",) or path[3:4] != ("environments",)


def _name(path: Path) -> str:
    return str(next(key for key in reversed(path) if isinstance(key, str)))


def _replaced(value: Mapping[str, Any], changes: Mapping[Path, Scalar]) -> Mapping[str, Any]:
    """Return `value` with the values at the given paths changed; parts without a change are shared, not copied."""
    root: dict[str, Any] = dict(value)
    copied: dict[Path, Any] = {}
    for path, new in changes.items():
        node: Any = root
        for depth, key in enumerate(path[:-1], 1):
            child = copied.get(path[:depth])
            if child is None:
                child = copied[path[:depth]] = node[key].copy()
                node[key] = child
            node = child
        node[path[-1]] = new
    return root


def _with_value(document: Document, value: Mapping[str, Any]) -> Document:
    # Not dataclasses.replace: this runs for every document that uses variables.
    return Document(
        document.kind,
        document.name,
        value,
        document.file,
        document.positions,
        document.value_positions,
        has_variables=False,
        sound=document.sound,
    )


def _text(run: _Run, value: str, path: Path) -> Scalar:
    whole = _PART.fullmatch(value)
    if whole and whole[1] is not None:
        found = _value(run, value, whole, path)
        return value if found is None else found
    parts: list[str] = []
    end, missing = 0, False
    for match in _PART.finditer(value):
        parts.append(value[end : match.start()])
        end = match.end()
        if match[0] == "$${":
            parts.append("${")
            continue
        found = _value(run, value, match, path)
        missing = missing or found is None
        parts.append("" if found is None else _as_text(found))
    return value if missing else "".join([*parts, value[end:]])


def _as_text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(run: _Run, text: str, match: re.Match[str], path: Path) -> Scalar | None:
    """Return what the variable at `match` means, or None after noting why it means nothing."""
    name = match[1]
    run.by_target = run.by_target or name in _TARGET_NAMES
    if name in run.scope.values:
        return run.scope.values[name]
    if name and name.startswith("nhi.") and run.document.kind == "NHI" and not run.nhi_known:
        run.scope, run.nhi_known = _with_nhi(run.document, run.scope), True
        if name in run.scope.values:
            return run.scope.values[name]
    if run.unresolved[-1:] != [path]:
        run.unresolved.append(path)
    if name is None or not _NAME.match(name):
        _note(run, path, "", lambda: _malformed(_at(run, text, match, path)))
    elif name not in run.scope.later:
        _note(run, path, name, lambda: _unknown(run, name, _at(run, text, match, path)))
    return None


def _note(run: _Run, path: Path, name: str, make: Callable[[], Diagnostic]) -> None:
    """Note what is wrong with a name in a string once, and count it then; after many names, once in each string."""
    if (path, name) not in run.seen and len(run.seen) >= _NAMES:
        name = "*"
    seen = run.seen.setdefault((path, name), [len(run.problems), 0])
    seen[1] += 1
    if seen[1] == 1:
        run.problems.append(make())


def _counted(run: _Run) -> tuple[Diagnostic, ...]:
    """Return the problems, each saying how many more like it are in the same string."""
    for at, number in run.seen.values():
        if number > 1:
            more, found = f"{number - 1:,} more like it in this text", run.problems[at]
            run.problems[at] = replace(found, detail=f"{found.detail}; {more}" if found.detail else more)
    return tuple(run.problems)


def _malformed(span: Span) -> Diagnostic:
    hint = "write `$${` for a literal `${`; a variable is `${env.NAME}`, `${vars.NAME}` or `${nhi.NAME}`"
    return Diagnostic("E402", "malformed variable", span, hint=hint)


def _unknown(run: _Run, name: str, span: Span) -> Diagnostic:
    if name.startswith("nhi.") and run.document.kind != "NHI":
        text = f"`${{{name}}}` is not allowed in a {run.document.kind}"
        return Diagnostic("E403", text, span, hint="`${nhi.*}` stands in NHI manifests only")
    known = sorted(run.scope.values)
    hint = near_miss(name, known).replace("`", "`${", 1).replace("`?", "}`?")
    return Diagnostic("E401", f"unknown variable `${{{name}}}`", span, f"in {run.scope.where}", hint or _known(known))


def _known(names: list[str]) -> str:
    return "known: " + ", ".join(f"${{{n}}}" for n in names[:12])


def _at(run: _Run, text: str, match: re.Match[str], path: Path) -> Span:
    """Return where the variable stands; where the whole string stands when it is not written on one line as is."""
    span = run.document.span(*path)
    extra = span.width - len(text)
    if extra not in (0, 2) or path not in run.document.value_positions:
        return span
    return replace(span, column=span.column + extra // 2 + match.start(), width=match.end() - match.start())


def _not_here(document: Document, text: str, path: Path, where: str) -> Diagnostic:
    run = _Run(document, Scope({}))
    match = _PART.search(text)
    span = _at(run, text, match, path) if match else document.span(*path)
    hint = "variables stand in the `spec` of NHI, Role and Connection, outside of `environments` and `targets`"
    return Diagnostic("E403", f"no variables are allowed {where}", span, hint=hint)


def refused(document: Document) -> tuple[Diagnostic, ...]:
    """Return an error for every variable of a document in which none is allowed."""
    return tuple(
        _not_here(document, text, path, f"in {document.kind or 'this document'}")
        for path, text in _sites(document.value)
    )


def places(document: Document) -> tuple[Path, ...]:
    """Return the paths of the strings with `${` in them."""
    return tuple(path for path, _ in _sites(document.value))


def _with_nhi(document: Document, within: Scope) -> Scope:
    metadata, spec = document.value.get("metadata"), document.value.get("spec")
    values = dict(within.values)
    if isinstance(metadata, dict) and isinstance(metadata.get("name"), str):
        values["nhi.name"] = metadata["name"]
    for name in _NHI_FIELDS:
        found = spec.get(name) if isinstance(spec, dict) else None
        if isinstance(found, str):
            run = _Run(document, within, nhi_known=True)
            value = _text(run, found, ("spec", name)) if "${" in found else found
            if not run.unresolved:
                values[f"nhi.{name}"] = value
    return Scope(values, within.where, within.later)


def resolve_text(text: str, within: Scope) -> str:
    """Return one string resolved; unchanged when that is not possible. For names needed before a document is."""
    run = _Run(Document("", "", {}, ""), within)
    return _as_text(_text(run, text, ())) if "${" in text else text
