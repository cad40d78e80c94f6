"""Write the tree of a manifest in its one canonical layout.

Rules enforced here:
- two spaces of indent, lists indented under their key, two spaces before a comment on the line of something;
- a flow collection stays one when it fits on a line and holds no comment, else it becomes a block;
- gaps are one line at most, none at the start of a block, none after a scalar whose trailing empty lines are content;
- documents are parted by `---`, the first has none, and the file ends with one line end.
"""

from __future__ import annotations

from collections.abc import Iterable

from nhictl.manifest.fmt_tree import Collection, Entry, Node, Page, Scalar

WIDTH = 120


def write(pages: Iterable[Page], rest: tuple[str, ...]) -> str:
    """Return the text of documents, and of the comment lines `rest` of a file without any."""
    lines: list[str] = []
    for number, page in enumerate(pages):
        if number or page.root == Scalar(("",)):
            lines.append("---")
        lines += _page(page)
    lines += _tidy(rest)
    return "".join(f"{line}\n" for line in lines)


def _page(page: Page) -> list[str]:
    header = _tidy(page.header)
    entry = Entry(page.root, trailing=page.trailing)
    text = _inline_text(page.root, 0)
    if text is not None:
        return [*header, *_beside(text, page.trailing, 0), *_after(page.foot, entry)]
    if isinstance(page.root, Scalar):
        return [*header, *_scalar("", page.root, page.trailing, 2), *_after(page.foot, entry)]
    heads, body = _collection(page.root, 0)
    top = [*header, *([page.trailing] if page.trailing else []), *heads]
    return [*_tidy(top), *body, *_after(page.foot, entry)]


def _beside(text: str, comment: str, indent: int) -> list[str]:
    line = f"{' ' * indent}{text}"
    if comment:
        return [f"{line}  {comment}" if line.strip() else f"{' ' * indent}{comment}"]
    return [line] if line.strip() else []


def _tidy(lines: Iterable[str], *, gap: bool = False) -> list[str]:
    """Return comment lines without double gaps, and without one at the start unless `gap` allows it."""
    result: list[str] = []
    for line in lines:
        if line or (bool(result[-1]) if result else gap):
            result.append(line)
    return result


def _after(lines: Iterable[str], previous: Entry) -> list[str]:
    """Return comment lines that follow an entry; a gap there would be content when the entry keeps empty lines."""
    return _tidy(lines, gap=not _keeps(previous))


def _keeps(entry: Entry) -> bool:
    value = entry.value
    if isinstance(value, Scalar):
        return value.keep
    return bool(value.entries) and not value.foot and _keeps(value.entries[-1])


def _collection(node: Collection, indent: int) -> tuple[list[str], list[str]]:
    """Return the comment lines above the first entry, without indent, and the lines from that entry on."""
    first: list[str] = []
    lines: list[str] = []
    for number, entry in enumerate(node.entries):
        heads, body = _entry(entry, indent)
        if number:
            lines += _indented(_after(heads, node.entries[number - 1]), indent)
        else:
            first = _tidy(heads)
        lines += body
    return first, lines + _indented(_after(node.foot, node.entries[-1]), indent)


def _indented(lines: Iterable[str], indent: int) -> list[str]:
    return [f"{' ' * indent}{line}" if line else "" for line in lines]


def _entry(entry: Entry, indent: int) -> tuple[list[str], list[str]]:
    """Return the comment lines above an entry, without indent, and its own lines."""
    sign = "-" if entry.key is None else f"{entry.key}:"
    text = _inline_text(entry.value, indent + len(sign) + 1)
    heads = list(entry.before)
    if text is not None:
        return heads, _beside(f"{sign} {text}" if text else sign, entry.trailing, indent)
    if isinstance(entry.value, Scalar):
        return heads, _scalar(f"{' ' * indent}{sign} ", entry.value, entry.trailing, indent + 2)
    return _nested(entry, entry.value, heads, indent)


def _nested(entry: Entry, value: Collection, heads: list[str], indent: int) -> tuple[list[str], list[str]]:
    opening, trailing = entry.opening, entry.trailing
    if trailing and not opening:
        opening, trailing = trailing, ""
    heads += [trailing] if trailing else []
    above, body = _collection(value, indent + 2)
    pad = " " * indent
    if entry.key is not None:
        return heads, [*_beside(f"{entry.key}:", opening, indent), *_indented(above, indent + 2), *body]
    if opening:
        return heads, [f"{pad}-  {opening}", *_indented(above, indent + 2), *body]
    return [*heads, *above], [f"{pad}- {body[0][indent + 2 :]}", *body[1:]]


def _scalar(prefix: str, scalar: Scalar, comment: str, indent: int) -> list[str]:
    first, *others = [scalar.lines[0], *_indented(scalar.lines[1:], indent)]
    lines = [prefix + first, *others]
    place = 0 if scalar.block else -1
    if comment:
        lines[place] = f"{lines[place]}  {comment}"
    return lines


def _inline_text(node: Node, column: int) -> str | None:
    """Return the one line a value takes after `column`, None when it takes more."""
    if isinstance(node, Scalar):
        return node.lines[0] if len(node.lines) == 1 else None
    if not node.entries:
        return "{}" if node.mapping else "[]"
    text = _flow_text(node) if node.flow else None
    return text if text is not None and column + len(text) <= WIDTH else None


def _flow_text(node: Node) -> str | None:
    if isinstance(node, Scalar):
        return (node.lines[0] or "null") if len(node.lines) == 1 else None
    if node.foot or any(entry.before or entry.opening or entry.trailing for entry in node.entries):
        return None
    parts = []
    for entry in node.entries:
        text = _flow_text(entry.value)
        if text is None:
            return None
        parts.append(text if entry.key is None else f"{entry.key}: {text}")
    inner = ", ".join(parts)
    return f"{{{inner}}}" if node.mapping else f"[{inner}]"
