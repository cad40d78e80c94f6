"""Untrusted text is harmless in every format."""

import html.parser
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nhictl.render import safe

anything = st.text(st.characters(exclude_categories=[]), max_size=30)
nasty = st.lists(
    st.sampled_from(
        [
            "`",
            "``",
            "|",
            "\\",
            "<",
            ">",
            "&",
            "@org",
            "#12",
            "![x](y)",
            "[a](b)",
            "</details>",
            "<img>",
            "*",
            "_",
            "~~",
            "\n",
            "\t",
            "https://x.y",
            "www.x.y",
            "a",
            " ",
            "::error::",
            "%0A",
            "=",
            "\x1b[31m",
            "\u202e",
            "\u200b",
            "- ",
            "1. ",
        ]
    ),
    max_size=8,
).map("".join)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _inline_types(text: str) -> set[str]:
    tokens = MARKDOWN.parseInline(text)
    return {child.type for token in tokens for child in token.children or ()}


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\x1b", r"\u{1b}"),
        ("\x00", r"\u{0}"),
        ("\x7f", r"\u{7f}"),
        ("\x9b", r"\u{9b}"),
        ("\u202e", r"\u{202e}"),
        ("\u2066", r"\u{2066}"),
        ("\u200b", r"\u{200b}"),
        ("\u200d", r"\u{200d}"),
        ("\ufeff", r"\u{feff}"),
        ("\u2028", r"\u{2028}"),
        ("\u2029", r"\u{2029}"),
        ("\u00a0", r"\u{a0}"),
        ("\u00ad", r"\u{ad}"),
        ("\u3164", r"\u{3164}"),
        ("\ud800", r"\u{d800}"),
        ("\U000e0041", r"\u{e0041}"),
        ("\n", r"\n"),
        ("\t", r"\t"),
        ("\r", r"\r"),
    ],
)
def test_what_cannot_be_seen_is_escaped(char: str, shown: str):
    """Each kind of invisible or dangerous character is shown by its number."""
    assert safe.visible(f"a{char}b") == f"a{shown}b"


def test_ordinary_text_of_any_language_stays():
    """Names people really have are not touched."""
    text = "Zahlungs-Dienst 決済 платежи é ✓ 🔑 a/b_c.d"
    assert safe.visible(text) == text


@given(anything)
def test_visible_text_is_one_line_of_printable_characters(text: str):
    """Nothing of the output is a control, format, surrogate, private or separator character; twice is once."""
    shown = safe.visible(text)
    assert shown.isprintable()
    assert {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} == set()
    assert safe.visible(shown) == shown


@given(nasty)
def test_markdown_prose_is_text_only(text: str):
    """A Markdown renderer finds no mark-up in it, and shows what is visible."""
    assert _inline_types("x " + safe.markdown(text)) <= {"text"}
    shown = "".join(t.content for token in MARKDOWN.parseInline("x " + safe.markdown(text)) for t in token.children)
    assert shown.replace("\u200b", "").split() == f"x {safe.visible(text)}".split()


@given(nasty)
def test_markdown_prose_mentions_nobody(text: str):
    """No at sign or number sign touches a word once entities are decoded."""
    shown = "".join(t.content for token in MARKDOWN.parseInline(safe.markdown(text)) for t in token.children)
    assert "@org" not in shown
    assert "#12" not in shown


@given(nasty)
def test_code_stays_one_cell_of_code(text: str):
    """In a table cell, inline code is one cell and neither mark-up nor HTML but its own."""
    rendered = MARKDOWN.render(f"|a|b|\n|---|---|\n|{safe.code(text)}|end|\n")
    assert rendered.count("<td>") == 2
    assert "<td>end</td>" in rendered
    inner = rendered.split("<td>")[1].split("</td>")[0]
    assert inner.startswith("<code>")
    assert inner.count("<") == 2


@given(nasty)
def test_html_is_text_only(text: str):
    """An HTML parser finds only the visible text."""
    found: list[str] = []
    parser = html.parser.HTMLParser()
    parser.handle_data = found.append  # type: ignore[method-assign]
    parser.handle_starttag = lambda *_: pytest.fail("a tag")  # type: ignore[method-assign]
    parser.feed(safe.html(text))
    parser.close()
    assert "".join(found) == safe.visible(text)


@given(st.lists(nasty, max_size=4))
def test_no_line_closes_a_fence(lines: list[str]):
    """All lines stay inside one code block."""
    tokens = MARKDOWN.parse("\n".join([*safe.fence(lines, "diff"), "", "after"]))
    assert [t.type for t in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content.splitlines() == [safe.visible(line) for line in lines]


@given(nasty | anything)
def test_a_workflow_command_cannot_be_left(text: str):
    """Whatever is in the message or an attribute stays there, on one line."""
    message, attribute = safe.workflow_command(text), safe.workflow_command(text, attribute=True)
    assert message.isprintable()
    assert ":" not in attribute
    assert "," not in attribute
    assert message.count("%0A") == text.count("\n")


@given(st.recursive(anything | st.integers() | st.none(), lambda s: st.lists(s) | st.dictionaries(anything, s)))
def test_json_means_the_same_and_is_harmless(data: object):
    """Parsing gives the data back; the text has nothing a terminal would act on."""
    text = safe.json_text(data)
    assert json.loads(text) == json.loads(json.dumps(data))
    assert text.replace("\n", "").isprintable()
