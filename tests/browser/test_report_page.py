"""The HTML report in a real browser: seen, searched, sorted, printed, without JavaScript, by keyboard, by axe-core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nhictl.render.html import Report
from nhictl.render.html import page as rendered
from tests.browser import estate

WIDTHS = (320, 1280, 1600)
ROWS = "#t-identities tbody tr"
FIRST = f"{ROWS} th b"


@pytest.fixture()
def watched(page) -> list[str]:
    """Everything the page asks for but itself, and whatever it complains of."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url) if not request.is_navigation_request() else None)
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    return seen


@pytest.fixture()
def opened(page, tmp_path: Path, watched: list[str]):
    """Show a report; at the end it must have asked for nothing and complained of nothing."""

    def show(report: Report, *, width: int = 1280, scheme: str = "light"):
        file = tmp_path / "report.html"
        file.write_bytes(rendered(report).encode())
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(file.as_uri())
        return page

    yield show
    assert watched == []


Show = Callable[..., object]


def overflow(page) -> int:
    """By how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def says(page, words: str, place: str = "#found") -> None:
    """Wait until the page says this, or is silent for empty words.

    The page's policy forbids waiting by script, and playwright's `expect` describes the whole page at each try.
    """
    for _ in range(300):
        said = page.locator(place).text_content()
        if words in said and bool(words) == bool(said):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{place} says {said!r}, not {words!r}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["small", "empty", "hostile"])
def test_axe_finds_nothing(opened, axe: str, kind: str, width: int, scheme: str):
    """Light and dark, narrow and wide, everything unfolded, as it is and while a search narrows it."""
    page = opened(getattr(estate, kind)(), width=width, scheme=scheme)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate(axe)
    rules = "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 120))]))"
    assert page.evaluate(rules) == []
    if page.locator("#search").is_visible():
        page.fill("#search", "a")
        says(page, "Found")
        assert page.evaluate(rules) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["small", "hostile", "empty"])
def test_no_width_scrolls_sideways(opened, kind: str, width: int):
    """With everything unfolded, very long names included."""
    page = opened(getattr(estate, kind)(), width=width)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert overflow(page) <= 0


@pytest.mark.parametrize("width", [320, 1280])
def test_tables_are_tables_for_a_screen_reader(opened, browser, width: int):
    """Also where a narrow page shows rows as cards: read from the browser's own accessibility tree."""
    page = opened(estate.small(), width=width)
    tree = browser.new_cdp_session(page).send("Accessibility.getFullAXTree")
    roles = [node.get("role", {}).get("value") for node in tree["nodes"] if not node.get("ignored")]
    assert roles.count("table") == 8
    assert roles.count("rowheader") == page.locator("th[scope=row]").count()
    assert roles.count("columnheader") >= page.locator("th button").count() > 0


def test_search_narrows_and_says_by_how_much(opened):
    """Every word must be in a row; permissions that are folded away are searched, too."""
    page = opened(estate.small())
    page.fill("#search", "payments-archive s3:getobject legacy")
    says(page, "1 of 10 identities")
    assert page.locator(FIRST).all_text_contents() == ["legacy-sftp"]
    page.fill("#search", "nothing has this")
    says(page, " 0 of 10 identities")
    assert page.locator("#identities .more").text_content() == "No identities match."
    page.fill("#search", "")
    says(page, "")
    assert page.locator(ROWS).count() == 10


def test_filters_narrow_by_standing_and_target(opened):
    """Together with the search."""
    page = opened(estate.small())
    page.select_option("#standing", "unmanaged")
    says(page, "2 of 10 identities")
    page.select_option("#standing", "managed")
    says(page, "4 of 10 identities")
    page.select_option("#target", "aws-prod")
    says(page, "2 of 2 identities shown", "#identities .more span")
    assert sorted(page.locator(FIRST).all_text_contents()) == ["legacy-sftp", "payments-ci"]


def test_columns_are_sorted_by_keyboard_and_say_so(opened):
    """Tab to the heading, Enter, Enter; the other headings say nothing of an order."""
    page = opened(estate.small())
    page.focus("#target")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Identity"
    page.keyboard.press("Enter")
    names = page.locator(FIRST).all_text_contents()
    assert names == sorted(names, key=str.lower)
    head = page.locator("#t-identities th[aria-sort]")
    assert head.evaluate_all("(all) => all.map((h) => [h.textContent, h.ariaSort])") == [["Identity", "ascending"]]
    page.keyboard.press("Enter")
    assert page.locator(FIRST).all_text_contents() == names[::-1]
    assert head.get_attribute("aria-sort") == "descending"
    assert page.evaluate("document.activeElement.textContent") == "Identity"


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("credentials", "Age", ["900 days", "812 days", "95 days", "20 days", "unknown"]),
        ("owners", "Identities", ["3", "2", "1", "1", "1"]),
        ("coverage", "Coverage", ["100%", "100%", "50%", "50%", "unknown: not read"]),
    ],
)
def test_numbers_are_sorted_as_numbers_and_unknown_is_last(opened, table: str, column: str, expected: list[str]):
    """Whichever way."""
    page = opened(estate.small())
    place = page.locator(f"#t-{table} thead th").all_text_contents().index(column) + 1
    cells = page.locator(f"#t-{table} tbody tr td:nth-child({place})")
    button = page.locator(f"#t-{table} thead th:nth-child({place}) button")
    button.click()
    assert cells.all_text_contents() == expected
    button.click()
    known = [text for text in expected if not text.startswith("unknown")]
    assert cells.all_text_contents() == [*known[::-1], *expected[len(known) :]]


