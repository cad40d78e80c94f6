"""What `nhictl explain TOPIC` knows: kinds and fields from the published schemas, codes and
words of plans from their registries.

Rules enforced here: nothing is written twice, so an explanation is what is checked; an unknown topic is answered with
the closest ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nhictl.codes import CODES, WORDS, Code, Word
from nhictl.manifest import schema_files
from nhictl.manifest.schema_files import KINDS
from nhictl.model import Exit, NhictlError


@dataclass(frozen=True, slots=True)
class Child:
    """One field below a topic: its name, type in words, whether it must be there, and the first sentence about it."""

    name: str
    type: str
    required: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Field:
    """A kind or a field. `default` and `examples` are YAML in flow style; `choices` are the possible values.

    `one_of` names children of which exactly one is given. `variables` says that `${...}` may stand here. `spec` are
    the fields of a kind's spec.
    """

    path: str
    type: str
    description: str
    required: bool = False
    form: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    one_of: tuple[str, ...] = ()
    variables: bool = False
    spec: tuple[Child, ...] = ()


Topic = Field | Code | Word

_TYPES = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number", "boolean": "true or false"}


def explain(topic: str) -> Topic:
    """Return what is known about a code (`E201`), a word of a plan (`exists`), a kind (`NHI`) or a field of it.

    A field is named by its path (`NHI.spec.grants.role`). `spec.` may be left out; case does not matter for codes,
    words and kinds. Raises NhictlError on an unknown topic.
    """
    if topic.upper() in CODES:
        return CODES[topic.upper()]
    if topic.lower() in WORDS:
        return WORDS[topic.lower()]
    head, *rest = topic.split(".")
    kind = next((k for k in KINDS if k.lower() == head.lower()), "")
    if not kind:
        raise _unknown(topic, head, {name: name for name in (*KINDS, *CODES, *WORDS)})
    root = schema_files.published(kind.lower())
    node, required, path = _node(root, root), True, [kind]
    for name in rest:
        children = _children(root, node)
        if name not in children and path == [kind] and "spec" in children:
            below = _children(root, _node(root, children["spec"]))
            if name in below:
                node, children = _node(root, children["spec"]), below
                path.append("spec")
        if name not in children:
            raise _unknown(topic, name, _paths_below(root, children, path))
        required = name in _required(_holder(root, node))
        node = _node(root, children[name])
        path.append(name)
    found = _field(root, node, ".".join(path), required=required)
    spec = None if rest else _children(root, node).get("spec")
    return (
        replace(found, spec=_field(root, _node(root, spec), f"{kind}.spec", required=True).children) if spec else found
    )


def _paths_below(root: Mapping[str, Any], children: Mapping[str, Any], path: list[str]) -> dict[str, str]:
    """Return the path of every name that may stand behind `path`; behind a kind, `spec` may be left out."""
    below = _children(root, _node(root, children["spec"])) if len(path) == 1 and "spec" in children else {}
    paths = {name: ".".join([*path, "spec", name]) for name in below}
    return {**paths, **{name: ".".join([*path, name]) for name in children}}


def fields(kind: str) -> Iterator[Field]:
    """Return every field of a kind, parents first: the reference documentation."""
    yield from _below(kind)


def _below(path: str) -> Iterator[Field]:
    found = explain(path)
    if isinstance(found, Field):
        yield found
        for child in found.children:
            yield from _below(f"{path}.{child.name}")


def _unknown(topic: str, asked: str, known: Mapping[str, str]) -> NhictlError:
    from difflib import get_close_matches

    lower = {name.lower(): shown for name, shown in known.items()}
    near = [lower[c] for c in get_close_matches(asked.lower(), list(lower), n=3, cutoff=0.5)]
    hint = (
        "did you mean " + " or ".join(f"`{n}`" for n in near) + "?"
        if near
        else "known: " + ", ".join(list(known.values())[:20])
    )
    return NhictlError(f"nothing is known about `{topic}`", hint=hint, exit_code=Exit.USAGE)


def _node(root: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with references and the variable alternative merged in; what is said nearer wins."""
    merged: dict[str, Any] = dict(node)
    for key in ("$ref", "anyOf"):
        inner = merged.pop(key, None)
        if key == "$ref" and inner:
            merged = {**_node(root, root["$defs"][inner.removeprefix("#/$defs/")]), **merged}
        elif inner and len(inner) == 2 and inner[1].get("$ref") == "#/$defs/variable":
            merged = {**_node(root, inner[0]), **merged, "x-variables": True}
        elif inner:
            merged[key] = inner
    if "then" in merged:
        merged = {**_node(root, merged["then"]), **merged}
    for branch in merged.get("allOf", ()):
        target = branch.get("then", {}).get("$ref")
        if target:
            # A target's settings depend on its provider: show all of them.
            inner = _node(root, branch["then"])
            merged["properties"] = {**inner["properties"], **merged.get("properties", {})}
    return merged


def _children(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields below a node; those of its items for a list, of its values for free keys."""
    if "properties" in node:
        properties: Mapping[str, Any] = node["properties"]
        return properties
    if isinstance(node.get("additionalProperties"), dict):
        return _children(root, _node(root, node["additionalProperties"])) or {}
    return _children(root, _node(root, node["items"])) if "items" in node else {}


def _required(node: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(node.get("required", ()))


def _field(root: Mapping[str, Any], node: Mapping[str, Any], path: str, *, required: bool) -> Field:
    holder = _holder(root, node)
    children = tuple(
        _child(root, name, child, required=name in _required(holder)) for name, child in _children(root, node).items()
    )
    choices = node.get("enum") or ([node["const"]] if "const" in node else [])
    return Field(
        path,
        _type(root, node),
        str(node.get("description", "")),
        required,
        str(node.get("title", "")) if "properties" not in node else "",
        _yaml(node["default"]) if "default" in node else "",
        tuple(_yaml(c) for c in choices),
        tuple(_yaml(e) for e in node.get("examples", ())),
        children,
        _one_of(holder),
        bool(node.get("x-variables", False)),
    )


def _holder(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the node whose fields are shown below `node`."""
    if "properties" in node:
        return node
    inner = node.get("items") or node.get("additionalProperties")
    return _holder(root, _node(root, inner)) if isinstance(inner, dict) else node


def _one_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    if node.get("minProperties") == node.get("maxProperties") == 1:
        return tuple(node["properties"])
    return tuple(name for option in node.get("oneOf", ()) for name in option.get("required", ()))


def _child(root: Mapping[str, Any], name: str, node: Mapping[str, Any], *, required: bool) -> Child:
    merged = _node(root, node)
    summary = str(merged.get("description", "")).split(". ")[0].rstrip(".")
    return Child(name, _type(root, merged), required, summary)


def _type(root: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    if "enum" in node or "const" in node:
        return "word" if isinstance((node.get("enum") or [node.get("const")])[0], str) else "true or false"
    kind = node.get("type")
    if kind == "array":
        return f"list of {_type(root, _node(root, node['items']))}"
    if kind == "object" and isinstance(node.get("additionalProperties"), dict):
        return "mapping of name to " + _type(root, _node(root, node["additionalProperties"]))
    if isinstance(kind, list):
        return ", ".join(_TYPES[k] for k in kind)
    if kind is None and "anyOf" in node:
        return str(node.get("title", "value"))
    return _TYPES.get(str(kind), "value")


def _yaml(value: Any) -> str:
    """Return a value as one line of YAML: JSON is YAML, plain words need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    plain = isinstance(value, str) and value[:1].isalpha() and not set(value) & set(":#,[]{}\"'\n\\")
    if plain and value.lower() not in ("true", "false", "null"):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
