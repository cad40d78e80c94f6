"""What `explain` answers: a diagnostic code, a manifest kind, or one field of it. From the registry and the schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nhictl.codes import Code
from nhictl.render.safe import visible
from nhictl.render.text import Style, wrap

Schema = Mapping[str, Any]
_LEFT = 26


def code(topic: Code, style: Style) -> str:
    """Return the explanation of a diagnostic code: title, why, an example refused and one accepted."""
    lines = [style.paint(f"{topic.code}: {topic.title}", "bold"), "", *wrap(topic.why, style.width)]
    for title, example in (("Refused:", topic.bad), ("Accepted:", topic.good)):
        if example:
            lines += ["", style.paint(title, "bold"), *(f"  {line}" for line in example.splitlines())]
    return style.encodable("\n".join(lines))


def field(path: str, schema: Schema, style: Style, *, resolve: Callable[[Schema], Schema]) -> str:
    """Return the explanation of a kind or of a field of it. `resolve` follows a `$ref`; it gives others back as is."""
    node = resolve(schema)
    lines = [style.paint(f"{visible(path)}  ", "bold") + style.paint(type_of(node), "cyan"), ""]
    described = schema.get("description") or node.get("description") or "No description."
    lines += [text for piece in str(described).split("\n") for text in wrap(visible(piece), style.width)]
    lines += list(_limits(node))
    inner = node if "properties" in node else resolve(node.get("items") or {})
    properties: Mapping[str, Schema] = inner.get("properties") or {}
    if properties:
        lines += ["", style.paint("Fields of each item" if inner is not node else "Fields", "bold")]
        required = frozenset(inner.get("required") or ())
        for name, child in properties.items():
            lines += _property(name, child, style, type_=type_of(resolve(child)), required=name in required)
    return style.encodable("\n".join(lines))


def type_of(node: Schema) -> str:
    """Return the type of a schema in words: `list of string`, `one of a, b`."""
    if "const" in node:
        return f"always {visible(str(node['const']))}"
    if "enum" in node:
        return "one of " + ", ".join(visible(str(item)) for item in node["enum"])
    found = node.get("type", "object" if "properties" in node else "any")
    if isinstance(found, list):
        return " or ".join(found)
    if found == "array":
        items = node.get("items") or {}
        return f"list of {items.get('type', 'object') if isinstance(items, Mapping) else 'any'}"
    return str(found)


def _limits(node: Schema) -> Iterator[str]:
    words = {
        "default": "default", "minimum": "at least", "maximum": "at most", "pattern": "pattern",
        "minLength": "shortest", "maxLength": "longest", "minItems": "items at least", "maxItems": "items at most",
    }  # fmt: skip
    for key, word in words.items():
        if key in node:
            yield f"  {word}: {visible(str(node[key]))}"
    if node.get("examples"):
        yield f"  for example: {', '.join(visible(str(item)) for item in node['examples'])}"


def _property(name: str, child: Schema, style: Style, *, type_: str, required: bool) -> Iterator[str]:
    text = f"{visible(name)}{' (required)' if required else ''}"
    first = str(child.get("description", "")).split("\n", 1)[0]
    said = wrap(visible(first), max(20, style.width - _LEFT - 4)) if first else [type_]
    if len(text) > _LEFT:
        yield f"  {text}"
        text = ""
    for number, part in enumerate(said):
        yield f"  {text if number == 0 else '':<{_LEFT}}  {part}"
