"""The HTML report as text: what it says, that nothing in it is mark-up of others, and that it needs nothing else."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhictl.model import Address, Permission
from nhictl.model.inventory import Credential, Inventory, Item, Standing
from nhictl.render.html import MOST_CHANGES, Report, page
from nhictl.render.html_element import LONGEST, el
from nhictl.render.html_identities import MOST
from tests.browser import estate

PLAIN = ("style", "script")
NEVER = {"a": {"href"}, "meta": {"content"}}


class Parsed(HTMLParser):
    """Elements with their attributes, the text outside of style and script, and what is inside of those two."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.own: dict[str, str] = {}
        self.words: list[str] = []
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._in = tag

    def handle_data(self, data):
        if self._in in PLAIN and self._in not in self.own:
            self.own[self._in] = data
        else:
            self.words.append(data)

    def handle_endtag(self, tag):
        self._in = ""

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def shape(self) -> Counter[str]:
        return Counter(tag for tag, _ in self.elements)


def shown(report: Report) -> str:
    return Parsed(page(report)).text


def with_items(*items: Item) -> Report:
    return replace(estate.small(), inventory=replace(estate.small().inventory, items=items))


def item(name: str = "api", standing: Standing = Standing.MANAGED, **more: object) -> Item:
    return replace(Item(Address("directory", "identity", name), "local", standing), **more)


def test_the_same_values_give_the_same_bytes():
    """In whatever order the identities come."""
    report = estate.small()
    turned = replace(report, inventory=replace(report.inventory, items=report.inventory.items[::-1]))
    assert page(report) == page(report) == page(turned)


