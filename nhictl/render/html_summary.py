"""The first sections of the HTML report: what it is of, the key numbers, coverage, owners, tiers, ages of credentials.

Rules enforced here:
- a bar stands beside its number and never instead of it;
- a target that could not be read is unknown: named, and in no number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhictl.model.inventory import Coverage, Inventory, Item
from nhictl.render import html_tables as t
from nhictl.render.html_changes import Happened
from nhictl.render.html_element import Markup, bar, el, items
from nhictl.render.html_figures import OLD, TIERS, Aged, Group, buckets, counted, owners, shadows, tiers, untold
from nhictl.render.html_identities import UNDECLARED
from nhictl.render.text import count

COVERAGE = t.Table(
    "coverage",
    (
        t.Column("Target"), t.Column("Managed", "number", number=True), t.Column("Unmanaged", "number", number=True),
        t.Column("Ignored", "number", number=True), t.Column("Built-in", "number", number=True),
        t.Column("Coverage", "number", wide=True),
    ),
)  # fmt: skip
OWNERS = t.Table(
    "owners",
    (
        t.Column("Owner"), t.Column("Identities", "number"),
        *(t.Column((tier or UNDECLARED).capitalize(), "number", number=True) for tier in TIERS),
        t.Column("With risks", "number", number=True),
    ),
)  # fmt: skip
RISK = t.Table(
    "tiers", (t.Column("Tier", ""), t.Column("Identities", ""), t.Column("With risks found", "", number=True))
)  # fmt: skip
AGES = t.Table("ages", (t.Column("Age", ""), t.Column("Credentials", "")))


def percent(coverage: Coverage) -> str:
    """Return `83%`; `nothing to govern` where no identity counts."""
    return "nothing to govern" if coverage.percent is None else f"{coverage.percent}%"


def unreadable(inventory: Inventory) -> Markup:
    """Return what could not be read and why; nothing when all was."""
    if not inventory.unreadable:
        return Markup()
    number = len(inventory.unreadable)
    told = [f"{target}: {reason}" for target, reason in sorted(inventory.unreadable.items())]
    head = f"{count(number, 'target')} could not be read"
    what = f"What {'it holds' if number == 1 else 'they hold'} is unknown and in none of the numbers below."
    return el("section", el("h2", head, id="unreadable"), el("p", what), items(told), class_="alert",
              aria_labelledby="unreadable")  # fmt: skip


def tiles(inventory: Inventory, credentials: Sequence[Aged], changes: Sequence[Happened] | None, days: int) -> Markup:
    """Return the key numbers, each with what it is of."""
    every = counted(inventory.items)
    told = [*_governed(inventory, every), _old(credentials, untold(every)), _changed(changes, days)]
    return el("dl", *told, class_="tiles")


def _tile(label: str, number: str, what: str, *, tone: str = "", link: str = "", graph: str = "") -> Markup:
    head = el("dt", el("a", label, href=f"#{link}"))
    parts = (el("dd", number, class_="number"), el("dd", what), *([el("dd", graph)] if graph else []))
    return el("div", head, *parts, class_=f"tile {tone}".strip())


def _governed(inventory: Inventory, every: Sequence[Item]) -> Iterator[Markup]:
    whole = inventory.total
    number, bare = whole.managed + whole.unmanaged, len(shadows(every))
    risky = sum(bool(item.risks) for item in every)
    ownerless = sum(not item.owner for item in every)
    share = "none" if whole.percent is None else percent(whole)
    what = f"{whole.managed:,} of {number:,} identities are managed" if number else _nothing(inventory)
    yield _tile("Coverage", share, what,
                link="coverage", graph=bar(whole.managed, number, "good"))  # fmt: skip
    yield _tile("Unmanaged", f"{bare:,}", "nobody declared them", tone="warn" if bare else "", link="unmanaged",
                graph=bar(bare, len(every), "warn"))  # fmt: skip
    yield _tile("Without an owner", f"{ownerless:,}", f"of {len(every):,} identities",
                tone="warn" if ownerless else "", link="owners", graph=bar(ownerless, len(every), "warn"))  # fmt: skip
    yield _tile("With risks found", f"{risky:,}", f"of {len(every):,} identities", tone="warn" if risky else "",
                link="risk", graph=bar(risky, len(every), "warn"))  # fmt: skip


def _nothing(inventory: Inventory) -> str:
    return "no identity in the targets that could be read" if inventory.unreadable else "there is nothing to govern"


def _old(credentials: Sequence[Aged], silent: int) -> Markup:
    ages = [one.age for one in credentials if one.age is not None]
    old = sum(age > OLD for age in ages)
    what = f"of {len(ages):,} of known age"
    unknown = len(credentials) - len(ages)
    what += f"; {unknown:,} of unknown age" if unknown else ""
    what += f"; not told for {count(silent, 'identity')}" if silent else ""
    return _tile(f"Credentials older than {OLD} days", f"{old:,}", what, tone="warn" if old else "",
                 link="credentials", graph=bar(old, len(ages), "warn"))  # fmt: skip


def _changed(changes: Sequence[Happened] | None, days: int) -> Markup:
    label = f"Changes in {days} days"
    if changes is None:
        return _tile(label, "0", "nothing is recorded yet", link="changes")
    words = [f"{sum(c.outcome == word for c in changes):,} {word}" for word in ("applied", "failed", "unknown")]
    bad = any(c.outcome in ("failed", "unknown") for c in changes)
    return _tile(label, f"{len(changes):,}", ", ".join(words) if changes else "none recorded",
                 tone="warn" if bad else "", link="changes")  # fmt: skip


def silent(every: Sequence[Item]) -> str:
    """Say of how many identities no credential can be told; empty for none."""
    number = untold(every)
    return f"The provider does not tell the credentials of {count(number, 'identity')}: unknown." if number else ""


def coverage(inventory: Inventory) -> Markup:
    """Return the coverage of each target and of all of them."""
    rows = [_coverage_row(one) for one in sorted(inventory.coverage, key=lambda c: c.target)]
    rows += [
        t.row(COVERAGE, el("bdi", target), *[t.UNKNOWN] * 4, Markup('<span class="dim">unknown: not read</span>'))
        for target in sorted(inventory.unreadable)
    ]
    foot = _coverage_row(inventory.total, "all targets") if len(rows) > 1 else Markup()
    caption = "Share of identities that are managed or adopted. Ignored and built-in ones do not count."
    return t.render(COVERAGE, caption, rows, empty="The environment has no target.", foot=foot)


def _coverage_row(one: Coverage, name: str = "") -> Markup:
    whole = one.managed + one.unmanaged
    graph = _meter(percent(one), one.managed, whole, "good")
    numbers = (t.amount(n) for n in (one.managed, one.unmanaged, one.ignored, one.builtin))
    return t.row(COVERAGE, el("bdi", name or one.target), *numbers, graph)


def by_owner(every: Sequence[Item]) -> Markup:
    """Return how many identities each owner answers for, by tier and with risks."""
    groups = owners(every)
    most = max((group.whole for group in groups), default=0)
    rows = [_owner_row(group, most) for group in groups]
    caption = "By the owner and the tier that the manifest declares. Ignored and built-in identities are left out."
    return t.render(OWNERS, caption, rows, empty="There is no identity to govern.")


def _owner_row(group: Group, most: int) -> Markup:
    owner = el("bdi", group.name) if group.name else el("span", "no owner", class_="dim")
    return t.row(OWNERS, owner, _counted(group.whole, most), *map(t.amount, group.tiers), t.amount(group.risky))


def _meter(words: str, part: int, whole: int, tone: str = "") -> Markup:
    return el("div", el("span", words), bar(part, whole, tone), class_="meter")


def _counted(number: int, most: int, tone: str = "") -> Markup:
    return _meter(f"{number:,}", number, most, tone)


def by_tier(every: Sequence[Item]) -> Markup:
    """Return how many identities each tier has."""
    groups = tiers(every)
    most = max((group.whole for group in groups), default=0)
    rows = [
        t.row(RISK, (group.name or UNDECLARED).capitalize(), _counted(group.whole, most), t.amount(group.risky))
        for group in groups
    ]
    return t.render(RISK, "By declared tier. Ignored and built-in identities are left out.", rows)


def by_age(credentials: Sequence[Aged]) -> Markup:
    """Return how many credentials have which age."""
    if not credentials:
        return Markup()
    found = buckets(credentials)
    most = max(number for _, number in found)
    rows = [t.row(AGES, name.capitalize(), _counted(number, most, _tone(name))) for name, number in found]
    return t.render(
        AGES, "By the time since they were created. Those of ignored and built-in identities are left out.", rows
    )


def _tone(bucket: str) -> str:
    return "" if bucket.startswith(("up", "31", "unknown")) else "warn"
