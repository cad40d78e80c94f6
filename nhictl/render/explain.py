"""What `explain` answers: a diagnostic code, a word of a plan, a manifest kind, or one field of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nhictl.codes import Code, Word
from nhictl.render.safe import visible
from nhictl.render.text import Style, columns, pad, wrap

if TYPE_CHECKING:
    from nhictl.manifest.explain import Child, Field, Topic

_WIDEST_NAME = 24


def render(topic: Topic, style: Style) -> str:
    """Return the explanation of a code, a word, a kind or a field."""
    if isinstance(topic, Word):
        lines = _word(topic, style)
    else:
        lines = _code(topic, style) if isinstance(topic, Code) else _field(topic, style)
    return style.encodable("\n".join(lines))


def _code(topic: Code, style: Style) -> Iterator[str]:
    yield style.paint(f"{topic.code}: {topic.title}", "bold")
    yield ""
    yield from wrap(topic.why, style.width)
    for title, example in (("Refused:", topic.bad), ("Accepted:", topic.good)):
        if example:
            yield ""
            yield style.paint(title, "bold")
            yield from (f"  {line}" for line in example.splitlines())


def _word(topic: Word, style: Style) -> Iterator[str]:
    yield style.paint(f"{topic.word}: {topic.title}", "bold")
    yield ""
    yield from wrap(topic.why, style.width)
    yield ""
    yield style.paint("Way out:", "bold")
    yield from (f"  {line}" for line in wrap(topic.way_out, style.width - 2))


def _field(topic: Field, style: Style) -> Iterator[str]:
    need = ", required" if topic.required else ""
    yield style.paint(visible(topic.path), "bold") + "  " + style.paint(f"{topic.type}{need}", "cyan")
    yield ""
    for piece in (topic.description or "No description.").split("\n"):
        yield from wrap(visible(piece), style.width)
    for word, text in _facts(topic):
        yield ""
        yield from wrap(f"{word}: {visible(text)}", style.width)
    if topic.examples:
        yield ""
        yield style.paint("Examples", "bold")
        for example in topic.examples:
            yield from (f"  {line}" for line in example.splitlines())
    parts = (("Exactly one of" if topic.one_of else "Fields", topic.children), ("Fields of spec", topic.spec))
    for title, children in parts:
        if children:
            yield ""
            yield style.paint(title, "bold")
        for child in children:
            yield from _child(child, style)


def _facts(topic: Field) -> Iterator[tuple[str, str]]:
    if topic.choices:
        yield "One of", ", ".join(topic.choices)
    if topic.form:
        yield "Form", topic.form
    if topic.default:
        yield "Default", topic.default
    if topic.variables:
        yield "Variables", "${env.*}, ${vars.*} and, in an NHI, ${nhi.*} may stand here"


def _child(child: Child, style: Style) -> Iterator[str]:
    name = visible(child.name)
    width = max(_WIDEST_NAME, columns(name) + 1)
    kind = f"{child.type}{', required' if child.required else ''}"
    yield f"  {style.paint(pad(name, width), 'bold')}{style.paint(kind, 'cyan')}"
    yield from (f"    {line}" for line in wrap(visible(child.summary), max(20, style.width - 4)))
