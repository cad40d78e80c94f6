"""HTML elements as values: what is not `Markup` is text, and text is escaped.

Rules enforced here:
- there is no way to put a plain string into a page unescaped: `el` escapes every child and every attribute value;
- a text is shown whole up to `LONGEST` characters, and then says how much of it is left out;
- no inline style and no inline handler can be written: the page's content security policy would refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nhictl.render.safe import html

LONGEST = 1_000
_PLAIN = re.compile(r"[A-Za-z0-9 _./:*,()-]*")
_VOID = frozenset({"input", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Attribute = str | int | bool | None


def text(value: str) -> str:
    """Return `value` escaped for a text node or a quoted attribute, cut when it is longer than anybody reads."""
    if len(value) <= LONGEST:
        return value if _PLAIN.fullmatch(value) else html(value)
    return f"{html(value[:LONGEST])}… ({len(value) - LONGEST:,} more characters)"


def el(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """Return an element. `class_` is `class`, `data_sort` is `data-sort`; True writes a bare attribute, None none.

    Raises ValueError for an attribute that the content security policy of the page refuses.
    """
    parts = ["<", name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        if word == "style" or word.startswith("on"):
            raise ValueError(f"a report has no {word} attribute")
        parts.append(f" {word}" if value is True else f' {word}="{text(str(value))}"')
    parts.append(">")
    if name not in _VOID:
        parts += [child if isinstance(child, Markup) else text(child) for child in children]
        parts += ["</", name, ">"]
    return Markup("".join(parts))


def join(parts: Iterable[str], between: str = "") -> Markup:
    """Return parts one after the other, those that are text escaped."""
    joint = text(between)
    return Markup(joint.join(part if isinstance(part, Markup) else text(part) for part in parts))


def items(texts: Iterable[str]) -> Markup:
    """Return texts as a bulleted list; nothing for none."""
    rows = [el("li", one) for one in texts]
    return el("ul", *rows) if rows else Markup()


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Return terms with what is known of each; terms without anything are left out, nothing for none."""
    told = [join((el("dt", term), el("dd", what))) for term, what in pairs if what]
    return el("dl", *told) if told else Markup()


def small(value: str) -> Markup:
    """Return a side note on a line of its own; nothing for empty text."""
    return el("small", value) if value else Markup()


def bar(part: int, whole: int, tone: str = "") -> Markup:
    """Return a bar that shows `part` of `whole`. It says nothing that the number beside it does not."""
    width = part * 100 // whole if whole else 0
    width = max(width, 2) if part else 0
    rect = el("rect", width=width, height=8, class_="fill" + (f" {tone}" if tone else ""))
    back = el("rect", width=100, height=8, class_="back")
    return el(
        "svg", back, rect, class_="bar", viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true",
        focusable="false",
    )  # fmt: skip
