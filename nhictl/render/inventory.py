"""The inventory for people: a table for each target with its coverage, or everything about each identity.

Rules enforced here:
- the widest fields are cut, never what says whose an identity is; `-v` cuts nothing;
- built-in and ignored identities come last in their target: they do not count;
- a target that could not be read is told first, and that nothing is known there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from nhictl.inventory.choose import Chosen
from nhictl.inventory.times import moment
from nhictl.kinds.common import duration_text
from nhictl.model import Coverage, Inventory, Item, Standing
from nhictl.render import inventory_words as words
from nhictl.render import tables
from nhictl.render.access import said
from nhictl.render.safe import visible
from nhictl.render.text import Style, count, wrap

WIDE = ("IDENTITY", "STANDING", "OWNER", "TYPE", "ACCESS", "CREDENTIALS", "USED", "RISKS")
NARROW = ("IDENTITY", "STANDING", "OWNER", "ACCESS", "CREDS", "USED", "RISKS")
_WIDE = 110
_LABEL = 13
_QUIET = (Standing.IGNORED, Standing.BUILTIN)


def render(chosen: Chosen, style: Style) -> str:
    """Return an inventory as text without a final line feed."""
    found = chosen.inventory
    blocks = [_unreadable(found, style), *_targets(found, style), style.paint("\n".join(summary(chosen)), "bold")]
    return style.encodable("\n\n".join(block for block in blocks if block))


def summary(chosen: Chosen) -> Iterator[str]:
    """Yield the closing lines: what is shown, the coverage of everything, and what nobody knows."""
    found, total = chosen.inventory, chosen.inventory.total
    shown = count(len(found.items), "identity")
    yield shown if len(found.items) == chosen.of else f"{shown} of {chosen.of:,} shown"
    yield (
        f"Coverage: {_covered(total)} in {count(len(found.coverage), 'target')}"
        if found.coverage
        else "Coverage: unknown"
    )
    if chosen.stale and chosen.unknown:
        more = "identity" if chosen.unknown == 1 else "identities"
        span = duration_text(chosen.stale)
        yield f"Unknown whether {chosen.unknown:,} more {more} went unused for {span}: the provider does not tell"
    if found.unreadable:
        does = "does" if len(found.unreadable) == 1 else "do"
        yield f"Unknown: {count(len(found.unreadable), 'target')} could not be read and {does} not count"


def _covered(found: Coverage) -> str:
    whole = found.managed + found.unmanaged
    text = f"{words.percent(found)} managed ({found.managed:,} of {whole:,})" if whole else "nothing to manage"
    aside = [f"{found.ignored:,} ignored"] if found.ignored else []
    aside += [f"{found.builtin:,} built-in"] if found.builtin else []
    return ", ".join([text, *aside])


def _unreadable(found: Inventory, style: Style) -> str:
    if not found.unreadable:
        return ""
    lines = [f"  {visible(target)}: {visible(why)}" for target, why in sorted(found.unreadable.items())]
    return "\n".join([style.paint("Unreadable, nothing is known there", "bold yellow"), *lines])


def _targets(found: Inventory, style: Style) -> Iterator[str]:
    now = moment(found.time) or dt.datetime.min.replace(tzinfo=dt.UTC)
    for coverage in found.coverage:
        items = [item for item in found.items if item.address.target == coverage.target]
        items.sort(key=lambda item: (item.standing in _QUIET, item.standing is Standing.BUILTIN, item.address))
        head = f"{style.paint(visible(coverage.target), 'bold')}  {_covered(coverage)}"
        body = _details(items, now, style) if style.verbose else _table(items, now, style)
        if items:
            yield f"{head}\n{body}"


def _table(items: Sequence[Item], now: dt.datetime, style: Style) -> str:
    wide, plain = style.width >= _WIDE, len({item.address.kind for item in items}) == 1
    rows = [_row(item, now, wide=wide, plain=plain) for item in items]
    return tables.render(WIDE if wide else NARROW, rows, style.width, style=style)


def _row(item: Item, now: dt.datetime, *, wide: bool, plain: bool) -> tuple[str, ...]:
    """Return the cells of an identity; `wide` has room for words, `plain` names need no kind."""
    allowed = sum(p.effect == "allow" for p in item.permissions)
    more = f" (+{len(item.risks) - 1})" if len(item.risks) > 1 else ""
    told = "".join(item.risks[:1]) + more or item.reason if wide else str(len(item.risks) or "")
    kind = (item.type or "-",) if wide else ()
    used = words.ago(item.last_used, now, tracked=item.tracked_days)
    return (
        item.address.name if plain else words.named(item), words.standing(item), item.owner or "-", *kind,
        str(allowed), words.credentials(item, now), used, told or "-",
    )  # fmt: skip


def _details(items: Sequence[Item], now: dt.datetime, style: Style) -> str:
    return "\n".join(line for item in items for line in _detail(item, now, style))


def _detail(item: Item, now: dt.datetime, style: Style) -> Iterator[str]:
    sgr = "bold yellow" if item.standing in (Standing.UNMANAGED, Standing.ORPHAN) else ""
    yield f"  {visible(words.named(item))}  {style.paint(words.standing(item), sgr)}"
    for label, texts in _facts(item, now):
        for number, text in enumerate(texts):
            lines = wrap(visible(text), max(20, style.width - _LABEL - 6))
            yield f"    {(label if not number else '').ljust(_LABEL)}{lines[0]}"
            yield from (" " * (_LABEL + 6) + more for more in lines[1:])


def _facts(item: Item, now: dt.datetime) -> Iterator[tuple[str, list[str]]]:
    """Yield what is known of an identity, by label; what is unknown is said, what there is not is left out."""
    until = f" until {item.until}" if item.until else ""
    about = ", ".join(filter(None, (item.type, item.tier, f"service {item.service}" if item.service else "")))
    changed = f"{item.changed[:19].replace('T', ' ')} by {item.changed_by or words.UNKNOWN}"
    yield "reason", [f"{item.reason}{until}"] if item.reason else []
    yield "manifest", [f"{item.subject}  {words.place(item.position)}".rstrip()] if item.subject else []
    yield "owner", [f"{item.owner or 'nobody'}" + (f"  ({about})" if about else "")] if item.subject else []
    yield "native id", [item.native_id] if item.native_id else []
    yield "enabled", [] if item.enabled is not False else ["no"]
    yield "labels", [", ".join(f"{k}={v}" for k, v in sorted(item.labels.items()))] if item.labels else []
    yield "roles", [", ".join(item.roles)] if item.roles else []
    yield "access", [str(phrase) for phrase in said(item.permissions, "")] or ["none"]
    yield "kept as it is", [", ".join(item.kept)] if item.kept else []
    yield "trust", [str(phrase) for phrase in said(item.trust, "")]
    yield "credentials", _credentials(item, now)
    yield "created", [words.when(item.created, now)]
    yield "last used", [words.when(item.last_used, now, tracked=item.tracked_days)]
    yield "last change", [changed] if item.changed else []
    yield "risks", list(item.risks)


def _credentials(item: Item, now: dt.datetime) -> list[str]:
    if item.credentials is None:
        return [words.UNKNOWN]
    return [words.credential(one, now) for one in item.credentials] or ["none"]