def test_the_policy_names_the_style_and_the_script_and_nothing_else():
    """By their hashes; images, connections, frames, forms and base are refused."""
    parsed = Parsed(page(estate.small()))
    (policy,) = [a["content"] for t, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy"]
    wanted = {
        f"{name}-src": f"'sha256-{base64.b64encode(sha256(parsed.own[name].encode()).digest()).decode()}'"
        for name in PLAIN
    }
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules == wanted | {
        "default-src": "'none'", "base-uri": "'none'", "form-action": "'none'",
        "require-trusted-types-for": "'script'", "trusted-types": "'none'",
    }  # fmt: skip


@pytest.mark.parametrize(
    "report", [estate.small(), estate.empty(), estate.hostile()], ids=["small", "empty", "hostile"]
)
def test_nothing_is_loaded_and_nothing_is_inline(report: Report):
    """No address but places in the page; no style or handler attribute; one style, one script."""
    parsed = Parsed(page(report))
    attributes = [(tag, name, value) for tag, given in parsed.elements for name, value in given.items()]
    assert [
        a for a in attributes if a[1] in ("src", "style", "action", "srcset", "ping") or a[1].startswith("on")
    ] == []
    assert all(value.startswith("#") for _, name, value in attributes if name == "href")
    assert [parsed.shape[name] for name in ("style", "script", "link", "img", "iframe", "object", "base")] == [
        1, 1, 0, 0, 0, 0, 0,
    ]  # fmt: skip
    assert re.search(r"url\(|@import", parsed.own["style"]) is None


def test_each_id_is_there_once_and_each_link_leads_somewhere():
    """Also among identities of hostile names."""
    parsed = Parsed(page(estate.hostile()))
    ids = Counter(given["id"] for _, given in parsed.elements if "id" in given)
    links = {given["href"][1:] for tag, given in parsed.elements if tag == "a"}
    assert [name for name, times in ids.items() if times > 1] == []
    assert links <= set(ids)


def test_hostile_text_is_text():
    """The page has the elements it has for harmless names, and no character that hides or moves others."""
    text = page(estate.hostile())
    bad = [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
    assert bad == []
    seen = Parsed(text).text
    for word in ("<script>document.title='owned'</script>", "</td></tr></table><h1>big</h1>", "\\u{202e}gnp.exe"):
        assert word in seen
    assert Parsed(text).shape["h1"] == 1


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_no_text_is_mark_up(text: str):
    """Whatever stands in a field, the elements are those of a page with a letter there."""

    def spoiled(word: str) -> Report:
        may = Permission("allow", word, word, word)
        one = item(word or "-", subject=f"nhi/{word}", owner=word, reason=word, risks=(word,), permissions=(may,),
                   credentials=(Credential(word, word, word),))  # fmt: skip
        return with_items(one)

    assert Parsed(page(spoiled(text))).shape == Parsed(page(spoiled("a"))).shape


def test_an_element_escapes_its_children_and_refuses_style_and_handlers():
    """There is no way around it but Markup."""
    assert el("b", "<i>", title='"') == '<b title="&quot;">&lt;i&gt;</b>'
    for name in ("style", "onclick"):
        with pytest.raises(ValueError, match="attribute"):
            el("b", **{name: "x"})


def test_very_long_text_is_cut_and_says_so():
    """By how many characters."""
    assert "… (1,000 more characters)" in shown(with_items(item("n" * (LONGEST + 1_000))))


def test_what_is_not_known_reads_unknown():
    """Credentials, last use, the age of a credential, its last use: never a guess."""
    report = with_items(item("silent"), item("partly", credentials=(Credential("password"),)))
    text = shown(report)
    assert "The provider does not tell the credentials of 1 identity: unknown." in text
    assert "partly directory/identity/partly unknown password unknown unknown unknown unknown no owner" in text


def test_never_and_no_end_are_told_apart_from_unknown():
    """An empty time is knowledge."""
    known = Credential("access-key", "AKIA1", "active", estate.ago(5), "", "")
    text = shown(with_items(item(credentials=(known,), last_used="", tracked_days=400)))
    assert "5 days access-key AKIA1 active 2026-11-17 never never" in text
    assert "not in 400 days" in text


def test_an_unreadable_target_is_named_and_in_no_number():
    """Its coverage is unknown."""
    text = shown(estate.small())
    assert "1 target could not be read What it holds is unknown and in none of the numbers below." in text
    assert "keycloak-lab: connection refused" in text
    assert "keycloak-lab unknown unknown unknown unknown unknown: not read" in text
    assert "all targets 5 3 1 1 62%" in text


def test_nothing_at_all_is_said_in_words():
    """Each section says that it is empty."""
    text = shown(estate.empty())
    for said in ("The environment has no target.", "No credential is known.", "No unmanaged identities.",
                 "Nothing is recorded yet.", "No identity is known."):  # fmt: skip
        assert said in text


def test_no_unmanaged_is_not_said_of_what_could_not_be_read():
    """Only of what could."""
    assert "No unmanaged identities in the targets that could be read." in shown(with_items(item()))


def test_what_is_not_in_the_page_is_said():
    """Permissions and changes beyond what anybody reads, with the command that has them."""
    may = tuple(Permission("allow", f"a{n:03}", f"r{n:03}") for n in range(MOST + 7))
    report = with_items(item(subject="nhi/api", permissions=may))
    many = replace(report, changes=tuple(report.changes[:1]) * (MOST_CHANGES + 3))
    assert "7 more: nhictl access nhi/api" in shown(report)
    assert "3 older changes are not in this page: nhictl audit export has them all." in shown(many)


def test_tables_have_captions_and_headed_rows_and_columns():
    """For those who hear the page."""
    shape = Parsed(page(estate.small())).shape
    elements = Parsed(page(estate.small())).elements
    rows = [given for tag, given in elements if tag == "th" and given.get("scope") == "row"]
    assert shape["table"] == shape["caption"] == shape["thead"] == 8
    assert shape["tr"] == len(rows) + shape["thead"]


def test_who_what_when_and_outcome_of_a_change_are_told():
    """With why, and what set it off."""
    assert (
        "2026-11-19 10:00 entry 28 create nhi/warehouse vault-prod/entity/warehouse deploy-bot failed "
        "permission denied (403) not moved declared commit 4f1d2c9b8a7e"
    ) in shown(estate.small())


def test_ten_thousand_identities_take_a_bounded_page():
    """Below 2,000 bytes an identity, its credentials and its row among the unmanaged included."""
    few, many = len(page(estate.large(100)).encode()), len(page(estate.large(600)).encode())
    assert (many - few) / 500 < 2_000


def test_the_inventory_of_a_report_is_one_value():
    """Nothing is asked for beside it."""
    empty = Inventory("shop", "test", estate.ago(0), (), (), {})
    assert page(Report(empty, None)).startswith('<!doctype html>\n<html lang="en" dir="ltr">\n')
