"""The HTML report: one page that needs nothing but itself, from values to text. Pure but for its own style and script.

Rules enforced here:
- everything stands in the page when it is loaded; the script only searches, sorts and folds what is there;
- the content security policy forbids everything but the page's own style and script, named by their hashes;
- the same values give the same bytes; times are passed in.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from nhictl.inventory.times import moment
from nhictl.model.inventory import Inventory, Item, Standing
from nhictl.render import html_identities as identities
from nhictl.render import html_lists as lists
from nhictl.render import html_summary as summary
from nhictl.render import html_tables as t
from nhictl.render.html_changes import Happened
from nhictl.render.html_element import Markup, el, join
from nhictl.render.html_figures import Aged, aged, by_risk

MOST_CHANGES = 2_000
_BIG = 300
_TABLES = (
    summary.COVERAGE, summary.OWNERS, summary.RISK, summary.AGES, lists.CREDENTIALS, lists.CHANGES,
    identities.UNMANAGED, identities.ALL,
)  # fmt: skip
_SECTIONS = (
    ("coverage", "Coverage"), ("owners", "Owners"), ("risk", "Risk"), ("credentials", "Credentials"),
    ("unmanaged", "Unmanaged"), ("changes", "Changes"), ("identities", "All identities"),
)  # fmt: skip
_RISK = (
    "A tier is declared in the manifest: how bad it is when the identity is misused. Risks are what was found in the "
    "live system and in the manifests. The table of all identities begins with those to look at first: the more risks "
    "were found the higher; among equals critical comes before high, an undeclared tier, medium and low. "
    "Ignored and built-in identities come last."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a report shows. `changes` are those of the last `days` days, newest first; None when nothing was ever
    recorded. `by` is who made it, `tool` the version of nhictl, `commit` what is checked out, empty when unknown.
    """

    inventory: Inventory
    changes: tuple[Happened, ...] | None
    days: int = 30
    commit: str = ""
    tool: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The identities in the order of risk and their credentials in the order of age."""

    items: Sequence[Item]
    credentials: Sequence[Aged]


def page(report: Report) -> str:
    """Return the page, complete from `<!doctype html>` on, with a line feed at the end."""
    inventory = report.inventory
    ordered = by_risk(inventory.items)
    found = _Sorted(ordered, aged(inventory, ordered))
    title = f"Non-human identities of {inventory.workspace}/{inventory.environment}"
    body = (
        el("a", "Skip to the report", href="#main", class_="skip"),
        _header(report, title),
        _contents(),
        el("main", *_main(report, found), id="main", tabindex="-1"),
        el("footer", el("p", "Made by nhictl. Nothing in this page is a secret, and the page loads nothing.")),
        el("script", Markup(_script())),
    )
    parts = ("<!doctype html>", '<html lang="en" dir="ltr">', _head(title), el("body", *body), "</html>", "")
    return "\n".join(parts)


def _head(title: str) -> Markup:
    style = _style()
    metas = (
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy(style, _script())),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="robots", content="noindex"),
    )
    return el("head", *metas, el("title", title), el("style", Markup(style)))


def policy(style: str, script: str) -> str:
    """Return the content security policy that allows exactly this style and this script, and nothing else."""
    rules = (
        "default-src 'none'", f"style-src '{_hash(style)}'", f"script-src '{_hash(script)}'", "base-uri 'none'",
        "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
    )  # fmt: skip
    return "; ".join(rules)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()


@cache
def _style() -> str:
    return _shipped("report.css") + t.labels(_TABLES).join(("@media screen and (max-width:56rem){\n", "\n}\n"))


@cache
def _script() -> str:
    return _shipped("report.js")


def _shipped(name: str) -> str:
    return files("nhictl.render").joinpath(name).read_text(encoding="utf-8")


def _header(report: Report, title: str) -> Markup:
    inventory = report.inventory
    facts = (
        ("Read at", inventory.time), ("Environment", inventory.environment),
        ("Commit", report.commit[:12] or "unknown"), ("Made by", report.by or "unknown"),
        ("With", report.tool or "unknown"),
    )  # fmt: skip
    told = (el("div", el("dt", term), el("dd", el("bdi", what))) for term, what in facts)
    return el("header", el("h1", "Non-human identities of ", el("bdi", title.removeprefix("Non-human identities of "))),
              el("dl", *told, class_="about"))  # fmt: skip


def _contents() -> Markup:
    links = (el("li", el("a", words, href=f"#{name}")) for name, words in _SECTIONS)
    return el("nav", el("ul", *links), aria_label="Sections")


def _main(report: Report, found: _Sorted) -> Iterator[Markup]:
    inventory = report.inventory
    now = moment(inventory.time)
    bare = identities.unmanaged(found.items, now)
    yield summary.unreadable(inventory)
    yield _section("overview", "Overview", summary.tiles(inventory, found.credentials, report.changes, report.days))
    yield _section("coverage", "Coverage", summary.coverage(inventory))
    yield _section("owners", "Identities by owner", summary.by_owner(inventory.items))
    yield _section("risk", "Identities by risk", el("p", _RISK, class_="lead"), summary.by_tier(inventory.items))
    yield _search(inventory)
    yield _section("credentials", "Credentials by age", *_credentials(found, inventory), big=len(found.credentials))
    yield _section("unmanaged", "Unmanaged identities", _unmanaged(inventory, bare), big=len(bare))
    yield _changes_section(report)
    rows = identities.rows(found.items, found.credentials, now)
    yield _section("identities", "All identities", *_filters(inventory), _all(rows), big=len(rows))


def _section(name: str, title: str, *parts: str, big: int = 0) -> Markup:
    head = el("h2", title, id=f"h-{name}")
    return el("section", head, *parts, id=name, aria_labelledby=f"h-{name}", class_="big" if big > _BIG else None)


def _search(inventory: Inventory) -> Markup:
    """Return the search of all the tables below it; the script shows it, without script it would do nothing."""
    field = el("input", id="search", type="search", autocomplete="off", spellcheck="false", aria_describedby="found")
    label = el("label", "Search identities, credentials and changes", for_="search")
    status = el("p", id="found", role="status")
    quiet = el("p", "Search and sort need JavaScript. Everything they would find is below.", class_="lead")
    return join((el("form", label, field, status, id="tools", role="search", hidden=True), el("noscript", quiet)))


def _credentials(found: _Sorted, inventory: Inventory) -> Iterator[Markup]:
    yield summary.by_age(found.credentials)
    silent = summary.silent(inventory.items)
    if silent:
        yield el("p", silent, class_="lead")
    rows = lists.credentials(found.credentials, moment(inventory.time))
    caption = "The oldest first. An id names a credential and is not its secret."
    yield t.render(lists.CREDENTIALS, caption, rows, empty="No credential is known.")


def _unmanaged(inventory: Inventory, rows: Sequence[Markup]) -> Markup:
    caption = "Identities that are live and in no manifest; an orphan has our mark, and the ledger does not know it."
    where = " in the targets that could be read" if inventory.unreadable else ""
    return t.render(identities.UNMANAGED, caption, rows, empty=f"No unmanaged identities{where}.")


def _changes_section(report: Report) -> Markup:
    found = report.changes or ()
    caption = f"Changes that nhictl made or tried in the last {report.days} days, the newest first, from the ledger."
    none = f"No change in the last {report.days} days." if report.changes is not None else "Nothing is recorded yet."
    parts = [t.render(lists.CHANGES, caption, lists.changes(found[:MOST_CHANGES]), empty=none)]
    if len(found) > MOST_CHANGES:
        left = f"{len(found) - MOST_CHANGES:,} older changes are not in this page: nhictl audit export has them all."
        parts.insert(0, el("p", left, class_="lead"))
    title = f"Changes of the last {report.days} days"
    return _section("changes", title, *parts, big=min(len(found), MOST_CHANGES))


def _filters(inventory: Inventory) -> Iterator[Markup]:
    """Return the choices that narrow the table of all identities; the script shows them."""
    if not inventory.items:
        return
    standings = [one.value for one in Standing if any(item.standing is one for item in inventory.items)]
    targets = sorted({item.address.target for item in inventory.items})
    both = (_choice("standing", "Standing", standings), _choice("target", "Target", targets))
    yield el("form", *both, class_="filters", hidden=True, aria_label="Filter identities")


def _choice(name: str, label: str, values: Sequence[str]) -> Markup:
    options = (el("option", value, value=value) for value in values)
    select = el("select", el("option", "all", value=""), *options, id=name)
    return el("div", el("label", label, for_=name), select)


def _all(rows: Sequence[Markup]) -> Markup:
    caption = "Every identity of every target, in the order of risk explained above."
    return t.render(identities.ALL, caption, rows, empty="No identity is known.")


__all__ = ["MOST_CHANGES", "Report", "page", "policy"]