def test_tiers_are_sorted_by_weight(opened):
    """Not by letter; an undeclared one stands between high and medium."""
    page = opened(estate.small())
    page.locator("#t-identities thead th:nth-child(4) button").click()
    tiers = page.locator(f"{ROWS} td:nth-child(4)").all_text_contents()
    assert tiers == ["critical", "high", *["not declared"] * 5, "medium", "medium", "low"]


def test_the_keyboard_reaches_what_matters_and_sees_where_it_is(opened):
    """First the way past the navigation; the focus has an outline."""
    page = opened(estate.small())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.focus("#t-identities summary")
    page.keyboard.press("Enter")
    assert page.locator("#t-identities details[open]").count() == 1


def test_without_javascript_everything_is_there(opened, browser, page, tmp_path: Path):
    """All rows, no control that would do nothing, and a word about it."""
    session = browser.new_cdp_session(page)
    session.send("Emulation.setScriptExecutionDisabled", {"value": True})
    opened(estate.large(450))
    assert page.locator(ROWS).count() == 450
    assert page.locator("form:visible, th button, .more").count() == 0
    assert page.locator("noscript").is_visible()
    session.send("Emulation.setScriptExecutionDisabled", {"value": False})


def test_hostile_names_are_text_and_nothing_runs(opened):
    """Title, elements and dialogs are ours; each name can be read."""
    page = opened(estate.hostile())
    assert page.title().startswith("Non-human identities of ")
    assert page.locator("img, iframe, object, embed, base, link").count() == 0
    assert page.locator("script").count() == page.locator("style").count() == page.locator("h1").count() == 1
    names = set(page.locator(FIRST).all_text_contents())
    assert {"<script>document.title='owned'</script>", "</td></tr></table><h1>big</h1>", "line\\nbreak\\ttab"} <= names
    assert "\\u{202e}gnp.exe\\u{2066}" in names


def test_what_is_injected_cannot_run(opened, watched: list[str]):
    """If mark-up ever got through, the policy would still refuse its script, its handler and its picture."""
    page = opened(estate.small())
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate("() => { document.body.innerHTML += '<script>document.title = 1</script>'; }")
    refused = """() => new Promise((done) => {
        const image = new Image();
        image.onerror = () => done("refused");
        image.onload = () => done("loaded");
        image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
        document.body.append(image);
    })"""
    assert page.evaluate(refused) == "refused"
    assert page.title().startswith("Non-human identities of ")
    watched.clear()


def test_print_has_every_row_unfolded_and_no_controls(opened):
    """Rows beyond the first page of the screen too; headings repeat on each sheet; dark paper is not printed."""
    page = opened(estate.large(450), scheme="dark")
    assert page.locator(ROWS).count() == 200
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(ROWS).count() == 450
    assert page.locator("#search:visible, .filters:visible, .more:visible, nav:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
    assert page.locator("#t-identities details dl").first.is_visible()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(ROWS).count() == 200


def test_the_sheets_are_printed(opened, tmp_path: Path):
    """By the browser itself, which tells the page before it does."""
    page = opened(estate.large(450))
    page.evaluate(
        "addEventListener('beforeprint', () => { window.rows = document.querySelectorAll('tbody tr').length; })"
    )
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert page.evaluate("window.rows") > 450


def test_ten_thousand_identities_are_searched_and_sorted(opened):
    """Only what is shown stands in the page; the rest comes when asked for."""
    page = opened(estate.large(10_000))
    assert page.locator(ROWS).count() == 200
    page.fill("#search", "payments-ci-00")
    says(page, "112 of 10,000 identities")
    page.fill("#search", "")
    says(page, "")
    page.locator("#identities .more button").click()
    assert page.locator(ROWS).count() == 1_200
    page.locator("#t-identities thead th:first-child button").click()
    assert page.locator(FIRST).first.text_content() == "forgotten-00007"


def test_a_link_to_an_identity_shows_its_row(opened):
    """Also when the search hides it, or it is beyond the rows that are shown."""
    page = opened(estate.large(1_800))
    row = page.locator("#unmanaged tbody tr a").last
    place = row.get_attribute("href")
    page.evaluate("(place) => { location.hash = place; }", place)
    page.wait_for_selector(f"{place}:target")
    page.fill("#search", "payments-ci")
    says(page, "Found")
    assert page.locator(place).count() == 0
    page.evaluate("() => { location.hash = '#identities'; }")
    page.evaluate("(place) => { location.hash = place; }", place)
    page.wait_for_selector(place)
    assert page.input_value("#search") == ""


def test_meaning_is_never_by_colour_alone(opened):
    """With forced colours every standing and outcome is still a word."""
    page = opened(estate.small())
    page.emulate_media(forced_colors="active")
    words = set(page.locator(".chip").all_text_contents())
    assert {"managed", "unmanaged", "orphan", "ignored", "built-in", "applied", "failed", "unknown"} <= words
