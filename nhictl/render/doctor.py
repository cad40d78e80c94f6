"""What `doctor` found: one line a check, details below it, the worst said last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nhictl.render.safe import json_text, visible
from nhictl.render.text import Style, columns, count, pad, wrap

State = Literal["ok", "note", "warning", "error", "auth"]
_WORDS: Mapping[State, tuple[str, str]] = {
    "ok": ("ok", "green"), "note": ("--", "dim"), "warning": ("warning", "bold yellow"),
    "error": ("ERROR", "bold red"), "auth": ("ERROR", "bold red"),
}  # fmt: skip
_MARGIN = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `source` says where a setting came from; `auth` is an error of authentication."""

    area: str
    name: str
    state: State
    text: str
    hint: str = ""
    source: str = ""
    details: tuple[str, ...] = ()


def render(checks: Sequence[Check], style: Style) -> str:
    """Return every check by area, in the order given, and a closing line."""
    lines: list[str] = []
    for area in dict.fromkeys(check.area for check in checks):
        some = [check for check in checks if check.area == area]
        lines += ["", style.paint(visible(area), "bold")] if lines else [style.paint(visible(area), "bold")]
        wide = min(28, max(columns(visible(check.name)) for check in some))
        for check in some:
            lines += _check(check, wide, style)
    return style.encodable("\n".join([*lines, "", _verdict(checks, style)]))


def _check(check: Check, wide: int, style: Style) -> Iterator[str]:
    word, sgr = _WORDS[check.state]
    source = f" ({visible(check.source)})" if check.source else ""
    room = max(20, style.width - _MARGIN - wide - 2)
    texts = wrap(visible(check.text) + source, room, whole=True)
    yield f"  {style.paint(pad(word, _MARGIN - 2), sgr)}{pad(visible(check.name), wide)}  {texts[0]}"
    indent = " " * (_MARGIN + wide + 2)
    yield from (indent + text for text in texts[1:])
    for detail in check.details:
        first, *rest = wrap(visible(detail), room - 2, whole=True)
        yield f"{indent}- {first}"
        yield from (f"{indent}  {text}" for text in rest)
    if check.hint:
        yield from (indent + text for text in wrap("help: " + visible(check.hint), room, whole=True))


def _verdict(checks: Sequence[Check], style: Style) -> str:
    errors = sum(check.state in ("error", "auth") for check in checks)
    warnings = sum(check.state == "warning" for check in checks)
    if not errors and not warnings:
        return style.paint("Everything is in order.", "bold green")
    said = ", ".join(count(n, noun) for n, noun in ((errors, "error"), (warnings, "warning")) if n)
    return style.paint(said, "bold red" if errors else "bold yellow")


def render_json(checks: Sequence[Check]) -> str:
    """Return the checks as JSON text."""
    found = [
        {
            "area": c.area, "name": c.name, "state": c.state, "text": c.text, "source": c.source, "hint": c.hint,
            "details": list(c.details),
        }
        for c in checks
    ]  # fmt: skip
    ok = not any(c.state in ("error", "auth") for c in checks)
    return json_text({"formatVersion": 1, "ok": ok, "checks": found})
